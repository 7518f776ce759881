"""Where the app is about to listen."""

import socket


def address_faults(host: str, port: int) -> list[str]:
    """Return why nothing can listen there; the server itself would share a port with another app, or end in a panic."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            # Connections that ended a moment ago are in nobody's way; another listener is.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except UnicodeError:
        # Of IDNA, whose own words tell nothing.
        expected = "an address or a name, whose parts between the dots have 1 to 63 characters each"
        return [f"HOST is {host!r}; expected {expected}. Set another."]
    except OSError as error:
        return [f"HOST is {host!r} and PORT is {port}: {error.strerror}. Set another, or end what listens there."]
    return []
