"""What every value has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError

__all__ = ["Value"]


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
