"""Whether there is a Kubernetes cluster to test against. As a program it prints what is lacking, and nothing when one answers."""

import asyncio
import os
from pathlib import Path

from nocturne.domain.errors import NocturneError


def cluster_lacks(kubeconfig: str) -> str:
    """Why there is no cluster to test against; empty when there is one."""
    if not kubeconfig:
        return "KUBECONFIG is not set"
    try:
        asyncio.run(_ask_version(Path(kubeconfig)))
    except NocturneError as error:
        return error.message
    return ""


async def _ask_version(kubeconfig: Path) -> None:
    from nocturne.sandbox.kubeconfig import read_kubeconfig
    from nocturne.sandbox.kubernetes_calls import KubernetesCalls

    async with KubernetesCalls(read_kubeconfig(kubeconfig), "default") as calls:
        await calls.get("/version")


if __name__ == "__main__":
    print(cluster_lacks(os.environ.get("KUBECONFIG", "")), end="")
