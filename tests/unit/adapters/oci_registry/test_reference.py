import pytest

from nocturne.adapters.oci_registry import reference
from nocturne.domain.errors import Rejected

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize("text", ["app:v1.0_x-2", f"team/my-app@{DIGEST}"])
def test_a_reference_is_written_as_it_was_read(text: str):
    """A reference names a repository and a tag, or a repository and a digest."""
    assert str(reference.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("App:v1", "'App' cannot name a repository"),
        ("localhost:5000/app:v1", "'localhost:5000/app' cannot name a repository"),
        ("../catalog:v1", "cannot name a repository"),
        ("app", "cannot name a repository"),
        ("app:v1/x", "cannot name a"),
        (f"app:{'x' * 129}", "cannot name a tag"),
        ("app@sha256:12", "cannot name an image's digest"),
    ],
)
def test_what_could_be_taken_for_another_address_is_rejected(text: str, fault: str):
    """A name from a configuration never changes which address is asked."""
    with pytest.raises(Rejected, match=fault):
        reference.parse(text)
