import json
import os
import re
import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain.inputs import Inputs
from tests.fakes.inputs import some_inputs

WORDS = st.tuples(*[st.sampled_from("abc")] * 4)


@given(WORDS, WORDS)
def test_a_release_is_the_same_exactly_when_all_four_parts_are(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Code tree, model, base image and manifests decide the id: each of them changes it, and nothing else does."""
    same = some_inputs(*one).release_id == some_inputs(*other).release_id
    assert same == (one == other)


def test_what_does_not_ship_does_not_change_the_release() -> None:
    """Another commit of the same tree, another version name of the same files, other ETags and another registry: the same."""
    inputs = some_inputs()
    commit = replace(inputs.code, commit="f" * 40, committed_at="2027-01-01T00:00:00Z", subject="Other")
    model = replace(inputs.model, version="v2", name="renamed", created_at="2027-01-01T00:00:00Z", etags={"model.onnx": '"2"'})
    elsewhere = Inputs(commit, model, f"elsewhere/base@{inputs.base_digest}", inputs.manifests_digest)
    assert elsewhere.release_id == inputs.release_id


def test_the_id_can_be_a_tag_and_a_label() -> None:
    """It is `r-` and twelve hexadecimal digits."""
    assert re.fullmatch(r"r-[0-9a-f]{12}", some_inputs().release_id)


def test_the_id_never_changes() -> None:
    """Known inputs keep their id over versions of Nocturne, so that no release is made twice after an update."""
    assert some_inputs().release_id == "r-ed500528389c"


def test_the_id_is_the_same_in_another_process() -> None:
    """No part of it depends on the process, such as Python's random hashes."""
    code = "from tests.fakes.inputs import some_inputs; print(some_inputs().release_id)"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True).stdout
    assert printed.strip() == some_inputs().release_id


def test_the_base_digest_is_what_stands_behind_the_at() -> None:
    """A registry with a port before the repository does not disturb it."""
    inputs = replace(some_inputs(), base_image="host:5000/base:12@sha256:1")
    assert inputs.base_digest == "sha256:1"


@given(WORDS)
def test_inputs_travel_as_json(words: tuple[str, ...]) -> None:
    """Writing to JSON and reading back gives equal inputs with the same id."""
    inputs = some_inputs(*words)
    travelled = Inputs.from_dict(json.loads(json.dumps(inputs.to_dict())))
    assert travelled == inputs
    assert travelled.release_id == inputs.release_id
    assert hash(travelled.code) == hash(inputs.code)


def test_reading_leaves_what_was_read_alone() -> None:
    """`from_dict` does not change its argument, so that it can be read twice."""
    raw = some_inputs().to_dict()
    assert Inputs.from_dict(raw) == Inputs.from_dict(raw)
