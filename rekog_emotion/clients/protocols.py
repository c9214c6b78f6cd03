"""What a client is, and what stands beside it."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from rekog_emotion.values.s3 import S3Object

__all__ = [
    "AnyClient",
    "AsyncRekognitionClient",
    "AsyncStaging",
    "ClientName",
    "OnBytes",
    "RekognitionClient",
    "Staging",
    "capabilities",
    "is_async",
    "leaves_retrying_to_us",
    "of_stream",
    "progress_of",
    "said",
    "service_region",
    "works_here",
]


class RekognitionClient(Protocol):
    """Boto3's three methods: what a real client, a stubbed one, a recording, a fake and the embedded engine share.

    Nested arguments are ``Any`` and parameters keyword-only and explicit: this form alone lets a typed boto3 client
    pass as it is under mypy, pyright and ty.
    """

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ...) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's form
        """Answer DetectFaces."""
        ...

    def start_face_detection(
        self,
        *,
        Video: Any,  # noqa: ANN401, N803 -- boto3's form
        ClientRequestToken: str = ...,  # noqa: N803 -- boto3's form
        NotificationChannel: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        FaceAttributes: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        JobTag: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer StartFaceDetection."""
        ...

    def get_face_detection(
        self,
        *,
        JobId: str,  # noqa: N803 -- boto3's form
        MaxResults: int = ...,  # noqa: N803 -- boto3's form
        NextToken: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer GetFaceDetection."""
        ...


class AsyncRekognitionClient(Protocol):
    """The three methods of :class:`~rekog_emotion.RekognitionClient` as coroutines: what aiobotocore's clients have."""

    async def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ...) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's form
        """Answer DetectFaces."""
        ...

    async def start_face_detection(
        self,
        *,
        Video: Any,  # noqa: ANN401, N803 -- boto3's form
        ClientRequestToken: str = ...,  # noqa: N803 -- boto3's form
        NotificationChannel: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        FaceAttributes: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        JobTag: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer StartFaceDetection."""
        ...

    async def get_face_detection(
        self,
        *,
        JobId: str,  # noqa: N803 -- boto3's form
        MaxResults: int = ...,  # noqa: N803 -- boto3's form
        NextToken: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer GetFaceDetection."""
        ...


AnyClient: TypeAlias = AsyncRekognitionClient | RekognitionClient
"""A client of either world."""

ClientName: TypeAlias = Literal["aws", "embedded"]
"""Our own boto3 client, or the engine on this machine."""

T = TypeVar("T")

_AWS: Final = ".amazonaws.com"


def capabilities(client: object) -> frozenset[str]:
    """Return what a client can do beyond boto3's three methods, as it says itself; none where it says nothing.

    ``"files"``: it takes local files by its ``stage`` and ``discard``, and has no quota and sends no messages.
    ``"progress"``: its ``progress(job_id)`` gives the share of the video that is done, 0 to 1, with the seconds left
    (``None`` while they are not known), or ``None``.
    ``"sample_rate"``: its ``start_face_detection`` takes ``SampleRate``, pictures a second.
    ``"ends"``: its ``ended(job_id)`` gives a ``concurrent.futures.Future`` that is done when the job has ended, or at
    once where another process runs the job.
    ``"streams"``: its ``stream()`` gives a client for the pictures of one stream, with ``"pixels"``.
    ``"pixels"``: its ``detect_faces`` takes ``{"Pixels": ..., "Seconds": ...}`` as ``Image``: a PIL picture in mode
    RGB, and when it was taken.
    """
    can = said(client, "rekog_capabilities")
    return can if isinstance(can, frozenset) else frozenset()


def works_here(client: object) -> bool:
    """Tell whether a client works in this process, and asks no service."""
    return not capabilities(client).isdisjoint({"files", "pixels"})


def said(client: object, name: str) -> Any:  # noqa: ANN401 -- whatever it says
    """Return what a client says of itself, ``None`` where it says nothing.

    Those of boto3 say nothing by themselves, and would ask all handlers of their events about it.
    """
    if hasattr(type(client), "_make_api_call"):
        return vars(client).get(name, getattr(type(client), name, None))
    return getattr(client, name, None)


def progress_of(client: object, job_id: str) -> tuple[float, float | None] | None:
    """Return the share of a job's video that is done, with the seconds left, where the client tells."""
    any_client: Any = client
    known: tuple[float, float | None] | None = (
        any_client.progress(job_id) if "progress" in capabilities(client) else None
    )
    return known


def of_stream(client: T) -> T:
    """Return the client for the pictures of one stream: the client's own for that, if it has one."""
    any_client: Any = client
    of_one: T = any_client.stream() if "streams" in capabilities(client) else client
    return of_one


def service_region(client: object) -> str | None:
    """Return the region of a boto3 client, ``None`` of any other."""
    region = getattr(getattr(client, "meta", None), "region_name", None)
    return region if isinstance(region, str) else None


def aws_region(client: object) -> str | None:
    """Return the region of a boto3 client that AWS itself answers, ``None`` of any other."""
    return service_region(client) if _AWS in str(getattr(getattr(client, "meta", None), "endpoint_url", "")) else None


def is_async(client: object, *methods: str) -> bool:
    """Tell whether one of these methods of a client gives an awaitable, as those of aiobotocore's clients do."""
    asked = [getattr(client, name, None) for name in ("_make_api_call", *methods)]
    return any(map(inspect.iscoroutinefunction, asked))


def leaves_retrying_to_us(client: object) -> bool:
    """Tell whether a boto3 client makes a single attempt; to retry on top of any other would multiply the attempts."""
    config = getattr(getattr(client, "meta", None), "config", None)
    retries = getattr(config, "retries", None)
    return isinstance(retries, Mapping) and retries.get("total_max_attempts") == 1


OnBytes = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@runtime_checkable
class Staging(Protocol):
    """Puts a local file where a client can read it."""

    def stage(self, path: Path, *, on_bytes: OnBytes | None = None, cancel: threading.Event | None = None) -> S3Object:
        """Make the file readable for the client and return how the client shall call it."""
        ...

    def discard(self, staged: S3Object) -> None:
        """Take it away again; a second time does nothing."""
        ...


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
