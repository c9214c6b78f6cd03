"""Several values in order that show themselves on a screen at most, however long they are."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import ClassVar, Final, cast

__all__ = ["SHOWN", "Listing", "counted"]

SHOWN: Final = 12
"""Lines or rows that are shown of a long list."""
_LONGEST: Final = 110  # signs of a line


def counted(number: int, one: str, many: str) -> str:
    """Return how many there are: ``no faces``, ``1 face``, ``2 faces``."""
    return f"no {many}" if not number else f"1 {one}" if number == 1 else f"{number} {many}"


class Listing:
    """What several values in order have in common, as the first of their parents: a short repr."""

    __slots__ = ()

    _one: ClassVar[str] = "value"
    _many: ClassVar[str] = "values"

    def __repr__(self) -> str:
        """Return how many there are, and a line for each of the first."""
        items = tuple(cast("Iterable[object]", self))
        heading = counted(len(items), self._one, self._many)
        if not items:
            return f"<{heading}>"
        lines = [
            line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in self._lines(islice(items, SHOWN))
        ]
        left = len(items) - SHOWN
        more = [f"and {left} more"] if left > 0 else []
        return "\n  ".join((f"<{heading}:", *lines, *more)) + ">"

    def _lines(self, items: Iterable[object]) -> Iterable[str]:
        """Return a line for each."""
        return map(repr, items)
