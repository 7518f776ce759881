"""What is kept of users' images, and who may read it."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from running import RunningApp

from app import samples
from app.drain import DrainFlag
from app.golden_set import Sample
from app.metrics import Metrics
from app.samples import Keeping, Samples
from app.settings import Settings, SettingsError, read_settings
from app.web import create_app

TOKEN = "a-token-of-some-length"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance keeps every image."""
    monkeypatch.setattr(Samples.__init__, "__defaults__", (1.0, samples.MAX_BYTES))


@pytest.fixture
def keeping(settings: Settings, leaving: DrainFlag, every: None) -> FlaskClient:
    """A client of an app that keeps three images."""
    return create_app(replace(settings, samples=Keeping(3, TOKEN)), leaving, Metrics()).test_client()


def images(kept: Samples) -> list[str]:
    return [each.image for each in kept.kept()]


def test_nothing_is_kept_by_default(client: FlaskClient) -> None:
    """Without settings the address does not exist, whatever one sends along."""
    assert read_settings({}).samples == Keeping(0, "")
    assert client.get("/samples", headers=AUTHORIZED).status_code == 404


@pytest.mark.parametrize("told", [Keeping(3, ""), Keeping(0, TOKEN)])
def test_half_of_the_settings_keeps_nothing(settings: Settings, leaving: DrainFlag, told: Keeping) -> None:
    """A number without a token, or a token without a number, is as good as none, and the app serves all the same."""
    client = create_app(replace(settings, samples=told), leaving).test_client()
    assert client.get("/readyz").status_code == 200
    assert client.get("/samples", headers={"Authorization": f"Bearer {told.token}"}).status_code == 404


def test_image_and_labels_are_kept_and_nothing_else(keeping: FlaskClient, golden: list[Sample]) -> None:
    """What was sent and answered is told to who has the token: no address, no header, no time."""
    sent = [sample.image for sample in golden[:2]]
    answer = keeping.post("/score", json={"input": json.dumps(sent)}, headers={"Cookie": "who=ada"})
    labels = [[label for label, _ in best] for best in answer.get_json()["result"][0]]
    told = keeping.get("/samples", headers=AUTHORIZED)
    expected = [{"image": image, "labels": best} for image, best in zip(sent, labels, strict=True)]
    assert (told.status_code, told.get_json()) == (200, {"samples": expected})
    assert told.headers["Cache-Control"] == "no-store"


def test_the_newest_stay(keeping: FlaskClient, golden: list[Sample]) -> None:
    """Of five images the last three are there."""
    sent = [sample.image for sample in golden[:5]]
    keeping.post("/score", json={"input": sent})
    assert [each["image"] for each in keeping.get("/samples", headers=AUTHORIZED).get_json()["samples"]] == sent[2:]


def test_a_request_that_is_refused_is_not_kept(keeping: FlaskClient, golden: list[Sample]) -> None:
    """One bad image among good ones: nothing of it stays."""
    assert keeping.post("/score", json={"input": [golden[0].image, "!"]}).status_code == 400
    assert keeping.get("/samples", headers=AUTHORIZED).get_json() == {"samples": []}


@pytest.mark.parametrize("header", [None, "", TOKEN, f"Basic {TOKEN}", "Bearer ", "Bearer another", f"Bearer {TOKEN}ä"])
def test_only_the_token_opens(keeping: FlaskClient, golden: list[Sample], header: str | None) -> None:
    """Anything but the token is refused, without an image and without the token."""
    keeping.post("/score", json={"input": [golden[0].image]})
    answer = keeping.get("/samples", headers={"Authorization": header} if header is not None else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert golden[0].image not in answer.text and TOKEN not in answer.text


def test_looking_at_samples_is_no_request_of_users(keeping: FlaskClient) -> None:
    """The counters do not know the address, well or refused."""
    keeping.get("/samples", headers=AUTHORIZED)
    keeping.get("/samples")
    assert "/samples" not in keeping.get("/metrics").text


def test_bytes_are_limited() -> None:
    """The oldest leave until the rest fits; an image that is too large alone takes no other's place."""
    kept = Samples(Keeping(100, TOKEN), share=1, max_bytes=10)
    for image in ("1111", "2222", "3333"):
        kept.offer(image, ["7"])
    assert images(kept) == ["2222", "3333"]
    kept.offer("4" * 11, ["7"])
    assert images(kept) == ["2222", "3333"]
    kept.offer("5" * 10, ["7"])
    assert images(kept) == ["5" * 10]


def test_chance_keeps_a_part() -> None:
    """Of 10,000 images some are kept and most are not, and not at even distances."""
    kept = Samples(Keeping(10_000, TOKEN))
    for number in range(10_000):
        kept.offer(str(number), ["7"])
    found = [int(image) for image in images(kept)]
    assert 500 < len(found) < 2_000
    assert len({later - earlier for earlier, later in pairwise(found)}) > 1


def test_a_token_in_the_log_is_none() -> None:
    """Neither a fault nor the settings' own text tells the token."""
    with pytest.raises(SettingsError) as caught:
        read_settings({"SAMPLES": "5", "SAMPLES_TOKEN": "short secret"})
    (fault,) = caught.value.faults
    assert fault.startswith("SAMPLES_TOKEN has 12 characters; expected at least 16 printable ASCII characters")
    assert "secret" not in fault
    assert TOKEN not in repr(read_settings({"SAMPLES": "5", "SAMPLES_TOKEN": TOKEN}))


def test_a_running_app_keeps_samples(settings: Settings, golden: list[Sample]) -> None:
    """Served as in production by one worker, one of ten images or so is told over HTTP."""
    told = {"MODEL_DIR": str(settings.model_dir), "WORKERS": "1", "SAMPLES": "5", "SAMPLES_TOKEN": TOKEN}
    with RunningApp(told) as app:
        connection = app.connect()
        # 1,000 images of which none is kept happen once in 10^45 runs.
        for _ in range(20):
            body = json.dumps({"input": [sample.image for sample in golden[:50]]})
            connection.request("POST", "/score", body, {"Content-Type": "application/json"})
            assert connection.getresponse().read()
        connection.request("GET", "/samples", headers=AUTHORIZED)
        found = json.loads(connection.getresponse().read())["samples"]
        connection.close()
        assert app.get("/samples") == 401
    answers = {sample.image: sample.label for sample in golden[:50]}
    assert len(found) == 5
    assert all(answers[each["image"]] == each["labels"][0] for each in found)
