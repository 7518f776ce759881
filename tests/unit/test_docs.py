"""What the documents say of each other and of the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.steps.settle import Verdict

CLONE = Path(__file__).parents[2]
VERDICTS = CLONE / "docs/verdicts"
DOCUMENTS = [CLONE / "README.md", *sorted((CLONE / "docs").glob("*.md")), *sorted(VERDICTS.glob("*.md"))]
# https://spec.commonmark.org/0.31.2/#inline-link, without titles and brackets, which no document of ours has in a link.
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^ {4}.*$|^```[\s\S]*?^```$|`[^`\n]+`", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(document: Path) -> Iterator[str]:
    """Where the links of a document lead that do not leave the clone."""
    text = _CODE.sub("", document.read_text())
    return (target for target in _LINK.findall(text) if "://" not in target)


def anchors(document: Path) -> set[str]:
    """What a link into a document may name: its headings as GitHub writes them."""
    headings = _HEADING.findall(document.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CLONE)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """Each relative link names a file or folder that exists, and a heading that is in it."""
    lost = []
    for target in links(document):
        path, _, heading = target.partition("#")
        found = document.parent / path if path else document
        if not found.exists() or (heading and heading not in anchors(found)):
            lost.append(target)
    assert lost == []


def test_every_verdict_has_its_page() -> None:
    """There is one page for each verdict that a run can end with, named after it, and no other."""
    assert {page.stem for page in VERDICTS.glob("*.md")} == {verdict.value for verdict in Verdict}


def test_operations_leads_to_every_verdict() -> None:
    """Who sees a verdict finds its page from the operator's page."""
    found = set(links(CLONE / "docs/operations.md"))
    assert {f"verdicts/{verdict.value}.md" for verdict in Verdict} <= found


def test_a_lost_link_is_found(tmp_path: Path) -> None:
    """A link is read outside of code alone, with its heading."""
    document = tmp_path / "a.md"
    document.write_text(
        "# A b, c\n[one](two.md#three) `[code](x.md)` [four](#a-b-c) [far](https://example.org/)\n\n    [five](six.md)\n"
    )
    assert list(links(document)) == ["two.md#three", "#a-b-c"]
    assert anchors(document) == {"a-b-c"}
