"""What users asked between two looks at counters."""

from dataclasses import dataclass, replace

from nocturne.ports.cluster import Counters, Traffic


@dataclass(frozen=True)
class Asked:
    """Requests between two looks, and how many failed. counters: that both looks are known of, or that began in between.

    lost: those whose share is not known, for they went with their replica, began again or could not be read.
    """

    requests: int
    failed: int
    counters: int = 1
    lost: int = 0


def between(before: Counters | None, after: Counters | None) -> Asked | None:
    """The difference, counter by counter; None where one of the looks is missing."""
    if before is None or after is None:
        return None
    known = [(before.get(key, Traffic(0, 0)), now) for key, now in after.items()]
    differences = [_since(then, now) for then, now in known if then and now]
    return Asked(
        sum(each.requests for each in differences),
        sum(each.failed for each in differences),
        len(differences),
        len(before.keys() - after.keys()) + len(known) - len(differences),
    )


def without(all_requests: Asked | None, own: Traffic) -> Asked | None:
    """What is left without our own requests."""
    if all_requests is None:
        return None
    requests = max(0, all_requests.requests - own.requests)
    return replace(all_requests, requests=requests, failed=min(requests, max(0, all_requests.failed - own.failed)))


def _since(then: Traffic, now: Traffic) -> Traffic:
    # A front door that was restarted meanwhile counts from zero again.
    if now.requests < then.requests:
        return now
    return Traffic(now.requests - then.requests, max(0, now.failed - then.failed))
