"""What is drawn of faces, and how: the options that drawing on pictures and on videos share."""

from __future__ import annotations

import math
from contextlib import suppress
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from PIL import ImageColor

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results.arguments import Labels
from rekog_emotion.text import plain, quoted
from rekog_emotion.values.base import short
from rekog_emotion.values.numbers import as_float

if TYPE_CHECKING:
    from rekog_emotion.values.faces import Face
    from rekog_emotion.values.palette import Color

__all__ = ["Style"]

_WHOLE: Final = 255  # of a colour
_SURE: Final = 100  # percent
_FACE_IN_LINES: Final = 80  # a side of a face is so many lines wide
_MOST_LINES, _MOST_SIGNS = 8, 200  # of a label of the caller's


def _number(name: str, value: float, *, least: float, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= most:
        told = short(0)(value) if type(value) is int else repr(value)
        msg = f"{name} is {told}, and has to be {what}"
        raise InvalidInputError(msg)
    return as_float(value)


def _confidence(value: Any) -> float:  # noqa: ANN401 -- whatever a caller passes
    return _number("min_confidence", value, least=0, most=_SURE, what="a confidence of 0 to 100")


def _width(value: Any) -> float | None:  # noqa: ANN401 -- likewise
    return (
        None if value is None else _number("width", value, least=1, most=math.inf, what="a number of pixels from 1 on")
    )


def _color(value: Any) -> Color | None:  # noqa: ANN401 -- likewise
    if value is None:
        return None
    if isinstance(value, str):
        with suppress(ValueError):
            red, green, blue = ImageColor.getrgb(value)[:3]
            return red, green, blue
    if isinstance(value, (tuple, list)) and len(value) == 3 and all(map(_is_shade, value)):  # noqa: PLR2004 -- RGB
        red, green, blue = value
        return red, green, blue
    msg = f"color is {quoted(str(value))}: pass a name as CSS has it, '#rrggbb', or red, green and blue of 0 to 255"
    raise InvalidInputError(msg)


def _labels(_: object, _attribute: object, value: object) -> None:
    if not isinstance(value, bool) and not callable(value):
        msg = (
            f"labels is {quoted(repr(value))}: pass True, False, or a function of a face that gives what its label says"
        )
        raise InvalidInputError(msg)


def _is_shade(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _WHOLE


@frozen(kw_only=True)
class Style:
    """Options of a drawing, checked.

    Attributes:
        landmarks: Whether the landmarks are drawn.
        pose: Whether the axes of the pose are drawn.
        labels: Whether there are labels, or what each says.
        min_confidence: Of a face that is drawn; one of which it is not known is drawn, too.
        color: Of everything; the dominant emotion's where it is ``None``.
        width: Of the lines of boxes in pixels; where it is ``None`` they follow the face.
    """

    landmarks: bool = True
    pose: bool = True
    labels: Labels = field(default=True, validator=_labels)
    min_confidence: float = field(default=0.0, converter=_confidence)
    color: Color | None = field(default=None, converter=_color)
    width: float | None = field(default=None, converter=_width)

    def is_drawn(self, face: Face) -> bool:
        """Tell whether a face is sure enough."""
        return not self.min_confidence or face.confidence is None or face.confidence >= self.min_confidence

    def line(self, box: tuple[int, int, int, int], picture: tuple[int, int]) -> int:
        """Return the width of the lines around a face: those of a large one are thicker, whatever the picture.

        Args:
            box: Left, top, right and bottom in pixels.
            picture: Width and height.
        """
        if self.width is not None:
            return round(min(self.width, *picture))
        side = min(box[2] - box[0], box[3] - box[1], *picture)
        return max(1, round(side / _FACE_IN_LINES))

    def texts(self, face: Face, lines: list[str]) -> list[str]:
        """Return what the label of a face says, the longest form first; nothing where it has none.

        Args:
            face: The face.
            lines: What is said where nothing else is asked for.

        Raises:
            InvalidInputError: A function of the caller gives something else than a text or ``None``.
        """
        if callable(self.labels):
            text = self.labels(face)
            if text is not None and not isinstance(text, str):
                msg = f"labels= gave {type(text).__name__} for a face: let it return a text, or None for no label"
                raise InvalidInputError(msg)
            lines = [plain(line)[:_MOST_SIGNS] for line in (text or "").splitlines()[:_MOST_LINES] if line.strip()]
        elif not self.labels:
            lines = []
        # Where there is no room for all of it, the first line alone.
        return list(dict.fromkeys(("\n".join(lines), lines[0]))) if lines else []
