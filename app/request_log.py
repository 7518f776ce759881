"""One log line for a request: what was asked, how it ended, how long it took; no body, header or client's address."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from app.exchange import Ended
from app.logs import LogSettings
from app.probes import PROBES

LONGEST_PATH = 500

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""See https://www.w3.org/TR/trace-context/#traceparent-header-field-values."""

log = logging.getLogger("app.requests")


class RequestLog:
    """An Observer. A request on which the app itself failed is always told, with its traceback."""

    def __init__(self, settings: LogSettings) -> None:
        self._all = settings.requests == "all"
        self._none = settings.requests == "none"

    def ended(self, ended: Ended) -> None:
        """Write the line, where the request deserves one."""
        if not self._all and ended.error is None and (ended.status < 400 or self._none or ended.route in PROBES):
            return
        path = ended.path[:LONGEST_PATH]
        milliseconds = round(ended.seconds * 1000, 2)
        fields = {
            "request_id": ended.request_id,
            "trace_id": ended.trace_id or _trace_id(ended.environ),
            "method": ended.method,
            "route": ended.route,
            "path": path,
            "status": ended.status,
            "milliseconds": milliseconds,
            "queue_milliseconds": round(ended.waited * 1000, 2),
            "bytes_in": ended.bytes_in,
            "bytes_out": ended.bytes_out,
        }
        if ended.error:
            fields["exception"] = ended.error
        message = "%s %s %s in %s ms, request %s"
        log.log(
            _level(ended),
            message,
            ended.method,
            path,
            ended.status,
            milliseconds,
            ended.request_id,
            extra={"fields": fields},
        )


def _level(ended: Ended) -> int:
    if ended.error:
        return logging.ERROR
    return logging.WARNING if ended.status >= 500 else logging.INFO


def _trace_id(environ: Mapping[str, Any]) -> str | None:
    """Return the trace that the client says this request belongs to."""
    told = _TRACEPARENT.fullmatch(environ.get("HTTP_TRACEPARENT") or "")
    return told[1] if told else None
