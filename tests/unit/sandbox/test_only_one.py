import subprocess
import sys
from pathlib import Path

import pytest

from nocturne.domain.errors import Conflict
from nocturne.sandbox.only_one import only_one
from nocturne.sandbox.sandbox import require_own_home

HOLD = """
import sys, time
from pathlib import Path
from nocturne.sandbox.only_one import only_one
with only_one(Path(sys.argv[1]), "sandbox up"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_command_is_told_who_is_at_work(tmp_path: Path) -> None:
    """While one command holds the lock, another one fails at once, naming it; a killed command holds nothing."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(Conflict, match=rf"`sandbox up` \(pid {holder.pid}\)"), only_one(tmp_path, "sandbox down"):
            pass
        holder.kill()
    with only_one(tmp_path, "sandbox down"):
        pass


def test_a_folder_with_other_things_in_it_is_no_home(tmp_path: Path) -> None:
    """A sandbox does not move into a folder that `clean` would later delete with everything in it."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(Conflict, match=r"thesis\.txt"):
        require_own_home(tmp_path, tmp_path / "tools")


def test_new_empty_and_own_folders_are_homes(tmp_path: Path) -> None:
    """What does not exist, holds only the clone's tools, or was a home before can be one."""
    require_own_home(tmp_path / "new", tmp_path / "new" / "tools")
    (tmp_path / "tools").mkdir()
    require_own_home(tmp_path, tmp_path / "tools")
    with only_one(tmp_path, "sandbox up"):
        (tmp_path / "airflow").mkdir()
    require_own_home(tmp_path, tmp_path / "tools")
