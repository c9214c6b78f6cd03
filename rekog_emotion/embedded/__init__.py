"""The embedded engine: answers in the service's own shape, computed on this machine."""

from __future__ import annotations

from rekog_emotion.errors import needs

with needs("embedded", "The embedded engine"):
    from rekog_emotion.embedded.client import EmbeddedClient
    from rekog_emotion.embedded.sqlite_store import SqliteStore
    from rekog_emotion.embedded.store import JobRecord, MemoryStore, Store

__all__ = ["EmbeddedClient", "JobRecord", "MemoryStore", "SqliteStore", "Store"]
