"""The values that come back: frozen, slotted, hashable, comparable and picklable.

Every member that the service's shapes leave optional is optional here, ``None`` when absent: the service gave three
emotions in 2018 and eight today, and ``Attributes=["DEFAULT"]`` leaves most members out. Numbers are kept as they came:
boxes and landmarks may lie outside the picture, emotions need not sum to 100, angles may pass 180 degrees.

Members that this version does not know are kept in ``extra``, so that ``to_aws()`` gives back what ``from_aws()`` read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self, overload

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.words import EmotionType, GenderType, LandmarkType

__all__ = [
    "AgeRange",
    "Attribute",
    "BoundingBox",
    "Emotion",
    "EyeDirection",
    "Face",
    "Gender",
    "Landmark",
    "Landmarks",
    "Pose",
    "Quality",
    "S3Object",
    "Value",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def short(digits: int) -> Any:  # noqa: ANN401 -- attrs types its repr hook as Any callable
    """Return a repr for numbers that rounds: a face has 150 of them, and sixteen digits each hide the picture."""

    def shortened(number: float | None) -> str:
        if number is None:
            return "None"
        try:
            # Zero is added to lose the sign of a zero that was a small negative number.
            return f"{round(number, digits) + 0:.{digits}f}"
        except OverflowError:  # an integer of over 300 digits
            return "inf" if number > 0 else "-inf"

    return shortened


_RATIO = short(3)
_DEGREES = short(1)
_PERCENT = short(1)


def known_size(size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of a picture, if it is known."""
    if size is None:
        msg = "the picture's size is not known, as it is in S3: pass its width and height as a viewer shows it"
        raise InvalidInputError(msg)
    return size


@frozen(kw_only=True)
class Value:
    """Base of all values: keeps the members that this version of the library does not know."""

    # A dict or None, never a shared or empty one: it pickles, and costs nothing where nothing is unknown.
    _extra: dict[str, Any] | None = field(default=None, repr=False, hash=False, eq=lambda extra: extra or None)

    @property
    def extra(self) -> Mapping[str, Any]:
        """Unknown members by their wire name, and known ones that came as null as ``{Name: None}``."""
        return _NOTHING if self._extra is None else MappingProxyType(self._extra)


@frozen(kw_only=True)
class BoundingBox(Value):
    """Where a face is, as ratios of the picture's width and height; may reach beyond the picture.

    Attributes:
        width: Ratio of the picture's width.
        height: Ratio of the picture's height.
        left: Ratio of the picture's width, from the left edge.
        top: Ratio of the picture's height, from the top edge.
    """

    width: float | None = field(default=None, repr=_RATIO)
    height: float | None = field(default=None, repr=_RATIO)
    left: float | None = field(default=None, repr=_RATIO)
    top: float | None = field(default=None, repr=_RATIO)

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

    low: int | None = None
    high: int | None = None


@frozen(kw_only=True)
class Attribute(Value):
    """A yes-or-no member such as ``smile``; true in a condition when its value is.

    Attributes:
        value: Whether the face has it.
        confidence: How sure the service is of ``value``, be it true or false: 50 to 100 in practice.
    """

    value: bool | None = None
    confidence: float | None = field(default=None, repr=_PERCENT)

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

    value: GenderType | str | None = None
    confidence: float | None = field(default=None, repr=_PERCENT)


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

    type: EmotionType | str | None = None
    confidence: float | None = field(default=None, repr=_PERCENT)

    def _repr_html_(self) -> str:
        """What a notebook shows: how the face looks, not what the person feels."""
        from rekog_emotion.results.notebook import emotion_html  # noqa: PLC0415 -- only notebooks need it

        return emotion_html(self)


@frozen(kw_only=True)
class Landmark(Value):
    """A point of a face, as ratios of the picture's width (x) and height (y); may lie outside the picture."""

    type: LandmarkType | str | None = None
    x: float | None = field(default=None, repr=_RATIO)
    y: float | None = field(default=None, repr=_RATIO)

    def to_pixels(self, size: tuple[int, int] | None) -> tuple[float, float]:
        """Return ``(x, y)`` in pixels for a picture of the given width and height.

        Raises:
            InvalidInputError: The service left a coordinate out, or the size is ``None``.
        """
        if self.x is None or self.y is None:
            msg = f"cannot place {self!r} on a picture: a coordinate is missing"
            raise InvalidInputError(msg)
        width, height = known_size(size)
        return self.x * width, self.y * height


