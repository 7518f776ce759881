"""What is counted, in the Prometheus text format.

Import it in a worker process only: the counters' library decides as it is imported where they are kept.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from app.exchange import Ended
from app.probes import PROBES
from app.processes import LIVING, ProcessFacts, forget_dead_workers
from app.shared_counters import counted_in

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of buckets, from a small model's answer to the longest that anybody waits."""

CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.0)


class Metrics:
    """Counts and times every request to one of the app's own addresses, also one whose handler failed; an Observer.

    No client can make a new series: routes and labels are the app's and its model's own.
    """

    def __init__(self) -> None:
        self._folder = folder = counted_in()
        if folder:
            # By itself the library asks which process it is in, twice for each value: a quarter of all the time.
            pid = os.getpid()
            values.ValueClass = values.MultiProcessValue(lambda: pid)  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        # In a shared folder the sum over all processes is what is told, else what this one has counted.
        self._own = own = None if folder else self._registry
        self._requests = Counter("http_requests_total", "Requests answered.", ["route", "status"], registry=own)
        self._seconds = Histogram(
            "http_request_duration_seconds", "From arrival to answer.", ["route"], registry=own, buckets=SECONDS
        )
        self._waited = Histogram(
            "queue_wait_seconds",
            "How long requests waited for their turn, as last measured when they had it.",
            registry=own,
            buckets=SECONDS,
        )
        self._refused = Counter("queue_refused_total", "Requests sent away because all wait too long.", registry=own)
        Gauge("workers", "Worker processes that live.", registry=own, multiprocess_mode=LIVING).set(1)
        self._predictions = Counter("predictions_total", "Images, by best label.", ["label"], registry=own)
        self._confidence = Histogram(
            "prediction_confidence", "Probability of the best label.", registry=own, buckets=CONFIDENCE
        )
        # Finding a series by its labels takes as long as counting in it: each is looked up once.
        self._found: dict[tuple[str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._predicted: dict[str, Callable[[], None]] = {}
        self._ahead: frozenset[str] = frozenset()
        self._queued: frozenset[str] = frozenset()
        if folder:
            _FilledFiles(self._registry, folder)  # type: ignore[no-untyped-call]
            forget_dead_workers(folder)

    def watch(self, app: Flask, ahead: Sequence[str] = (), waits: Callable[[int], float] | None = None) -> None:
        """Tell at `/metrics` of `app` what was counted, once all its routes are there.

        ahead: the routes ahead of Flask. waits: how long, in seconds, requests wait now for the worker of a pid.
        """
        # Nothing counted yet is a zero, and not a gap: whoever compares two replicas must be able to tell them apart.
        for route in {*ahead, *(rule.rule for rule in app.url_map.iter_rules())} - PROBES:
            self._requests.labels(route, "200")
        self._ahead = frozenset(ahead)
        self._registry.register(ProcessFacts(self._folder, waits))
        app.add_url_rule("/metrics", "metrics", self._tell)

    def serves(self, model: str, release: Mapping[str, str | None], load_seconds: float) -> None:
        """Tell which model this is, and how long it took to load and to answer for the first time."""
        # Without a model those routes are 503 for another reason than a queue.
        self._queued = self._ahead
        facts = {"name": model, "version": release["model_version"], "digest": release["model_digest"]}
        facts |= {"release": release["release"], "commit": release["commit"]}
        info = Gauge("model_info", "The model, always 1.", list(facts), registry=self._own, multiprocess_mode="livemax")
        info.labels(*(value or "" for value in facts.values())).set(1)
        help_text = "Time to load the model and to warm it up."
        Gauge("model_load_seconds", help_text, registry=self._own, multiprocess_mode="livemax").set(load_seconds)

    def ended(self, ended: Ended) -> None:
        """Count a request."""
        # An address that the app does not have would let anybody make as many counters as they like.
        if ended.route is None or ended.route in PROBES:
            return
        key = (ended.route, ended.status)
        count, observe = self._found.get(key) or self._find(key)
        count()
        observe(ended.seconds)
        if ended.waited:
            self._waited.observe(ended.waited)
        if ended.status == 503 and ended.route in self._queued:
            self._refused.inc()

    def predicted(self, label: str, probability: float) -> None:
        """Count an image that was answered with `label`; a label gets its counter when it first occurs."""
        count = self._predicted.get(label)
        if count is None:
            count = self._predicted[label] = self._predictions.labels(label).inc
        count()
        self._confidence.observe(probability)

    def _find(self, key: tuple[str, int]) -> tuple[Callable[[], None], Callable[[float], None]]:
        route, status = key
        found = self._requests.labels(route, str(status)).inc, self._seconds.labels(route).observe
        self._found[key] = found
        return found

    def _tell(self) -> Response:
        if self._folder:
            forget_dead_workers(self._folder)
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)


class _FilledFiles(MultiProcessCollector):
    """The sum over all files but those that a starting worker has made and not filled yet, which cannot be read."""

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in Path(self._path).glob("*.db") if _size(file)]
        found: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # of a worker that has just ended
        return 0
