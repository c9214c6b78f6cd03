"""Uploads in asyncio: boto3's in threads, or whatever the caller brings."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Protocol

from rekog_emotion.clients.protocols import OnBytes, is_async
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.s3 import S3Object

__all__ = ["AsyncStaging", "check_s3_client"]


class AsyncStaging(Protocol):
    """The methods of :class:`~rekog_emotion.Staging` as coroutines; a cancel is one of the task."""

    async def stage(
        self, path: Path, *, on_bytes: OnBytes | None = None, cancel: threading.Event | None = None
    ) -> S3Object:
        """Make the file readable for the client and return how the client shall call it."""
        ...

    async def discard(self, staged: S3Object) -> None:
        """Take it away again; a second time does nothing."""
        ...


def check_s3_client(s3_client: Any) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
    """Refuse a client whose calls are coroutines: boto3 uploads in parts, in threads.

    Raises:
        InvalidInputError: It is one.
    """
    if s3_client is not None and is_async(s3_client, "upload_file"):
        msg = (
            "s3_client= got an aiobotocore client: uploads are boto3's, in threads; pass boto3's S3 client, or leave "
            "it out to have one with what client= has"
        )
        raise InvalidInputError(msg)
