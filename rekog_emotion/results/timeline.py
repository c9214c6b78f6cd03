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

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.people.columns import Columns
from rekog_emotion.people.floors import estimate_floors, scores
from rekog_emotion.people.linking import link
from rekog_emotion.people.sampling import TOLERANCE, interval_of, smoothed
from rekog_emotion.people.stretches import NO_EMOTION, highest, leading, without_short
from rekog_emotion.results.protocols import check_succeeded

import numpy as np  # isort: skip -- columns says which extra brings it
from numpy.typing import NDArray  # isort: skip

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from rekog_emotion.results.video_analysis import TimedFace, VideoAnalysis
    from rekog_emotion.values.words import EmotionType

__all__ = ["Peak", "Person", "PersonSummary", "Segment", "Summary", "Timeline", "Track", "timeline_of", "tracks_of"]


@frozen(kw_only=True)
class Track:
    """The faces of one person, as far as they could be linked; nobody is recognised after a longer absence.

    Attributes:
        id: 1 for who came first; who came together is counted from left to right.
        faces: In order of time, one at a time.
    """

    id: int
    faces: tuple[TimedFace, ...]

    @property
    def start(self) -> float:
        """Seconds of the first face."""
        return self.faces[0].seconds or 0.0

    @property
    def end(self) -> float:
        """Seconds of the last face."""
        return self.faces[-1].seconds or 0.0


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
        return self.end - self.start


@frozen(kw_only=True)
class Peak:
    """The moment at which an emotion is at its highest, within a stretch in which it is high.

    Attributes:
        type: The emotion: how the face looks, not what the person feels.
        seconds: When.
        score: 0 to 100.
    """

    type: EmotionType | str
    seconds: float
    score: float


@frozen(kw_only=True)
class PersonSummary:
    """One person in numbers.

    Attributes:
        id: Id of the person.
        start: Seconds at which the person is first seen.
        end: Seconds until which the person is seen.
        screen_seconds: How long the person is seen; each face counts until the next sample.
        faces: How many faces.
        shares: Mean score of each emotion over the screen time, 0 to 100, the highest first; with ``undecided`` they
            sum to 100. Empty where the emotions were not asked for.
        undecided: What the shares lack to 100; ``None`` where the emotions were not asked for.
        peaks: The highest moments, in order of time.
    """

    id: int
    start: float
    end: float
    screen_seconds: float
    faces: int
    shares: Mapping[EmotionType | str, float]
    undecided: float | None
    peaks: tuple[Peak, ...]

    @property
    def dominant(self) -> EmotionType | str | None:
        """The emotion of the highest share, or ``None`` when there are none."""
        return next(iter(self.shares), None)


@frozen(kw_only=True)
class Summary:
    """A video in numbers.

    Attributes:
        people: One summary a person, by id.
        faces: How many faces have a place in it.
        duration_seconds: Length of the video, or the end of the last face where it is not known.
    """

    people: tuple[PersonSummary, ...]
    faces: int
    duration_seconds: float


@frozen(kw_only=True, eq=False)
class Person:
    """How one person looks over time.

    Attributes:
        id: Id of the person.
        kinds: The emotions of the columns of ``scores``.
        starts: Seconds of each sample.
        ends: Seconds until which each sample stands: to the next one, or where the person is away next, one interval.
        scores: A row a sample, a column an emotion, 0 to 100, together at most 100: above the floors of the model, and
            smoothed. NaN where the emotions were not asked for. How the face looks, not what the person feels.
        stretches: Number of the stretch that each sample belongs to: between two stretches the person is away.
        positions: Which of the faces that the timeline was made of each sample is.
    """

    id: int
    kinds: tuple[EmotionType | str, ...]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    scores: NDArray[np.float32]
    stretches: NDArray[np.int64]
    positions: NDArray[np.int64]

    @property
    def screen_seconds(self) -> float:
        """How long the person is seen."""
        return float((self.ends - self.starts).sum())

    def segments(
        self, *, min_seconds: float = 1.0, hysteresis: float = 10.0, at_least: float = 30.0
    ) -> tuple[Segment, ...]:
        """Return the stretches of one dominant emotion.

        Args:
            min_seconds: A shorter stretch counts to the one before (the first one to the one after); one that has no
                neighbour is left out.
            hysteresis: How much higher another score must be to take over.
            at_least: Below this score no emotion leads.

        Raises:
            InvalidInputError: A number is negative or not finite.
        """
        _check(min_seconds=min_seconds, hysteresis=hysteresis, at_least=at_least)
        runs = leading(self.scores, self.stretches, hysteresis=hysteresis, at_least=at_least)
        runs = without_short(runs, self.starts, self.ends, self.stretches, min_seconds=min_seconds)
        return tuple(
            Segment(
                person=self.id,
                type=self.kinds[column],
                start=float(self.starts[begin]),
                end=float(self.ends[end - 1]),
                score=float(np.nanmean(self.scores[begin:end, column])),
            )
            for column, begin, end in runs
            if column != NO_EMOTION
        )

    def summary(self, *, peak: float = 50.0) -> PersonSummary:
        """Return screen time, shares and peaks.

        Args:
            peak: Score that an emotion must reach for a peak: the highest moment of each stretch of time over it.
        """
        _check(peak=peak)
        told = ~np.isnan(self.scores).any(axis=1) if self.kinds else np.zeros(len(self.starts), np.bool_)
        shares: dict[EmotionType | str, float] = {}
        undecided: float | None = None
        if told.any():
            weights = (self.ends - self.starts)[told]
            # All at one moment, in a video without a length: each counts the same.
            means = np.average(self.scores[told], axis=0, weights=weights if weights.sum() > 0 else None)
            shares = {self.kinds[i]: float(means[i]) for i in np.argsort(-means, kind="stable").tolist()}
            undecided = max(0.0, 100.0 - float(means.sum()))
        peaks = (
            Peak(type=self.kinds[column], seconds=float(self.starts[row]), score=float(self.scores[row, column]))
            for row, column in highest(self.scores, self.stretches, threshold=peak)
        )
        return PersonSummary(
            id=self.id,
            start=float(self.starts[0]),
            end=float(self.ends[-1]),
            screen_seconds=self.screen_seconds,
            faces=len(self.starts),
            shares=shares,
            undecided=undecided,
            peaks=tuple(sorted(peaks, key=lambda one: (one.seconds, -one.score))),
        )


