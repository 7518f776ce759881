"""What schemathesis cannot know by itself: how bodies of the app's media types look. It imports this by SCHEMATHESIS_HOOKS."""

from hypothesis import strategies as st
from schemathesis.openapi import media_type

from tests.app.images import IMAGES, damaged

for kind, content in IMAGES.items():
    media_type(kind, st.one_of(st.just(content), damaged()))
media_type("application/octet-stream", st.one_of(st.sampled_from(sorted(IMAGES.values())), damaged(), st.binary(max_size=200)))
