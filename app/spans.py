"""Makes one OpenTelemetry span of every request, and sends them in batches. Import it only where traces are wanted.

Names of attributes: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.exchange import Ended
from app.probes import PROBES

FLUSH_SECONDS = 2.0
"""How long the end of a worker may wait for a collector."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})


class Spans:
    """An Observer; it notes each span's trace in what it observes, for the log. Probes get no span."""

    def __init__(self, service: str, release: Mapping[str, str | None]) -> None:
        _tell_once()
        told = {
            "service.name": service,
            "service.version": release["release"],
            "vcs.ref.head.revision": release["commit"],
        }
        facts = {name: value for name, value in told.items() if value} | {"process.pid": os.getpid()}
        # What the operator says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES goes before.
        resource = Resource.create(facts).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("app")
        self._parent = TraceContextTextMapPropagator()
        self._release = release["release"] or "none"

    def ended(self, ended: Ended) -> None:
        """Make the span of a request, after the fact."""
        if ended.route in PROBES:
            return
        end = time.time_ns()
        parent = ended.environ.get("HTTP_TRACEPARENT")
        carrier = {"traceparent": parent, "tracestate": ended.environ.get("HTTP_TRACESTATE", "")} if parent else {}
        method = ended.method if ended.method in METHODS else "HTTP"
        span = self._tracer.start_span(
            f"{method} {ended.route}" if ended.route else method,
            self._parent.extract(carrier),
            SpanKind.SERVER,
            self._attributes(ended),
            start_time=end - int(ended.seconds * 1e9),
        )
        if ended.status >= 500:
            span.set_attribute("error.type", str(ended.status))
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)
        ended.trace_id = format_trace_id(span.get_span_context().trace_id)

    def close(self) -> None:
        """Send what was not sent yet; a collector that does not answer is not waited for longer than FLUSH_SECONDS."""
        # The library itself would wait for 30 s.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)

    def _attributes(self, ended: Ended) -> dict[str, str | int | float]:
        attributes: dict[str, str | int | float] = {
            "http.request.method": ended.method if ended.method in METHODS else "_OTHER",
            "http.response.status_code": ended.status,
            "url.path": ended.path,
            "url.scheme": ended.environ.get("wsgi.url_scheme", "http"),
            "network.protocol.version": ended.environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/"),
            "http.request.body.size": ended.bytes_in,
            "http.response.body.size": ended.bytes_out,
            "app.queue.seconds": ended.waited,
            "app.request_id": ended.request_id,
            "app.release": self._release,
        }
        return attributes | ({"http.route": ended.route} if ended.route else {})


class _Once(logging.Handler):
    """Passes on the first line of each of the library's parts: one that fails says so with every batch."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name not in self._told:
            self._told.add(record.name)
            logging.getLogger().handle(record)


def _tell_once() -> None:
    library = logging.getLogger("opentelemetry")
    library.propagate = False
    library.handlers = [_Once()]
