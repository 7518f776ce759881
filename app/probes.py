"""The addresses that machines ask every few seconds."""

PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/samples", "/v2/health/live", "/v2/health/ready"})
"""They say nothing about users, so they are not counted, and their refusals are not logged."""
