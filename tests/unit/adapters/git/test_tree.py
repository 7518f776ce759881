import pytest

from nocturne.adapters.git.tree import normal


@pytest.mark.parametrize(
    ("parts", "path"),
    [(("app",), "app"), (("app/", "./web.py"), "app/web.py"), (("",), "."), ((".",), "."), (("a//b/",), "a/b")],
)
def test_a_path_has_one_spelling(parts: tuple[str, ...], path: str) -> None:
    """Slashes and dots too many are left out, and the top is `.`."""
    assert normal(*parts) == path


@pytest.mark.parametrize("parts", [("..",), ("a/../b",), ("/a",), ("app", "/etc"), ("app", "../x")])
def test_a_path_that_could_leave_its_folder_has_none(parts: tuple[str, ...]) -> None:
    """Absolute paths and those with `..` have no spelling at all."""
    assert normal(*parts) is None
