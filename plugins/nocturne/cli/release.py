"""`nocturne release`: start a night now, and lift a hold."""

import getpass
from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.output import Json, out, print_json
from nocturne.domain.errors import NotFound

commands = typer.Typer(no_args_is_help=True, help="Start a release now, or lift a hold.")

Wait = Annotated[bool, typer.Option("--wait", help="Follow the run to its verdict, which is the exit code.")]


@commands.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and why; change nothing.")] = False,
    model_version: Annotated[str | None, typer.Option(help="Release this model version instead of the latest.")] = None,
    commit: Annotated[str | None, typer.Option(help="Branch, tag or commit, instead of the configured one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Rely on nothing learned before, and on no quarantine.")] = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Run the night now, in Airflow.

    Exit codes: 0 verified or nothing to do, 3 rejected (the release was refused), 4 broken (something else failed),
    7 inconclusive (too few users of a canary, or a drop that may be chance).
    """
    wishes = {"commit": commit, "model_version": model_version, "dry_run": dry_run, "force": force}
    start("nightly_release", wishes, "freeze_inputs", wait or dry_run, json)


@commands.command()
def resume(environment: Annotated[str, typer.Argument(help="The environment that is on hold.")], json: Json = False) -> None:
    """Lift the hold that a rollback has set: the next night ships to the environment again."""
    world = workplace.world()
    world.configuration.environment(environment)
    hold = world.ledger.resume(environment, getpass.getuser())
    if hold is None:
        raise NotFound(f"{environment} is not on hold", advice="`nocturne status` shows the holds there are")
    if json:
        print_json(hold)
    else:
        out.print(f"{environment} is no longer on hold (it was set by {hold.by}: {hold.reason})", markup=False)


def start(dag_id: str, conf: dict[str, Any], first_task: str, wait: bool, json: bool) -> None:
    """Trigger a DAG and, if asked, follow it and leave with its verdict's exit code."""
    # Only now: its HTTP client takes half a second to load, which `--help` need not wait for.
    from nocturne.cli.airflow_api import CONNECTION, AirflowApi
    from nocturne.cli.follow import follow, leave

    api = AirflowApi(workplace.connection(CONNECTION))
    run_id = api.trigger(dag_id, conf)
    where = f"{api.url}/dags/{dag_id}/runs/{run_id}"
    if not wait:
        if json:
            print_json({"run": run_id, "url": where})
        else:
            out.print(f"started {run_id}: {where}", markup=False)
        return
    verdict = follow(api, dag_id, run_id, first_task)
    if json:
        print_json({**verdict, "url": where})
    else:
        out.print(f"{verdict['verdict']}: {verdict['message']}\n{where}", markup=False)
    leave(verdict)
