"""Files by what is in them, in a folder that any number of processes share."""

from nocturne.adapters.file_cache.cache import LocalFileCache

__all__ = ["LocalFileCache"]
