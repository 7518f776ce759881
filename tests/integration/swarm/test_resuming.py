"""A deployment survives the death of the process that started it, and of the way to the engine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import docker
import pytest

from nocturne.adapters.swarm import SwarmCluster
from nocturne.adapters.swarm.engine import Engine
from nocturne.adapters.swarm.service_spec import with_next_attempt
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase
from tests.integration.swarm.conftest import Site, in_run, watch_to_end
from tests.integration.swarm.engine_proxy import EngineProxy
from tests.load import Load

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]


def deploy_and_die(site: Site, desired: DesiredState) -> None:
    """Deploy in another process, and kill that with SIGKILL as soon as it has seen the rollout begin."""
    command = [sys.executable, "-m", "tests.integration.swarm.deploy_process", site.service, json.dumps(asdict(desired))]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/plugins:{ROOT}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert "0 of 2 replicas ready" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)


def version(site: Site) -> int:
    return int(site.client.services.get(site.service).attrs["Version"]["Index"])


def update_state(site: Site) -> str:
    return str(site.client.services.get(site.service).attrs.get("UpdateStatus", {}).get("State"))


def tasks_of(site: Site, desired: DesiredState) -> int:
    tasks = site.client.services.get(site.service).tasks()
    return sum(task["Spec"]["ContainerSpec"]["Image"] == desired.image for task in tasks)


def test_apply_twice(site: Site, live: DesiredState) -> None:
    """Asking for what runs already changes nothing, whoever asks."""
    before = version(site)
    assert not site.cluster.apply(live)
    assert not site.cluster.apply(in_run(live, "run-2"))
    assert version(site) == before
    assert [look.phase for look in watch_to_end(site.cluster, live)] == [Phase.COMPLETE]


def test_killed_during_a_good_update(site: Site, live: DesiredState) -> None:
    """Whoever takes up a killed deployment finds it asked for, starts nothing twice, and sees it complete."""
    desired = in_run(site.release("r-good-after-kill", "good"), "run-kill")
    with Load(site.port) as load:
        deploy_and_die(site, desired)
        assert not site.cluster.apply(desired)
        seen = watch_to_end(site.cluster, desired)
    assert load.failures == []
    assert seen[-1].phase is Phase.COMPLETE
    assert tasks_of(site, desired) == 2


def test_killed_during_a_bad_update(site: Site, live: DesiredState) -> None:
    """A release that Swarm rolled back meanwhile is not started again by the same run, only by another one."""
    desired = in_run(site.release("r-crash", "crash"), "run-bad")
    deploy_and_die(site, desired)
    while update_state(site) != "rollback_completed":
        time.sleep(0.2)
    before = version(site)
    assert not site.cluster.apply(desired)
    [failed] = watch_to_end(site.cluster, desired)
    assert failed.phase is Phase.FAILED
    assert "cannot read /model/model.onnx" in failed.message
    assert version(site) == before
    again = in_run(desired, "run-bad-2")
    assert site.cluster.apply(again)
    assert watch_to_end(site.cluster, again)[-1].phase is Phase.FAILED
    assert watch_to_end(site.cluster, live)[-1].phase is Phase.COMPLETE


def test_killed_between_two_writes(site: Site, live: DesiredState) -> None:
    """A run that was killed after it announced its release, before it asked for it, asks for it when it comes back."""
    desired = in_run(site.release("r-good-announced", "good"), "run-announced")
    engine = Engine(site.client, None)
    service = engine.service(site.service)
    assert service is not None
    engine.update(service, with_next_attempt(service["Spec"], desired))
    assert site.cluster.running() == live.release_id
    assert site.cluster.apply(desired)
    assert watch_to_end(site.cluster, desired)[-1].phase is Phase.COMPLETE


def test_somebody_else_deploys(site: Site, live: DesiredState) -> None:
    """Watching a release that another deployment replaced says so, and does not blame the release."""
    with pytest.raises(Broken, match=f"found the service running {live.release_id}, expected r-other"):
        watch_to_end(site.cluster, site.release("r-other", "good"))


def test_engine_away(site: Site, live: DesiredState, tmp_path: Path) -> None:
    """An engine that is away for some seconds is mentioned once, and the rollout is seen to its end."""
    proxy = EngineProxy(tmp_path / "engine.sock")
    proxy.open()
    client = docker.DockerClient(base_url=f"unix://{tmp_path}/engine.sock", version="1.41", timeout=10)
    cluster = SwarmCluster(client, site.service, site.network, site.cluster.public_url())
    desired = in_run(site.release("r-good-away", "good"), "run-away")
    assert cluster.apply(desired)
    threading.Timer(1.5, proxy.cut).start()
    threading.Timer(5, proxy.open).start()
    seen = watch_to_end(cluster, desired)
    away = [rollout for rollout in seen if "does not answer" in rollout.message]
    assert [rollout.phase for rollout in away] == [Phase.PROGRESSING]
    assert seen[-1].phase is Phase.COMPLETE
    proxy.cut()
    with pytest.raises(Broken, match="no answer from Docker Engine"):
        cluster.apply(desired)
    client.close()


def test_watch_can_be_cancelled(site: Site, live: DesiredState) -> None:
    """A caller's deadline ends the watching, not the rollout."""
    desired = in_run(site.release("r-good-deadline", "good"), "run-deadline")
    assert site.cluster.apply(desired)
    with pytest.raises(asyncio.TimeoutError):
        watch_to_end(site.cluster, desired, seconds=0.5)
    assert watch_to_end(site.cluster, desired)[-1].phase is Phase.COMPLETE
