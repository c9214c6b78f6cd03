"""What lies in a bucket under a prefix, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from rekog_emotion import forks
from rekog_emotion.clients import aws, failures
from rekog_emotion.clients.guarding import guarded
from rekog_emotion.clients.protocols import RekognitionClient, capabilities
from rekog_emotion.errors import AccessDeniedError, InvalidInputError, RekogEmotionError, ServiceError
from rekog_emotion.text import quoted, shown
from rekog_emotion.values.s3 import S3Object, s3_uri

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["list_page"]

_OPERATION: Final = "ListObjectsV2"
_BESIDE: Final[WeakKeyDictionary[object, Any]] = WeakKeyDictionary()


def list_page(client: RekognitionClient, bucket: str, prefix: str, after: str | None) -> Mapping[str, Any]:
    """Return a page of a listing, as S3 answers it, by a client that stands beside one of Rekognition.

    Args:
        client: Who is to analyse the objects; the listing takes its credentials, region and all else.
        bucket: Name of the bucket.
        prefix: What the keys begin with.
        after: ``NextContinuationToken`` of the page before.

    Raises:
        InvalidInputError: The client reads no objects in S3.
        ConfigurationError: AWS is not configured.
        ServiceError: The bucket cannot be listed.
        TransportError: No answer came.
    """
    place = s3_uri(S3Object(bucket=bucket, name=prefix))
    if "files" in capabilities(client):
        msg = f"{shown(place)}: this client lists no bucket; download the objects, and pass their folder"
        raise InvalidInputError(msg)
    s3 = _s3_beside(client)
    options = {} if after is None else {"ContinuationToken": after}
    try:
        with guarded(s3):
            answer: Mapping[str, Any] = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **options)
    except RekogEmotionError:
        raise
    except Exception as error:
        from botocore.exceptions import ClientError  # noqa: PLC0415 -- an S3 client is at work, so it is loaded

        if isinstance(error, ClientError):
            raise _refused(error, place) from error
        mapped = failures.map_error(error, operation=_OPERATION, client=s3)
        if mapped is None:
            raise
        raise mapped from error
    return answer


def _s3_beside(client: RekognitionClient) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
    try:
        s3 = _BESIDE.get(client)
        if s3 is None:
            s3 = _BESIDE[client] = aws.s3_client_for(client)
    except TypeError:  # it cannot be referenced weakly
        s3 = aws.s3_client_for(client)
    return s3


def _forget() -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
    """A forked child shares no sockets."""
    _BESIDE.clear()


forks.in_child(_forget)


def _refused(error: ClientError, place: str) -> ServiceError:
    response: Mapping[str, Any] = error.response
    detail, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(detail.get("Code", "Unknown")), metadata.get("HTTPStatusCode")
    refused = status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}
    hint = (
        "check the credentials and that the identity may call s3:ListBucket"
        if refused
        else "check the name of the bucket, and that it is in the client's region"
    )
    message = f"{shown(place)} cannot be listed, {code}: {quoted(detail.get('Message') or '') or 'no message'} ({hint})"
    kind = AccessDeniedError if refused else ServiceError
    return kind(message, operation=_OPERATION, code=code, request_id=metadata.get("RequestId"), status=status)
