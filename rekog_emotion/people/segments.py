"""Stretches of time in which one emotion leads, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, SupportsIndex, overload

from attrs import field, frozen

from rekog_emotion.people.showing import segments_html, told_segment
from rekog_emotion.people.tables import Cells, Tabular
from rekog_emotion.values.listing import Listing
from rekog_emotion.values.words import EmotionType

__all__ = ["MILLISECONDS", "Segment", "Segments"]

MILLISECONDS: Final = 3
"""Decimals of seconds: times are whole milliseconds, and what is beyond them in a sum is noise."""


@frozen(kw_only=True)
class Segment:
    """A stretch of time in which one emotion leads: how a face looks, not what the person feels.

    Attributes:
        person: Id of the person.
        type: The emotion.
        start: Seconds.
        end: Seconds; the last face counts until the next sample.
        score: Mean score of the emotion, 0 to 100.
    """

    person: int
    type: EmotionType | str
    start: float
    end: float
    score: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return round(self.end - self.start, MILLISECONDS)


def _in_order(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    return tuple(segments)


@frozen(repr=False, eq=False)
class Segments(Listing, Tabular):
    """Stretches of one dominant emotion each, in order of time; as a table, a row a stretch.

    It is gone through, counted, sliced, added and compared as a tuple is, and is none: of a tuple, programs that read
    tables would make a column of objects. The columns are ``person``, ``emotion``, ``start``, ``end``, ``seconds`` and
    ``score``.

    Args:
        segments: Any iterable of them.
    """

    _segments: tuple[Segment, ...] = field(default=(), converter=_in_order)

    _one, _many = "segment", "segments"

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._segments)

    def __iter__(self) -> Iterator[Segment]:
        """Go through them."""
        return iter(self._segments)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Segment: ...
    @overload
    def __getitem__(self, index: slice, /) -> Segments: ...
    def __getitem__(self, index: Any, /) -> Segment | Segments:
        """Return one, or some of them."""
        found = self._segments[index]
        return Segments(found) if isinstance(index, slice) else found

    def __add__(self, others: Iterable[Segment], /) -> Segments:
        """Return these and others."""
        return Segments((*self, *others))

    def __eq__(self, other: object, /) -> bool:
        """Compare with others, or with a tuple."""
        if isinstance(other, Segments):
            return self._segments == other._segments
        return self._segments == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        """Return what a tuple of them does."""
        return hash(self._segments)

    def _lines(self, items: Iterable[object]) -> Iterator[str]:
        return (told_segment(one) for one in items if isinstance(one, Segment))

    def _repr_html_(self) -> str:
        """What a notebook shows: how faces look, not what people feel."""
        return segments_html(self._segments)

    def _table(self) -> Sequence[Cells]:
        return (
            ("person", int, [one.person for one in self]),
            ("emotion", str, [str(one.type) for one in self]),
            ("start", float, [one.start for one in self]),
            ("end", float, [one.end for one in self]),
            ("seconds", float, [one.seconds for one in self]),
            ("score", float, [one.score for one in self]),
        )
