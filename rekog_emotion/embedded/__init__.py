"""The embedded engine: answers in the service's own shape, computed on this machine."""

from __future__ import annotations

from rekog_emotion.errors import MissingExtraError

try:
    from rekog_emotion.embedded.client import EmbeddedClient
    from rekog_emotion.embedded.sqlite_store import SqliteStore
    from rekog_emotion.embedded.store import JobRecord, MemoryStore, Store
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in {"numpy", "onnxruntime", "PIL"}:
        raise
    what = "The embedded engine"
    raise MissingExtraError(what, extra="embedded") from error

__all__ = ["EmbeddedClient", "JobRecord", "MemoryStore", "SqliteStore", "Store"]
