"""The pods of one side, asked one by one through the API server: no public address leads to a single side."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from nocturne.adapters.kubernetes.api import KubernetesApi, ProxyAnswer
from nocturne.adapters.kubernetes.pod_answer import is_leaving, server_refusal
from nocturne.adapters.kubernetes.session import Session
from nocturne.adapters.kubernetes.trouble import is_ready
from nocturne.domain.errors import Broken
from nocturne.ports.app_client import Answer, AppClient
from nocturne.ports.cluster import NoReplica

_LOOK_AGAIN_SECONDS = 5.0
_NO_ANSWER = 599
"""The status of a connection that was there and an answer that was not, as the client of public addresses has it."""
_OUT_OF_REACH = ("dial ", "address not allowed", "no route to host", "not found")
"""How the API server says that it could not even connect: the pod is gone, or about to be."""


class PodClient(AppClient):
    """Asks the ready pods of a selector in turn, in JSON. port: of their container. timeout: seconds for one answer.

    Raises NoReplica when there is none, and like the API. Not for use within an event loop.
    """

    def __init__(self, open_api: Callable[[], KubernetesApi], selector: str, port: int, timeout: float = 10) -> None:
        self._selector = selector
        self._port = port
        self._timeout = timeout
        self._pods: list[str] = []
        self._listed_at = 0.0
        self._session = Session(open_api)
        self._session.run(self._look)

    def get(self, path: str) -> Answer:
        """See the port."""
        return self._session.run(lambda api: self._ask(api, "GET", path, None))

    def post(self, path: str, body: Any) -> Answer:
        """See the port."""
        return self._session.run(lambda api: self._ask(api, "POST", path, json.dumps(body).encode()))

    def close(self) -> None:
        """Give the connection back; happens by itself at last."""
        self._session.close()

    async def _ask(self, api: KubernetesApi, method: str, path: str, body: bytes | None) -> Answer:
        if time.monotonic() - self._listed_at > _LOOK_AGAIN_SECONDS:
            await self._look(api)
        reasons: list[str] = []
        for attempt in range(2):
            if attempt:
                await self._look(api)
            for _ in range(len(self._pods)):
                # In turn: who was asked now is asked last next time.
                self._pods.append(pod := self._pods.pop(0))
                answer = await self._ask_pod(api, pod, method, path, body)
                if isinstance(answer, Answer):
                    return answer
                reasons.append(f"{pod}: {answer}")
        told = "; ".join(dict.fromkeys(reasons))
        raise Broken(f"no pod of {self._selector} can be reached: {told}", advice="see how the pods are")

    async def _ask_pod(self, api: KubernetesApi, pod: str, method: str, path: str, body: bytes | None) -> Answer | str:
        """An answer, or why the pod cannot be reached."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await api.proxy(pod, self._port, method, path, body, headers)
        except TimeoutError:
            seconds = time.monotonic() - started
            # Raises when it is the cluster that does not answer, and not the pod.
            await self._look(api)
            return Answer(_NO_ANSWER, f"no answer within {self._timeout:g} s", seconds)
        seconds = time.monotonic() - started
        refusal = server_refusal(answer)
        if not refusal:
            return Answer(answer.status, _body(answer), seconds)
        if any(sign in refusal for sign in _OUT_OF_REACH) or not await self._is_there(api, pod):
            return refusal
        return Answer(_NO_ANSWER, f"no answer: {refusal}", seconds)

    async def _is_there(self, api: KubernetesApi, pod: str) -> bool:
        """Whether the pod should have answered, be it ready by now or not: one that was asked to end may close its connections."""
        listed = await api.list("Pod", self._selector)
        return any(each["metadata"]["name"] == pod and not is_leaving(each) for each in listed.items)

    async def _look(self, api: KubernetesApi) -> None:
        listed = await api.list("Pod", self._selector)
        ready = {str(pod["metadata"]["name"]) for pod in listed.items if is_ready(pod) and not is_leaving(pod)}
        if not ready:
            raise NoReplica(
                f"found no ready pod of {self._selector} in namespace {api.namespace}, expected at least one",
                advice="see how the pods are",
            )
        # Who is still there keeps its turn.
        self._pods = [pod for pod in self._pods if pod in ready] + sorted(ready - set(self._pods))
        self._listed_at = time.monotonic()


def _body(answer: ProxyAnswer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body.decode(errors="replace")
