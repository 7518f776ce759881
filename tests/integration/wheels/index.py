"""A package index of the tests' own, with wheels that hold nothing but a name."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Index:
    """A folder in the layout of PEP 503, served at `url`. asked: the paths of all requests so far."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def add(self, project: str, version: str, tag: str) -> str:
        """Put a wheel for `tag` there; its line in a hash-locked requirements file."""
        name = f"{project}-{version}-{tag}.whl"
        page = self.folder / "simple" / project
        page.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(page / name, "w") as wheel:
            metadata = f"{project}-{version}.dist-info"
            wheel.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
            wheel.writestr(f"{metadata}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{metadata}/RECORD", "")
        links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in page.glob("*.whl"))
        (page / "index.html").write_text(f"<!doctype html><html><body>{links}</body></html>")
        digest = hashlib.sha256((page / name).read_bytes()).hexdigest()
        return f"{project}=={version} --hash=sha256:{digest}\n"


@contextmanager
def index(folder: Path) -> Iterator[Index]:
    """Serve an index from `folder` on a free port."""
    served = Index(folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            served.asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        served.url = f"http://user:index-secret@127.0.0.1:{server.server_port}/simple"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
