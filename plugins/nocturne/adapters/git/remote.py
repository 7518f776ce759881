"""Where a repository is, without the secrets that its URL may carry."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_SCP_LIKE = re.compile(r"[^/]+:")  # host:path, https://git-scm.com/docs/git-clone#_git_urls
# Asked for by git on its own terms, https://git-scm.com/docs/gitcredentials#_custom_helpers; `!` runs it in a shell.
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$NOCTURNE_GIT_USERNAME" "$NOCTURNE_GIT_PASSWORD"; }; f'
# Git serves no folder that somebody else owns, unless it is told so; it does not pass its own settings on to this child.
_UPLOAD_PACK = "git -c 'safe.directory=*' upload-pack"


@dataclass(frozen=True)
class Remote:
    """url: a git URL or an absolute path, without credentials over http. local: whether it is a folder of this machine.

    settings: `-c` options for git. environment: where the credentials are, because other users can read a command line.
    secret: what no message may show.
    """

    url: str
    local: bool
    settings: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)

    @property
    def options(self) -> tuple[str, ...]:
        """Options for the git commands that talk to the remote."""
        return (f"--upload-pack={_UPLOAD_PACK}",) if self.local else ()

    def masked(self, text: str) -> str:
        """`text` without the credentials, in whatever form git repeats them."""
        shown = text.replace(self.secret, "***") if self.secret else text
        return _USER_INFO.sub("***@", shown)

    def __str__(self) -> str:
        return self.masked(self.url)


def remote(repository: str) -> Remote:
    """From what a user wrote: a URL, `host:path`, or the path of a folder."""
    parts = urlsplit(repository)
    if parts.scheme in ("http", "https"):
        return _over_http(parts)
    if "://" in repository or (_SCP_LIKE.match(repository) and not Path(repository).exists()):
        return Remote(repository, local=parts.scheme == "file")
    return Remote(str(Path(repository).expanduser().absolute()), local=True)


def _over_http(parts: SplitResult) -> Remote:
    user_info, _, host = parts.netloc.rpartition("@")
    url = parts._replace(netloc=host).geturl()
    if not user_info:
        return Remote(url, local=False)
    user, _, password = (unquote(part) for part in user_info.partition(":"))
    # Bound to this host: a redirect must not carry the credentials elsewhere.
    settings = (f"credential.{parts.scheme}://{host}.helper={_HELPER}",)
    environment = {"NOCTURNE_GIT_USERNAME": user, "NOCTURNE_GIT_PASSWORD": password}
    return Remote(url, False, settings, environment, secret=password or user)
