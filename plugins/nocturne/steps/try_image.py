"""Run the pushed image, by the digest that would be deployed, and ask it what production will be asked."""

from nocturne.domain.errors import Broken, Rejected
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.ports.image_builder import RunningImage
from nocturne.steps.build_image import image_key
from nocturne.steps.memory import recall, remember
from nocturne.steps.probe import expected_of, probe_for
from nocturne.steps.release_image import trial_name
from nocturne.steps.shadow import compare_kept_requests
from nocturne.steps.world import Outcome, Run, World

_READY_SECONDS = 60
_ADVICE = "run the image with `docker run` to see it fail"


def try_image(world: World, run: Run, release: Release) -> Outcome:
    """Record the image as the release's once it answers. Skipped where this very image was tried before.

    Raises Rejected when it does not get ready, answers wrongly or ends.
    """
    built = world.ledger.recall(Subject.IMAGE, image_key(release))
    if built is None:
        raise Broken(f"{release.id} has no image yet", advice="run build_image first")
    image = str(built.details["image"])
    known = recall(world, run, Subject.TRIAL, image)
    if known and known.passed:
        world.ledger.set_image(release.id, image)
        return Outcome(f"{image} answered rightly on {known.recorded_at[:10]} (run {known.run_id})", skipped=True)
    seconds, answers = _try(world, run, release, image)
    remember(world, run, Evidence(Subject.TRIAL, image, True, run.id, "", {"seconds_to_ready": round(seconds, 2)}))
    world.ledger.set_image(release.id, image)
    return Outcome(f"ready after {seconds:.1f} s, is {release.id}, and gave {answers} right answers")


def _try(world: World, run: Run, release: Release, image: str) -> tuple[float, int]:
    expected, port = expected_of(world, release), world.configuration.image.port
    with world.runner.run(image, port, trial_name(release.id, image), world.log) as container:
        seconds = _wait_until_ready(world, container)
        client = world.clients.open(container.url)
        try:
            findings = probe_for(world, client, expected, 0)
        except Broken as error:
            if container.exited() is None:
                raise
            raise Rejected(f"the container ended while it was asked: {error.message}{_tail(container)}", advice=_ADVICE) from error
        logs = _tail(container) if findings.faults else ""
        if not findings.faults:
            compare_kept_requests(world, run, image, client, expected.golden)
    if findings.faults:
        listing = "".join(f"\n  - {fault}" for fault in findings.faults)
        raise Rejected(f"the image answers wrongly when it is tried out:{listing}{logs}", advice=_ADVICE)
    return seconds, len(expected.answers)


def _wait_until_ready(world: World, container: RunningImage) -> float:
    client, started = world.clients.open(container.url), world.clock.now()
    last = "nothing answered"
    while (seconds := (world.clock.now() - started).total_seconds()) < _READY_SECONDS:
        exit_code = container.exited()
        if exit_code is not None:
            raise Rejected(f"the container ended with exit code {exit_code}{_tail(container)}", advice=_ADVICE)
        try:
            answer = client.get("/readyz")
        except Broken as error:  # not listening yet
            last = error.message
        else:
            if answer.status == 200:
                return seconds
            last = f"GET /readyz answered {answer.status}: {str(answer.body)[:200]}"
        world.clock.sleep(0.1)
    raise Rejected(f"not ready after {_READY_SECONDS} s: {last}{_tail(container)}", advice=_ADVICE)


def _tail(container: RunningImage) -> str:
    return "".join(f"\n  | {line}" for line in list(container.logs())[-20:])
