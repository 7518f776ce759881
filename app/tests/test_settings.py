"""Settings and the cores they are chosen for."""

import os
from pathlib import Path

import pytest

from app.cores import usable_cores
from app.settings import SettingsError, read_settings


def test_an_empty_environment_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything has a default."""
    monkeypatch.chdir(tmp_path)
    settings = read_settings({"PORT": ""})
    assert (settings.host, settings.port, settings.threads, settings.intra_op_threads) == ("0.0.0.0", 8080, 1, 1)
    assert (settings.drain_seconds, settings.release_file) == (2.5, Path("/release.json"))
    assert settings.workers == usable_cores()


def test_all_wrong_values_are_told_at_once() -> None:
    """An operator learns of every fault in one go."""
    with pytest.raises(SettingsError) as caught:
        read_settings({"PORT": "70000", "WORKERS": "two", "DRAIN_SECONDS": "nan", "MAX_PIXELS": "-1"})
    assert [fault.split()[0] for fault in caught.value.faults] == ["PORT", "WORKERS", "DRAIN_SECONDS", "MAX_PIXELS"]
    assert caught.value.faults[1] == ("WORKERS is 'two'; expected a whole number from 1 to 1024. Correct or unset it.")


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000"}, 4),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "5000 100000"}, 1),
        ({"cpu.max": "900000 100000"}, 4),
        ({"cpu.max": "damaged"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
    ],
)
def test_a_container_counts_the_cores_it_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    """The quota of the container counts, in both versions of control groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    assert usable_cores(tmp_path) == cores
