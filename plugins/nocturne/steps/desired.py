"""What a cluster is asked for, from what the ledger knows."""

from nocturne.domain.records import Deployment, Release
from nocturne.domain.states import DeploymentState
from nocturne.ports.cluster import DesiredState, Stage
from nocturne.ports.ledger import Ledger


def desired_state(ledger: Ledger, release: Release, deployment: Deployment, stage: Stage = Stage.WHOLE) -> DesiredState:
    """The same for a retry after a crash; each new try of a run is something new, told apart by the annotation `run`."""
    inputs = release.inputs
    tries = sum(state == DeploymentState.ROLLING_OUT for _, state, _ in ledger.events(deployment.id))
    annotations = {
        "release": release.id,
        "commit": inputs.code.commit,
        "model": inputs.model.version,
        "run": deployment.run_id if tries <= 1 else f"{deployment.run_id} (try {tries})",
        "requested-by": deployment.requested_by,
    }
    return DesiredState(release.id, release.image, release.manifests, annotations, stage)
