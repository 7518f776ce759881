"""What a pod answers through the API server, and what the API server says in its place."""

import json

from nocturne.adapters.kubernetes.api import Object, ProxyAnswer


def is_leaving(pod: Object) -> bool:
    """Whether the pod was asked to end."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def server_refusal(answer: ProxyAnswer) -> str:
    """Why the API server answers in the pod's place; empty for an answer of the app itself, whatever its status."""
    if answer.status < 400:
        return ""
    text = answer.body.decode(errors="replace")
    # Servers before 1.9 or so, and proxies in front of some, say it without a Status object.
    if text.startswith("Error trying to reach service"):
        return text.strip()
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(found, dict) or found.get("kind") != "Status" or found.get("apiVersion") != "v1":
        return ""
    return str(found.get("message") or f"status {answer.status}")
