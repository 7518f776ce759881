"""The servers that benchmarks/serving.py compares: how each is started, what it is sent, and how its labels are read.

Every peer is as its own documentation says a fast one should be, in an environment of its own (servers/*.txt).
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVERS_FOLDER = Path(__file__).with_name("servers")
WORKERS = 2
"""Worker processes of every peer, and threads of those that have a large model in memory once."""


@dataclass(frozen=True)
class Launch:
    """Where a server starts. folder: its own, for files that it wants."""

    python: Path
    port: int
    folder: Path


@dataclass(frozen=True)
class Request:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """One row of the tables.

    title: for people. environment: the name of its list of packages, None for the app's own. variables: the environment's.
    labels: from the decoded answer, best first.
    """

    key: str
    title: str
    command: Callable[[Launch], list[str]]
    environment: str | None = None
    path: str = "/predict"
    variables: Mapping[str, str] = field(default_factory=dict)
    request: Callable[[bytes, str], Request] = lambda image, kind: Request(image, {"Content-Type": kind})
    labels: Callable[[Any], list[str]] = lambda answer: [each["label"] for each in answer["predictions"][0]["labels"]]


APP, CLASSIC, LIMIT = "app", "gunicorn", "limit"


def _app(launch: Launch) -> list[str]:
    return [str(launch.python), "-m", "app"]


def _gunicorn(*options: str) -> Callable[[Launch], list[str]]:
    def command(launch: Launch) -> list[str]:
        bind = ("--bind", f"127.0.0.1:{launch.port}")
        return [str(launch.python), "-m", "gunicorn", *bind, *options, "gunicorn_flask:app"]

    return command


def _uvicorn(workers: int) -> Callable[[Launch], list[str]]:
    def command(launch: Launch) -> list[str]:
        place = ("--host", "127.0.0.1", "--port", str(launch.port), "--workers", str(workers))
        fast = ("--loop", "uvloop", "--http", "httptools", "--no-access-log")
        return [str(launch.python), "-m", "uvicorn", *place, *fast, "uvicorn_fastapi:app"]

    return command


def _litserve(launch: Launch) -> list[str]:
    return [str(launch.python), str(SERVERS_FOLDER / "litserve_api.py")]


def _litserve_request(image: bytes, kind: str) -> Request:
    return Request(json.dumps({"image": base64.b64encode(image).decode()}).encode(), {"Content-Type": "application/json"})


def _mlserver(launch: Launch) -> list[str]:
    ports = {"http_port": launch.port, "grpc_port": launch.port + 1, "metrics_port": launch.port + 2}
    settings = {"host": "127.0.0.1", **ports, "parallel_workers": WORKERS, "debug": False, "use_structured_logging": False}
    (launch.folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "benchmark", "implementation": "mlserver_runtime.Runtime"}
    (launch.folder / "model-settings.json").write_text(json.dumps(model))
    return [str(launch.python.with_name("mlserver")), "start", str(launch.folder)]


def _mlserver_request(image: bytes, kind: str) -> Request:
    data = {"parameters": {"content_type": "base64"}, "data": [base64.b64encode(image).decode()]}
    content = {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", **data}]}
    return Request(json.dumps(content).encode(), {"Content-Type": "application/json"})


def _bentoml(launch: Launch) -> list[str]:
    place = ("--host", "127.0.0.1", "--port", str(launch.port), "--working-dir", str(SERVERS_FOLDER))
    return [str(launch.python), "-m", "bentoml", "serve", "bentoml_service:Service", *place]


def _limit(launch: Launch) -> list[str]:
    return [str(launch.python), str(SERVERS_FOLDER / "limit.py")]


_LIMIT = Server(LIMIT, f"limit: {WORKERS} processes, no HTTP", _limit, environment="gunicorn_flask")

SMALL = (
    Server(APP, "this app", _app, path="/v1/predict"),
    Server(CLASSIC, "Flask on gunicorn (sync)", _gunicorn("--workers", str(WORKERS)), "gunicorn_flask"),
    Server("fastapi", "FastAPI on uvicorn", _uvicorn(WORKERS), "uvicorn_fastapi"),
    Server("litserve", "LitServe", _litserve, "litserve_api", request=_litserve_request),
    Server(
        "mlserver",
        "MLServer",
        _mlserver,
        "mlserver_runtime",
        "/v2/models/benchmark/infer",
        request=_mlserver_request,
        labels=lambda answer: list(answer["outputs"][0]["data"]),
    ),
    Server("bentoml", "BentoML", _bentoml, "bentoml_service", variables={"BENTOML_DO_NOT_TRACK": "True"}),
    _LIMIT,
)
"""For a model that answers faster than a request is read."""

_THREADS = {"THREADS": str(WORKERS)}
LARGE = (
    Server(APP, "this app", _app, path="/v1/predict", variables={"WORKERS": "1", "INTRA_OP_THREADS": "1", **_THREADS}),
    Server(CLASSIC, "Flask on gunicorn (sync)", _gunicorn("--workers", str(WORKERS)), "gunicorn_flask"),
    Server("threads", "Flask on gunicorn (threads)", _gunicorn("--threads", str(WORKERS)), "gunicorn_flask"),
    Server("fastapi", "FastAPI on uvicorn (threads)", _uvicorn(1), "uvicorn_fastapi", variables=_THREADS),
    _LIMIT,
)
"""For a model that takes much longer than all else, and much memory: the fastest peers, also with the model in memory once."""
