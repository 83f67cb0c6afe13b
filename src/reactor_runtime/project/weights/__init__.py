"""What a model needs on disk: where it lies, where it comes from, and how it arrives whole.

`store` finds a folder; `declared` and `asked` say which names a project has and where they come from;
`source` reads such a place. `download` fills the cache: a `remote` (`web`, `hub`, `bucket`, `local`) lists
and reads, `staging` keeps what has arrived, `fetch` brings the rest, `archive` unpacks, `place` puts the
whole in place
under a `lock`. `verify`, `inventory` and `upload` work on what is there.
"""

from .store import CACHE, PARTIAL, WeightsStore

__all__ = ["CACHE", "PARTIAL", "WeightsStore"]
