"""How long the steps of a run may take, which the scheduler is told by the deployed file before a run has frozen anything."""

from nocturne.domain.configuration import FILE, Configuration
from nocturne.domain.errors import ConfigurationError

AROUND_SECONDS = 10 * 60
"""What each task gets beside its own limit, for everything before and after what is limited."""


def check_limits(deployed: Configuration, frozen: Configuration, environment: str) -> None:
    """Raise ConfigurationError where steps of the frozen configuration would be ended by the deployed one's limits.

    Half of what is around a limit may be used up: a second more needs no new file.
    """
    limits, needed = _seconds(deployed, environment), _seconds(frozen, environment)
    faults = [
        f"{what}: found {limits[what]} s, but the commit to be released asks for {seconds} s: deploy its {FILE} first"
        for what, seconds in needed.items()
        if seconds > limits[what] + AROUND_SECONDS // 2
    ]
    if faults:
        raise ConfigurationError(f"the deployed {FILE}", faults)


def _seconds(configuration: Configuration, environment: str) -> dict[str, int]:
    settings, name = configuration.environment(environment), f"environments.{environment}"
    return {
        "tests.timeout_seconds": configuration.tests.timeout_seconds,
        "judge.timeout_seconds": configuration.judge.timeout_seconds,
        f"{name} (rollout_timeout_seconds, strategy)": settings.rollout_seconds,
        f"{name}.verify_seconds": settings.verify_seconds,
    }
