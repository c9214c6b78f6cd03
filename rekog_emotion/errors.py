"""Everything that can go wrong, as one tree.

::

    RekogEmotionError
    |- InvalidInputError (ValueError)        found before any call was made
    |- ConfigurationError                    no credentials, no region, an unknown client
    |- MissingExtraError (ImportError)       the message is the pip command that mends it
    |- TransportError (ConnectionError)      no answer: DNS, refused, reset, time-out
    |  |- CallCancelledError                  the caller's ``cancel`` was set while a call was under way
    |  |- CallTimeoutError (TimeoutError)     the time for a call, with all its attempts, was over
    |- ServiceError                          the service answered with an error
    |  |- AccessDeniedError                  credentials are wrong, expired or lack the permission
    |  |- IdempotentParameterMismatchError   a ClientRequestToken reused with other parameters
    |  |- InternalServiceError               the service failed; trying again may help
    |  |- InvalidMediaError                  format, codec or size is not accepted
    |  |- InvalidPaginationTokenError        a page token expired or was never valid
    |  |- InvalidParameterError              the service refused a parameter
    |  |- InvalidS3ObjectError               the object cannot be read: key, region or permission
    |  |- JobNotFoundError                   unknown, expired, or of another account or region
    |  |- LimitExceededError                 too many jobs at once: wait for one to end
    |  |- ThrottledError                     too many requests: slow down
    |- ResponseError                         the service's answer does not have the expected shape
    |- StagingError                          an upload or its clean-up failed
    |- JobError                              a video job did not give its result
       |- JobCancelledError                  the caller's ``cancel`` was set
       |- JobFailedError                     the service ended the job as FAILED
       |- JobTimeoutError (TimeoutError)     the job goes on; the message says how to resume it
       |- PaginationError                    the pages do not fit together

The built-in parents are the ones a caller may already catch. Every error pickles with its class and
fields, so that it survives a process pool. No message carries image bytes, credentials, presigned URLs, or characters
that a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from rekog_emotion.interrupts import uncut
from rekog_emotion.text import plain

__all__ = [
    "AccessDeniedError",
    "CallCancelledError",
    "CallTimeoutError",
    "ConfigurationError",
    "IdempotentParameterMismatchError",
    "InternalServiceError",
    "InvalidInputError",
    "InvalidMediaError",
    "InvalidPaginationTokenError",
    "InvalidParameterError",
    "InvalidS3ObjectError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobNotFoundError",
    "JobTimeoutError",
    "LimitExceededError",
    "MissingExtraError",
    "PaginationError",
    "RekogEmotionError",
    "ResponseError",
    "ServiceError",
    "StagingError",
    "ThrottledError",
    "TransportError",
]

# What an extra brings, by the names that Python imports, the modules of extras that it contains included.
_MODULES: Final = {
    "aio": {"aiobotocore"},
    "arrow": {"pyarrow"},
    "cli": {"rich", "shtab"},
    "embedded": {"PIL", "av", "numpy", "onnxruntime"},
    "image": {"PIL"},
    "pandas": {"pandas"},
    "plot": {"matplotlib", "numpy", "scipy"},
    "ray": {"pyarrow", "ray"},
    "server": {"h11", "starlette", "uvicorn"},
    "supervision": {"numpy", "scipy", "supervision"},
    "timeline": {"numpy", "scipy"},
}


class RekogEmotionError(Exception):
    """Base of every error that this library raises."""

    def __init__(self, message: str) -> None:
        # Words of answers, names and keys stand in it, and it ends up on terminals and in logs.
        super().__init__(plain(message))

    @property
    def message(self) -> str:
        """The text of the error."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with all fields: exceptions with keyword-only arguments cannot be rebuilt by calling them."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())

    @classmethod
    def _rebuilt(cls, args: tuple[Any, ...], fields: dict[str, Any]) -> Self:
        error = cls.__new__(cls)
        # Not Exception's: built-in parents keep the message in fields of their own, such as ImportError.msg.
        RekogEmotionError.__init__(error, *args)
        error.__dict__.update(fields)
        return error


# Pickle needs a function of the module.
def _rebuild(cls: type[RekogEmotionError], args: tuple[Any, ...], fields: dict[str, Any]) -> RekogEmotionError:
    return cls._rebuilt(args, fields)


class InvalidInputError(RekogEmotionError, ValueError):
    """An argument cannot be used; raised before any call is made, so nothing was paid or sent."""


class ConfigurationError(RekogEmotionError):
    """No credentials, no region, a bad profile or an unknown client; the message names the ways out."""


