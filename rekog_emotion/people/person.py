"""A person of a video: where, when, and how the face looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import numpy as np
from attrs import cmp_using, field, frozen
from numpy.typing import NDArray

from rekog_emotion.people.segments import MILLISECONDS, Segment, Segments
from rekog_emotion.people.showing import summary_html, track_html
from rekog_emotion.people.stretches import NO_EMOTION, highest, leading, without_short
from rekog_emotion.people.tables import Cells, Tabular
from rekog_emotion.values.listing import Listing, counted
from rekog_emotion.values.numbers import check_from_zero
from rekog_emotion.values.telling import listed, told_faces
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.wording import word
from rekog_emotion.values.words import EmotionType

__all__ = [
    "DIGITS",
    "MILLISECONDS",
    "Peak",
    "People",
    "Person",
    "PersonSummary",
    "Segment",
    "Segments",
    "Summary",
    "Track",
    "number_of_people",
]

T_co = TypeVar("T_co", covariant=True)

_SOME: Final = 3  # of several people whose looks are told
_SOMETHING: Final = 1e-3  # of a score; what is above the usual by nothing is usual
DIGITS: Final = 4
"""Decimals of scores, which are kept in single precision: what is beyond them is noise."""


def number_of_people(people: tuple[Person | PersonSummary, ...]) -> str:
    """Say in a repr how many people there are, and how the first ones look."""
    heading = counted(len(people), "person", "people")
    return listed(heading, (one._looks() for one in people[:_SOME]), left=len(people) - _SOME)  # noqa: SLF001 -- of this room


class People(Listing, tuple[T_co, ...]):
    """People of a video, by id: tracks, summaries or how they look over time; in all else a tuple."""

    __slots__ = ()

    _one, _many = "person", "people"


@frozen(kw_only=True)
class Track:
    """The faces of one person, as far as they could be linked; nobody is recognised after a longer absence.

    Attributes:
        id: 1 for who came first; who came together is counted from left to right.
        faces: In order of time, one at a time.
    """

    id: int
    faces: tuple[TimedFace, ...] = field(repr=told_faces)

    def _repr_html_(self) -> str:
        """What a notebook shows: how a face looks, not what a person feels."""
        return track_html(self, self.faces)

    @property
    def start(self) -> float:
        """Seconds of the first face."""
        return self.faces[0].seconds or 0.0

    @property
    def end(self) -> float:
        """Seconds of the last face."""
        return self.faces[-1].seconds or 0.0


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
        facing_camera: Percent of the screen time at which the face is turned to the camera, as `Pose.faces_camera`
            tells; ``None`` where no pose is known.
    """

    id: int
    start: float
    end: float
    screen_seconds: float
    faces: int
    shares: Mapping[EmotionType | str, float] = field(hash=False)
    undecided: float | None
    peaks: tuple[Peak, ...] = field(repr=lambda peaks: f"<{counted(len(peaks), 'peak', 'peaks')}>")
    facing_camera: float | None = None

    @property
    def dominant(self) -> EmotionType | str | None:
        """The emotion of the highest share, or ``None`` when there are none."""
        return next(iter(self.shares), None)

    def _looks(self) -> str:
        return "" if self.dominant is None else f"{word(self.dominant)} {self.shares[self.dominant]:.0f}"


@frozen(kw_only=True)
class Summary(Tabular):
    """A video in numbers; as a table, a row a person.

    Its columns are those of :class:`PersonSummary`, ``share_happy`` and so on, the share of each emotion that the
    service knows, and ``facing_camera``.

    Attributes:
        people: One summary a person, by id.
        faces: How many faces have a place in it.
        duration_seconds: Length of the video, or the end of the last face where it is not known.
    """

    people: tuple[PersonSummary, ...] = field(repr=number_of_people)
    faces: int
    duration_seconds: float

    def _repr_html_(self) -> str:
        """What a notebook shows: how faces look, not what people feel."""
        return summary_html(self)

    def _table(self) -> Sequence[Cells]:
        of = self.people
        return (
            ("person", int, [one.id for one in of]),
            ("dominant", str, [None if one.dominant is None else str(one.dominant) for one in of]),
            ("start", float, [one.start for one in of]),
            ("end", float, [one.end for one in of]),
            ("screen_seconds", float, [one.screen_seconds for one in of]),
            ("faces", int, [one.faces for one in of]),
            ("undecided", float, [one.undecided for one in of]),
            *((f"share_{kind.lower()}", float, [one.shares.get(kind) for one in of]) for kind in EmotionType),
            ("facing_camera", float, [one.facing_camera for one in of]),
        )


def _same(one: NDArray[np.generic] | None, other: NDArray[np.generic] | None) -> bool:
    """Tell whether arrays hold the same; what is not known is equal to what is not known."""
    return one is other or (one is not None and other is not None and np.array_equal(one, other, equal_nan=True))


_SAME: Final = cmp_using(eq=_same)


