import io
import re

from rich.console import Console

from nocturne.sandbox.progress import LineReport, LiveReport, report_on


def test_lines_have_time_part_and_text() -> None:
    """Away from a terminal each event is one line that a log keeps well."""
    output = io.StringIO()
    with LineReport(output) as report:
        report.working("registry", "starting")
        report.ready("registry", "ready on http://localhost:5000")
        report.failed("blob", "no npm")
    lines = output.getvalue().splitlines()
    assert re.fullmatch(r"\[ +\d+\.\d s\] registry: starting \.\.\.", lines[0])
    assert lines[1].endswith("registry: ready on http://localhost:5000")
    assert lines[2].endswith("blob: FAILED: no npm")


def test_a_terminal_keeps_what_is_done() -> None:
    """On a terminal the finished parts stay as lines, with whatever brackets their text has."""
    output = io.StringIO()
    with LiveReport(Console(file=output, force_terminal=True, width=100)) as report:
        report.working("registry", "starting")
        report.ready("registry", "ready [really]")
        report.failed("blob", "no npm")
    assert "ready [really]" in output.getvalue()
    assert "no npm" in output.getvalue()


def test_what_is_no_terminal_gets_lines() -> None:
    """A pipe or a file gets plain lines without being asked."""
    assert isinstance(report_on(io.StringIO()), LineReport)
