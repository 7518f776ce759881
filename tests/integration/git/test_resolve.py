import re
from pathlib import Path

import pytest

from nocturne.adapters.git import GitCodeSource
from nocturne.domain.errors import Broken, NotFound
from tests.integration.git.repository import Repository


def test_a_branch_is_its_newest_commit_with_the_tree_of_the_app(source: GitCodeSource, origin: Repository) -> None:
    """A branch resolves to its commit, the app folder's tree, the time in UTC and the subject."""
    version = source.resolve("main")
    assert version.commit == origin.git("rev-parse", "main")
    assert version.tree == origin.git("rev-parse", "main:app")
    assert (version.committed_at, version.subject) == ("2026-11-20T02:00:00Z", "The first version")


def test_a_commit_outside_the_app_keeps_the_tree(source: GitCodeSource, origin: Repository) -> None:
    """A commit that does not touch the app is another commit with the same tree."""
    before = source.resolve("main")
    origin.commit({"docs/guide.md": "# A better guide\n"})
    after = source.resolve("main")
    assert after.commit != before.commit
    assert after.tree == before.tree


def test_what_is_pushed_is_seen_at_the_next_look(source: GitCodeSource, origin: Repository) -> None:
    """A branch is looked up at the remote each time, also when it was rewritten."""
    source.resolve("main")
    origin.git("commit", "--quiet", "--amend", "--message", "Rewritten")
    assert source.resolve("main").subject == "Rewritten"


@pytest.mark.parametrize("ref", ["v1", "feature/new", "refs/heads/feature/new", "HEAD"])
def test_tags_branches_with_slashes_and_head_resolve(source: GitCodeSource, origin: Repository, ref: str) -> None:
    """An annotated tag, a branch with a slash, a full ref and HEAD all stand for their commit."""
    origin.git("switch", "--quiet", "--create", "feature/new")
    commit = origin.commit({"app/web.py": "print('new')\n"})
    origin.git("tag", "--annotate", "v1", "--message", "One")
    assert source.resolve(ref).commit == commit


def test_head_is_what_is_checked_out(source: GitCodeSource, origin: Repository) -> None:
    """HEAD follows the clone to another branch and to no branch at all."""
    first = origin.git("rev-parse", "main")
    origin.commit({"app/web.py": "print('more')\n"})
    origin.git("switch", "--quiet", "--detach", first)
    assert source.resolve("HEAD").commit == first
    origin.git("switch", "--quiet", "main")
    assert source.resolve("HEAD").commit == origin.git("rev-parse", "main")


def test_a_commit_on_a_detached_head_resolves(source: GitCodeSource, origin: Repository) -> None:
    """HEAD resolves although no branch holds its commit."""
    origin.git("switch", "--quiet", "--detach")
    commit = origin.commit({"app/web.py": "print('lost')\n"})
    assert source.resolve("HEAD").commit == commit


def test_a_branch_comes_before_a_tag_of_the_same_name(source: GitCodeSource, origin: Repository) -> None:
    """Where a branch and a tag have one name, the name means the branch."""
    origin.git("tag", "release")
    origin.git("switch", "--quiet", "--create", "release")
    commit = origin.commit({"app/web.py": "print('branch')\n"})
    assert source.resolve("release").commit == commit


def test_a_deleted_branch_is_gone(source: GitCodeSource, origin: Repository) -> None:
    """A branch that was deleted is not found any more."""
    origin.git("branch", "topic")
    source.resolve("topic")
    origin.git("branch", "--delete", "topic")
    with pytest.raises(NotFound):
        source.resolve("topic")


def test_a_branch_may_become_a_folder_of_branches(source: GitCodeSource, origin: Repository) -> None:
    """A new branch may have a deleted one's name in its own."""
    origin.git("branch", "topic")
    source.resolve("topic")
    origin.git("branch", "--move", "topic", "topic/one")
    assert source.resolve("topic/one").subject == "The first version"


def test_a_short_commit_and_an_expression_resolve(source: GitCodeSource, origin: Repository) -> None:
    """An abbreviated commit and `main~1` stand for what they stand for in git."""
    first = origin.git("rev-parse", "main")
    origin.commit({"app/web.py": "print('second')\n"})
    assert source.resolve(first[:8]).commit == first
    assert source.resolve("main~1").commit == first


@pytest.mark.parametrize("ref", ["mian", "", "--all", ":/first", "f" * 40, "main:app", "refs/heads/", "a b"])
def test_an_unknown_name_lists_what_there_is(source: GitCodeSource, origin: Repository, ref: str) -> None:
    """What is no branch, tag or commit is not found, and the message names the nearest that are."""
    with pytest.raises(NotFound, match=re.escape(f"{ref!r}; the nearest are: main")):
        source.resolve(ref)


def test_a_full_commit_that_is_known_needs_no_remote(source: GitCodeSource, origin: Repository) -> None:
    """Once it was fetched, a full commit resolves although the remote is away."""
    commit = source.resolve("main").commit
    origin.root.rename(origin.root.with_name("moved"))
    assert source.resolve(commit).commit == commit
    with pytest.raises(Broken, match="does not appear to be a git repository"):
        source.resolve("main")


def test_a_frozen_commit_survives_a_forced_push_and_an_empty_disk(origin: Repository, cache: Path) -> None:
    """A commit that no branch holds any more is fetched by its name."""
    commit = origin.git("rev-parse", "main")
    origin.git("commit", "--quiet", "--amend", "--message", "Rewritten")
    assert GitCodeSource(str(origin.root), "app", cache).read(commit, "web.py") == b"print('hi')\n"


def test_a_missing_folder_lists_those_there_are(origin: Repository, cache: Path) -> None:
    """A folder that the repository does not have is not found, and the message names those it has."""
    with pytest.raises(NotFound, match=r"no folder 'shop' at .*; there are: app, docs"):
        GitCodeSource(str(origin.root), "shop", cache).resolve("main")


@pytest.mark.parametrize("folder", ["../origin", "/app", "app/web.py"])
def test_a_folder_outside_or_a_file_is_no_folder(origin: Repository, cache: Path, folder: str) -> None:
    """The app's folder can neither leave the repository nor be a file."""
    with pytest.raises(NotFound, match="no folder"):
        GitCodeSource(str(origin.root), folder, cache).resolve("main")


@pytest.mark.parametrize("folder", [".", "", "./"])
def test_the_whole_repository_can_be_the_app(origin: Repository, cache: Path, folder: str) -> None:
    """The folder `.` is the repository's own."""
    assert GitCodeSource(str(origin.root), folder, cache).resolve("main").tree == origin.git("rev-parse", "main^{tree}")


def test_a_repository_without_commits_has_no_head(tmp_path: Path, cache: Path) -> None:
    """In an empty repository nothing is found; it is not broken."""
    empty = Repository(tmp_path / "empty")
    with pytest.raises(NotFound, match="it has no branches and no tags"):
        GitCodeSource(str(empty.root), "app", cache).resolve("HEAD")
