"""What the front door is told."""

from nocturne.sandbox.front_door import render_configuration


def test_configuration() -> None:
    """The tasks of the service are found by DNS, on the app's port, for as many as there are slots."""
    configuration = render_configuration("web", 9000, 4)
    assert "server-template task 4 tasks.web:9000\n" in configuration
    assert "$" not in "".join(line for line in configuration.splitlines() if not line.lstrip().startswith("#"))
