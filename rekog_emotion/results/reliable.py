"""Faces of which more can be said than that they are there: sharp, large and turned to the camera enough.

The defaults were held against recorded answers of the service by ``docs/models/reliable_faces.py``, which counts of
which faces the service itself leaves open how they look: no emotion has half of the confidence. Of photos these are
more below a sharpness of 5. Size and angles are what the service recommends for its face operations; few recorded faces
are beyond them. Of brightness, confidence and what covers a face no limit could be told: they leave none out unless
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.base import short
from rekog_emotion.values.faces import Face
from rekog_emotion.values.telling import told_face

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["MAX_PITCH", "MAX_YAW", "MIN_SHARPNESS", "MIN_SIZE", "Criteria", "LeftOut"]

T = TypeVar("T")

MIN_SHARPNESS: Final = 5.0
"""Of 100. Of recorded photos the service left open how 2 of 8 faces below it look, and 2 of 25 above."""
MAX_YAW: Final = 45.0
"""Degrees to either side, as the service recommends."""
MAX_PITCH: Final = 30.0
"""Degrees down, as the service recommends; of degrees up it recommends up to 45."""
MIN_SIZE: Final = 50.0
"""Pixels, as the service recommends."""


def _told(one: object) -> str:
    face = getattr(one, "face", one)
    return f"<{told_face(face if isinstance(face, Face) else None)}>"


@frozen(kw_only=True)
class LeftOut(Generic[T]):
    """A face that is not reliable.

    Attributes:
        face: The face, as the analysis had it.
        position: Which of the faces of that analysis it was, from 0.
        reasons: Why it was left out, such as ``"sharpness 3.2, below 5"``.
    """

    face: T = field(repr=_told)
    position: int
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        """All reasons as one text."""
        return "; ".join(self.reasons)


def _checked(_: object, attribute: Attribute[Any], value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0:
        told = short(0)(value) if type(value) is int else repr(value)
        msg = f"{attribute.name} is {told}, and has to be a number from 0 on, or None to leave no face out by it"
        raise InvalidInputError(msg)


@frozen(kw_only=True)
class Criteria:
    """What is asked of a face; ``None`` asks nothing.

    What an analysis does not say of a face leaves none out: the size in pixels of a photo in S3, or the pose where it
    was not asked for.
    """

    min_sharpness: float | None = field(default=MIN_SHARPNESS, validator=_checked)
    min_brightness: float | None = field(default=None, validator=_checked)
    max_yaw: float | None = field(default=MAX_YAW, validator=_checked)
    max_pitch: float | None = field(default=MAX_PITCH, validator=_checked)
    min_size: float | None = field(default=MIN_SIZE, validator=_checked)
    min_confidence: float | None = field(default=None, validator=_checked)
    covered: bool = True

    def sorted(
        self, faces: Iterable[T], *, face_of: Callable[[T], Face | None], size: tuple[int, int] | None
    ) -> tuple[tuple[T, ...], tuple[LeftOut[T], ...]]:
        """Return the faces that are reliable, and those that are not.

        Args:
            faces: Of a picture or a video.
            face_of: Gives the face of each; one without stays.
            size: Width and height of the picture, where they are known.
        """
        kept: list[T] = []
        left_out: list[LeftOut[T]] = []
        for position, one in enumerate(faces):
            face = face_of(one)
            reasons = () if face is None else tuple(self._reasons(face, size))
            if reasons:
                left_out.append(LeftOut(face=one, position=position, reasons=reasons))
            else:
                kept.append(one)
        return tuple(kept), tuple(left_out)

    def _reasons(self, face: Face, size: tuple[int, int] | None) -> Iterator[str]:
        quality, pose = face.quality, face.pose
        sharpness, brightness = (quality.sharpness, quality.brightness) if quality else (None, None)
        yaw, pitch = (pose.yaw, pose.pitch) if pose else (None, None)
        for name, value, least in (
            ("sharpness", sharpness, self.min_sharpness),
            ("brightness", brightness, self.min_brightness),
            ("confidence", face.confidence, self.min_confidence),
        ):
            if value is not None and least is not None and value < least:
                yield f"{name} {short(1)(value)}, below {least:g}"
        for name, value, most in (("yaw", yaw, self.max_yaw), ("pitch", pitch, self.max_pitch)):
            if value is not None and most is not None and abs(value) > most:
                yield f"{name} {short(1)(value)}, beyond {most:g} degrees"
        if (side := _side(face, size)) is not None and self.min_size is not None and side < self.min_size:
            yield f"{side} pixels, smaller than {self.min_size:g}"
        if not self.covered and face.face_occluded:
            yield "covered"


def _side(face: Face, size: tuple[int, int] | None) -> int | None:
    """Return the shorter side of a face in pixels, where it is known."""
    box = face.bounding_box
    if size is None or box is None:
        return None
    try:
        left, top, right, bottom = box.to_pixels(size)
    except InvalidInputError:  # a side is missing, or not finite
        return None
    return min(right - left, bottom - top)
