"""Emotions over time: who is on screen when, and how each face looks. Not what a person feels.

::

    clip = rekog.analyze_video("clip.mp4")
    timeline = clip.timeline()
    timeline.people[0].scores        # a row a sample
    timeline.segments()              # stretches of one dominant emotion
    timeline.summary().people[0]     # screen time, shares, peaks

All times are seconds from the start of the video, all scores 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from rekog_emotion.people.columns import Columns
from rekog_emotion.people.floors import estimate_floors, scores
from rekog_emotion.people.linking import link
from rekog_emotion.people.sampling import TOLERANCE, interval_of, smoothed
from rekog_emotion.results.faces import Faces
from rekog_emotion.results.protocols import check_succeeded
from rekog_emotion.values.faces import FACING
from rekog_emotion.values.numbers import check_from_zero
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.words import EmotionType

import numpy as np  # isort: skip -- columns says which extra brings it
from numpy.typing import NDArray  # isort: skip
from rekog_emotion.people.person import (
    DIGITS,
    Peak,
    People,
    Person,
    PersonSummary,
    Summary,
    Track,
    number_of_people,
)
from rekog_emotion.people.segments import MILLISECONDS, Segment, Segments
from rekog_emotion.people.tables import Cells, Tabular

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from rekog_emotion.results.protocols import VideoFaces

__all__ = [
    "Peak",
    "Person",
    "PersonSummary",
    "Segment",
    "Segments",
    "Summary",
    "Timeline",
    "Track",
    "people_of",
    "timeline_of",
    "tracks_of",
]


@frozen(kw_only=True)
class Timeline(Tabular):
    """How the people of a video look over time: emotions are how a face looks, not what a person feels.

    As a table it has a row a score, by person, then by time: ``person``, ``seconds``, ``emotion`` and ``score``, which
    is what plotting libraries and ``groupby`` take.

    Attributes:
        people: By id.
        kinds: The emotions that occur; empty where they were not asked for.
        floors: What the model says of nearly every face, by emotion; taken out of the scores.
        interval_seconds: From one sample to the next.
        duration_seconds: Length of the video, or the end of the last face where it is not known.
    """

    people: tuple[Person, ...] = field(repr=number_of_people)
    kinds: tuple[EmotionType | str, ...]
    floors: Mapping[EmotionType | str, float] = field(hash=False)
    interval_seconds: float
    duration_seconds: float

    def _repr_html_(self) -> str:
        """What a notebook shows: how faces look, not what people feel."""
        from rekog_emotion.results.strips import strip

        return strip(self)

    @classmethod
    def of(
        cls,
        faces: Iterable[TimedFace],
        *,
        duration_seconds: float | None = None,
        frame_rate: float | None = None,
        max_gap: float | None = None,
        smooth: float = 1.0,
        causal: bool = False,
    ) -> Timeline:
        """Make a timeline of faces, which may come from a generator such as ``job.faces()``: none is kept.

        Args:
            faces: The faces of one video, in any order; those without a time or a box are left out.
            duration_seconds: Length of the video; left out, it ends with the last face.
            frame_rate: Frames a second, on average: they tell how far apart samples are; without them the times do.
            max_gap: Seconds that a person may be away and be known again; left out, two, or two samples if longer.
            smooth: Width of the window in seconds whose samples are averaged, over no gap; 0 leaves the scores alone.
            causal: Average only with samples before, so that a score does not know the future.

        Raises:
            InvalidInputError: A number is negative or not finite.
            MissingExtraError: The ``timeline`` extra is not installed.
        """
        check_from_zero(max_gap=max_gap or 0, smooth=smooth)
        if duration_seconds is not None:
            check_from_zero(duration_seconds=duration_seconds)
        columns = Columns.of(faces)
        interval = interval_of(columns.milliseconds, frame_rate=frame_rate)
        ids = link(columns, interval=interval, max_gap=max_gap)
        return _assemble(columns, ids, interval, duration_seconds, smooth, causal=causal)

    def _table(self) -> Sequence[Cells]:
        kinds, of = [str(kind) for kind in self.kinds], self.people
        counts = [len(person.starts) for person in of]
        rows = np.concatenate([np.empty((0, len(kinds)), np.float32), *(person.scores for person in of)])
        starts = np.concatenate([np.empty(0), *(person.starts for person in of)])
        return (
            ("person", int, np.repeat([person.id for person in of], np.multiply(counts, len(kinds)).astype(np.int64))),
            ("seconds", float, np.repeat(starts, len(kinds))),
            ("emotion", str, np.tile(np.array(kinds, object), len(starts))),
            ("score", float, rows.astype(np.float64).round(DIGITS).ravel()),
        )

    def segments(self, *, min_seconds: float = 1.0, hysteresis: float = 10.0, at_least: float = 30.0) -> Segments:
        """Return the stretches of one dominant emotion of all people, in order of time; see `Person.segments`."""
        found = [
            one
            for person in self.people
            for one in person.segments(min_seconds=min_seconds, hysteresis=hysteresis, at_least=at_least)
        ]
        return Segments(sorted(found, key=lambda one: (one.start, one.person)))

    def more_than_usual(self, *, by: float = 20.0, min_seconds: float = 1.0) -> Segments:
        """Return where people look more like an emotion than they usually do; see `Person.more_than_usual`."""
        found = [one for person in self.people for one in person.more_than_usual(by=by, min_seconds=min_seconds)]
        return Segments(sorted(found, key=lambda one: (one.start, one.person)))

    def summary(self, *, peak: float = 50.0) -> Summary:
        """Return screen time, shares and peaks of everybody; see `Person.summary`."""
        return Summary(
            people=People(person.summary(peak=peak) for person in self.people),
            faces=sum(len(person.starts) for person in self.people),
            duration_seconds=self.duration_seconds,
        )

    def write_subtitles(self, target: str | os.PathLike[str], *, segments: Iterable[Segment] | None = None) -> None:
        """Write who looks how as subtitles, for players and for programs that cut films; see `results.subtitles`.

        Args:
            target: Where: WebVTT in ``.vtt``, SRT in ``.srt``. It appears when it is whole.
            segments: What is told; left out, :meth:`segments`. :meth:`more_than_usual` gives others.

        Raises:
            InvalidInputError: The name has another suffix, or nothing can be written there.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results.subtitles import write_subtitles

        write_subtitles(target, self.segments() if segments is None else segments)

    def plot(
        self,
        *,
        kind: Literal["lines", "stacked"] = "lines",
        faces: VideoFaces | None = None,
        video: str | os.PathLike[str] | None = None,
        max_people: int = 30,
    ) -> Figure:
        """Draw one row a person; see `rekog_emotion.results.plots.plot_people`."""
        from rekog_emotion.results.plots import plot_people

        return plot_people(self, kind=kind, analysis=faces, video=video, max_people=max_people)


