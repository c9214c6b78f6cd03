"""One call of the service: vendor errors mapped to ours, here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import IncompleteRead
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from rekog_emotion import errors
from rekog_emotion.clients.configuring import configuration_error
from rekog_emotion.clients.fastpath import accelerated
from rekog_emotion.clients.guarding import check_signing, misconfigured
from rekog_emotion.clients.protocols import capabilities, service_region
from rekog_emotion.errors import (
    InvalidInputError,
    RekogEmotionError,
    ResponseError,
    ServiceError,
    TransportError,
)
from rekog_emotion.redaction import withhold
from rekog_emotion.text import quoted, shown
from rekog_emotion.wire.service import OPERATIONS

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["ERRORS", "map_error", "mapped", "once"]

# The errors that the service model names for the three operations (a test compares), and those of every AWS service.
ERRORS: Final[dict[str, type[ServiceError]]] = {
    "AccessDeniedException": errors.AccessDeniedError,
    "IdempotentParameterMismatchException": errors.IdempotentParameterMismatchError,
    "ImageTooLargeException": errors.InvalidMediaError,
    "InternalServerError": errors.InternalServiceError,
    "InvalidImageFormatException": errors.InvalidMediaError,
    "InvalidPaginationTokenException": errors.InvalidPaginationTokenError,
    "InvalidParameterException": errors.InvalidParameterError,
    "InvalidS3ObjectException": errors.InvalidS3ObjectError,
    "LimitExceededException": errors.LimitExceededError,
    "ProvisionedThroughputExceededException": errors.ThrottledError,
    "ResourceNotFoundException": errors.JobNotFoundError,
    "ThrottlingException": errors.ThrottledError,
    "VideoTooLargeException": errors.InvalidMediaError,
    # Common to all services
    "AccessDenied": errors.AccessDeniedError,
    "ExpiredToken": errors.AccessDeniedError,
    "ExpiredTokenException": errors.AccessDeniedError,
    "IncompleteSignature": errors.AccessDeniedError,
    "IncompleteSignatureException": errors.AccessDeniedError,
    "InvalidClientTokenId": errors.AccessDeniedError,
    "InvalidSignatureException": errors.AccessDeniedError,
    "MissingAuthenticationToken": errors.AccessDeniedError,
    "MissingAuthenticationTokenException": errors.AccessDeniedError,
    "OptInRequired": errors.AccessDeniedError,
    "RequestExpired": errors.AccessDeniedError,
    "RequestTimeTooSkewed": errors.AccessDeniedError,
    "SignatureDoesNotMatch": errors.AccessDeniedError,
    "UnrecognizedClientException": errors.AccessDeniedError,
    "InternalFailure": errors.InternalServiceError,
    "InternalServerException": errors.InternalServiceError,
    "RequestTimeout": errors.InternalServiceError,
    "ServiceUnavailable": errors.InternalServiceError,
    "ServiceUnavailableException": errors.InternalServiceError,
    "RequestLimitExceeded": errors.ThrottledError,
    "SlowDown": errors.ThrottledError,
    "Throttling": errors.ThrottledError,
    "TooManyRequestsException": errors.ThrottledError,
    "ValidationException": errors.InvalidParameterError,
}

_HINTS: Final[dict[type[ServiceError], str]] = {
    errors.AccessDeniedError: "check the credentials, the clock and that the identity may call rekognition:{operation}",
    errors.IdempotentParameterMismatchError: "the token was used before with other parameters: take another one",
    errors.InternalServiceError: "the service failed; try again later",
    errors.InvalidMediaError: "the service takes JPEG and PNG images, and H.264 video in MP4 or MOV, within its limits",
    errors.InvalidPaginationTokenError: "page tokens expire after 24 hours: begin again with the first page",
    errors.InvalidParameterError: "the request was refused as a whole; an image must be at least 80 pixels a side",
    errors.JobNotFoundError: "results are kept for 7 days, in the account and region that started the job",
    errors.LimitExceededError: "too many jobs run at once (20 by default); a slot is free when one of them ends",
    errors.ThrottledError: "requests come faster than the account's quota; slow down or have the quota raised",
}

_UNREADABLE: Final = (
    "one of three, and the service does not say which: the key is wrong, the bucket is in another region than the "
    "client, or the identity may not read it"
)
# Events of S3, and its listings when asked to, have keys like those of a form.
_ENCODED: Final = (
    "one of four, and the service does not say which: the key is URL-encoded, as events of S3 have it, and "
    "urllib.parse.unquote_plus(key) gives '{key}'; the key is wrong, the bucket is in another region than the client, "
    "or the identity may not read it"
)
# Of a client that works by itself, whose words are the service's.
_NO_OBJECT: Final = (
    "no bucket was asked: this client works on this machine, and knows no such object; pass the file, or an "
    "EmbeddedClient whose resolver= says where it lies"
)
_SERVER_FAULT: Final = 500
_TOO_MANY_REQUESTS: Final = 429


def once(
    client: RekognitionClient,
    method: str,
    *,
    job_id: str | None = None,
    **parameters: Any,  # noqa: ANN401 -- the service's own parameters
) -> Mapping[str, Any]:
    """Make one call, with vendor errors mapped.

    Raises:
        ServiceError: The service answered with an error.
        TransportError: No answer came.
        ConfigurationError: The configuration of AWS is found wanting only now.
        InvalidInputError: botocore refuses a parameter.
        ResponseError: The answer cannot be read.
    """
    with mapped(client, method, parameters, job_id=job_id), accelerated(client):
        answer: Mapping[str, Any] = getattr(client, method)(**parameters)
    return answer


@contextmanager
def mapped(client: object, method: str, parameters: Mapping[str, Any], *, job_id: str | None = None) -> Iterator[None]:
    """Map the vendor's errors of the call that the block makes, however it makes it."""
    try:
        check_signing(client)  # as `guarded` does
        yield
    except RekogEmotionError:
        raise
    except Exception as error:
        withhold(error)
        key = _key_in(parameters)
        ours = map_error(error, operation=OPERATIONS[method], client=client, job_id=job_id, key=key)
        if ours is None:
            raise
        raise ours from error


