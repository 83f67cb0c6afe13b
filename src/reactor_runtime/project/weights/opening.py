"""Which remote a source is read from. Each is imported when it is used: some need a library of their own."""

from __future__ import annotations

from .remote import Remote
from .source import BUCKETS, Source


def open_remote(source: Source) -> Remote:
    """Raises `WeightsError` where the library for it is not installed."""
    if source.scheme == "hf":
        from .hub import Hub

        return Hub(source)
    if source.scheme in BUCKETS:
        from .bucket import Bucket

        return Bucket(source)
    if source.scheme == "file":
        from .local import LocalFolder

        return LocalFolder(source)
    from .web import Web

    return Web(source)
