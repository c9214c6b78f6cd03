"""Landmarks, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.base import _RATIO, Value, known_size
from rekog_emotion.values.words import LandmarkType

__all__ = ["Landmark", "Landmarks"]


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
