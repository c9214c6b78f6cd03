"""Numbers of answers, which may be beyond any range: JSON has integers of any length, and some have NaN."""

from __future__ import annotations

import math
from numbers import Real
from typing import overload

from rekog_emotion.errors import InvalidInputError

__all__ = ["as_float", "check_from_zero", "share"]


@overload
def as_float(number: float) -> float: ...


@overload
def as_float(number: None) -> None: ...


def as_float(number: float | None) -> float | None:
    """Return a number as a float; an integer beyond all floats is infinite, as a float beyond them is."""
    if number is None:
        return None
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def share(confidence: float | None) -> float:
    """Return a confidence as a length to draw, 0 to 100; what is no number has none."""
    number = as_float(confidence)
    return 0.0 if number is None or math.isnan(number) else min(max(number, 0.0), 100.0)


def check_from_zero(**numbers: float) -> None:
    """Refuse numbers of a caller, by their names, that are negative or none.

    Raises:
        InvalidInputError: One is.
    """
    for name, number in numbers.items():
        if not isinstance(number, Real) or not (math.isfinite(as_float(number)) and number >= 0):
            msg = f"{name} is {number!r}, and has to be a number from 0 on"
            raise InvalidInputError(msg)
