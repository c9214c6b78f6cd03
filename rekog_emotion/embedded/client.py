"""The embedded engine behind the three methods of a boto3 client."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from botocore.exceptions import ClientError

from rekog_emotion import _imaging
from rekog_emotion.embedded.engine import Engine, Mode
from rekog_emotion.embedded.faults import client_error, response_metadata
from rekog_emotion.embedded.mesh import DEFAULT_LANDMARKS
from rekog_emotion.errors import InvalidInputError

__all__ = ["EmbeddedClient", "Resolver"]

Resolver: TypeAlias = Callable[[Mapping[str, Any]], str | os.PathLike[str] | bytes]

SMALLEST_SIDE = 80  # pixels; this and the two sizes are the service's limits
LARGEST_BYTES, LARGEST_OBJECT = 5_242_880, 15 * 1024 * 1024
# The detector's smallest tiles show it a picture of 768 pixels, and a face's crops need 360: more than this changes
# no answer, and a JPEG of 50 megapixels is decoded in a third of the time.
ENOUGH_PIXELS = 8_000_000
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
DEFAULT = ("BoundingBox", "Landmarks", "Pose", "Quality", "Confidence")
# The service's codes and texts, as recorded from it and as its developer guide lists them.
BAD_PARAMETER = ("InvalidParameterException", "Request has Invalid Parameters")
BAD_FORMAT = ("InvalidImageFormatException", "Request has invalid image format")
TOO_LARGE = ("ImageTooLargeException", "Image size is too large")
BAD_OBJECT = ("InvalidS3ObjectException", "Request has invalid S3 object")
UNREADABLE_OBJECT = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)
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
    feels.

    Safe to use from several threads at once; the networks are loaded when they are first needed.

    Args:
        mode: ``"default"`` searches tiles of the picture, too: it finds upright faces from about a sixtieth of the
            longer side on (32 pixels of 1920), and some from an eightieth. ``"fast"`` looks once at the whole and takes
            about half the time; it finds faces from about a twentieth on (96 pixels of 1920), none below a thirtieth.
        threads: Threads that one network call may use. In a service that answers many calls at once, leave it at one.
        resolver: Where objects in S3 lie on this machine: takes the wire's ``S3Object`` (``Bucket``, ``Name``,
            ``Version``) and gives a path or the bytes. Without it every object is an ``InvalidS3ObjectException``, as
            is one for which it raises ``OSError`` or ``LookupError``.

    Attributes:
        engine: ``"embedded"``.
    """

    engine = "embedded"

    def __init__(
        self, *, mode: Literal["default", "fast"] = "default", threads: int = 1, resolver: Resolver | None = None
    ) -> None:
        if mode not in {"default", "fast"}:
            msg = f"unknown mode {mode!r}: use 'default' or 'fast'"
            raise InvalidInputError(msg)
        self._mode: Mode = mode
        self._resolver = resolver
        self._analyzer = Engine(threads=threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the networks; a later call would load them anew."""
        self._analyzer.close()

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ("DEFAULT",)) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's signature
        """Find the faces of a picture, largest first, at most 100.

        Args:
            Image: ``{"Bytes": ...}`` with a JPEG or PNG, or ``{"S3Object": {"Bucket": ..., "Name": ...}}``.
            Attributes: ``"ALL"``, or any of ``"EMOTIONS"``, ``"SMILE"``, ...; the members of ``"DEFAULT"``, with five
                landmarks instead of thirty, are always there.

        Returns:
            The service's answer: ``FaceDetails`` and ``ResponseMetadata``. Ratios refer to the picture as a viewer
            shows it.

        Raises:
            botocore.exceptions.ClientError: The service's errors for what it would refuse, too.
        """
        wanted = _attributes(Attributes)
        picture = _decode(self._read(Image))
        faces = self._analyzer.analyze(picture, mode=self._mode)
        return {"FaceDetails": [_reduce(face, wanted) for face in faces], "ResponseMetadata": response_metadata()}

    def _read(self, image: Any) -> bytes:  # noqa: ANN401 -- whatever the caller gave
        """Return the bytes of an ``Image``, in the service's limits."""
        if not isinstance(image, Mapping) or len(image) != 1:
            raise _refusal(BAD_PARAMETER)
        match image:
            case {"Bytes": bytes() | bytearray() | memoryview() as data}:
                limit = LARGEST_BYTES
            case {"S3Object": Mapping() as where}:
                data, limit = self._fetch(where), LARGEST_OBJECT
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
            return found if isinstance(found, bytes) else Path(found).read_bytes()
        except (OSError, LookupError) as error:
            raise _refusal(UNREADABLE_OBJECT) from error


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
    return frozenset(DEFAULT).union(OPTIONAL[name] for name in requested if name != "DEFAULT")


def _decode(data: bytes) -> Any:  # noqa: ANN401 -- Pillow is an extra
    if not data.startswith(SIGNATURES):
        raise _refusal(BAD_FORMAT)
    try:
        picture = _imaging.load_rgb(data, enough=ENOUGH_PIXELS)
    except InvalidInputError as error:
        raise _refusal(BAD_FORMAT) from error
    if min(picture.size) < SMALLEST_SIDE:
        raise _refusal(BAD_PARAMETER)
    return picture


def _reduce(face: dict[str, Any], wanted: frozenset[str] | None) -> dict[str, Any]:
    """Return a face with the members that were asked for."""
    if wanted is None:
        return face
    reduced = {name: value for name, value in face.items() if name in wanted}
    return reduced | {"Landmarks": face["Landmarks"][:DEFAULT_LANDMARKS]}


def _refusal(code_and_message: tuple[str, str]) -> ClientError:
    return client_error("DetectFaces", *code_and_message)
