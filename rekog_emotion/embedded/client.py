"""The embedded engine behind the three methods of a boto3 client."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from botocore.exceptions import ClientError

from rekog_emotion.embedded.detail import DEFAULT_MEMBERS, reduced
from rekog_emotion.embedded.engine import Engine, Mode
from rekog_emotion.embedded.faults import BAD_PARAMETER, UNREADABLE_OBJECT, client_error, is_shortage, response_metadata
from rekog_emotion.embedded.files import LocalFiles, Resolver
from rekog_emotion.embedded.jobs import Jobs
from rekog_emotion.embedded.nets import Device, Hardware
from rekog_emotion.embedded.provenance import Weights
from rekog_emotion.embedded.store import Store
from rekog_emotion.embedded.stream import StreamClient
from rekog_emotion.embedded.trail import Trail
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media import images
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.wire.service import (
    DETECT_FACES,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_OBJECT_BYTES,
    MAX_PAGE_FACES,
    MIN_IMAGE_SIDE,
)

__all__ = ["EmbeddedClient", "Resolver"]

MOST_AT_ONCE = 4  # each holds a picture; memory is what bounds them
# The search looks at 1920 pixels at most, and a face's crops need 360: more than this changes next to nothing, and a
# JPEG of 50 megapixels is decoded in a third of the time.
ENOUGH_PIXELS = 8_000_000
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# The service's codes and texts, as recorded from it and as its developer guide lists them.
BAD_FORMAT = ("InvalidImageFormatException", "Request has invalid image format")
TOO_LARGE = ("ImageTooLargeException", "Image size is too large")
BAD_OBJECT = ("InvalidS3ObjectException", "Request has invalid S3 object")
# What ``Attributes`` may ask for beyond the default members.
OPTIONAL = {
    "AGE_RANGE": "AgeRange",
    "BEARD": "Beard",
    "EMOTIONS": "Emotions",
    "EYE_DIRECTION": "EyeDirection",
    "EYEGLASSES": "Eyeglasses",
    "EYES_OPEN": "EyesOpen",
    "FACE_OCCLUDED": "FaceOccluded",
    "GENDER": "Gender",
    "MOUTH_OPEN": "MouthOpen",
    "MUSTACHE": "Mustache",
    "SMILE": "Smile",
    "SUNGLASSES": "Sunglasses",
}


class EmbeddedClient:
    """A Rekognition client that needs no AWS account: nothing leaves the machine.

    It gives answers in the service's shape and raises the service's errors as botocore's ``ClientError``. Its numbers
    are not the service's: docs/models tells how near they come. An emotion is how a face looks, not what a person
    feels. ``EyeDirection`` is coarse, at a confidence of 50 at most; ``FaceOccluded`` sees masks, sunglasses and the
    picture's edge, but few hands.

    Safe to use from several threads at once; the networks are loaded when they are first needed.

    Args:
        mode: ``"default"`` looks at 1280 pixels of the longer side: it finds upright faces from 16 pixels of 1920 on,
            and looks again from near at what it doubts. ``"thorough"`` looks at 1920 pixels, and longer at crowds.
            ``"fast"`` looks at 320: it finds faces from about a thirtieth of the longer side on (64 pixels of 1920).
        threads: Threads that one network call may use. In a service that answers many calls at once, leave it at one.
        device: Where the networks run: ``"cpu"``, or what the installed ONNX Runtime has beside it: ``"cuda"``
            (``onnxruntime-gpu``), ``"directml"`` (``onnxruntime-directml``), ``"coreml"``. ``"auto"`` takes the first
            of CUDA and DirectML that it has, else the CPU. Numbers differ in the last digits.
        weights: ``"clean"`` uses no network that learnt from pictures that are for research only or have no licence
            (docs/models says which do). It leaves out what the others cannot tell: ``AgeRange``, ``Beard``,
            ``Emotions``, ``Eyeglasses``, ``FaceOccluded``, ``Mustache`` and ``Sunglasses``; finds fewer small and
            covered faces, and takes longer for it.
        resolver: Where objects in S3 lie on this machine: takes the wire's ``S3Object`` (``Bucket``, ``Name``,
            ``Version``) and gives a path or, of a picture, the bytes. Without it every object is an
            ``InvalidS3ObjectException``, as is one for which it raises ``OSError`` (but for want of space, memory or
            descriptors, which goes through) or ``LookupError``.
        store: Keeps video jobs and their results; left out, they live as long as the client.
        clock: Gives the time in seconds, by which results and tokens expire.
        workers: Video jobs that run at once, each in a thread; up to twenty may be open.
        video_threads: Pictures of a video that are looked at at once, each in a thread; left out, as many as each job
            has cores, four at most. The results are the same.

    Attributes:
        engine: ``"embedded"``.
        rekog_capabilities: It takes local files by itself, tells how far its jobs are and when they end, and looks at
            as many pictures a second as it is told, and follows the faces of a stream.
    """

    engine = "embedded"
    rekog_capabilities = frozenset({"files", "ends", "progress", "sample_rate", "streams"})

    def __init__(
        self,
        *,
        mode: Literal["fast", "default", "thorough"] = "default",
        threads: int = 1,
        device: Device = "auto",
        weights: Weights = "all",
        resolver: Resolver | None = None,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        workers: int = 1,
        video_threads: int | None = None,
    ) -> None:
        if mode not in {"default", "fast", "thorough"}:
            msg = f"unknown mode {mode!r}: use 'fast', 'default' or 'thorough'"
            raise InvalidInputError(msg)
        _check_threads(threads=threads, workers=workers, video_threads=1 if video_threads is None else video_threads)
        self.threads = threads
        self._mode: Mode = mode
        self._resolver = resolver
        self._analyzer = Engine(weights=weights, on=Hardware(threads, device))
        self._files = LocalFiles(resolver)
        self._jobs = Jobs(
            partial(self._analyzer.analyze, mode=mode),
            resolver=self._files.resolve,
            store=store,
            clock=clock,
            workers=workers,
            at_once=video_threads or max(1, min(MOST_AT_ONCE, (os.cpu_count() or 1) // workers)),
        )
        # A job ends with its client. Nothing that runs may hold the client, and a finalizer may not wait.
        weakref.finalize(self, self._jobs.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End open video jobs and free the networks; a later call would load them anew.

        The jobs are FAILED, unless their store is a file: then the next client with that file takes them up.
        """
        self._jobs.close()
        self._analyzer.close()

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ("DEFAULT",)) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's signature
        """Find the faces of a picture, largest first, at most 100.

        Args:
            Image: ``{"Bytes": ...}`` with a JPEG or PNG, or ``{"S3Object": {"Bucket": ..., "Name": ...}}``.
            Attributes: ``"ALL"``, or any of ``"EMOTIONS"``, ``"SMILE"``, ...; the members of ``"DEFAULT"``, with five
                landmarks instead of thirty, are always there.

        Returns:
            The service's answer, with ``FaceDetails`` and ``ResponseMetadata``. Ratios refer to the picture as a viewer
            shows it.

        Raises:
            botocore.exceptions.ClientError: The service's errors for what it would refuse, too.
        """
        wanted = _attributes(Attributes)
        return self._look(_decode(self._read(Image)), wanted)

    def stream(self) -> StreamClient:
        """Return a client for the pictures of one stream, which follows faces from one to the next.

        Where pictures are a quarter of a second apart or more, its answers are those of :meth:`detect_faces`. Of closer
        ones, faces are searched for in one each quarter of a second, and where one is lost or a sure one is new.
        """

        def look(pixels: Any, attributes: Sequence[Any], trail: Trail, seconds: float) -> Mapping[str, Any]:  # noqa: ANN401 -- numpy is an extra
            return self._look(pixels, _attributes(attributes), trail=trail, seconds=seconds)

        return StreamClient(self, look)

    def _look(self, picture: Any, wanted: frozenset[str] | None, **known: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- Pillow is an extra
        faces = self._analyzer.analyze(picture, mode=self._mode, whole=wanted != DEFAULT_MEMBERS, **known)
        if wanted is not None:
            faces = [reduced(face, wanted) for face in faces]
        return {"FaceDetails": faces, "ResponseMetadata": response_metadata()}

    def start_face_detection(
        self,
        *,
        Video: Any,  # noqa: ANN401, N803 -- boto3's signature
        ClientRequestToken: str | None = None,  # noqa: N803 -- boto3's signature
        NotificationChannel: Any = None,  # noqa: ANN401, N803 -- boto3's signature
        FaceAttributes: Any = "DEFAULT",  # noqa: ANN401, N803 -- boto3's signature
        JobTag: str | None = None,  # noqa: N803 -- boto3's signature
        SampleRate: float | None = None,  # noqa: N803 -- in its manner
    ) -> Mapping[str, Any]:
        """Start to find the faces of a video, at two pictures a second, in the background.

        Args:
            Video: ``{"S3Object": {"Bucket": ..., "Name": ...}}``: what the resolver knows, or :meth:`stage` gave.
            ClientRequestToken: The same token with the same parameters gives the same job, for seven days.
            NotificationChannel: Checked only: nothing is published.
            FaceAttributes: ``"ALL"``, or ``"DEFAULT"`` for bounding box, confidence, five landmarks, pose and quality.
            JobTag: Comes back with the result.
            SampleRate: Pictures a second, from one on; never more than there are. The service has no such parameter.

        Returns:
            The service's answer, with ``JobId`` and ``ResponseMetadata``.

        Raises:
            botocore.exceptions.ClientError: The service's errors. What cannot be decoded is none: the job fails.
            MissingExtraError: PyAV is not installed.
        """
        return self._jobs.start(
            Video,
            client_request_token=ClientRequestToken,
            notification_channel=NotificationChannel,
            face_attributes=FaceAttributes,
            job_tag=JobTag,
            sample_rate=SampleRate,
        )

    def get_face_detection(
        self,
        *,
        JobId: str,  # noqa: N803 -- boto3's signature
        MaxResults: int = MAX_PAGE_FACES,  # noqa: N803 -- boto3's signature
        NextToken: str | None = None,  # noqa: N803 -- boto3's signature
    ) -> Mapping[str, Any]:
        """Return the state of a video job, or a page of its result.

        Args:
            JobId: What the start returned.
            MaxResults: Faces on this page, at least one; 1000 at most, and more is no error.
            NextToken: That of the page before; the first page has none.

        Returns:
            The service's answer, with ``JobStatus``, ``VideoMetadata``, ``Faces`` and so on. ``FaceOccluded`` and
            ``EyeDirection`` are always absent, as with the service.

        Raises:
            botocore.exceptions.ClientError: The service's errors.
        """
        return self._jobs.get(JobId, max_results=MaxResults, next_token=NextToken)

    def ended(self, job_id: str) -> Future[None]:
        """Return what is done when a video job has ended; an open one that nobody runs in this process is run anew."""
        return self._jobs.ended(job_id)

    def progress(self, job_id: str) -> tuple[float, float | None] | None:
        """Return how far a video job is: the share of its video that is done, 0 to 1, and the seconds left.

        Returns:
            ``None`` where the job has not begun, has ended, or runs elsewhere, or the video does not say its length.
        """
        return self._jobs.progress(job_id)

    def stage(
        self,
        path: str | os.PathLike[str],
        *,
        on_bytes: Callable[[int, int], None] | None = None,  # noqa: ARG002 -- no byte is moved
        cancel: threading.Event | None = None,  # noqa: ARG002 -- likewise
    ) -> S3Object:
        """Name a local file as the operations on video name theirs; it stays where it is.

        Args:
            path: The file. It has to be there until the job has ended.
            on_bytes: For clients that upload; never called.
            cancel: Likewise.
        """
        staged = self._files.stage(path)
        return S3Object(bucket=staged["Bucket"], name=staged["Name"])

    def discard(self, staged: S3Object) -> None:
        """Forget the name of a file; a second time does nothing."""
        self._files.discard({"Bucket": staged.bucket, "Name": staged.name})

    def _read(self, image: Any) -> bytes:  # noqa: ANN401 -- whatever the caller gave
        """Return the bytes of an ``Image``, in the service's limits."""
        if not isinstance(image, Mapping) or len(image) != 1:
            raise _refusal(BAD_PARAMETER)
        match image:
            case {"Bytes": bytes() | bytearray() | memoryview() as data}:
                limit = MAX_IMAGE_BYTES
            case {"S3Object": Mapping() as where}:
                data, limit = self._fetch(where), MAX_IMAGE_OBJECT_BYTES
            case _:
                raise _refusal(BAD_PARAMETER)
        if not len(data):
            raise _refusal(BAD_PARAMETER)
        if len(data) > limit:
            raise _refusal(TOO_LARGE)
        return bytes(data)

    def _fetch(self, where: Mapping[str, Any]) -> bytes:
        if not {"Bucket", "Name"}.issubset(where):
            raise _refusal(BAD_OBJECT)
        if self._resolver is None:
            raise _refusal(UNREADABLE_OBJECT)
        try:
            found = self._resolver(where)
            if isinstance(found, bytes):
                return found
            with Path(found).open("rb") as file:
                return file.read(MAX_IMAGE_OBJECT_BYTES + 1)  # more is too large, however much it is
        except (OSError, LookupError) as error:
            if is_shortage(error):
                raise
            raise _refusal(UNREADABLE_OBJECT) from error


def _check_threads(**numbers: int) -> None:
    """Refuse what is no number of threads: with none of them, jobs would wait for ever."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            msg = f"{name}={number!r} is no number of threads: pass 1 or more"
            raise InvalidInputError(msg)


def _attributes(requested: Sequence[Any]) -> frozenset[str] | None:
    """Return the members of a face that were asked for, or ``None`` for all."""
    known = ("ALL", "DEFAULT", *OPTIONAL)
    if (
        isinstance(requested, str)
        or not isinstance(requested, Sequence)
        or not all(name in known for name in requested)
    ):
        raise _refusal(BAD_PARAMETER)
    if "ALL" in requested:
        return None
    return DEFAULT_MEMBERS.union(OPTIONAL[name] for name in requested if name != "DEFAULT")


def _decode(data: bytes) -> Any:  # noqa: ANN401 -- Pillow is an extra
    if not data.startswith(SIGNATURES):
        raise _refusal(BAD_FORMAT)
    try:
        picture, size = images.load_sized(data, enough=ENOUGH_PIXELS)
    except InvalidInputError as error:
        raise _refusal(BAD_FORMAT) from error
    if min(size) < MIN_IMAGE_SIDE:
        raise _refusal(BAD_PARAMETER)
    return picture


def _refusal(code_and_message: tuple[str, str]) -> ClientError:
    return client_error(DETECT_FACES, *code_and_message)
