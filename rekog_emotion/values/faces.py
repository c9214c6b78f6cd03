"""The values that come back: frozen, slotted, hashable, comparable and picklable.

Every member that the service's shapes leave optional is optional here, ``None`` when absent: the service gave three
emotions in 2018 and eight today, and ``Attributes=["DEFAULT"]`` leaves most members out. Numbers are kept as they came:
boxes and landmarks may lie outside the picture, emotions need not sum to 100, angles may pass 180 degrees.

Members that this version does not know are kept in ``extra``, so that ``to_aws()`` gives back what ``from_aws()`` read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.base import _DEGREES, _PERCENT, _RATIO, Compact, Value, known_size, made_when_touched
from rekog_emotion.values.landmarks import LANDMARKS, Landmarks
from rekog_emotion.values.words import EmotionType, GenderType
from rekog_emotion.wire.kinds import BOOLEAN, INTEGER, NUMBER, Many, One, wire, word
from rekog_emotion.wire.reading import read_answer, reader
from rekog_emotion.wire.writing import write_shape

_EMOTIONS: Final = frozenset(EmotionType)

__all__ = ["AgeRange", "Attribute", "BoundingBox", "Emotion", "EyeDirection", "Face", "Gender", "Pose", "Quality"]


#: Degrees that a head may be turned, to a side and up or down, and still face the camera.
FACING: Final = 20.0


@frozen(kw_only=True)
class BoundingBox(Value):
    """Where a face is, as ratios of the picture's width and height; may reach beyond the picture.

    Attributes:
        width: Ratio of the picture's width.
        height: Ratio of the picture's height.
        left: Ratio of the picture's width, from the left edge.
        top: Ratio of the picture's height, from the top edge.
    """

    width: float | None = field(default=None, repr=_RATIO, metadata=wire("Width", NUMBER))
    height: float | None = field(default=None, repr=_RATIO, metadata=wire("Height", NUMBER))
    left: float | None = field(default=None, repr=_RATIO, metadata=wire("Left", NUMBER))
    top: float | None = field(default=None, repr=_RATIO, metadata=wire("Top", NUMBER))

    def to_pixels(self, size: tuple[int, int] | None, *, clip: bool = False) -> tuple[int, int, int, int]:
        """Return ``(left, top, right, bottom)`` in whole pixels, the order of ``PIL.Image.crop``.

        Args:
            size: Width and height of the picture in pixels, for example ``analysis.size``.
            clip: Cut the box at the edges of the picture.

        Raises:
            InvalidInputError: The service left a side of this box out, one is not finite, or the size is ``None``, as
                it is of an image in S3.
        """
        if self.width is None or self.height is None or self.left is None or self.top is None:
            msg = f"cannot place {self!r} on a picture: a side is missing"
            raise InvalidInputError(msg)
        width, height = known_size(size)
        try:
            left, right = round(self.left * width), round((self.left + self.width) * width)
            top, bottom = round(self.top * height), round((self.top + self.height) * height)
        except (ValueError, OverflowError) as error:
            msg = f"cannot place {self!r} on a picture: a side is not finite"
            raise InvalidInputError(msg) from error
        if clip:
            left, right = min(max(left, 0), width), min(max(right, 0), width)
            top, bottom = min(max(top, 0), height), min(max(bottom, 0), height)
        return left, top, right, bottom


@frozen(kw_only=True)
class AgeRange(Value):
    """Estimated age in years: the service believes that the face looks between ``low`` and ``high``."""

    low: int | None = field(default=None, metadata=wire("Low", INTEGER))
    high: int | None = field(default=None, metadata=wire("High", INTEGER))


@frozen(kw_only=True)
class Attribute(Value):
    """A yes-or-no member such as ``smile``; true in a condition when its value is.

    Attributes:
        value: Whether the face has it.
        confidence: How sure the service is of ``value``, be it true or false: 50 to 100 in practice.
    """

    value: bool | None = field(default=None, metadata=wire("Value", BOOLEAN))
    confidence: float | None = field(default=None, repr=_PERCENT, metadata=wire("Confidence", NUMBER))

    def __bool__(self) -> bool:
        """Return the value, so that ``if face.smile:`` does what it says."""
        return self.value is True


@frozen(kw_only=True)
class Gender(Value):
    """Binary gender as the face looks to the model, not a person's gender identity.

    Attributes:
        value: ``GenderType``; a plain string where the service uses a word that this version does not know.
        confidence: 0 to 100.
    """

    value: GenderType | str | None = field(default=None, metadata=wire("Value", word(GenderType)))
    confidence: float | None = field(default=None, repr=_PERCENT, metadata=wire("Confidence", NUMBER))


@frozen(kw_only=True)
class Emotion(Value):
    """An emotion that a face appears to express: how it looks, not what the person feels.

    The service's own caution: "The API is only making a determination of the physical appearance of a person's face.
    It is not a determination of the person's internal emotional state and should not be used in such a way."

    Attributes:
        type: ``EmotionType``; a plain string where the service uses a word that this version does not know.
        confidence: 0 to 100. The confidences of one face need not sum to 100: 13 to 397 were seen, and some versions of
            the service never go below 5.87 for FEAR or 6.25 for SURPRISED. Compare them within a face, not to a
            threshold.
    """

    type: EmotionType | str | None = field(default=None, metadata=wire("Type", word(EmotionType)))
    confidence: float | None = field(default=None, repr=_PERCENT, metadata=wire("Confidence", NUMBER))

    def _repr_html_(self) -> str:
        """What a notebook shows: how the face looks, not what the person feels."""
        from rekog_emotion.values.bars import emotion_html  # noqa: PLC0415 -- only notebooks need it

        return emotion_html(self)


@frozen(kw_only=True)
class Pose(Value):
    """How the head is turned, in degrees; -180 to 180 by the documentation, a little beyond in real answers.

    Attributes:
        roll: Positive is clockwise in the picture.
        yaw: Positive is turned to the viewer's right.
        pitch: Positive is up.
    """

    roll: float | None = field(default=None, repr=_DEGREES, metadata=wire("Roll", NUMBER))
    yaw: float | None = field(default=None, repr=_DEGREES, metadata=wire("Yaw", NUMBER))
    pitch: float | None = field(default=None, repr=_DEGREES, metadata=wire("Pitch", NUMBER))

    @property
    def faces_camera(self) -> bool | None:
        """Whether the head is turned by at most 20 degrees, aside and up or down; ``None`` where that is not said."""
        if self.yaw is None or self.pitch is None:
            return None
        return abs(self.yaw) <= FACING and abs(self.pitch) <= FACING

    @property
    def description(self) -> str | None:
        """The pose in words, ``faces the camera``, ``looks left``, ``looks right and down``; left is the viewer's.

        What is turned is the head: where the eyes look is another matter. ``None`` where yaw or pitch is not said.
        """
        if (facing := self.faces_camera) is None:
            return None
        if facing:
            return "faces the camera"
        sides = _turned(self.yaw, "right", "left"), _turned(self.pitch, "up", "down")
        return f"looks {' and '.join(filter(None, sides))}" if any(sides) else None


def _turned(degrees: float | None, more: str, less: str) -> str:
    """Return to which side a head is turned, if it is; an angle that is no number says nothing."""
    if degrees is None:
        return ""
    return more if degrees > FACING else less if degrees < -FACING else ""


@frozen(kw_only=True)
class Quality(Value):
    """How bright and sharp the face is, 0 to 100 each."""

    brightness: float | None = field(default=None, repr=_PERCENT, metadata=wire("Brightness", NUMBER))
    sharpness: float | None = field(default=None, repr=_PERCENT, metadata=wire("Sharpness", NUMBER))


@frozen(kw_only=True)
class EyeDirection(Value):
    """Where the eyes look, in degrees like :class:`Pose`; ``confidence`` 0 to 100. Never given for videos."""

    yaw: float | None = field(default=None, repr=_DEGREES, metadata=wire("Yaw", NUMBER))
    pitch: float | None = field(default=None, repr=_DEGREES, metadata=wire("Pitch", NUMBER))
    confidence: float | None = field(default=None, repr=_PERCENT, metadata=wire("Confidence", NUMBER))


@made_when_touched
@frozen(kw_only=True)
class Face(Compact):
    """One face; members that were not asked for are ``None``.

    Attributes:
        bounding_box: Where the face is.
        confidence: That it is a face, 0 to 100.
        age_range: Estimated age.
        smile: Whether it smiles.
        eyeglasses: Whether it wears glasses.
        sunglasses: Whether it wears sunglasses.
        gender: As the face looks to the model.
        beard: Whether it has a beard.
        mustache: Whether it has a mustache.
        eyes_open: Whether both eyes are open.
        mouth_open: Whether the mouth is open.
        emotions: How the face looks, usually the surest first; see :class:`Emotion` before you compare.
        landmarks: Points of the face.
        pose: How the head is turned.
        quality: Brightness and sharpness.
        face_occluded: Whether something covers a part of it. Never given for videos.
        eye_direction: Where the eyes look. Never given for videos.
    """

    bounding_box: BoundingBox | None = field(default=None, metadata=wire("BoundingBox", One(BoundingBox)))
    confidence: float | None = field(default=None, repr=_PERCENT, metadata=wire("Confidence", NUMBER, after="Quality"))
    age_range: AgeRange | None = field(default=None, metadata=wire("AgeRange", One(AgeRange)))
    smile: Attribute | None = field(default=None, metadata=wire("Smile", One(Attribute)))
    eyeglasses: Attribute | None = field(default=None, metadata=wire("Eyeglasses", One(Attribute)))
    sunglasses: Attribute | None = field(default=None, metadata=wire("Sunglasses", One(Attribute)))
    gender: Gender | None = field(default=None, metadata=wire("Gender", One(Gender)))
    beard: Attribute | None = field(default=None, metadata=wire("Beard", One(Attribute)))
    mustache: Attribute | None = field(default=None, metadata=wire("Mustache", One(Attribute)))
    eyes_open: Attribute | None = field(default=None, metadata=wire("EyesOpen", One(Attribute)))
    mouth_open: Attribute | None = field(default=None, metadata=wire("MouthOpen", One(Attribute)))
    emotions: tuple[Emotion, ...] | None = field(default=None, metadata=wire("Emotions", Many(Emotion)))
    landmarks: Landmarks | None = field(default=None, metadata=wire("Landmarks", LANDMARKS))
    pose: Pose | None = field(default=None, metadata=wire("Pose", One(Pose)))
    quality: Quality | None = field(default=None, metadata=wire("Quality", One(Quality)))
    face_occluded: Attribute | None = field(default=None, metadata=wire("FaceOccluded", One(Attribute)))
    eye_direction: EyeDirection | None = field(default=None, metadata=wire("EyeDirection", One(EyeDirection)))

    @classmethod
    def from_aws(cls, detail: Mapping[str, Any]) -> Face:
        """Read the service's ``FaceDetail``.

        Raises:
            ResponseError: A member has the wrong type; ``path`` says which.
        """
        face: Face = read_answer(reader(Face), detail)
        return face

    def to_aws(self) -> dict[str, Any]:
        """Return the service's ``FaceDetail``, equal to what :meth:`from_aws` read."""
        return write_shape(self)

    @property
    def dominant_emotion(self) -> Emotion | None:
        """The emotion of the highest confidence (not the first in the list), or ``None`` when there are none."""
        scored = [emotion for emotion in self.emotions or () if emotion.confidence is not None]
        return max(scored, key=lambda emotion: emotion.confidence or 0.0, default=None)

    def emotion(self, kind: EmotionType | str) -> Emotion | None:
        """Return the emotion of a type, or ``None`` where the service does not mention it.

        Raises:
            InvalidInputError: There is no such emotion: none that is known, and none of this face.
        """
        found = next((emotion for emotion in self.emotions or () if emotion.type == kind), None)
        if found is None and (not isinstance(kind, str) or kind not in _EMOTIONS):
            msg = f"there is no emotion {kind!r}: those of the service are {', '.join(EmotionType)}"
            raise InvalidInputError(msg)
        return found

    def _repr_html_(self) -> str:
        """What a notebook shows: how the face looks, not what the person feels."""
        from rekog_emotion.values.bars import face_html  # noqa: PLC0415 -- only notebooks need it

        return face_html(self)
