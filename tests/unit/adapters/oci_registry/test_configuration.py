import json

import pytest

from nocturne.adapters.oci_registry.configuration import extended, labels
from nocturne.adapters.oci_registry.layer import measure
from nocturne.domain.errors import Broken
from nocturne.ports.image_registry import LayerFile

LAYER = measure([LayerFile("/a", b"")])


def test_labels_are_merged_and_the_new_ones_win():
    """The release image keeps what its base says of itself unless it says something else."""
    base = {"config": {"Labels": {"a": "1", "b": "1"}}, "rootfs": {"diff_ids": []}}
    assert labels(json.loads(extended(base, [], {"b": "2"}, "now", 0))) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("base", [{}, {"config": None}, {"config": {"Labels": None}}])
def test_an_image_without_labels_has_none(base: dict):
    """Labels, and the settings that they stand in, may be missing or null."""
    assert labels(base) == {}


def test_every_layer_has_its_history_even_when_the_base_told_none():
    """Tools refuse an image whose history tells of fewer layers than it has."""
    written = json.loads(extended({"rootfs": {"diff_ids": ["sha256:x"]}}, [LAYER], {}, "now", 1))
    assert [entry["created_by"] for entry in written["history"]] == ["base image", "nocturne: append layer"]


def test_what_the_engine_knows_beyond_the_specification_is_kept():
    """Docker's HEALTHCHECK stands in the configuration, though OCI does not know it."""
    base = {"config": {"Healthcheck": {"Test": ["CMD"]}}, "rootfs": {"diff_ids": []}, "os": "linux"}
    written = json.loads(extended(base, [LAYER], {}, "now", 0))
    assert (written["config"]["Healthcheck"], written["os"], written["created"]) == ({"Test": ["CMD"]}, "linux", "now")


def test_a_configuration_of_another_image_is_an_error():
    """Manifest and configuration must tell of the same number of layers."""
    with pytest.raises(Broken, match="has 0 layers, but its manifest 2"):
        extended({}, [LAYER], {}, "now", 2)
