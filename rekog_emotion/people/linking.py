"""Link the faces of a video into people: the same person at the next sample, or back after a short while.

Faces of one time and people seen in the last seconds are matched so that the sum of their distances is least
(`scipy.optimize.linear_sum_assignment`). A distance is a sum of squares, each of a difference over what is usual from
one sample to the next: place (in face widths and heights, from where the person was going to), size, the shape of five
landmarks, what stays on a face (gender, age, glasses, beard as the model sees them), roll and brightness. A pair beyond
a limit is none. No face is recognised: nobody who was away for longer than the longest gap is known again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from rekog_emotion.errors import needs
from rekog_emotion.people.columns import TRAITS

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
        faces = _Faces.of(columns)
        starts = np.flatnonzero(np.diff(columns.milliseconds, prepend=columns.milliseconds[0] - 1))
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(columns)], strict=True):
            ids[begin:end] = linker._meet(faces.some(slice(begin, end)))  # noqa: SLF001 -- of this room
    return ids


@define(eq=False)
class _Faces:
    """What is compared of n faces, a row each."""

    seconds: NDArray[np.float64]
    sizes: NDArray[np.float64]
    centers: NDArray[np.float64]
    log_sizes: NDArray[np.float64]
    shapes: NDArray[np.float32]
    traits: NDArray[np.float32]

    @classmethod
    def of(cls, columns: Columns) -> _Faces:
        boxes = columns.boxes.astype(np.float64)
        sizes = np.maximum(boxes[:, 2:], 1e-9)
        return cls(
            seconds=columns.milliseconds / 1000,
            sizes=sizes,
            centers=boxes[:, :2] + sizes / 2,
            log_sizes=np.log(sizes).mean(axis=1),
            shapes=np.where(np.isfinite(columns.shapes), columns.shapes, np.nan),
            traits=np.where(np.isfinite(columns.traits), columns.traits, np.nan),
        )

    def some(self, which: slice | NDArray[Any]) -> _Faces:
        """Return some of them."""
        return _Faces(*(column[which] for column in self._columns()))

    def put(self, rows: NDArray[np.int64], others: _Faces) -> None:
        """Write others over rows."""
        for column, new in zip(self._columns(), others._columns(), strict=True):
            column[rows] = new

    def __add__(self, others: _Faces) -> _Faces:
        """Return both, one after the other."""
        return _Faces(*(map(np.concatenate, zip(self._columns(), others._columns(), strict=True))))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.seconds, self.sizes, self.centers, self.log_sizes, self.shapes, self.traits


class Linker:
    """Gives faces the numbers of people, one time after another; it keeps whom it saw in the last seconds, no more.

    Args:
        interval: Seconds from one sample to the next, which a face counts.
        max_gap: As of :func:`link`.
    """

    def __init__(self, *, interval: float, max_gap: float | None = None) -> None:
        if max_gap is None:
            max_gap = max(LONGEST_GAP, _SAMPLES_AWAY * interval)
        self._longest = max_gap + interval
        self._count = 0
        # Who was seen in the last seconds: one row a person in each array.
        self._ids = np.zeros(0, np.int64)
        self._last: _Faces | None = None  # the last face of each; nothing before the first face of all
        self._ways = np.zeros((0, 2))  # ratios of the frame a second
        self._known = np.zeros(0, np.bool_)  # whether the way is
        self._typical = np.zeros((0, len(TRAITS)), np.float32)

    def meet(self, columns: Columns) -> NDArray[np.int64]:
        """Return the number of the person of each face; all are of one time, later than those before."""
        return self._meet(_Faces.of(columns))

    def _meet(self, faces: _Faces) -> NDArray[np.int64]:
        ids = np.zeros(len(faces.seconds), np.int64)
        fresh = np.ones(len(ids), np.bool_)
        if self._last is not None and len(ids):
            now = float(faces.seconds[0])
            here = now - self._last.seconds <= self._longest + 1e-9
            if not here.all():
                self._last, self._ids, self._ways = self._last.some(here), self._ids[here], self._ways[here]
                self._known, self._typical = self._known[here], self._typical[here]
            who, which = self._match(self._last, faces, now)
            ids[which], fresh[which] = self._ids[who], False
            self._update(self._last, who, faces.some(which))
        if fresh.any():
            ids[fresh] = self._welcome(faces.some(fresh))
        return ids

    def _match(self, last: _Faces, faces: _Faces, now: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the people that are here again, and which of the faces is theirs."""
        if not len(last.seconds):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        away = now - last.seconds
        expected = last.centers + self._ways * np.minimum(away, _COASTING)[:, None]
        usual = _STILL + np.where(self._known, _DRIFT, _RESTLESS) * away
        scale = np.sqrt(last.sizes[:, None] * faces.sizes[None]) * usual[:, None, None]
        cost = np.square((expected[:, None] - faces.centers[None]) / scale).sum(axis=2)
        cost += np.square((last.log_sizes[:, None] - faces.log_sizes[None]) / _SIZE)
        who, which = np.nonzero(cost < _LIMIT)
        if not len(who):
            return who, which
        total = cost[who, which] + self._differences(last, faces, who, which)
        cost[:] = _FAR
        cost[who, which] = np.where(total < _LIMIT, total, _FAR)
        who, which = linear_sum_assignment(cost)
        real = cost[who, which] < _FAR
        return who[real], which[real]

    def _differences(
        self, last: _Faces, faces: _Faces, who: NDArray[np.int64], which: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        shape = np.square(last.shapes[who] - faces.shapes[which]).mean(axis=1) / _SHAPE**2
        traits = np.square((self._typical[who] - faces.traits[which]) / _TRAITS)
        looks: NDArray[np.float64] = np.nan_to_num(np.minimum(shape, _SHAPE_AT_MOST)).astype(np.float64)
        looks += np.nan_to_num(np.minimum(traits, _TRAITS_AT_MOST)).sum(axis=1)
        return looks

    def _update(self, last: _Faces, who: NDArray[np.int64], faces: _Faces) -> None:
        step = (faces.centers - last.centers[who]) / (faces.seconds - last.seconds[who])[:, None]
        self._ways[who] = np.where(self._known[who][:, None], (self._ways[who] + step) / 2, step)
        self._known[who] = True
        old, new = self._typical[who], faces.traits
        mixed = np.where(np.isnan(new), old, old + _NEW * (new - old))
        self._typical[who] = np.where(np.isnan(old), new, mixed)
        last.put(who, faces)

    def _welcome(self, faces: _Faces) -> NDArray[np.int64]:
        count = len(faces.seconds)
        ids = np.arange(self._count + 1, self._count + count + 1)
        self._count += count
        self._last = faces if self._last is None else self._last + faces
        self._ids = np.concatenate((self._ids, ids))
        self._ways = np.concatenate((self._ways, np.zeros((count, 2))))
        self._known = np.concatenate((self._known, np.zeros(count, np.bool_)))
        self._typical = np.concatenate((self._typical, faces.traits))
        return ids
