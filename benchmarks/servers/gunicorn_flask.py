"""Flask, as the classic sample has it: `gunicorn --workers 2 gunicorn_flask:app`."""

from classifier import Classifier
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
model = Classifier()


@app.post("/predict")
def predict() -> Response:
    """The labels of the image in the body."""
    return jsonify(model.answer(request.get_data()))
