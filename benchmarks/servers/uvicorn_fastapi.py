"""FastAPI on uvicorn with uvloop, httptools and orjson.

A small model answers in the event loop, for a thread costs more than the answer; two worker processes. A large one
(THREADS is set) answers in that many threads of one process, so that it is in memory once.
"""

import os

import anyio.to_thread
import orjson
from classifier import Classifier
from fastapi import FastAPI, Request, Response

THREADS = int(os.environ.get("THREADS", "0"))

app = FastAPI(openapi_url=None)
model = Classifier()
limiter = anyio.CapacityLimiter(THREADS or 1)


@app.post("/predict")
async def predict(request: Request) -> Response:
    """The labels of the image in the body."""
    content = await request.body()
    answer = await anyio.to_thread.run_sync(model.answer, content, limiter=limiter) if THREADS else model.answer(content)
    return Response(orjson.dumps(answer), media_type="application/json")