def map_error(
    error: Exception, *, operation: str, client: object = None, job_id: str | None = None, key: str | None = None
) -> RekogEmotionError | None:
    """Return our error for one of botocore's, ``None`` for any other.

    Args:
        error: Any error.
        operation: Name of the service's operation.
        client: Made the call.
        job_id: The job that it was about, if any.
        key: Key of the object in S3 that it was about, if any.
    """
    # Where botocore was never loaded it did not raise; where it did, this costs nothing.
    from botocore import exceptions  # noqa: PLC0415 -- see above
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 -- see above

    mapped: RekogEmotionError | None = None
    if isinstance(error, exceptions.ClientError):
        mapped = _service_error(error, operation=operation, client=client, job_id=job_id, key=key)
    elif isinstance(error, exceptions.ParamValidationError):
        mapped = InvalidInputError(f"{operation} was not called: {quoted(error)}")
    elif _is_cut(error):
        mapped = ResponseError(f"the answer of {operation} cannot be read: it was cut off", job_id=job_id)
    elif (fault := misconfigured(error, client)) is not None:
        mapped = fault
    elif isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError)):
        text = f"{operation} got no answer: {quoted(error)}{_region_hint(client)}"
        unsent = (exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError, exceptions.ProxyConnectionError)
        mapped = TransportError(text, operation=operation, job_id=job_id, sent=not isinstance(error, unsent))
    elif isinstance(error, exceptions.BotoCoreError) and not isinstance(error, exceptions.StubResponseError):
        mapped = configuration_error(error)  # what a Stubber says is of the caller's test
    elif isinstance(error, ResponseParserError):
        mapped = ResponseError(f"the answer of {operation} cannot be read: {quoted(error)}", job_id=job_id)
    elif isinstance(error, (AttributeError, TypeError, UnicodeError)) and service_region(client) is not None:
        # botocore takes any body for an object of the service's shape and stumbles over `null`, `[]` or foreign bytes.
        mapped = ResponseError(f"the answer of {operation} is not in the service's shape", job_id=job_id)
    elif isinstance(error, RecursionError) and service_region(client) is not None:
        mapped = ResponseError(f"the answer of {operation} is nested too deep to be read", job_id=job_id)
    return mapped


def _is_cut(error: Exception) -> bool:
    """Tell of an answer that was shorter than announced.

    aiohttp sees it, and urllib3, by some versions of botocore; by others boto3 takes what came for the answer.
    """
    cause = getattr(error, "kwargs", {}).get("error")
    return type(cause).__name__ == "ClientPayloadError" or any(
        isinstance(part, IncompleteRead) for part in getattr(cause, "args", ())
    )


def _key_in(parameters: Mapping[str, Any]) -> str | None:
    """Return the key of the object in S3 that a request is about."""
    for member in ("Image", "Video"):
        media = parameters.get(member)
        where = media.get("S3Object") if isinstance(media, Mapping) else None
        if isinstance(where, Mapping) and isinstance(where.get("Name"), str):
            return str(where["Name"])
    return None


def _why_unreadable(client: object, key: str | None) -> str:
    """Return why an object in S3 may not be read, as far as the client and its key tell."""
    if "files" in capabilities(client):
        return _NO_OBJECT
    if key is not None and (decoded := unquote_plus(key)) != key:
        return _ENCODED.format(key=shown(decoded))
    return _UNREADABLE


def _service_error(
    error: ClientError, *, operation: str, client: object, job_id: str | None, key: str | None
) -> ServiceError:
    response: Mapping[str, Any] = error.response
    detail, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(detail.get("Code", "Unknown")), metadata.get("HTTPStatusCode")
    kind = ERRORS.get(code)
    if kind is None and isinstance(status, int):
        if status >= _SERVER_FAULT:
            kind = errors.InternalServiceError
        elif status == _TOO_MANY_REQUESTS:
            kind = errors.ThrottledError
    text = quoted(detail.get("Message") or "") or "no message"
    subject = f"{operation} of job {shown(job_id)}" if job_id else operation
    message = f"{subject} failed with {code}: {text}"
    if kind is errors.InvalidS3ObjectError:
        message = f"{message} ({_why_unreadable(client, key)})"
    elif kind in _HINTS:
        message = f"{message} ({_HINTS[kind].format(operation=operation)})"
    return (kind or ServiceError)(
        message,
        operation=operation,
        code=code,
        request_id=metadata.get("RequestId"),
        status=status,
        job_id=job_id,
    )


def _region_hint(client: object) -> str:
    """Name the likely cause where botocore knows no Rekognition in the client's region; its list lags, so no more."""
    region = service_region(client)
    endpoint = str(getattr(getattr(client, "meta", None), "endpoint_url", ""))
    if region is None or not endpoint.startswith(f"https://rekognition.{region}."):
        return ""
    from botocore.session import get_session  # noqa: PLC0415 -- only on the way to an error

    session = get_session()
    partitions = session.get_available_partitions()
    known = {name for part in partitions for name in session.get_available_regions("rekognition", part)}
    return "" if region in known else f"; botocore lists no Rekognition in {region}, is that the right region?"
