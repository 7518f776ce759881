import pytest

from nocturne.adapters.wheels import platform_tags
from nocturne.domain.errors import Rejected


def test_the_tags_go_from_the_images_c_library_down_to_the_oldest():
    """A wheel for an older glibc runs on a newer one, never the other way round; the best comes first."""
    tags = platform_tags("linux/amd64", "2.36")
    assert tags[0] == "manylinux_2_36_x86_64"
    assert "manylinux_2_37_x86_64" not in tags
    assert tags.index("manylinux_2_28_x86_64") < tags.index("manylinux_2_17_x86_64") < tags.index("manylinux2014_x86_64")
    assert tags[-2:] == ("manylinux_2_5_x86_64", "manylinux1_x86_64")


def test_arm_begins_with_manylinux2014():
    """There are no older tags for 64-bit ARM."""
    assert platform_tags("linux/arm64", "2.18") == (
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    )


@pytest.mark.parametrize(("platform", "glibc"), [("linux/riscv64", "2.36"), ("linux/amd64", "3.0"), ("linux/amd64", "musl")])
def test_a_platform_without_such_wheels_is_rejected(platform: str, glibc: str):
    """What is not known is not guessed."""
    with pytest.raises(Rejected, match="expected one"):
        platform_tags(platform, glibc)