@frozen(kw_only=True, repr=False)
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
        facing: 1 where the face is turned to the camera, 0 where it is not, NaN where the pose is not known; ``None``
            where nothing is.
    """

    id: int
    kinds: tuple[EmotionType | str, ...]
    starts: NDArray[np.float64] = field(eq=_SAME, hash=False)
    ends: NDArray[np.float64] = field(eq=_SAME, hash=False)
    scores: NDArray[np.float32] = field(eq=_SAME, hash=False)
    stretches: NDArray[np.int64] = field(eq=_SAME, hash=False)
    positions: NDArray[np.int64] = field(eq=_SAME, hash=False)
    facing: NDArray[np.float32] | None = field(default=None, eq=_SAME, hash=False)

    def __repr__(self) -> str:
        """Return who it is and how the face looks, since the scores are longer than a screen."""
        begin, end = (f"{float(self.starts[0]):.1f}", f"{float(self.ends[-1]):.1f}") if len(self.starts) else ("", "")
        looks = f", {self._looks()}" if self._looks() else ""
        return f"<person {self.id}: {counted(len(self.starts), 'sample', 'samples')} from {begin} to {end} s{looks}>"

    @property
    def screen_seconds(self) -> float:
        """How long the person is seen."""
        return round(float((self.ends - self.starts).sum()), MILLISECONDS)

    def segments(self, *, min_seconds: float = 1.0, hysteresis: float = 10.0, at_least: float = 30.0) -> Segments:
        """Return the stretches of one dominant emotion.

        Args:
            min_seconds: A shorter stretch counts to the one before (the first one to the one after); one that has no
                neighbour is left out.
            hysteresis: How much higher another score must be to take over.
            at_least: Below this score no emotion leads.

        Raises:
            InvalidInputError: A number is negative or not finite.
        """
        check_from_zero(min_seconds=min_seconds, hysteresis=hysteresis, at_least=at_least)
        return self._segments(self.scores, min_seconds=min_seconds, hysteresis=hysteresis, at_least=at_least)

    def _looks(self) -> str:
        return self.summary()._looks() if len(self.starts) else ""  # noqa: SLF001 -- of this room

    def usual(self) -> Mapping[EmotionType | str, float]:
        """Return the score that each emotion has half of the time: what is usual of this face, by the emotion.

        Some faces look sad or stern at rest. Empty where the emotions were not asked for.
        """
        told = self._told()
        if not told.any():
            return {}
        medians = np.median(self.scores[told], axis=0)
        return {kind: _score(median) for kind, median in zip(self.kinds, medians, strict=True)}

    def more_than_usual(self, *, by: float = 20.0, min_seconds: float = 1.0) -> Segments:
        """Return the stretches in which the person looks more like an emotion than usual: how a face looks for once.

        Args:
            by: How much higher than in :meth:`usual` a score must be. Of several the one that is highest above leads.
            min_seconds: As for :meth:`segments`.

        Returns:
            Segments whose ``score`` is the mean score itself, not what it is above.

        Raises:
            InvalidInputError: A number is negative or not finite.
        """
        check_from_zero(by=by, min_seconds=min_seconds)
        usual = self.usual()
        if not usual:
            return Segments()
        above = self.scores - np.array([usual[kind] for kind in self.kinds], np.float32)
        return self._segments(above, min_seconds=min_seconds, hysteresis=0, at_least=max(by, _SOMETHING))

    def _told(self) -> NDArray[np.bool_]:
        """Tell of which samples the emotions are known."""
        if not self.kinds:
            return np.zeros(len(self.starts), np.bool_)
        return np.asarray(~np.isnan(self.scores).any(axis=1))

    def _segments(
        self, values: NDArray[np.float32], *, min_seconds: float, hysteresis: float, at_least: float
    ) -> Segments:
        runs = leading(values, self.stretches, hysteresis=hysteresis, at_least=at_least)
        runs = without_short(runs, self.starts, self.ends, self.stretches, min_seconds=min_seconds)
        return Segments(
            Segment(
                person=self.id,
                type=self.kinds[column],
                start=float(self.starts[begin]),
                end=float(self.ends[end - 1]),
                score=_score(np.nanmean(self.scores[begin:end, column])),
            )
            for column, begin, end in runs
            if column != NO_EMOTION
        )

    def summary(self, *, peak: float = 50.0) -> PersonSummary:
        """Return screen time, shares and peaks.

        Args:
            peak: Score that an emotion must reach for a peak: the highest moment of each stretch of time over it.
        """
        check_from_zero(peak=peak)
        told = self._told()
        shares: dict[EmotionType | str, float] = {}
        undecided: float | None = None
        if told.any():
            weights = (self.ends - self.starts)[told]
            # All at one moment, in a video without a length: each counts the same.
            means = np.average(self.scores[told], axis=0, weights=weights if weights.sum() > 0 else None)
            shares = {self.kinds[i]: _score(means[i]) for i in np.argsort(-means, kind="stable").tolist()}
            undecided = max(0.0, _score(100.0 - means.sum()))
        peaks = (
            Peak(type=self.kinds[column], seconds=float(self.starts[row]), score=_score(self.scores[row, column]))
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
            facing_camera=self._facing_camera(),
        )

    def _facing_camera(self) -> float | None:
        known = np.zeros(0, np.bool_) if self.facing is None else ~np.isnan(self.facing)
        if self.facing is None or not known.any():
            return None
        weights = (self.ends - self.starts)[known]
        return _score(100 * np.average(self.facing[known], weights=weights if weights.sum() > 0 else None))


def _score(number: np.floating) -> float:
    return round(float(number), DIGITS)
