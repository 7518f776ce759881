"""Who we are to a registry."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Credentials:
    """A user and a password. The password never shows in a log.

    refresh_token: the password is one, and goes to the registry's token server as OAuth2 has it
    (https://distribution.github.io/distribution/spec/auth/oauth/).
    """

    username: str
    password: str = field(repr=False)
    refresh_token: bool = False

    @property
    def basic(self) -> httpx.BasicAuth:
        """As HTTP sends them."""
        return httpx.BasicAuth(self.username, self.password)


CredentialsNow = Callable[[], Credentials]
"""Gives those that are valid at this moment, where they are renewed from time to time. Raises Broken."""
