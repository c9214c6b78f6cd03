"""Link the faces of a video into people: the same person at the next sample, or back after a short while.

Faces of one time and people seen in the last seconds are matched so that the sum of their distances is least
(`scipy.optimize.linear_sum_assignment`). A distance is a sum of squares, each of a difference over what is usual from
one sample to the next: place (in face widths and heights, from where the person was going to), size, the shape of five
landmarks, what stays on a face (gender, age, glasses, beard as the model sees them), roll and brightness. A pair beyond
a limit is none. No face is recognised: nobody who was away for longer than the longest gap is known again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rekog_emotion.errors import MissingExtraError

try:
    from scipy.optimize import linear_sum_assignment
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] != "scipy":
        raise
    what = "Following people over time"
    raise MissingExtraError(what, extra="timeline") from error

if TYPE_CHECKING:
    from rekog_emotion.people.columns import Columns

__all__ = ["LONGEST_GAP", "link"]

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
    if max_gap is None:
        max_gap = max(LONGEST_GAP, _SAMPLES_AWAY * interval)
    ids = np.zeros(len(columns), np.int64)
    if not len(columns):
        return ids
    people = _People(columns, ids, max_gap + interval)
    starts = np.flatnonzero(np.diff(columns.milliseconds, prepend=columns.milliseconds[0] - 1))
    for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(columns)], strict=True):
        people.meet(begin, end)
    return ids


class _People:
    """Who was seen in the last seconds: one row a person in each array."""

    def __init__(self, columns: Columns, ids: NDArray[np.int64], longest: float) -> None:
        self._longest = longest
        self._seconds = columns.milliseconds / 1000
        boxes = columns.boxes.astype(np.float64)
        self._sizes = np.maximum(boxes[:, 2:], 1e-9)
        self._centers = boxes[:, :2] + self._sizes / 2
        self._log_sizes = np.log(self._sizes).mean(axis=1)
        shapes = columns.shapes
        self._shapes = np.where(np.isfinite(shapes), shapes, np.nan)
        self._traits = np.where(np.isfinite(columns.traits), columns.traits, np.nan)
        self._ids = ids
        self._count = 0
        self._last = np.zeros(0, np.int64)  # row of the last face of each
        self._ways = np.zeros((0, 2))  # ratios of the frame a second
        self._known = np.zeros(0, np.bool_)  # whether the way is
        self._typical = np.zeros((0, self._traits.shape[1]), np.float32)

    def meet(self, begin: int, end: int) -> None:
        """Match the faces of one time, from row ``begin`` up to ``end``."""
        now = self._seconds[begin]
        here = now - self._seconds[self._last] <= self._longest + 1e-9
        if not here.all():
            self._last, self._ways = self._last[here], self._ways[here]
            self._known, self._typical = self._known[here], self._typical[here]
        rows = np.arange(begin, end)
        who, which = self._match(rows, now)
        self._update(who, rows[which], now)
        fresh = np.ones(end - begin, np.bool_)
        fresh[which] = False
        self._welcome(rows[fresh])

    def _match(self, rows: NDArray[np.int64], now: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the people that are here again, and which of the faces is theirs."""
        last = self._last
        if not len(last):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        away = now - self._seconds[last]
        expected = self._centers[last] + self._ways * np.minimum(away, _COASTING)[:, None]
        usual = _STILL + np.where(self._known, _DRIFT, _RESTLESS) * away
        scale = np.sqrt(self._sizes[last][:, None] * self._sizes[rows][None]) * usual[:, None, None]
        cost = np.square((expected[:, None] - self._centers[rows][None]) / scale).sum(axis=2)
        cost += np.square((self._log_sizes[last][:, None] - self._log_sizes[rows][None]) / _SIZE)
        who, which = np.nonzero(cost < _LIMIT)
        if not len(who):
            return who, which
        looks = self._differences(who, last[who], rows[which])
        total = cost[who, which] + looks
        cost[:] = _FAR
        cost[who, which] = np.where(total < _LIMIT, total, _FAR)
        who, which = linear_sum_assignment(cost)
        real = cost[who, which] < _FAR
        return who[real], which[real]

    def _differences(
        self, who: NDArray[np.int64], before: NDArray[np.int64], after: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        shape = np.square(self._shapes[before] - self._shapes[after]).mean(axis=1) / _SHAPE**2
        traits = np.square((self._typical[who] - self._traits[after]) / _TRAITS)
        looks: NDArray[np.float64] = np.nan_to_num(np.minimum(shape, _SHAPE_AT_MOST)).astype(np.float64)
        looks += np.nan_to_num(np.minimum(traits, _TRAITS_AT_MOST)).sum(axis=1)
        return looks

    def _update(self, who: NDArray[np.int64], rows: NDArray[np.int64], now: float) -> None:
        last = self._last[who]
        self._ids[rows] = self._ids[last]
        step = (self._centers[rows] - self._centers[last]) / (now - self._seconds[last])[:, None]
        self._ways[who] = np.where(self._known[who][:, None], (self._ways[who] + step) / 2, step)
        self._known[who] = True
        old, new = self._typical[who], self._traits[rows]
        mixed = np.where(np.isnan(new), old, old + _NEW * (new - old))
        self._typical[who] = np.where(np.isnan(old), new, mixed)
        self._last[who] = rows

    def _welcome(self, rows: NDArray[np.int64]) -> None:
        if not len(rows):
            return
        self._ids[rows] = np.arange(self._count + 1, self._count + len(rows) + 1)
        self._count += len(rows)
        self._last = np.concatenate((self._last, rows))
        self._ways = np.concatenate((self._ways, np.zeros((len(rows), 2))))
        self._known = np.concatenate((self._known, np.zeros(len(rows), np.bool_)))
        self._typical = np.concatenate((self._typical, self._traits[rows]))