def tracks_of(analysis: VideoFaces, *, max_gap: float | None = None) -> tuple[Track, ...]:
    """Link the faces of an analysis into people."""
    check_from_zero(max_gap=max_gap or 0)
    found: dict[int, list[TimedFace]] = {}
    for number, position in _linked(analysis, max_gap=max_gap):
        found.setdefault(number, []).append(analysis.faces[position])
    return People(
        Track(id=number, faces=Faces(found[number], source=analysis.source, size=analysis.size))
        for number in sorted(found)
    )


def people_of(analysis: VideoFaces) -> list[int | None]:
    """Return who each face of an analysis is, by the ids of its tracks; ``None`` where it is in no track."""
    found: list[int | None] = [None] * len(analysis.faces)
    for number, position in _linked(analysis):
        found[position] = number
    return found


def _linked(analysis: VideoFaces, *, max_gap: float | None = None) -> Iterable[tuple[int, int]]:
    """Return the id of a person with each position of a face that could be linked, by time."""
    check_succeeded(analysis)
    columns = Columns.of(analysis.faces)
    rate = analysis.metadata.frame_rate if analysis.metadata else None
    interval = interval_of(columns.milliseconds, frame_rate=rate)
    ids = link(columns, interval=interval, max_gap=max_gap)
    return zip(ids.tolist(), columns.positions.tolist(), strict=True)


def timeline_of(
    analysis: VideoFaces, *, max_gap: float | None = None, smooth: float = 1.0, causal: bool = False
) -> Timeline:
    """Make the timeline of an analysis."""
    check_succeeded(analysis)
    milliseconds = analysis.metadata.duration_millis if analysis.metadata else None
    return Timeline.of(
        analysis.faces,
        duration_seconds=None if milliseconds is None or milliseconds <= 0 else milliseconds / 1000,
        frame_rate=analysis.metadata.frame_rate if analysis.metadata else None,
        max_gap=max_gap,
        smooth=smooth,
        causal=causal,
    )


def _assemble(
    columns: Columns, ids: NDArray[np.int64], interval: float, duration: float | None, smooth: float, *, causal: bool
) -> Timeline:
    floors = estimate_floors(columns.confidences)
    order = np.lexsort((columns.milliseconds, ids))
    starts, ids = columns.milliseconds[order] / 1000, ids[order]
    steps = np.diff(starts)
    same = np.diff(ids) == 0
    going_on = same & (steps <= interval * TOLERANCE + 1e-9)
    stretches = np.concatenate((np.zeros(min(1, len(ids)), np.int64), np.cumsum(~going_on)))
    ends = (starts + interval).round(MILLISECONDS)
    ends[:-1][going_on] = starts[1:][going_on]
    last = float(starts.max(initial=0.0))
    if duration is not None and duration >= last:
        ends = np.minimum(ends, duration)
    values = smoothed(scores(columns.confidences[order], floors), starts, stretches, smooth, causal=causal)
    bounds = np.flatnonzero(~same) + 1
    edges = [0, *bounds.tolist(), len(ids)] if len(ids) else [0]
    positions = columns.positions[order]
    turns = columns.turns[order]
    facing = np.where(np.isnan(turns).any(axis=1), np.nan, (np.abs(turns) <= FACING).all(axis=1)).astype(np.float32)
    people = People(
        Person(
            id=int(ids[begin]),
            kinds=columns.kinds,
            starts=starts[begin:end],
            ends=ends[begin:end],
            scores=values[begin:end],
            stretches=stretches[begin:end] - stretches[begin],
            positions=positions[begin:end],
            facing=facing[begin:end],
        )
        for begin, end in pairwise(edges)
    )
    return Timeline(
        people=people,
        kinds=columns.kinds,
        floors={kind: round(float(floor), DIGITS) for kind, floor in zip(columns.kinds, floors, strict=True) if floor},
        interval_seconds=interval,
        duration_seconds=max(duration or 0.0, float(ends.max(initial=0.0))),
    )
