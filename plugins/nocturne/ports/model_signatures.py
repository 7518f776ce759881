"""Who vouches for a model: OpenSSF model signatures with named keys."""

from abc import ABC, abstractmethod
from pathlib import Path


class ModelSignatures(ABC):
    """Signs and verifies folders of model files."""

    @abstractmethod
    def sign(self, folder: Path, paths: tuple[str, ...], key: Path, password: str = "") -> str:
        """The text of a signature over exactly the files `paths` of a folder.

        key: a PEM file with an elliptic-curve private key (P-256, P-384 or P-521). Raises ConfigurationError for a key that cannot
        be used.
        """

    @abstractmethod
    def verify(self, folder: Path, paths: tuple[str, ...], signature: str, keys: dict[str, bytes]) -> str:
        """The name of the key that signed exactly these files as they are.

        keys: name to PEM of a public key. Raises Rejected that tells an unreadable signature, another signer and tampered files
        apart, and ConfigurationError for a public key that cannot be read.
        """
