import asyncio
from collections.abc import Sequence
from typing import Any
from unittest.mock import MagicMock

import pytest

import nocturne.adapters.swarm.cluster as cluster_module
from nocturne.adapters.swarm import SwarmCluster
from nocturne.adapters.swarm.rollout import Judgement
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import DesiredState, Phase, Rollout


def away(reason: str) -> Broken:
    return Broken(reason, advice="see how it is")


def looks(monkeypatch: pytest.MonkeyPatch, script: Sequence[Any]) -> list[tuple[str, bool]]:
    """Message and whether it was seen, of each look that a watch shows where the engine answers so."""
    monkeypatch.setattr(cluster_module, "_POLL_SECONDS", 0.001)
    cluster = SwarmCluster(MagicMock(), "service", "network", "http://app.test")
    found = MagicMock(side_effect=script)
    monkeypatch.setattr(cluster, "_look", found)
    monkeypatch.setattr(cluster, "_judge", lambda desired, look: look)

    async def watch() -> list[tuple[str, bool]]:
        return [(look.message, look.seen) async for look in cluster.watch(DesiredState("r-1", "image", {}, {}))]

    return asyncio.run(watch())


def test_an_engine_that_is_away_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many reasons it gives, one absence is one look; the next is told again."""
    progressing, complete = (Judgement(Rollout(phase, 1, 2, str(phase))) for phase in (Phase.PROGRESSING, Phase.COMPLETE))
    script = [progressing, away("closed"), away("no such file"), away("no such file"), progressing, away("again"), complete]
    assert [seen for _, seen in looks(monkeypatch, script)] == [True, False, True, False, True]
