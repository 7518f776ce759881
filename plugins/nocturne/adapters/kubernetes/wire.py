"""Requests to an API server over HTTP, whatever they ask for.

kubernetes_asyncio knows how to reach the server and as whom; its typed calls are left out, because they cannot send an
apply patch of plain dictionaries, nor a proxied body as it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes_asyncio.client import ApiClient
from kubernetes_asyncio.config import ConfigException

from nocturne.adapters.kubernetes.access import SOURCE, Access, in_time, open_client
from nocturne.adapters.kubernetes.refusals import Asked, refusal
from nocturne.domain.errors import Broken, ConfigurationError

_CONNECT_SECONDS = 10
_SECONDS = 30


class Wire:
    """One open client. Raises Broken when the server cannot be reached or ends the connection."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: ApiClient | None = None

    async def open(self) -> None:
        """Raises ConfigurationError."""
        self._client = await open_client(self._access)

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def host(self) -> str:
        """The server's address."""
        return str(self._open.configuration.host)

    async def send(
        self,
        asked: Asked,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of a request."""
        timeout = aiohttp.ClientTimeout(total=_SECONDS, connect=_CONNECT_SECONDS)
        async with self._request(method, path, parameters, body, headers, timeout) as response:
            return response.status, await response.read()

    async def lines(self, asked: Asked, path: str, parameters: dict[str, str], silence_seconds: float) -> AsyncIterator[bytes]:
        """The lines of an answer that does not end soon; none may be silent for longer."""
        timeout = aiohttp.ClientTimeout(connect=_CONNECT_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds)
        async with self._request("GET", path, parameters, None, None, timeout) as response:
            if response.status != 200:
                raise refusal(asked, response.status, await response.read())
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield line
            if rest:
                yield rest

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None,
        body: bytes | None,
        headers: dict[str, str] | None,
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        client = self._open
        session: aiohttp.ClientSession = client.rest_client.pool_manager
        try:
            async with session.request(
                method,
                self.host + path,
                params=parameters,
                data=body,
                headers={"User-Agent": "nocturne", "Accept": "application/json, */*", **(headers or {}), **await self._identity()},
                timeout=timeout,
                # A redirect of the app behind a proxied request must not lead us, and our token, elsewhere.
                allow_redirects=False,
                **self._way(),
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or f"no answer in time ({type(error).__name__})"
            raise Broken(
                f"the cluster at {self.host} does not answer: {reason}",
                advice="see whether the API server is up and can be reached from here",
            ) from error

    async def _identity(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        try:
            async with in_time():
                await self._open.update_params_for_auth(headers, [], ["BearerToken"])
        except ConfigException as error:
            raise Broken(
                f"the credential plugin of the kubeconfig's user failed: {error}", advice="run the plugin by hand and see"
            ) from error
        # A file's last line break is no part of a token.
        headers = {name: value.strip() for name, value in headers.items()}
        if any(not value.isprintable() for value in headers.values()):
            raise ConfigurationError(SOURCE, ["token: found a line break within it, expected one line"])
        return headers

    def _way(self) -> dict[str, Any]:
        rest = self._open.rest_client
        given = {"proxy": rest.proxy, "proxy_headers": rest.proxy_headers, "server_hostname": rest.server_hostname}
        return {key: value for key, value in given.items() if value}

    @property
    def _open(self) -> ApiClient:
        if self._client is None:
            raise RuntimeError("the API is used outside of its context")
        return self._client
