"""A small HTTP app with the manners that Nocturne asks for; MODE makes it misbehave in one way, see `modes` in the tests."""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE = os.environ.get("MODE", "good")
RELEASE = os.environ.get("RELEASE", "unknown")
CRASH_AFTER = float(os.environ.get("CRASH_AFTER", "3"))
DRAIN_SECONDS = 2.5
FLAP_SECONDS = 2.0
started = time.monotonic()
leaving = threading.Event()
served: Counter = Counter()
lock = threading.Lock()


def ready():
    if leaving.is_set() or MODE == "never-ready":
        return False
    return MODE != "flapping" or int((time.monotonic() - started) / FLAP_SECONDS) % 2 == 0


def metrics():
    lines = ["# TYPE http_requests_total counter"]
    with lock:
        lines += [f'http_requests_total{{route="{route}",status="{status}"}} {count}' for (route, status), count in served.items()]
    return "\n".join(lines) + "\n"


def crash():
    print("the model's worker has died", file=sys.stderr, flush=True)
    os._exit(7)


def score(text):
    """One ranking for each image: the label is the image's own first character, as the tests' golden set has it."""
    images = json.loads(json.loads(text)["input"])
    if MODE == "slow":
        time.sleep(0.3)
    return {"result": [[[["?" if MODE == "wrong" else image[0], 99.0]] for image in images], 0.001]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Heads and bodies leave together: of an app that ends between them, half an answer would remain, which nobody can ask again.
    wbufsize = -1

    def do_GET(self):
        if self.path == "/readyz":
            self.answer(200 if ready() else 503, "ready" if ready() else "the model has not answered yet")
        elif self.path == "/livez":
            self.answer(200, "alive")
        elif self.path == "/version":
            self.answer(200, json.dumps({"release": RELEASE, "model_digest": os.environ.get("MODEL_DIGEST", "")}))
        elif self.path == "/metrics":
            self.answer(404 if MODE == "no-metrics" else 200, metrics(), "text/plain; version=0.0.4")
        elif self.path == "/crash" and MODE == "crash-when-asked":
            crash()
        elif self.path == "/":
            self.answer(500 if MODE == "errors" else 200, RELEASE)
        else:
            self.answer(404, "no such path")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/score":
            self.answer(500 if MODE == "errors" else 200, json.dumps(score(text)))
        else:
            self.answer(404, "no such path")

    def answer(self, status, text, content_type=""):
        with lock:
            served[self.path, status] += 1
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type or ("application/json" if text[:1] == "{" else "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        if leaving.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    print(f"starting release {RELEASE}", flush=True)
    if MODE == "crash":
        sys.exit("cannot read /model/model.onnx: no such file")
    if MODE == "out-of-memory":
        hoard = [bytearray(1 << 20) for _ in range(4096)]
        sys.exit(f"expected to be killed, hold {len(hoard)} MiB")
    server = Server(("", 8080), Handler)

    def leave(*_):
        leaving.set()
        threading.Timer(DRAIN_SECONDS, server.shutdown).start()

    signal.signal(signal.SIGTERM, leave)
    if MODE == "crash-when-ready":
        threading.Timer(CRASH_AFTER, crash).start()
    server.serve_forever(poll_interval=0.1)
    time.sleep(0.2)


if __name__ == "__main__":
    main()
