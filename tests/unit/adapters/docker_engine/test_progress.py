import pytest

from nocturne.adapters.docker_engine.progress import build_lines, plain, transfer_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;38;5;4mblue\x1b[K", "red and blue"),
        ("\x1b]0;title\x07text", "text"),
        (" 10%\r 50%\r100% done\r\n", "100% done"),
        ("  indented  ", "  indented"),
    ],
)
def test_a_line_has_no_colours_and_no_overwritten_parts(text: str, line: str):
    """What a terminal would show at the end is what the log gets."""
    assert plain(text) == line


def test_lines_are_put_together_from_pieces():
    """The engine cuts its output anywhere; a last line without an end is a line."""
    items = [{"stream": "Step 1/2 : FR"}, {"stream": "OM base\nStep"}, {"stream": " 2/2\n\n"}, {"stream": "rest"}]
    assert list(build_lines(items)) == ["Step 1/2 : FROM base", "Step 2/2", "rest"]


def test_ids_of_intermediate_containers_are_left_out():
    """What only the engine needs to know is noise to a person."""
    items = [{"stream": " ---> 0123456789ab\n"}, {"stream": "Removing intermediate container 0123456789ab\n"}]
    assert list(build_lines(items)) == []


def test_errors_and_results_come_in_their_place():
    """The items that decide a build are handed on as they are, after the lines before them."""
    error, result = {"error": "no"}, {"aux": {"ID": "sha256:1"}}
    assert list(build_lines([{"stream": "a\n"}, result, error])) == ["a", result, error]


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"status": "Pushed", "id": "1a2b"}, "layer 1a2b: pushed"),
        ({"status": "Layer already exists", "id": "1a2b"}, "layer 1a2b: layer already exists"),
        ({"status": "Mounted from base", "id": "1a2b"}, "layer 1a2b: mounted from base"),
        ({"status": "Pushing", "id": "1a2b", "progress": "[==>  ]"}, None),
        ({"status": "Waiting", "id": "1a2b"}, None),
        ({"aux": {"Digest": "sha256:1"}}, None),
    ],
)
def test_a_transfer_tells_the_end_of_each_layer_and_no_progress(item: dict, line: str | None):
    """One line a layer, however long it takes."""
    assert transfer_line(item) == line
