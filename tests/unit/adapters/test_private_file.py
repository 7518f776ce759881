import os
import stat
from pathlib import Path

import pytest

from nocturne.adapters.private_file import write_private


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """The file has mode 0600 whatever the process would give others, and nothing else is left beside it."""
    before = os.umask(0)
    try:
        write_private(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_whoever_reads_the_old_one_goes_on_to_read_it(tmp_path: Path) -> None:
    """A new content takes the place of the old one as a whole: an open file does not change under its reader."""
    file = tmp_path / "file"
    write_private(file, "old")
    with file.open() as reader:
        write_private(file, "new", mode=0o400)
        assert reader.read() == "old"
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o400)


def test_what_fails_leaves_the_old_one(tmp_path: Path) -> None:
    """A text that cannot be written changes nothing and leaves nothing behind."""
    file = tmp_path / "file"
    write_private(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(file, "half \ud800")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file", "old")]
