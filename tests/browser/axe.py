"""axe-core, Deque's checker of accessibility, in a page of the browser."""

import fcntl
from pathlib import Path

from playwright.sync_api import Page

from nocturne.sandbox.programs import Programs

VERSION = "4.14.1"
WORTH_A_FAULT = ("serious", "critical")


def axe_script(tools: Path, programs: Programs) -> str:
    """Return axe-core's script, installed below `tools` by npm where it is missing. Raises Broken."""
    folder = tools / f"axe-core-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), f"axe-core@{VERSION}"]
            programs.run("npm", command, "see that npm can reach its registry, then run the same command again")
            (folder / "complete").touch()
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def faults(page: Page, script: str) -> list[str]:
    """Return what is serious or worse on the page as it is now, one line for each element."""
    page.evaluate(script)
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{fault['id']}: {fault['help']}: {node['html']}"
        for fault in found
        if fault["impact"] in WORTH_A_FAULT
        for node in fault["nodes"]
    ]
