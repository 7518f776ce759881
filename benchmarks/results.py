"""What was measured, as a table with ratios and a verdict."""

from collections.abc import Sequence
from typing import Any

from measure import Measured, Medians, medians
from rich import box
from rich.console import Console
from rich.table import Table

MODEL, CODE, NOTHING = "only the model changed", "only the code changed", "nothing changed"
TARGET = 8
_NOCTURNE_STEPS = ("freeze_inputs", "fetch_model", "build_image")
_DOCKER_STEPS = ("docker build", "docker push")
_COMPARED = {MODEL: ("build_image",), CODE: ("build_image",), NOTHING: ("freeze_inputs",)}
"""What stands against build and push. In the other nights freezing and fetching come on top: Docker has its model already."""


def show(found: Sequence[Measured], about: dict[str, Any]) -> dict[str, Any]:
    """Print the table and the verdict; returns what they say as JSON values."""
    rounds = about["rounds"]
    title = f"Medians of {rounds} round{'s' * (rounds > 1)}, model of {about['model_mib']} MiB"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for name, side in (("night", "left"), ("step", "left"), ("seconds", "right"), ("bytes moved", "right"), ("ratio", "right")):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    summary = {scenario: _scenario(table, scenario, found, rounds) for scenario in (MODEL, CODE, NOTHING)}
    console = Console(width=110, highlight=False)
    console.print(table)
    console.print(
        f"{about['cores']} cores, Docker Engine {about['docker_engine']}. Ratio: Docker's build and push to Nocturne's time."
    )
    console.print(_verdict(summary))
    return summary


def _scenario(table: Table, scenario: str, found: Sequence[Measured], rounds: int) -> dict[str, Any]:
    def of(*steps: str) -> Medians:
        return medians(found, lambda item: item.scenario == scenario and item.step in steps, rounds)

    ran = {item.step for item in found if item.scenario == scenario}
    steps = {step: of(step) for step in (*_NOCTURNE_STEPS, *_DOCKER_STEPS) if step in ran}
    for step, value in steps.items():
        table.add_row(scenario if step == "freeze_inputs" else "", step, f"{value.seconds:.2f}", f"{value.moved:,.0f}", "")
    both, compared, whole = of(*_DOCKER_STEPS), of(*_COMPARED[scenario]), of(*_NOCTURNE_STEPS)
    ratio, whole_ratio = both.seconds / compared.seconds, both.seconds / whole.seconds
    name = " + ".join(_COMPARED[scenario])
    table.add_row("", f"{name} against build + push", "", "", f"{ratio:.1f}", style="bold")
    if compared != whole:
        table.add_row("", "all steps against build + push", "", "", f"{whole_ratio:.1f}")
    table.add_section()
    return {
        "steps": {step: {"seconds": value.seconds, "bytes": value.moved} for step, value in steps.items()},
        "ratio": ratio,
        "whole_ratio": whole_ratio,
        "nocturne_bytes": max(item.moved for item in found if item.scenario == scenario and item.side == "nocturne"),
    }


def _verdict(summary: dict[str, Any]) -> str:
    ratio, moved = summary[MODEL]["ratio"], summary[NOTHING]["nocturne_bytes"]
    append = f"a new model joined {ratio:.1f} times faster (target {TARGET}): {'met' if ratio >= TARGET else 'MISSED'}"
    nothing = f"nothing changed moved {moved:,} bytes (target 0): {'met' if moved == 0 else 'MISSED'}"
    return f"Verdict: {append}; {nothing}."
