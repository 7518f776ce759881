"""`python -m app.healthcheck`: exits with 0 when this container's app is ready, else with 1.

It runs every few seconds, so it imports next to nothing and speaks HTTP by hand.
"""

import os
import socket
import sys

TIMEOUT_SECONDS = 2.0


def is_ready(port: int) -> bool:
    """Ask `/readyz` on this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            with connection.makefile("rb") as answer:
                return answer.readline().split()[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ.get("PORT") or 8080)) else 1)
