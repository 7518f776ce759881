"""How a new release takes over from the one before it."""

from dataclasses import dataclass
from enum import StrEnum


class StrategyKind(StrEnum):
    """rolling: replica by replica. blue-green: beside the live one, then all users in one step. canary: a share of users first."""

    ROLLING = "rolling"
    BLUE_GREEN = "blue-green"
    CANARY = "canary"


@dataclass(frozen=True)
class Canary:
    """What a canary must do to be followed by the rest.

    share: of the replicas, above 0 and below 1. seconds: how long it is compared. min_requests: of users, on each side; fewer
    is no data, and no data is no pass. max_error_rate_increase: above the live release's error rate, 0 to 1.
    max_latency_ratio: its median latency over the live release's.
    """

    share: float = 0.2
    seconds: int = 300
    min_requests: int = 100
    max_error_rate_increase: float = 0.01
    max_latency_ratio: float = 1.5


@dataclass(frozen=True)
class Strategy:
    """keep_seconds: how long the previous release stays ready beside the new one after a switch (blue-green)."""

    kind: StrategyKind = StrategyKind.ROLLING
    keep_seconds: int = 300
    canary: Canary = Canary()


class Drift(StrEnum):
    """What a night does about a change that somebody made by hand: put it right, or stop and say so."""

    CORRECT = "correct"
    STOP = "stop"
