"""Hashing every file of a folder, without exceptions. It imports the third-party package: to be imported only when it is used."""

from pathlib import Path
from typing import Any

from model_signing import hashing
from model_signing.manifest import Manifest

from nocturne.adapters.model_signing.bundle import HashType


class ExactHashing(hashing.Config):
    """A signature may list files to ignore, and by default ignores those of git: who can add such a file to a model would not be
    noticed. Here nothing is ignored. found: name to hexadecimal digits once it has hashed.
    """

    def __init__(self, hash_type: HashType = "sha256", shard_size: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[str, str] | None = None
        if shard_size is None:
            self.use_file_serialization(hashing_algorithm=hash_type)
        elif hash_type == "blake3":
            raise ValueError("found shards hashed with blake3, which hashes whole files")
        else:
            self.use_shard_serialization(hashing_algorithm=hash_type, shard_size=shard_size)
        self.set_ignored_paths(paths=[], ignore_git_paths=False)
        self.set_allow_symlinks(True)  # what it hashes is a folder of links that we made

    def add_ignored_paths(self, **kwargs: Any) -> None:
        """What a signature would like to have ignored is not."""

    def hash(self, model_path: hashing.PathLike, **kwargs: Any) -> Manifest:
        """Hash a folder and remember what was found."""
        manifest = super().hash(Path(str(model_path)), **kwargs)
        self.found = {item.identifier: item.digest.digest_hex for item in manifest.resource_descriptors()}
        return manifest