@frozen(kw_only=True, repr=False)
class Landmarks:
    """The landmarks of one face by column; :class:`Landmark` objects are made on access.

    The order of the types changed over the years: look a landmark up by its type.

    >>> from rekog_emotion import Landmark, Landmarks
    >>> points = Landmarks.of([Landmark(type="nose", x=0.5, y=0.25)])
    >>> points["nose"].x
    0.5

    Attributes:
        types: One ``LandmarkType`` (or plain string) a landmark; one tuple is shared by all faces of the same layout.
        x: Ratios of the picture's width.
        y: Ratios of the picture's height.
    """

    types: tuple[LandmarkType | str | None, ...]
    x: tuple[float | None, ...]
    y: tuple[float | None, ...]
    # What single landmarks have beyond type, x and y, by their position; None where there is nothing, as a rule.
    _extras: dict[int, dict[str, Any]] | None = field(default=None, hash=False)

    @classmethod
    def of(cls, landmarks: Iterable[Landmark]) -> Self:
        """Return the columns of the given landmarks."""
        points = tuple(landmarks)
        extras = {i: dict(point.extra) for i, point in enumerate(points) if point.extra}
        return cls(
            types=tuple(point.type for point in points),
            x=tuple(point.x for point in points),
            y=tuple(point.y for point in points),
            extras=extras or None,
        )

    def __repr__(self) -> str:
        return f"<{len(self)} landmarks>"

    def __len__(self) -> int:
        return len(self.types)

    def __iter__(self) -> Iterator[Landmark]:
        return (self[i] for i in range(len(self.types)))

    def __contains__(self, kind: object) -> bool:
        """Tell whether there is a landmark of this type."""
        return kind in self.types

    @overload
    def __getitem__(self, key: int | str) -> Landmark: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Landmark, ...]: ...

    def __getitem__(self, key: int | str | slice) -> Landmark | tuple[Landmark, ...]:
        """Return the landmark of a type (``LandmarkType`` or its string), at a position, or those of a slice.

        Raises:
            KeyError: There is no landmark of this type.
            IndexError: There is no landmark at this position.
        """
        if isinstance(key, slice):
            return tuple(self[i] for i in range(*key.indices(len(self.types))))
        if isinstance(key, str):
            if key not in self.types:
                raise KeyError(key)
            key = self.types.index(key)
        try:
            position = range(len(self.types))[key]
        except IndexError:
            msg = f"there is no landmark at position {key}: the face has {len(self.types)}"
            raise IndexError(msg) from None
        extra = self._extras.get(position) if self._extras else None
        return Landmark(type=self.types[position], x=self.x[position], y=self.y[position], extra=extra)

    def get(self, kind: str) -> Landmark | None:
        """Return the landmark of a type, or ``None``."""
        return self[kind] if kind in self.types else None


@frozen(kw_only=True)
class Pose(Value):
    """How the head is turned, in degrees; -180 to 180 by the documentation, a little beyond in real answers.

    Attributes:
        roll: Positive is clockwise in the picture.
        yaw: Positive is turned to the viewer's right.
        pitch: Positive is up.
    """

    roll: float | None = field(default=None, repr=_DEGREES)
    yaw: float | None = field(default=None, repr=_DEGREES)
    pitch: float | None = field(default=None, repr=_DEGREES)


@frozen(kw_only=True)
class Quality(Value):
    """How bright and sharp the face is, 0 to 100 each."""

    brightness: float | None = field(default=None, repr=_PERCENT)
    sharpness: float | None = field(default=None, repr=_PERCENT)


@frozen(kw_only=True)
class EyeDirection(Value):
    """Where the eyes look, in degrees like :class:`Pose`; ``confidence`` 0 to 100. Never given for videos."""

    yaw: float | None = field(default=None, repr=_DEGREES)
    pitch: float | None = field(default=None, repr=_DEGREES)
    confidence: float | None = field(default=None, repr=_PERCENT)


@frozen(kw_only=True)
class Face(Value):
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

    bounding_box: BoundingBox | None = None
    confidence: float | None = field(default=None, repr=_PERCENT)
    age_range: AgeRange | None = None
    smile: Attribute | None = None
    eyeglasses: Attribute | None = None
    sunglasses: Attribute | None = None
    gender: Gender | None = None
    beard: Attribute | None = None
    mustache: Attribute | None = None
    eyes_open: Attribute | None = None
    mouth_open: Attribute | None = None
    emotions: tuple[Emotion, ...] | None = None
    landmarks: Landmarks | None = None
    pose: Pose | None = None
    quality: Quality | None = None
    face_occluded: Attribute | None = None
    eye_direction: EyeDirection | None = None

    @classmethod
    def from_aws(cls, detail: Mapping[str, Any]) -> Face:
        """Read the service's ``FaceDetail``.

        Raises:
            ResponseError: A member has the wrong type; ``path`` says which.
        """
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_face(detail)

    def to_aws(self) -> dict[str, Any]:
        """Return the service's ``FaceDetail``, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)

    @property
    def dominant_emotion(self) -> Emotion | None:
        """The emotion of the highest confidence (not the first in the list), or ``None`` when there are none."""
        scored = [emotion for emotion in self.emotions or () if emotion.confidence is not None]
        return max(scored, key=lambda emotion: emotion.confidence or 0.0, default=None)

    def emotion(self, kind: EmotionType | str) -> Emotion | None:
        """Return the emotion of a type, or ``None`` where the service does not mention it."""
        return next((emotion for emotion in self.emotions or () if emotion.type == kind), None)

    def _repr_html_(self) -> str:
        """What a notebook shows: how the face looks, not what the person feels."""
        from rekog_emotion.results.notebook import face_html  # noqa: PLC0415 -- only notebooks need it

        return face_html(self)


@frozen(kw_only=True)
class S3Object(Value):
    """An object in S3, as the service names it: ``S3Object(bucket="photos", name="2024/me.jpg")``.

    Attributes:
        bucket: Name of the bucket, in the region of the client.
        name: Key of the object, as it is: nothing is percent-decoded.
        version: Version id, for a versioned bucket.
    """

    bucket: str | None = None
    name: str | None = None
    version: str | None = None
