"""Uploads: the service reads video from S3 only, so a local file has to lie there while the job reads it.

A :class:`Staging` puts a file where a client can read it and takes it away again. :class:`S3Staging` is the one for
AWS; the embedded engine brings its own, which moves nothing. There is no default bucket, ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rekog_emotion.clients import aws
from rekog_emotion.clients.protocols import Staging, capabilities, is_async
from rekog_emotion.clients.uploads import S3Staging
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.s3 import S3Object, parse_s3_uri

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["check_uploads", "remove_upload", "resolve_discard", "resolve_staging"]


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
    upload: S3Object,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
) -> Staging:
    """Return what can delete an upload that another process made.

    Raises:
        InvalidInputError: ``upload`` or ``staging`` is of another type.
        ConfigurationError: The S3 client cannot be made.
    """
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
    return staging or _in_s3(upload, client, s3_client)


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


def check_uploads(staging: object, s3_client: Any = None) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
    """Refuse what is wrong with an argument whatever the client, before there is one.

    Args:
        staging: An address, if it is one, has to be one of S3.
        s3_client: Has to be boto3's, which uploads in parts, in threads.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    if isinstance(staging, str):
        bucket_and_prefix(staging)
    if s3_client is not None and is_async(s3_client, "upload_file"):
        msg = (
            "s3_client= got an aiobotocore client: uploads are boto3's, in threads; pass boto3's S3 client, or leave "
            "it out to have one with what client= has"
        )
        raise InvalidInputError(msg)
