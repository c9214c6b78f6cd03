"""Landmarks, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, Self, overload

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.base import _RATIO, Value, known_size
from rekog_emotion.values.words import LandmarkType
from rekog_emotion.wire.binding import UnusualError, new, setter
from rekog_emotion.wire.kinds import NUMBER, Columns, wire, word

__all__ = ["LANDMARKS", "Landmark", "Landmarks"]


@frozen(kw_only=True)
class Landmark(Value):
    """A point of a face, as ratios of the picture's width (x) and height (y); may lie outside the picture."""

    type: LandmarkType | str | None = field(default=None, metadata=wire("Type", word(LandmarkType)))
    x: float | None = field(default=None, repr=_RATIO, metadata=wire("X", NUMBER))
    y: float | None = field(default=None, repr=_RATIO, metadata=wire("Y", NUMBER))

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


# --- from the wire ---

_WORDS: Final = {word.value: word for word in LandmarkType}
_TYPE, _X, _Y = map(itemgetter, ("Type", "X", "Y"))
_PUT_TYPES, _PUT_X, _PUT_Y, _PUT_EXTRAS = (setter(Landmarks, name) for name in ("types", "x", "y", "_extras"))
# One tuple of types serves all faces whose landmarks come in the same order; the service has had a handful of orders.
_LAYOUTS: Final[dict[tuple[str, ...], tuple[LandmarkType, ...]]] = {}
_MAX_LAYOUTS: Final = 64


def _layout(types: tuple[str, ...]) -> tuple[LandmarkType, ...]:
    layout = tuple([_WORDS[kind] for kind in types])
    return _LAYOUTS.setdefault(types, layout) if len(_LAYOUTS) < _MAX_LAYOUTS else layout


def _read_columns(wire: Any) -> Landmarks:  # noqa: ANN401 -- whatever came
    """Read all columns at one go, where every landmark is plain.

    Raises:
        UnusualError: One is not.
    """
    try:
        types, x, y = tuple(map(_TYPE, wire)), tuple(map(_X, wire)), tuple(map(_Y, wire))
        layout = _LAYOUTS.get(types) or _layout(types)
        plain = wire.__class__ is list and sum(map(len, wire)) == 3 * len(types)
    except (KeyError, TypeError):
        raise UnusualError from None
    if not plain or not NUMBER.classes.issuperset(map(type, x)) or not NUMBER.classes.issuperset(map(type, y)):
        raise UnusualError
    return _build(layout, x, y)


def _build(types: tuple[LandmarkType, ...], x: tuple[float, ...], y: tuple[float, ...]) -> Landmarks:
    landmarks: Landmarks = new(Landmarks)
    _PUT_TYPES(landmarks, types)
    _PUT_X(landmarks, x)
    _PUT_Y(landmarks, y)
    _PUT_EXTRAS(landmarks, None)
    return landmarks


LANDMARKS: Final = Columns(Landmark, fast=_read_columns, gather=Landmarks.of, build=_build)
"""What ``Face.landmarks`` holds."""
