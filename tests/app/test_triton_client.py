"""The app as Triton's own client sees it, unchanged: what it can ask, and that it understands every answer."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException  # type: ignore[import-untyped]

from tests.app.conftest import Golden, StartApp
from tests.app.running_app import PATIENCE_SECONDS, RunningApp

MODEL = "digits"


@pytest.fixture
def client(running_app: RunningApp) -> Iterator[Any]:
    told = triton.InferenceServerClient(running_app.address, connection_timeout=PATIENCE_SECONDS, network_timeout=PATIENCE_SECONDS)
    with told as client:
        yield client


@pytest.fixture
def files(golden: list[Golden]) -> list[bytes]:
    return [sample.image for sample in golden[:8]]


@pytest.fixture
def labels(golden: list[Golden]) -> list[str]:
    return [sample.label for sample in golden[:8]]


def images(files: list[bytes]) -> Any:
    return triton.InferInput("image", [len(files)], "BYTES").set_data_from_numpy(np.array(files, dtype=object))


def pixels(numbers: NDArray[np.float32], *, binary: bool = True) -> Any:
    return triton.InferInput("pixels", list(numbers.shape), "FP32").set_data_from_numpy(numbers, binary_data=binary)


def some_pixels() -> NDArray[np.float32]:
    return np.random.default_rng(0).random((3, 64), dtype=np.float32)


def best(result: Any) -> list[str]:
    return [row[0].decode() if isinstance(row[0], bytes) else row[0] for row in result.as_numpy("labels")]


def test_server_and_model_are_live_and_ready(client: Any) -> None:
    """Each of the client's probes says yes, with and without a version; of what is not there it says no."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("letters")
    assert not client.is_model_ready(MODEL, "2")


