"""Uploads to S3."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from rekog_emotion.clients.guarding import guarded, misconfigured
from rekog_emotion.clients.protocols import OnBytes, is_async
from rekog_emotion.errors import ConfigurationError, InvalidInputError, JobCancelledError, StagingError
from rekog_emotion.text import quoted, shown
from rekog_emotion.values.s3 import S3Object, s3_uri
from rekog_emotion.wire.service import MAX_VIDEO_BYTES

__all__ = ["S3Staging", "check_s3_client"]

_OK: Final = 200
_NOT_FOUND: Final = 404


@frozen(kw_only=True)
class S3Staging:
    """Multipart upload to a bucket, under a random key, and deletion by version id.

    Attributes:
        bucket: Name of the bucket, in the region of the Rekognition client.
        prefix: What keys begin with: empty, or ending in a slash.
    """

    bucket: str
    prefix: str = ""
    _s3_client: Any = field(alias="s3_client", repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a client by which nothing would be uploaded, and nothing deleted.

        Raises:
            InvalidInputError: It is one of aiobotocore.
        """
        check_s3_client(self._s3_client)

    def stage(self, path: Path, *, on_bytes: OnBytes | None = None, cancel: threading.Event | None = None) -> S3Object:
        """Upload a file.

        Args:
            path: The file; 10 GiB at most.
            on_bytes: Called with the bytes done and the bytes in all, from the threads of the upload.
            cancel: Ends the upload when set.

        Raises:
            InvalidInputError: The file is larger than the service takes.
            JobCancelledError: ``cancel`` was set.
            StagingError: The upload failed; nothing is left, or the message says so.
        """
        total, name = path.stat().st_size, shown(str(path))
        if total > MAX_VIDEO_BYTES:
            msg = f"{name} has {total} bytes; the service takes videos up to {MAX_VIDEO_BYTES} bytes (10 GiB): split it"
            raise InvalidInputError(msg)
        # `is_upload` knows it again by this name.
        key = f"{self.prefix}rekog-emotion-{uuid.uuid4().hex}{path.suffix.lower() if path.suffix.isascii() else ''}"
        staged = S3Object(bucket=self.bucket, name=key)
        tally = _Tally(total=total, on_bytes=on_bytes, cancel=cancel)
        with guarded(self._s3_client):
            pass  # credentials that no call can be made with are found here, where there is nothing to take away
        try:
            with guarded(self._s3_client):
                self._s3_client.upload_file(Filename=str(path), Bucket=self.bucket, Key=key, Callback=tally)
            version = self.version(staged)
        except BaseException as error:
            # An upload that failed is aborted by boto3; one that was lost after its last byte is not.
            failure = error
            broken = misconfigured(error, self._s3_client) if isinstance(error, Exception) else None
            if broken is not None:
                failure = broken
            elif tally.cancelled:
                failure = JobCancelledError(f"the upload of {name} was cancelled; no job was started")
            elif isinstance(error, OSError) or _is_vendor_error(error):
                msg = f"{name} could not be uploaded to {shown(s3_uri(staged))}: {quoted(error)}"
                failure = StagingError(msg, bucket=self.bucket, key=key)
            self._withdraw(staged, failure)
            if failure is error:
                raise
            raise failure from None if tally.cancelled else error
        return evolve(staged, version=version)

    def version(self, staged: S3Object) -> str | None:
        """Look up the version, without which a deletion would leave it behind under a delete marker."""
        with guarded(self._s3_client):
            version: str | None = self._s3_client.head_object(Bucket=staged.bucket, Key=staged.name).get("VersionId")
        return version

    def _withdraw(self, staged: S3Object, reason: BaseException) -> None:
        """Delete what there may be of an upload that failed."""
        try:
            staged = evolve(staged, version=self.version(staged))
        except Exception as error:
            if not _is_vendor_error(error):
                raise
            if _is_not_found(error):
                return
        try:
            self.discard(staged)
        except StagingError as error:
            # The bucket that refuses the upload mostly refuses the deletion, too: the first reason is the one to show.
            reason.add_note(f"What there may be of it could not be deleted: {error}")

    def remove(self, upload: S3Object) -> None:
        """Delete an upload of which only the name is known; one that is not there is none.

        Raises:
            StagingError: It could not be deleted; ``bucket`` and ``key`` say what is left.
        """
        try:
            upload = evolve(upload, version=self.version(upload))
        except Exception as error:
            if not _is_vendor_error(error):
                raise
            if _is_not_found(error):
                return
            msg = f"the upload {shown(s3_uri(upload))} could not be looked up: {quoted(error)}; delete it yourself"
            raise StagingError(msg, bucket=upload.bucket, key=upload.name) from error
        self.discard(upload)

    def discard(self, staged: S3Object) -> None:
        """Delete an upload.

        Raises:
            StagingError: It could not be deleted; ``bucket`` and ``key`` say what is left.
        """
        version = {} if staged.version is None else {"VersionId": staged.version}
        try:
            with guarded(self._s3_client):
                answer = self._s3_client.delete_object(Bucket=staged.bucket, Key=staged.name, **version)
        except Exception as error:
            if not _is_vendor_error(error):
                raise
            msg = f"the upload {shown(s3_uri(staged))} could not be deleted: {quoted(error)}; delete it yourself"
            raise StagingError(msg, bucket=staged.bucket, key=staged.name) from error
        # S3 says 204; a 200 comes from something in between, which has deleted nothing.
        if (answer or {}).get("ResponseMetadata", {}).get("HTTPStatusCode") == _OK:
            left = shown(s3_uri(staged))
            msg = f"the upload {left} may be left: the answer to its deletion is not S3's; delete it yourself"
            raise StagingError(msg, bucket=staged.bucket, key=staged.name)


def check_s3_client(s3_client: object) -> None:
    """Refuse a client that does not upload in parts, in threads, as boto3's does.

    Raises:
        InvalidInputError: It is one of aiobotocore.
    """
    if is_async(s3_client, "upload_file"):
        msg = (
            "s3_client= got an aiobotocore client: uploads are boto3's, in threads; pass boto3's S3 client, or leave "
            "it out to have one with what client= has"
        )
        raise InvalidInputError(msg)


class _Tally:
    """Counts what the upload threads report, and ends the upload when asked to."""

    def __init__(self, *, total: int, on_bytes: OnBytes | None, cancel: threading.Event | None) -> None:
        self._total = total
        self._on_bytes = on_bytes
        self._cancel = cancel
        self._done = 0
        self._lock = threading.Lock()
        self.cancelled = False

    def __call__(self, count: int) -> None:
        with self._lock:
            if self._cancel is not None and self._cancel.is_set():
                self.cancelled = True
                raise _CancelledError
            self._done += count
            if self._on_bytes is not None:
                self._on_bytes(self._done, self._total)


class _CancelledError(Exception):
    """Makes boto3 abort the upload."""


def _is_vendor_error(error: BaseException) -> bool:
    """Tell whether a call failed: boto3 says so, or what it has for credentials cannot be used any more."""
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 -- an S3 client is at work, so it is loaded
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- likewise

    return isinstance(error, (Boto3Error, BotoCoreError, ClientError, ConfigurationError))


def _is_not_found(error: Exception) -> bool:
    metadata: dict[str, Any] = getattr(error, "response", {}).get("ResponseMetadata", {})
    return metadata.get("HTTPStatusCode") == _NOT_FOUND
