"""A gate before the API server that can be shut: connections die, and new ones are refused, as when the server is away."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self
from urllib.parse import urlsplit

from tests.ports import free_port


class Gate:
    """Passes bytes on, in the loop that it was opened in. kubeconfig: the way to the server without the gate."""

    def __init__(self, kubeconfig: dict[str, Any]) -> None:
        self._plain = kubeconfig
        server = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
        self._host, self._there = str(server.hostname), server.port or 443
        # Nobody else may be given it while the gate is shut.
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """The way through the gate."""
        entry = self._plain["clusters"][0]
        cluster = {"tls-server-name": self._host, **entry["cluster"], "server": f"https://127.0.0.1:{self._port}"}
        return {**self._plain, "clusters": [{**entry, "cluster": cluster}]}

    async def open(self) -> None:
        """Let everybody through; the address stays the same."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)

    def shut(self) -> None:
        """Let nobody through, and those who are in fall."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """End all connections; new ones are let through."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shut()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # From now on: who is cut while the way to the server is still made must not get through afterwards.
        with self._passing(writer):
            there_reader, there_writer = await asyncio.open_connection(self._host, self._there)
            with self._passing(there_writer):
                if not writer.is_closing():
                    await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))

    @contextmanager
    def _passing(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


class GateInAThread:
    """An open gate for other processes to go through."""

    def __init__(self, kubeconfig: dict[str, Any]) -> None:
        self._gate = Gate(kubeconfig)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """The way through the gate."""
        return self._gate.kubeconfig

    def open(self) -> None:
        """Let everybody through; the address stays the same."""
        asyncio.run_coroutine_threadsafe(self._gate.open(), self._loop).result()

    def shut(self) -> None:
        """Let nobody through, and those who are in fall."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()

    def __enter__(self) -> Self:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut(self) -> None:
        self._gate.shut()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
