"""A good compose file, and a way to change one thing in it."""

from pathlib import Path

COMPOSE = """\
x-note: extensions are not looked at
services:
  web:
    environment:
      WORKERS: 2
      GREETING: costs $$5
    healthcheck:
      test: [CMD, python, -m, app.healthcheck]
      interval: 1s
      timeout: 3s
      start_period: 1m30s
      retries: 3
    stop_grace_period: 15s
    read_only: true
    user: "10001:10001"
    cap_drop: [ALL]
    tmpfs: ["/tmp:size=64m,mode=1777"]
    deploy:
      replicas: 2
      update_config:
        order: start-first
        parallelism: 1
        delay: 500ms
        failure_action: rollback
        monitor: 5s
        max_failure_ratio: 0.5
      rollback_config: {parallelism: 0, monitor: 1s}
      resources:
        limits: {memory: 512M, cpus: "0.5"}
        reservations: {memory: 64M}
"""

THE_APPS = Path(__file__).parents[4] / "app" / "swarm" / "compose.yaml"


def with_change(before: str, after: str) -> dict[str, str]:
    """The manifests with one text replaced; the text must be there."""
    assert COMPOSE.count(before) == 1
    return {"compose.yaml": COMPOSE.replace(before, after)}
