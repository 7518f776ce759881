"""The commands in `docs/operations.md`, as its readers copy them."""

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def blocks(heading: str) -> list[str]:
    """The blocks of commands below a heading, up to the next one, each as it stands there."""
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"{PAGE} has no section {heading!r}"
    return [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n)+", section[1], re.MULTILINE)]
