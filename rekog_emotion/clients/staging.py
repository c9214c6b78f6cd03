"""Uploads: the service reads video from S3 only, so a local file has to lie there while the job reads it.

A :class:`Staging` puts a file where a client can read it and takes it away again. :class:`S3Staging` is the one for
AWS; the embedded engine brings its own, which moves nothing. There is no default bucket, ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rekog_emotion.clients import aws
from rekog_emotion.clients.protocols import Staging, capabilities, is_async
from rekog_emotion.clients.uploads import S3Staging, check_s3_client
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.s3 import S3Object, parse_s3_uri

if TYPE_CHECKING:
    from pathlib import Path

    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = [
    "check_beside",
    "check_beside_in_threads",
    "remove_upload",
    "resolve_discard",
    "resolve_staging",
    "staging_for",
]


def resolve_staging(
    staging: Staging | str | None,
    *,
    client: RekognitionClient,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
) -> Staging:
    """Return where local files go for a client: the client's own way if it has one, else the bucket that was named.

    Raises:
        InvalidInputError: The client reads from S3 and no bucket was named, or ``staging`` is neither address nor
            object.
        ConfigurationError: The S3 client cannot be made.
    """
    if "files" in capabilities(client):
        return cast("Staging", client)
    if isinstance(staging, str):
        bucket, prefix = bucket_and_prefix(staging)
        return S3Staging(bucket=bucket, prefix=prefix, s3_client=s3_client or aws.s3_client_for(client))
    if isinstance(staging, Staging):
        return staging
    if staging is None:
        msg = (
            "Rekognition reads video from S3 only: upload the file and pass its s3:// address, pass "
            'staging="s3://bucket/prefix/" to have it uploaded and deleted for you, or stay offline with '
            'client="embedded"'
        )
        raise InvalidInputError(msg)
    msg = f'staging= got {type(staging).__name__}: pass "s3://bucket/prefix/" or an object with stage() and discard()'
    raise InvalidInputError(msg)


def staging_for(
    place: Path | S3Object,
    staging: Staging | str | None,
    *,
    client: RekognitionClient,
    s3_client: Any = None,  # noqa: ANN401 -- likewise
) -> Staging | None:
    """Return where a video goes, as `resolve_staging` does; ``None`` where it lies in S3, and goes nowhere."""
    if isinstance(place, S3Object):
        return None
    return resolve_staging(staging, client=client, s3_client=s3_client)


def bucket_and_prefix(address: str) -> tuple[str, str]:
    """Return where ``s3://bucket/prefix/`` is; the prefix is empty or ends in a slash.

    Raises:
        InvalidInputError: It is no such address.
    """
    scheme, _, rest = address.partition("://")
    if scheme.lower() != "s3":
        msg = f'staging={address!r} is no S3 address: pass "s3://bucket/prefix/"'
        raise InvalidInputError(msg)
    bucket, _, prefix = rest.partition("/")
    parse_s3_uri(f"s3://{bucket}/{prefix}key")
    return bucket, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def resolve_discard(
    staging: Staging | None,
    *,
    client: RekognitionClient,
    upload: S3Object | None,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
) -> Staging | None:
    """Return what can delete an upload that another process made; ``None`` where there is none.

    Raises:
        InvalidInputError: ``upload`` or ``staging`` is of another type.
        ConfigurationError: The S3 client cannot be made.
    """
    if upload is None:
        return None
    if not isinstance(upload, S3Object):
        msg = f"upload= got {type(upload).__name__}: pass an S3Object, or resume by from_dict() with the job's state"
        raise InvalidInputError(msg)
    if staging is not None and not isinstance(staging, Staging):
        msg = (
            f"staging= got {type(staging).__name__}: leave it out, as the upload says where it is, or pass the object "
            "with stage() and discard() that made it"
        )
        raise InvalidInputError(msg)
    if "files" in capabilities(client):
        return cast("Staging", client)
    return _in_s3(upload, client, s3_client) if staging is None else staging


def remove_upload(
    upload: S3Object,
    *,
    client: RekognitionClient,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
) -> None:
    """Delete an upload of ours of which only the name is known: whoever stages it otherwise names it otherwise.

    Raises:
        ConfigurationError: The S3 client cannot be made.
        StagingError: It could not be deleted.
    """
    if "files" not in capabilities(client):
        _in_s3(upload, client, s3_client).remove(upload)


def _in_s3(upload: S3Object, client: RekognitionClient, s3_client: Any) -> S3Staging:  # noqa: ANN401 -- likewise
    return S3Staging(bucket=upload.bucket or "", s3_client=s3_client or aws.s3_client_for(client))


def check_beside(
    staging: object,
    s3_client: object,
    sqs_client: object,  # noqa: ARG001 -- any will do
) -> None:
    """Refuse what cannot stand beside a client for Rekognition, whatever that is, before there is one.

    Args:
        staging: An address, if it is one, has to be one of S3.
        s3_client: Has to be boto3's, which uploads in parts, in threads.
        sqs_client: Of either world.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    if isinstance(staging, str):
        bucket_and_prefix(staging)
    check_s3_client(s3_client)


def check_beside_in_threads(staging: object, s3_client: object, sqs_client: object) -> None:
    """Refuse what `check_beside` does, and what would have to be awaited.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    if is_async(staging, "stage") or is_async(staging, "discard"):
        msg = (
            f"staging= got {type(staging).__name__}, whose stage() and discard() are awaited: use rekog_emotion.aio "
            'with it, or pass "s3://bucket/prefix/" or an object with plain stage() and discard()'
        )
        raise InvalidInputError(msg)
    if is_async(sqs_client, "receive_message"):
        msg = (
            f"sqs_client= got {type(sqs_client).__name__}, whose calls are awaited, as those of aiobotocore's clients "
            "are: use rekog_emotion.aio with it, or pass a boto3 SQS client, or leave it out"
        )
        raise InvalidInputError(msg)
    check_beside(staging, s3_client, sqs_client)
