"""OpenTelemetry traces, where an operator says where to send them; else its libraries are not even imported.

The standard variables hold: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

import logging
import os
from collections.abc import Mapping
from multiprocessing.util import Finalize

from app.exchange import Observer

PROTOCOL = "http/protobuf"

log = logging.getLogger(__name__)


def traces_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether traces are configured, and in a way that the app can serve; a log line says why not."""
    told = _first(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    exporter = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    if not told or exporter == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    protocol = _first(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
    if exporter == "otlp" and protocol == PROTOCOL:
        return True
    found = f"found the exporter {exporter!r} with the protocol {protocol!r}"
    log.warning("no traces are sent: %s; expected 'otlp' with %r, or neither set", found, PROTOCOL)
    return False


def start_traces(
    service: str, release: Mapping[str, str | None], environment: Mapping[str, str] = os.environ
) -> Observer | None:
    """Return what makes a span of every request, or None. Call it in a worker process: a thread sends the spans.

    service: the service's name, where OTEL_SERVICE_NAME has none. What is not sent when the process ends is sent then.
    """
    if not traces_wanted(environment):
        return None
    from app.spans import Spans

    try:
        spans = Spans(service, release)
    except Exception:
        # Whatever is wrong with the configuration of traces, it is no reason to serve nobody.
        log.exception("no traces are sent: the OTEL_ variables cannot be used as they are")
        return None
    # A worker is a child of multiprocessing, which ends without `atexit`.
    Finalize(None, spans.close, exitpriority=0)
    return spans


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((told for name in names if (told := environment.get(name))), "")
