"""LitServe with two worker processes and its fast queue."""

import base64
import os
from typing import Any

import litserve
from classifier import Classifier


class Api(litserve.LitAPI):
    """The image in the body, base64 in JSON, brings its labels."""

    def setup(self, device: str) -> None:
        """Once in each worker process."""
        self.model = Classifier()

    def decode_request(self, request: dict[str, str]) -> bytes:
        """In a worker process: LitServe itself takes no bodies but JSON and forms."""
        return base64.b64decode(request["image"])

    def predict(self, content: bytes) -> dict[str, Any]:
        """In a worker process."""
        return self.model.answer(content)


if __name__ == "__main__":
    server = litserve.LitServer(Api(api_path="/predict"), accelerator="cpu", workers_per_device=2, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
