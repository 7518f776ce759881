"""The front door's configuration, which `make up` and docker-compose.yaml share."""

import re
from pathlib import Path

from app.limits import Limits
from nocturne.adapters.swarm.haproxy_traffic import STATS_PORT
from nocturne.sandbox import front_door

CONFIGURATION = Path(__file__).parents[3] / "compose" / "front-door.cfg"


def test_one_file_for_both() -> None:
    """The sandbox starts its front door with the very file that docker-compose.yaml mounts."""
    assert front_door._CONFIGURATION.samefile(CONFIGURATION)
    assert "./compose/front-door.cfg:" in (CONFIGURATION.parents[1] / "docker-compose.yaml").read_text()


def test_every_variable_has_a_default() -> None:
    """A front door that is told nothing serves docker-compose.yaml's service, and tells its numbers where they are looked for."""
    text = CONFIGURATION.read_text()
    defaults = dict(re.findall(r"presetenv (\w+) (\S+)", text))
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(defaults)
    assert defaults["SERVICE"] == "nocturne-app"
    assert defaults["STATS_PORT"] == str(STATS_PORT)


def test_checks_do_not_give_up_before_the_queue_is_full() -> None:
    """They wait with the app's requests: otherwise load alone, of which no request is refused, would take every task out."""
    (timeout,) = re.findall(r"^ +timeout check (\d+)s$", CONFIGURATION.read_text(), re.MULTILINE)
    assert float(timeout) > Limits.queue_seconds
