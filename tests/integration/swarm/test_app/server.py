"""A small HTTP app with the manners that Nocturne asks for; MODE makes it misbehave in one way."""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE = os.environ.get("MODE", "good")
RELEASE = os.environ.get("RELEASE", "unknown")
DRAIN_SECONDS = 2.5
leaving = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Heads and bodies leave together: of an app that ends between them, half an answer would remain, which nobody can ask again.
    wbufsize = -1

    def do_GET(self):
        if self.path == "/readyz":
            ready = not leaving.is_set() and MODE != "never-ready"
            self.answer(200 if ready else 503, "ready" if ready else "the model has not answered yet")
        else:
            self.answer(200, RELEASE)

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
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
    server = Server(("", 8080), Handler)

    def leave(*_):
        leaving.set()
        threading.Timer(DRAIN_SECONDS, server.shutdown).start()

    signal.signal(signal.SIGTERM, leave)
    if MODE == "crash-when-ready":
        threading.Timer(3, lambda: os._exit(7)).start()
    server.serve_forever(poll_interval=0.1)
    time.sleep(0.2)


if __name__ == "__main__":
    main()
