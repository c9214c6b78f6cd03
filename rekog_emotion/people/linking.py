"""Link the faces of a video into people: the same person at the next sample, or back after a short while.

Faces of one time and people seen in the last seconds are matched so that the sum of their distances is least
(`scipy.optimize.linear_sum_assignment`). A distance is a sum of squares, each of a difference over what is usual from
one sample to the next: place (in face widths and heights, from where the person was going to), size, the shape of five
landmarks, what stays on a face (gender, age, glasses, beard as the model sees them), roll and brightness. A pair beyond
a limit is none. No face is recognised: nobody who was away for longer than the longest gap is known again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rekog_emotion.errors import needs
from rekog_emotion.people.columns import SHAPE, TRAITS

with needs("timeline", "Following people over time"):
    from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from rekog_emotion.people.columns import Columns

__all__ = ["LONGEST_GAP", "Linker", "link"]

LONGEST_GAP: Final = 2.0
"""Seconds that a person may be away and still be known again, where samples are at most a second apart."""
_SAMPLES_AWAY: Final = 2  # where they are further apart

# What is usual, found on clips with known people (docs/explanation/timelines.md has the figures and the command).
_STILL: Final = 0.5  # of a face: how far a prediction is off at once
_DRIFT: Final = 1.2  # faces a second: how fast it gets worse
_RESTLESS: Final = 2.0  # the same for somebody just seen for the first time, whose way is not known
_SIZE: Final = 0.35  # of the logarithm of the size
_SHAPE: Final = 0.03  # of the box, root mean square over the landmarks
_TRAITS: Final = np.array([0.7, 12.0, 0.9, 0.9, 1.2, 1.2, 6.0, 9.0], np.float32)
_TRAITS_AT_MOST: Final = np.array([6.0, 6.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0], np.float32)
_SHAPE_AT_MOST: Final = 8.0
_LIMIT: Final = 9.0  # the sum from which on two faces are two people
_FAR: Final = 1e6
# Weight of the newest face in what is known of a person's traits; roll and brightness are those of the last one.
_NEW: Final = np.array([0.3] * 6 + [1.0, 1.0], np.float32)
_COASTING: Final = 1.0  # seconds for which somebody who is away is taken to go on


def link(columns: Columns, *, interval: float, max_gap: float | None = None) -> NDArray[np.int64]:
    """Return the number of the person of each face: 1 for who came first, those who came together left to right.

    Args:
        columns: The faces.
        interval: Seconds from one sample to the next, which a face counts.
        max_gap: Seconds that a person may be away and still be known again; left out, two, or two intervals if longer.
    """
    linker = Linker(interval=interval, max_gap=max_gap)
    ids = np.zeros(len(columns), np.int64)
    if len(columns):
        faces = _faces_of(columns)
        starts = np.flatnonzero(np.diff(columns.milliseconds, prepend=columns.milliseconds[0] - 1))
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(columns)], strict=True):
            ids[begin:end] = linker._meet(faces[begin:end])  # noqa: SLF001 -- of this room
    return ids


# What is compared of a face: the columns of a table, since one array is taken apart and put together faster than ten.
_SECONDS: Final = 0
_CENTER: Final = slice(1, 3)
_SIDES: Final = slice(3, 5)
_LOG_SIZE: Final = 5
_POINTS: Final = slice(6, 6 + 2 * len(SHAPE))
_LOOKS: Final = slice(_POINTS.stop, _POINTS.stop + len(TRAITS))
# And what is known of a person beside the last face.
_ID: Final = _LOOKS.stop
_KNOWN: Final = _ID + 1  # whether the way is
_WAY: Final = slice(_KNOWN + 1, _KNOWN + 3)  # ratios of the frame a second
_TYPICAL: Final = slice(_WAY.stop, _WAY.stop + len(TRAITS))

_Table: TypeAlias = NDArray[np.float64]


def _faces_of(columns: Columns) -> _Table:
    faces = np.empty((len(columns), _ID))
    faces[:, _SECONDS] = columns.milliseconds / 1000
    faces[:, _SIDES] = np.maximum(columns.boxes[:, 2:].astype(np.float64), 1e-9)
    faces[:, _CENTER] = columns.boxes[:, :2] + faces[:, _SIDES] / 2
    faces[:, _LOG_SIZE] = np.log(faces[:, _SIDES]).mean(axis=1)
    faces[:, _POINTS] = np.where(np.isfinite(columns.shapes), columns.shapes, np.nan)
    faces[:, _LOOKS] = np.where(np.isfinite(columns.traits), columns.traits, np.nan)
    return faces


class Linker:
    """Gives faces the numbers of people, one time after another; it keeps whom it saw in the last seconds, no more.

    Args:
        interval: Seconds from one sample to the next, which a face counts.
        max_gap: As of :func:`link`.
    """

    def __init__(self, *, interval: float, max_gap: float | None = None) -> None:
        self._interval, self._max_gap = interval, max_gap
        self._count = 0
        self._people: _Table = np.empty((0, _TYPICAL.stop))  # who was seen in the last seconds

    def meet(self, columns: Columns, *, interval: float | None = None) -> NDArray[np.int64]:
        """Return the number of the person of each face; all are of one time, later than those before.

        Args:
            columns: The faces.
            interval: Seconds from one sample to the next, where samples are further apart for a while.
        """
        return self._meet(_faces_of(columns), interval)

    def _longest(self, interval: float | None) -> float:
        """Return the seconds from a face to the next one of somebody who is known again."""
        interval = max(self._interval, interval or 0.0)
        max_gap = max(LONGEST_GAP, _SAMPLES_AWAY * interval) if self._max_gap is None else self._max_gap
        return max_gap + interval

    def _meet(self, faces: _Table, interval: float | None = None) -> NDArray[np.int64]:
        ids = np.zeros(len(faces), np.int64)
        fresh = np.ones(len(faces), np.bool_)
        if len(self._people) and len(faces):
            now = float(faces[0, _SECONDS])
            here = now - self._people[:, _SECONDS] <= self._longest(interval) + 1e-9
            if not here.all():
                self._people = self._people[here]
            who, which = self._match(faces, now)
            if len(who):
                ids[which], fresh[which] = self._people[who, _ID], False
                self._update(who, faces[which])
        if fresh.any():
            ids[fresh] = self._welcome(faces[fresh])
        return ids

    def _match(self, faces: _Table, now: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the people that are here again, and which of the faces is theirs."""
        people = self._people
        if not len(people):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        away = now - people[:, _SECONDS]
        expected = people[:, _CENTER] + people[:, _WAY] * np.minimum(away, _COASTING)[:, None]
        usual = _STILL + np.where(people[:, _KNOWN], _DRIFT, _RESTLESS) * away
        scale = np.sqrt(people[:, None, _SIDES] * faces[None, :, _SIDES]) * usual[:, None, None]
        cost = np.square((expected[:, None] - faces[None, :, _CENTER]) / scale).sum(axis=2)
        cost += np.square((people[:, None, _LOG_SIZE] - faces[None, :, _LOG_SIZE]) / _SIZE)
        who, which = np.nonzero(cost < _LIMIT)
        if not len(who):
            return who, which
        total = cost[who, which] + _differences(people[who], faces[which])
        if len(who) == 1:  # nothing to choose from
            real = total < _LIMIT
            return who[real], which[real]
        cost[:] = _FAR
        cost[who, which] = np.where(total < _LIMIT, total, _FAR)
        who, which = linear_sum_assignment(cost)
        real = cost[who, which] < _FAR
        return who[real], which[real]

    def _update(self, who: NDArray[np.int64], faces: _Table) -> None:
        people = self._people[who]
        step = (faces[:, _CENTER] - people[:, _CENTER]) / (faces[:, _SECONDS] - people[:, _SECONDS])[:, None]
        ways = people[:, _WAY]
        people[:, _WAY] = np.where(people[:, _KNOWN, None], (ways + step) / 2, step)
        people[:, _KNOWN] = True
        old, new = people[:, _TYPICAL], faces[:, _LOOKS]
        mixed = np.where(np.isnan(new), old, old + _NEW * (new - old))
        people[:, _TYPICAL] = np.where(np.isnan(old), new, mixed)
        people[:, :_ID] = faces
        self._people[who] = people

    def _welcome(self, faces: _Table) -> NDArray[np.int64]:
        ids = np.arange(self._count + 1, self._count + len(faces) + 1)
        self._count += len(faces)
        people = np.zeros((len(faces), _TYPICAL.stop))
        people[:, :_ID], people[:, _ID], people[:, _TYPICAL] = faces, ids, faces[:, _LOOKS]
        self._people = np.concatenate((self._people, people))
        return ids


def _differences(people: _Table, faces: _Table) -> NDArray[np.float64]:
    """Return how much the looks of people and faces differ, pair by pair."""
    shape = np.square(people[:, _POINTS] - faces[:, _POINTS]).sum(axis=1) / (2 * len(SHAPE) * _SHAPE**2)
    looks: NDArray[np.float64] = np.minimum(shape, _SHAPE_AT_MOST)
    traits = np.minimum(np.square((people[:, _TYPICAL] - faces[:, _LOOKS]) / _TRAITS), _TRAITS_AT_MOST)
    # What is not known of either makes no difference.
    looks[np.isnan(looks)] = 0.0
    traits[np.isnan(traits)] = 0.0
    looks += traits.sum(axis=1)
    return looks
