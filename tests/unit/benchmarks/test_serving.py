"""benchmarks/serving.py, without the servers that it measures."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nocturne.domain.errors import Broken

Call = Callable[..., tuple[int, dict[str, Any]]]


class Servers:
    """In place of servers: measuring one takes no time. breaks: the model and the number of the measurement that fails. looks: how
    many measurements of the model were in the file before each.
    """

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.breaks: tuple[str, int] | None = None
        self.looks: list[int] = []
        self.file = Path()
        self._count: Counter[str] = Counter()

    def measure(self, benchmark: Any, server: Any, python: Path, expected: list[str] | None) -> Any:
        model = benchmark.material
        written = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.looks.append(len(written.get(model, {}).get("measured", [])))
        self._count[model] += 1
        if self.breaks == (model, self._count[model]):
            raise Broken(f"{server.title} gave no right answer")
        loads = [self._module.Load(connections, 100, 1.0, 1.0, 2.0, 0) for connections in self._module.CONNECTIONS]
        return self._module.Round(server.key, ("7",), 0.5, 1_000_000, 2_000_000, tuple(loads), (0.1, 0.1, 0.1))


@pytest.fixture
def servers(serving: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Servers:
    found = Servers(serving)
    found.file = tmp_path / "found.json"
    monkeypatch.setattr(serving, "Wrk", lambda folder: None)
    monkeypatch.setattr(serving, "environment", lambda server, base, report: Path(base))
    monkeypatch.setattr(serving, "materials", lambda folder, report: {name: name for name in serving.CATALOGUES})
    monkeypatch.setattr(serving.Benchmark, "_one", lambda *words: found.measure(*words))
    monkeypatch.setattr(serving.signal, "signal", lambda *words: None)
    return found


@pytest.fixture
def call(serving: ModuleType, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Gives the exit code and what was written as JSON."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr("sys.argv", ["serving.py", "--json", str(servers.file), *words])
        code = serving.main()
        return code, json.loads(servers.file.read_text())

    return run


def servers_of(found: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(item["server"] for item in found["measured"]))


def test_everything_is_measured_and_written(call: Call, serving: ModuleType) -> None:
    """By default every server of both models, in as many rounds as were asked for, with a summary of each model."""
    code, found = call("--rounds", "2")
    assert code == 0
    assert list(found) == ["about", "digits", "resnet50"]
    for model, catalogue in serving.CATALOGUES.items():
        assert servers_of(found[model]) == [server.key for server in catalogue]
        assert len(found[model]["measured"]) == 2 * len(catalogue)
        assert list(found[model]["summary"]["rows"]) == servers_of(found[model])


@pytest.mark.parametrize(
    ("server", "model", "other"),
    [
        ("litserve", "digits", "resnet50"),
        ("mlserver", "digits", "resnet50"),
        ("bentoml", "digits", "resnet50"),
        ("threads", "resnet50", "digits"),
    ],
)
def test_a_model_without_a_chosen_server_is_left_out(
    call: Call, capsys: pytest.CaptureFixture[str], server: str, model: str, other: str
) -> None:
    """A server that runs with one model alone is measured with that, and it is said that the other is left out."""
    code, found = call("--quick", "--only", server)
    assert (code, list(found), servers_of(found[model])) == (0, ["about", model], [server])
    assert f"{other}: left out, for {server} does not run with it" in capsys.readouterr().err


def test_nothing_to_measure_is_said_at_once(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no chosen server runs with the chosen model, the call is refused with those that do."""
    with pytest.raises(SystemExit, match="2"):
        call("--only", "threads", "--model", "digits")
    assert "found threads, expected one of app, gunicorn, fastapi, litserve, mlserver, bentoml, limit" in capsys.readouterr().err


def test_what_was_measured_outlives_a_failure(call: Call, servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    """When a server fails in a later round of a later model, all that was measured before it is written."""
    servers.breaks = ("resnet50", 3)
    code, found = call("--rounds", "2", "--only", "app", "limit")
    assert (code, list(found)) == (1, ["about", "digits", "resnet50"])
    assert list(found["digits"]) == ["summary", "measured"]
    assert list(found["resnet50"]) == ["measured"]
    assert servers_of(found["resnet50"]) == ["app", "limit"]
    assert "gave no right answer" in capsys.readouterr().err


def test_results_are_written_as_they_come(call: Call, servers: Servers) -> None:
    """Whoever kills the benchmark finds in the file what was measured until then."""
    call("--rounds", "2", "--model", "digits", "--only", "app", "limit")
    assert servers.looks == [0, 1, 2, 3]
    assert [path.name for path in servers.file.parent.iterdir()] == ["found.json"]


def test_a_file_that_cannot_be_written_is_told_first(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is measured for a file in a folder that does not exist."""
    with pytest.raises(SystemExit, match="2"):
        call("--json", str(tmp_path / "nowhere" / "found.json"))
    assert f"found no folder {tmp_path / 'nowhere'}" in capsys.readouterr().err
