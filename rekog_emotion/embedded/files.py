"""Local files under the names of objects in S3: the service's calls know no other."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["BUCKET", "LocalFiles", "Resolver"]

Resolver: TypeAlias = Callable[[Mapping[str, Any]], str | os.PathLike[str] | bytes]
"""Takes the wire's ``S3Object`` (``Bucket``, ``Name``, ``Version``); gives a path or, of a picture, the bytes."""

BUCKET = "local-files"


class LocalFiles:
    """Files that were staged, and where every other object lies.

    Nothing is copied or deleted: a staged file has to stay where it is until its job was started.

    Args:
        elsewhere: Where objects lie that were not staged here.
    """

    def __init__(self, elsewhere: Resolver | None = None) -> None:
        self._elsewhere = elsewhere
        self._paths: dict[str, str] = {}

    def stage(self, path: str | os.PathLike[str]) -> dict[str, str]:
        """Return the ``S3Object`` that stands for a file, under a random key."""
        key = secrets.token_hex(16)
        self._paths[key] = os.path.abspath(path)  # noqa: PTH100 -- Path.resolve() would follow links, which may be changed
        return {"Bucket": BUCKET, "Name": key}

    def discard(self, staged: Mapping[str, Any]) -> None:
        """Forget a staged file; a second time does nothing."""
        if staged["Bucket"] == BUCKET:
            self._paths.pop(staged["Name"], None)

    def resolve(self, s3_object: Mapping[str, Any]) -> str | os.PathLike[str] | bytes:
        """Return the path of an object, or what the resolver of the others gives.

        Raises:
            LookupError: It was not staged, and nothing else is known.
        """
        if s3_object["Bucket"] == BUCKET and s3_object["Name"] in self._paths:
            return self._paths[s3_object["Name"]]
        if self._elsewhere is None:
            raise LookupError(s3_object["Name"])
        return self._elsewhere(s3_object)
