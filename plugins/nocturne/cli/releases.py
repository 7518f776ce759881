"""`nocturne releases`: what was made, and what is known of it."""

from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.output import Json, day, out, print_facts, print_json, print_table
from nocturne.cli.verdicts import in_words, signer, verdicts
from nocturne.domain import digest
from nocturne.domain.records import Deployment, Evidence, Release, Subject
from nocturne.ports.ledger import Ledger
from nocturne.steps.evaluate import judgement_key

commands = typer.Typer(invoke_without_command=True, help="List releases, or show one.")


@commands.callback()
def releases(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    json: Json = False,
) -> None:
    """List releases, newest first; `nocturne releases show ID` tells one's whole story."""
    if context.invoked_subcommand:
        return
    found = workplace.world().ledger.releases(limit)
    if json:
        print_json([_summary(release) for release in found])
        return
    rows = [
        (
            item.id,
            item.state,
            item.inputs.code.commit[:12],
            item.inputs.model.version,
            day(item.created_at),
            _first_line(item.reason),
        )
        for item in found
    ]
    columns = ("release", "state", "commit", "model", "made (UTC)", "reason")
    print_table(columns, rows, "No release yet: `nocturne release run --wait` makes one.")


@commands.command()
def show(
    release_id: Annotated[str, typer.Argument(metavar="ID", help="A release id, or the start of one.")], json: Json = False
) -> None:
    """Tell the whole story of one release: its inputs, what was learned about it, and where it went."""
    ledger = workplace.world().ledger
    release = ledger.release(release_id)
    evidence, deployments = (
        _evidence(ledger, release),
        [item for item in ledger.deployments(limit=1000) if item.release_id == release.id],
    )
    if json:
        told = [{**vars(item), "events": ledger.events(item.id)} for item in deployments]
        print_json(
            {
                **_summary(release),
                "signer": signer(evidence),
                "metrics": release.inputs.model.metrics,
                "verdicts": verdicts(evidence),
                "inputs": release.inputs,
                "manifests": release.manifests,
                "evidence": evidence,
                "deployments": told,
            }
        )
        return
    print_facts(_facts(release, evidence))
    for deployment in deployments:
        _print_story(ledger, deployment)


def _summary(release: Release) -> dict[str, Any]:
    inputs = release.inputs
    return {
        "id": release.id,
        "state": release.state,
        "commit": inputs.code.commit,
        "model_version": inputs.model.version,
        "model_digest": inputs.model.digest,
        "image": release.image,
        "created_at": release.created_at,
        "reason": release.reason,
    }


def _evidence(ledger: Ledger, release: Release) -> list[Evidence]:
    inputs = release.inputs
    keys = {
        Subject.TESTS: inputs.code.tree,
        Subject.INSPECTION: inputs.model.digest,
        Subject.JUDGEMENT: judgement_key(inputs),
        Subject.CODE_IMAGE: f"{inputs.code.tree}+{inputs.base_digest}",
        Subject.TRIAL: release.image,
        Subject.SHADOW: release.image,
    }
    known = [ledger.recall(subject, key) for subject, key in keys.items()]
    if signature := inputs.model.signature:
        # By any keys: which ones were good then is known to the code at that commit only.
        known.append(ledger.recall_newest(Subject.SIGNATURE, f"{inputs.model.digest}+{digest.of_bytes(signature.encode())}+"))
    return [found for found in known if found]


def _facts(release: Release, evidence: list[Evidence]) -> list[tuple[str, str]]:
    inputs = release.inputs
    metrics = ", ".join(f"{name} {value}" for name, value in inputs.model.metrics.items())
    return [
        ("release", release.id),
        ("state", f"{release.state} {release.reason}".strip()),
        ("code", f"{inputs.code.commit} (tree {inputs.code.tree[:12]}): {inputs.code.subject}"),
        ("model", f"{inputs.model.name} {inputs.model.version}, {inputs.model.digest}, {inputs.model.size:,} bytes"),
        ("signed", _signed(release, evidence)),
        ("metrics", metrics or "none in the card"),
        ("base image", inputs.base_image),
        ("image", release.image or "not built yet"),
        ("made", f"{day(release.created_at)} UTC"),
        *in_words(evidence),
    ]


def _signed(release: Release, evidence: list[Evidence]) -> str:
    if name := signer(evidence):
        return f"by {name}"
    if any(item.subject is Subject.SIGNATURE for item in evidence):
        return "yes, but the signature does not hold"
    return "yes, but nobody asked by whom" if release.inputs.model.signature else "no"


def _print_story(ledger: Ledger, deployment: Deployment) -> None:
    title = f"\n{deployment.environment}, {deployment.cause} by {deployment.requested_by}, run {deployment.run_id}"
    rows = [(day(time), state, reason) for time, state, reason in ledger.events(deployment.id)]
    out.print(title, markup=False)
    print_table(("time (UTC)", "state", ""), rows, "no events")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