class MissingExtraError(RekogEmotionError, ImportError):
    """An optional dependency is not installed.

    Attributes:
        extra: Name of the extra that brings it, for example ``"embedded"``.
    """

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} needs the {extra!r} extra: pip install 'rekog-emotion[{extra}]'")
        self.extra = extra


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Say, where a block imports what an extra brings, which one is missing; other errors come out as they are.

    Args:
        extra: Name of the extra.
        what: What needs it, as the message shall begin.

    Raises:
        MissingExtraError: A module of the extra is not installed.
    """
    try:
        with uncut():
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _MODULES[extra]:
            raise
        raise MissingExtraError(what, extra=extra) from error


class TransportError(RekogEmotionError, ConnectionError):
    """No answer came: name resolution, a refused or reset connection, or a time-out.

    Attributes:
        operation: Name of the service's operation, for example ``"DetectFaces"``.
        job_id: The video job that the call was about, if any.
        sent: Whether the request may have reached the service; without a connection it certainly has not.
    """

    def __init__(
        self, message: str, *, operation: str | None = None, job_id: str | None = None, sent: bool = True
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.job_id = job_id
        self.sent = sent


class CallCancelledError(TransportError):
    """The caller has cancelled; the message says whether the call may have been made, and charged."""


class CallTimeoutError(TransportError, TimeoutError):
    """A call, with all its attempts and waits, took longer than ``timeout``; AWS may charge for it all the same."""


class ServiceError(RekogEmotionError):
    """The service answered with an error; ``__cause__`` is botocore's ``ClientError``.

    Attributes:
        operation: Name of the service's operation, for example ``"DetectFaces"``.
        code: The service's error code, for example ``"ThrottlingException"``.
        request_id: What AWS support asks for.
        status: HTTP status code.
        job_id: The video job that the call was about, if any.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        status: int | None = None,
        job_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.code = code
        self.request_id = request_id
        self.status = status
        self.job_id = job_id


class AccessDeniedError(ServiceError):
    """The credentials are wrong or expired, or lack the permission for the operation."""


class IdempotentParameterMismatchError(ServiceError):
    """A ``ClientRequestToken`` was used before with other parameters."""


class InternalServiceError(ServiceError):
    """The service failed on its side (HTTP 5xx); the same call may succeed later."""


class InvalidMediaError(ServiceError):
    """The image or video has a format or size that the service does not take."""


class InvalidPaginationTokenError(ServiceError):
    """A page token is not valid; tokens expire after 24 hours."""


class InvalidParameterError(ServiceError):
    """The service refused a parameter; an image under 80 pixels a side is a common cause."""


class InvalidS3ObjectError(ServiceError):
    """The service cannot read the object; it does not say whether key, region or permission is the cause.

    Where the key looks URL-encoded, as events of S3 have it, the message says so.
    """


class JobNotFoundError(ServiceError):
    """The service knows no such job: wrong id, results older than 7 days, or another account or region."""


class LimitExceededError(ServiceError):
    """Too many jobs run at once (20 by default); a slot is free when one of them ends."""


class ThrottledError(ServiceError):
    """Requests come faster than the account's quota allows."""


class ResponseError(RekogEmotionError):
    """The answer does not have the service's shape: a broken, truncated or foreign reply, never "no faces".

    Attributes:
        path: Where in the answer, for example ``"FaceDetails[2].Emotions[0].Confidence"``.
        job_id: The video job that the answer was about, if any.
    """

    def __init__(self, message: str, *, path: str = "", job_id: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.job_id = job_id


class StagingError(RekogEmotionError):
    """An upload to S3, or its clean-up, failed.

    Attributes:
        bucket: Name of the bucket.
        key: Key of the object that could not be written or removed.
        job_id: The video job that the object belongs to, if any.
    """

    def __init__(
        self, message: str, *, bucket: str | None = None, key: str | None = None, job_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.bucket = bucket
        self.key = key
        self.job_id = job_id


class JobError(RekogEmotionError):
    """A video job did not give its result.

    Attributes:
        job_id: Id of the job; ``None`` while none was given out.
    """

    def __init__(self, message: str, *, job_id: str | None = None) -> None:
        super().__init__(message)
        self.job_id = job_id


class JobFailedError(JobError):
    """The service ended the job as FAILED; the message has its reason."""


class _UnfinishedJobError(JobError):
    """The wait ended before the job.

    Attributes:
        state: What ``VideoJob.from_dict()`` resumes the job from, its upload included; ``None`` while none was started.
    """

    def __init__(self, message: str, *, job_id: str | None = None, state: dict[str, Any] | None = None) -> None:
        super().__init__(message, job_id=job_id)
        self.state = state


class JobTimeoutError(_UnfinishedJobError, TimeoutError):
    """The time to wait was over before the job; the job itself goes on and can be resumed.

    Attributes:
        state: What ``VideoJob.from_dict()`` resumes the job from, its upload included; ``None`` while none was started.
    """


class JobCancelledError(_UnfinishedJobError):
    """The caller cancelled the wait; the job itself goes on and can be resumed.

    Attributes:
        state: What ``VideoJob.from_dict()`` resumes the job from, its upload included; ``None`` while none was started.
    """


class PaginationError(JobError):
    """The pages of a result do not fit together, for example a page token came twice."""
