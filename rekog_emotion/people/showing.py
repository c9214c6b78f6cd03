"""What notebooks and a prompt show of people over time: how faces look, not what people feel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Protocol

from attrs import frozen

from rekog_emotion.values.bars import _chip, _frame, table
from rekog_emotion.values.listing import SHOWN, counted
from rekog_emotion.values.palette import words
from rekog_emotion.values.wording import word

__all__ = ["segments_html", "summary_html", "told_segment", "track_html"]

_EMOTIONS = 3  # of a summary that are told


class Span(Protocol):
    """What has a beginning and an end, in seconds."""

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...


class Stretch(Span, Protocol):
    """What a ``Segment`` has."""

    @property
    def person(self) -> int: ...

    @property
    def type(self) -> str: ...

    @property
    def score(self) -> float: ...


class Tracked(Span, Protocol):
    """What a ``Track`` has."""

    @property
    def id(self) -> int: ...


class Summed(Tracked, Protocol):
    """What a ``PersonSummary`` has."""

    @property
    def screen_seconds(self) -> float: ...

    @property
    def faces(self) -> int: ...

    @property
    def shares(self) -> Mapping[str, float]: ...

    @property
    def facing_camera(self) -> float | None: ...


class People(Protocol):
    """What a ``Summary`` has."""

    @property
    def people(self) -> Sequence[Summed]: ...

    @property
    def duration_seconds(self) -> float: ...


@frozen
class _Rated:
    type: str
    confidence: float | None = None


def told_segment(segment: Stretch) -> str:
    """Return a segment as a line."""
    span = f"{words(segment.start)} - {words(segment.end)}"
    return f"person {segment.person}, {span}: {word(segment.type)} {segment.score:.0f}"


def segments_html(segments: Sequence[Stretch]) -> str:
    """Return a table of the first segments."""
    rows = (
        (
            str(one.person),
            f"{words(one.start)} - {words(one.end)}",
            f"{one.end - one.start:.1f} s",
            _chip(_Rated(one.type)),
            f"{one.score:.0f}",
        )
        for one in segments[:SHOWN]
    )
    heading = f"<div><b>{counted(len(segments), 'segment', 'segments')}</b></div>"
    if not segments:
        return _frame([heading])
    return _frame([heading, table(("person", "time", "length", "looks", "score"), rows, left=len(segments) - SHOWN)])


def summary_html(summary: People) -> str:
    """Return a table of the people."""
    heading = counted(len(summary.people), "person", "people")
    parts = [f"<div><b>{heading}</b> {words(summary.duration_seconds)} long</div>"]
    if summary.people:
        heads = ("person", "on screen", "time", "faces", "mean scores", "faces the camera")
        rows = (tuple(_cells(one)) for one in summary.people[:SHOWN])
        parts.append(table(heads, rows, left=len(summary.people) - SHOWN))
    return _frame(parts)


def _cells(one: Summed) -> Iterator[str]:
    yield str(one.id)
    yield words(one.screen_seconds)
    yield f"{words(one.start)} - {words(one.end)}"
    yield str(one.faces)
    yield " ".join(_chip(_Rated(kind, share)) for kind, share in list(one.shares.items())[:_EMOTIONS] if share >= 1)
    yield "" if one.facing_camera is None else f"{one.facing_camera:.0f}% of the time"


def track_html(track: Tracked, faces: Sequence[object]) -> str:
    """Return who it is, and the faces as these show themselves."""
    span = f"{words(track.start)} - {words(track.end)}"
    head = f'<div style="font-family:sans-serif;font-size:13px"><b>person {track.id}</b> {escape(span)}</div>'
    show = getattr(faces, "_repr_html_", None)
    return f"{head}{show()}" if show is not None else _frame([head])