@frozen(kw_only=True, eq=False)
class Timeline:
    """How the people of a video look over time: emotions are how a face looks, not what a person feels.

    Attributes:
        people: By id.
        kinds: The emotions that occur; empty where they were not asked for.
        floors: What the model says of nearly every face, by emotion; taken out of the scores.
        interval_seconds: From one sample to the next.
        duration_seconds: Length of the video, or the end of the last face where it is not known.
    """

    people: tuple[Person, ...]
    kinds: tuple[EmotionType | str, ...]
    floors: Mapping[EmotionType | str, float]
    interval_seconds: float
    duration_seconds: float

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
        _check(max_gap=max_gap or 0, smooth=smooth)
        if duration_seconds is not None:
            _check(duration_seconds=duration_seconds)
        columns = Columns.of(faces)
        interval = interval_of(columns.milliseconds, frame_rate=frame_rate)
        ids = link(columns, interval=interval, max_gap=max_gap)
        return _assemble(columns, ids, interval, duration_seconds, smooth, causal=causal)

    def segments(
        self, *, min_seconds: float = 1.0, hysteresis: float = 10.0, at_least: float = 30.0
    ) -> tuple[Segment, ...]:
        """Return the stretches of one dominant emotion of all people, in order of time; see `Person.segments`."""
        found = [
            one
            for person in self.people
            for one in person.segments(min_seconds=min_seconds, hysteresis=hysteresis, at_least=at_least)
        ]
        return tuple(sorted(found, key=lambda one: (one.start, one.person)))

    def summary(self, *, peak: float = 50.0) -> Summary:
        """Return screen time, shares and peaks of everybody; see `Person.summary`."""
        return Summary(
            people=tuple(person.summary(peak=peak) for person in self.people),
            faces=sum(len(person.starts) for person in self.people),
            duration_seconds=self.duration_seconds,
        )

    def plot(
        self,
        *,
        kind: Literal["lines", "stacked"] = "lines",
        faces: VideoAnalysis | None = None,
        video: str | os.PathLike[str] | None = None,
        max_people: int = 30,
    ) -> Figure:
        """Draw one row a person; see `rekog_emotion.results.plots.plot_people`."""
        from rekog_emotion.results.plots import plot_people  # noqa: PLC0415 -- matplotlib is another extra

        return plot_people(self, kind=kind, analysis=faces, video=video, max_people=max_people)


def tracks_of(analysis: VideoAnalysis, *, max_gap: float | None = None) -> tuple[Track, ...]:
    """Link the faces of an analysis into people."""
    _check(max_gap=max_gap or 0)
    check_succeeded(analysis)
    columns = Columns.of(analysis.faces)
    rate = analysis.metadata.frame_rate if analysis.metadata else None
    interval = interval_of(columns.milliseconds, frame_rate=rate)
    ids = link(columns, interval=interval, max_gap=max_gap)
    found: dict[int, list[TimedFace]] = {}
    for number, position in zip(ids.tolist(), columns.positions.tolist(), strict=True):
        found.setdefault(number, []).append(analysis.faces[position])
    return tuple(Track(id=number, faces=tuple(found[number])) for number in sorted(found))


def timeline_of(analysis: VideoAnalysis, *, max_gap: float | None, smooth: float, causal: bool) -> Timeline:
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
    ends = starts + interval
    ends[:-1][going_on] = starts[1:][going_on]
    last = float(starts.max(initial=0.0))
    if duration is not None and duration >= last:
        ends = np.minimum(ends, duration)
    values = smoothed(scores(columns.confidences[order], floors), starts, stretches, smooth, causal=causal)
    bounds = np.flatnonzero(~same) + 1
    edges = [0, *bounds.tolist(), len(ids)] if len(ids) else [0]
    positions = columns.positions[order]
    people = tuple(
        Person(
            id=int(ids[begin]),
            kinds=columns.kinds,
            starts=starts[begin:end],
            ends=ends[begin:end],
            scores=values[begin:end],
            stretches=stretches[begin:end] - stretches[begin],
            positions=positions[begin:end],
        )
        for begin, end in pairwise(edges)
    )
    return Timeline(
        people=people,
        kinds=columns.kinds,
        floors={kind: float(floor) for kind, floor in zip(columns.kinds, floors, strict=True) if floor},
        interval_seconds=interval,
        duration_seconds=max(duration or 0.0, float(ends.max(initial=0.0))),
    )


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not isinstance(number, Real) or not (math.isfinite(number) and number >= 0):
            msg = f"{name} is {number!r}, and has to be a number from 0 on"
            raise InvalidInputError(msg)
