import os
from pathlib import Path

import pytest

from nocturne.adapters.git import GitCodeSource
from nocturne.domain.errors import Broken, Conflict, NotFound, Rejected
from tests.integration.git.repository import Repository


def _exported(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_file_is_read_as_it_was_committed(source: GitCodeSource, origin: Repository) -> None:
    """Reading gives the committed bytes, not those of the work tree."""
    commit = origin.commit({"app/web.py": "print('committed')\r\n"})
    origin.write({"app/web.py": "print('not committed')\n"})
    assert source.read(commit, "web.py") == b"print('committed')\r\n"


@pytest.mark.parametrize("path", ["wob.py", "tests", "", "../docs/guide.md", "/app/web.py", "web.py/x", "link"])
def test_what_is_no_file_of_the_app_is_not_found(source: GitCodeSource, origin: Repository, path: str) -> None:
    """A missing file, a folder, a link and a path that leaves the app are not found, and the message names files."""
    (origin.root / "app/link").symlink_to("web.py")
    commit = origin.commit({})
    with pytest.raises(NotFound, match=r"the nearest are: .*web\.py"):
        source.read(commit, path)


def test_a_folder_is_listed_with_paths_that_can_be_read(source: GitCodeSource, origin: Repository) -> None:
    """Listing gives all files below a folder, sorted, each by the path that `read` takes."""
    commit = origin.commit({"app/deploy/b.yaml": "b", "app/deploy/a/c.yaml": "c", "app/deployment": "no"})
    assert source.list(commit, "deploy") == source.list(commit, "deploy/") == ["deploy/a/c.yaml", "deploy/b.yaml"]
    assert [source.read(commit, path) for path in source.list(commit, "deploy")] == [b"c", b"b"]
    assert "web.py" in source.list(commit, ".")


@pytest.mark.parametrize("folder", ["missing", "web.py", "..", "/etc"])
def test_a_folder_that_is_not_there_is_empty(source: GitCodeSource, origin: Repository, folder: str) -> None:
    """Where there is no such folder, nothing is listed."""
    assert source.list(origin.git("rev-parse", "main"), folder) == []


def test_names_beyond_ascii_and_with_magic_are_plain_names(source: GitCodeSource, origin: Repository) -> None:
    """Names that git quotes or treats as patterns elsewhere are listed and read as they are."""
    names = ["a*b", "c[d]", "e f", "x\ny", "ü", ":(top)z"]
    commit = origin.commit({f"app/odd/{name}": name for name in names})
    assert source.list(commit, "odd") == sorted(f"odd/{name}" for name in names)
    assert [source.read(commit, f"odd/{name}").decode() for name in names] == names


def test_an_export_holds_the_files_of_the_app_alone(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """An export has the committed files of the app's folder, without git's own and without uncommitted ones."""
    commit = origin.git("rev-parse", "main")
    origin.write({"app/web.py": "changed", "app/new.py": "new"})
    source.export(commit, tmp_path / "deep/out")
    assert _exported(tmp_path / "deep/out") == {"web.py": "print('hi')\n", "tests/test_web.py": "assert True\n"}
    assert sorted(os.listdir(tmp_path / "deep")) == ["out"]


def test_an_export_keeps_modes_and_inner_links(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """Executables stay executable, and links inside the app stay links."""
    origin.write({"app/run.sh": "#!/bin/sh\n"})
    (origin.root / "app/run.sh").chmod(0o755)
    (origin.root / "app/tests/link").symlink_to("../web.py")
    source.export(origin.commit({}), tmp_path / "out")
    assert os.access(tmp_path / "out/run.sh", os.X_OK)
    assert not os.access(tmp_path / "out/web.py", os.X_OK)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/tests/link").readlink() == Path("../web.py")


def test_attributes_do_not_change_an_export(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """Files marked `export-ignore` are there, and line ends and keywords stay as committed: what is tested is what was hashed."""
    attributes = "tests export-ignore\n*.bat text eol=crlf\n*.py export-subst ident\n"
    files = {"app/.gitattributes": attributes, "app/run.bat": "one\ntwo\n", "app/id.py": "$Format:%H$ $Id$\n"}
    source.export(origin.commit(files), tmp_path / "out")
    assert _exported(tmp_path / "out")["tests/test_web.py"]
    assert (tmp_path / "out/run.bat").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "out/id.py").read_text() == "$Format:%H$ $Id$\n"


@pytest.mark.parametrize("aim", ["/etc/passwd", "../docs/guide.md", "tests/../../docs"])
def test_a_link_out_of_the_app_is_refused(source: GitCodeSource, origin: Repository, tmp_path: Path, aim: str) -> None:
    """A link that leaves the app's folder is rejected by name, and nothing is left behind."""
    (origin.root / "app/escape").symlink_to(aim)
    commit = origin.commit({})
    with pytest.raises(Rejected, match=r"the link escape -> .* leaves the app's folder"):
        source.export(commit, tmp_path / "exports/out")
    assert os.listdir(tmp_path / "exports") == []


def test_a_tree_made_to_escape_is_refused(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """A tree with a folder called `..`, which git itself would never write, is rejected."""
    blob = origin.git("hash-object", "-w", "app/web.py")
    inner = _tree(origin, f"100644 evil.py\0{blob}")
    app = _tree(origin, f"40000 ..\0{inner}")
    commit = origin.git("commit-tree", _tree(origin, f"40000 app\0{app}"), "-m", "Evil")
    origin.git("branch", "evil", commit)
    with pytest.raises(Rejected, match="leaves the app's folder"):
        source.export(commit, tmp_path / "exports/out")
    assert not (tmp_path / "exports").exists()


def test_a_submodule_is_refused(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """A submodule is rejected by name instead of being left out silently."""
    commit = origin.git("rev-parse", "main")
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{commit},app/vendor")
    origin.git("commit", "--quiet", "--message", "A submodule")
    with pytest.raises(Rejected, match="vendor is a submodule"):
        source.export(origin.git("rev-parse", "HEAD"), tmp_path / "out")


def test_an_export_never_mixes_with_other_files(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """An empty folder is filled; one with files in it is a conflict and stays as it is."""
    commit, out = origin.git("rev-parse", "main"), tmp_path / "out"
    out.mkdir()
    source.export(commit, out)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="holds files already"):
        source.export(commit, out)
    assert (out / "mine.txt").read_text() == "mine"
    with pytest.raises(Conflict):
        source.export(commit, out / "mine.txt")


def test_a_place_that_cannot_be_written_is_broken(source: GitCodeSource, origin: Repository, tmp_path: Path) -> None:
    """Where the folder above is a file, the export says that it cannot be written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Broken, match="cannot be written"):
        source.export(origin.git("rev-parse", "main"), tmp_path / "file/out")


def _tree(origin: Repository, line: str) -> str:
    about, _, object_id = line.partition("\0")
    raw = about.encode() + b"\0" + bytes.fromhex(object_id)
    path = origin.root.parent / "raw-tree"
    path.write_bytes(raw)
    return origin.git("hash-object", "-t", "tree", "-w", "--literally", str(path))