def test_metadata_and_configuration_agree(client: Any) -> None:
    """The client learns from either how the model's own tensors are to be sent."""
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata, config = client.get_model_metadata(MODEL), client.get_model_config(MODEL)
    assert metadata == client.get_model_metadata(MODEL, "1")
    assert config == client.get_model_config(MODEL, "1")
    assert metadata["inputs"][0] == {"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}
    assert config["input"] == [{"name": "pixels", "data_type": "TYPE_FP32", "dims": [64]}]
    assert config["max_batch_size"] == 64
    assert config["output"][0]["name"] == metadata["outputs"][0]["name"]
    assert [(found["name"], found["state"]) for found in client.get_model_repository_index()] == [(MODEL, "READY")]


def test_images_bring_their_labels(client: Any, files: list[bytes], labels: list[str]) -> None:
    """Files as they are, in a binary tensor, are answered with the golden labels."""
    outputs = [triton.InferRequestedOutput("labels", class_count=1)]
    assert best(client.infer(MODEL, [images(files)], outputs=outputs)) == labels


def test_images_in_base64_bring_their_labels(client: Any, files: list[bytes], labels: list[str]) -> None:
    """Where everything is JSON, files travel in base64."""
    texts = np.array([base64.b64encode(file) for file in files], dtype=object)
    given = triton.InferInput("image", [len(files)], "BYTES").set_data_from_numpy(texts, binary_data=False)
    outputs = [triton.InferRequestedOutput("labels", binary_data=False, class_count=1)]
    assert best(client.infer(MODEL, [given], outputs=outputs)) == labels


def test_all_ways_to_send_a_tensor_bring_the_same_numbers(client: Any) -> None:
    """JSON or bytes, in and out, asked for or not: the model's own output is the same."""
    expected = client.infer(MODEL, [pixels(some_pixels())]).as_numpy("probabilities")
    assert expected.shape == (3, 10)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
    for binary_in in (True, False):
        for binary_out in (True, False):
            outputs = [triton.InferRequestedOutput("probabilities", binary_data=binary_out)]
            result = client.infer(MODEL, [pixels(some_pixels(), binary=binary_in)], "1", outputs=outputs)
            np.testing.assert_array_equal(result.as_numpy("probabilities"), expected)


def test_several_outputs_keep_apart(client: Any) -> None:
    """Bytes and JSON may be mixed in one answer."""
    outputs = [
        triton.InferRequestedOutput("labels", binary_data=True),
        triton.InferRequestedOutput("probabilities", binary_data=False),
    ]
    result = client.infer(MODEL, [pixels(some_pixels())], outputs=outputs, request_id="seven")
    assert result.get_response()["id"] == "seven"
    assert result.get_response()["model_version"] == "1"
    order = np.argsort(-result.as_numpy("probabilities"), axis=1, kind="stable")
    assert [[int(label) for label in row] for row in result.as_numpy("labels")] == order.tolist()


def test_classes_are_those_of_the_classification_extension(client: Any) -> None:
    """`class_count` brings value, index and label."""
    outputs = [triton.InferRequestedOutput("probabilities", class_count=2)]
    classes = client.infer(MODEL, [pixels(some_pixels())], outputs=outputs).as_numpy("probabilities")
    numbers = client.infer(MODEL, [pixels(some_pixels())]).as_numpy("probabilities")
    for row, told in zip(numbers, classes, strict=True):
        first, second = [element.decode().split(":") for element in told]
        assert int(first[1]) == row.argmax()
        assert first[2] == str(row.argmax())
        assert float(first[0]) >= float(second[0])


def test_requests_may_be_under_way_at_once(running_app: RunningApp, files: list[bytes], labels: list[str]) -> None:
    """`async_infer` over several connections gives each request its own answer."""
    told = triton.InferenceServerClient(running_app.address, concurrency=4, network_timeout=PATIENCE_SECONDS)
    outputs = [triton.InferRequestedOutput("labels", class_count=1)]
    with told as client:
        asked = [
            client.async_infer(MODEL, [images([file])], outputs=outputs, request_id=str(place)) for place, file in enumerate(files)
        ]
        results = [request.get_result() for request in asked]
    assert [result.get_response()["id"] for result in results] == [str(place) for place in range(len(files))]
    assert [label for result in results for label in best(result)] == labels


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_the_clients_compression_works(client: Any, files: list[bytes], labels: list[str], algorithm: str) -> None:
    """A compressed request is read; the client also accepts that an answer is not compressed."""
    outputs = [triton.InferRequestedOutput("labels", class_count=1)]
    ways = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    assert best(client.infer(MODEL, [images(files)], outputs=outputs, **ways)) == labels


@pytest.mark.parametrize(
    ("given", "outputs", "status", "told"),
    [
        (pixels(np.zeros((1, 65), np.float32)), None, "400", "expected [n, 64] with n from 1 to 64"),
        (pixels(np.full((1, 64), np.nan, np.float32)), None, "400", "finite numbers"),
        (images([b"no image"]), None, "400", "image 1 is 8 bytes that are no image of a known kind"),
        (pixels(some_pixels()), [triton.InferRequestedOutput("scores")], "400", "expected one of probabilities, labels"),
        (images([b"0"] * 65), None, "413", "found 65 images; expected 1 to 64"),
        (images([b"0" * 9_000_000]), None, "413", "expected a body of at most"),
    ],
)
def test_errors_reach_the_client_in_our_words(client: Any, given: Any, outputs: Any, status: str, told: str) -> None:
    """The client raises its own exception, with the status and the sentence of the problem."""
    with pytest.raises(InferenceServerException) as raised:
        client.infer(MODEL, [given], outputs=outputs)
    assert raised.value.status() == status
    assert told in raised.value.message()


def test_unknown_models_are_named(client: Any) -> None:
    """Whoever asks for another model learns which one there is."""
    for ask in (client.get_model_metadata, client.get_model_config, lambda name: client.infer(name, [pixels(some_pixels())])):
        with pytest.raises(InferenceServerException, match="expected 'digits'"):
            ask("letters")


def test_a_client_that_is_refused_can_go_on(client: Any, files: list[bytes], labels: list[str]) -> None:
    """After an error the same connection still answers."""
    outputs = [triton.InferRequestedOutput("labels", class_count=1)]
    with pytest.raises(InferenceServerException):
        client.infer(MODEL, [images([b""])])
    assert best(client.infer(MODEL, [images(files)], outputs=outputs)) == labels


def test_without_a_model_the_client_is_told_so(start_app: StartApp, tmp_path: Any) -> None:
    """An app that has no model is live and not ready."""
    with start_app(model=tmp_path / "nothing", ready="/healthz") as app, triton.InferenceServerClient(app.address) as client:
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready(MODEL)
        with pytest.raises(InferenceServerException, match="no model can be served"):
            client.infer(MODEL, [pixels(some_pixels())])
