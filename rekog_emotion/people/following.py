"""Follow people while they are filmed: who is there, how they look, and since when, one sample after another.

What comes out at a sample is what a timeline of all samples so far says of its last one, with means over samples before
alone. Here every sample that was looked at is met, be there faces or not: one without a person who was there ends a
stretch, and time in which nobody looked does not, as long as the person is known again. Nothing is kept but what was
seen in the last seconds, and who leads of those who are there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from rekog_emotion.people.columns import Columns
from rekog_emotion.people.floors import estimate_floors, scores
from rekog_emotion.people.linking import Linker
from rekog_emotion.people.stretches import NO_EMOTION, next_leader
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.words import EmotionType

__all__ = ["Follower", "Presence"]

_REMEMBERED: Final = 500  # faces of which the floors of the model are estimated
_HYSTERESIS: Final = 10.0  # as for the segments of a timeline
_AT_LEAST: Final = 30.0
_ROUNDED: Final = 1e-6  # seconds


@frozen(kw_only=True)
class Presence:
    """One person at one moment.

    Attributes:
        position: Which of the faces of the moment it is.
        id: Id of the person, as ``VideoAnalysis.tracks`` gives it for the same samples.
        scores: How much the face looks like each emotion, 0 to 100, together at most 100, highest first: above the
            floors of the model, and averaged with the samples before. Empty where emotions were not asked for.
        leading: The emotion that leads, with some hysteresis; ``None`` where none does.
        since: Seconds since when it leads, or since when none does.
        here_since: Seconds since when the person has been in every sample that was looked at.
    """

    position: int
    id: int
    scores: Mapping[EmotionType | str, float]
    leading: EmotionType | str | None
    since: float
    here_since: float


@define
class _Stretch:
    """What is known of a person who is there."""

    begin: float
    rows: deque[tuple[float, NDArray[np.float32]]] = field(factory=deque)  # confidences, by time
    leader: int = NO_EMOTION
    since: float = 0.0


class Follower:
    """Follows people; memory does not grow with the time.

    Args:
        interval: Seconds from one sample to the next.
        max_gap: Seconds that a person may be away and still be known again; left out, two, or two intervals if longer.
        smooth: Width of the window in seconds whose samples are averaged, over no gap.
    """

    def __init__(self, *, interval: float, max_gap: float | None = None, smooth: float = 1.0) -> None:
        self._linker = Linker(interval=interval, max_gap=max_gap)
        self._smooth = smooth
        self._kinds: list[EmotionType | str] = []
        self._confidences = np.zeros((0, 0), np.float32)  # of the last faces, a row each
        self._here: dict[int, _Stretch] = {}

    def meet(self, faces: Sequence[TimedFace], *, interval: float | None = None) -> list[Presence]:
        """Return who is there; all faces are of one time, later than those before.

        Args:
            faces: Of one sample that was looked at, also where there are none. Those without a box are nobody's.
            interval: Seconds from one sample to the next, where samples are further apart for a while.
        """
        columns = Columns.of(faces)
        if not len(columns):
            self._here.clear()
            return []
        now = float(columns.milliseconds[0]) / 1000
        ids = self._linker.meet(columns, interval=interval)
        self._here = {one: self._here.get(one) or _Stretch(begin=now, since=now) for one in ids.tolist()}
        rows = self._aligned(columns)
        self._confidences = np.concatenate((self._widened(self._confidences), rows))[-_REMEMBERED:]
        floors = estimate_floors(self._confidences)
        return [
            self._presence(int(columns.positions[i]), int(ids[i]), now, rows[i], floors) for i in range(len(columns))
        ]

    def _presence(
        self, position: int, person: int, now: float, row: NDArray[np.float32], floors: NDArray[np.float32]
    ) -> Presence:
        stretch = self._here[person]
        stretch.rows.append((now, row))
        while stretch.rows[0][0] < now - self._smooth - _ROUNDED:
            stretch.rows.popleft()
        mean = self._mean([one for _, one in stretch.rows], floors)
        told = [] if np.isnan(mean).any() else np.argsort(-mean, kind="stable").tolist()
        leader = NO_EMOTION
        if told:
            top, of_leader = told[0], float(mean[stretch.leader])
            leader = next_leader(
                top, float(mean[top]), stretch.leader, of_leader, hysteresis=_HYSTERESIS, at_least=_AT_LEAST
            )
        if leader != stretch.leader:
            stretch.leader, stretch.since = leader, now
        return Presence(
            position=position,
            id=person,
            scores={self._kinds[k]: round(float(mean[k]), 4) for k in told},
            leading=None if leader == NO_EMOTION else self._kinds[leader],
            since=stretch.since,
            here_since=stretch.begin,
        )

    def _mean(self, rows: list[NDArray[np.float32]], floors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean of the scores; unknown ones take no part, and those of an unknown face stay so."""
        values = scores(np.concatenate([self._widened(row[None]) for row in rows]), floors)
        if np.isnan(values[-1]).any() or not values.shape[1]:
            return np.full(values.shape[1], np.nan, np.float32)
        known = values[~np.isnan(values).any(axis=1)]
        mean: NDArray[np.float32] = known.astype(np.float64).mean(axis=0).astype(np.float32)
        return mean

    def _aligned(self, columns: Columns) -> NDArray[np.float32]:
        """Return the confidences with a column for each emotion that was ever told."""
        self._kinds += [kind for kind in columns.kinds if kind not in self._kinds]
        places = [self._kinds.index(kind) for kind in columns.kinds]
        rows = np.zeros((len(columns), len(self._kinds)), np.float32)
        rows[:, places] = columns.confidences
        if not places:
            rows[:] = np.nan
        rows[np.isnan(columns.confidences).any(axis=1)] = np.nan
        return rows

    def _widened(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows with a column for each emotion: what one from before a word turned up says nothing of is 0."""
        missing = len(self._kinds) - rows.shape[1]
        if not missing:
            return rows
        wider = np.pad(rows, ((0, 0), (0, missing)))
        wider[np.isnan(rows).any(axis=1) if rows.shape[1] else slice(None)] = np.nan  # of these nothing was asked for
        return wider
