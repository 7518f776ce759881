"""OpenSSF model signing with named keys.

The third-party package of the same name is imported only when it is used: it takes seconds.
"""

from nocturne.adapters.model_signing.signatures import OpenSsfSignatures

__all__ = ["OpenSsfSignatures"]
