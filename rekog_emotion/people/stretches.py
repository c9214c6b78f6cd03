"""Find stretches of time in the scores of one person: where one emotion leads, and where one is at its highest.

Rows are samples, in order of time; columns are emotions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_EMOTION", "Run", "highest", "leading", "next_leader", "without_short"]

NO_EMOTION: Final = -1
"""The column of a run in which no emotion leads."""

_ROUNDED: Final = 1e-9  # seconds; sums of times are off by less


class Run(NamedTuple):
    """Samples that follow each other.

    Attributes:
        column: Of the emotion that leads, or :data:`NO_EMOTION`.
        begin: Its first row.
        end: The row after its last one.
    """

    column: int
    begin: int
    end: int


def leading(
    scores: NDArray[np.float32], stretches: NDArray[np.int64], *, hysteresis: float, at_least: float
) -> list[Run]:
    """Return the runs of one leading emotion, which together have all rows.

    Args:
        scores: A row a sample, 0 to 100; NaN where they were not asked for.
        stretches: Number of the stretch that each sample belongs to: no run reaches over its end.
        hysteresis: How much higher another score must be to take over.
        at_least: Below this score no emotion leads.
    """
    count = len(stretches)
    if not scores.shape[1]:
        return [Run(NO_EMOTION, 0, count)]
    known = np.nan_to_num(scores, nan=-1.0)
    tops, heights = known.argmax(axis=1).tolist(), known.max(axis=1).tolist()
    numbers = stretches.tolist()
    runs: list[Run] = []
    column, begin = NO_EMOTION, 0
    for i in range(count):
        going_on = i > 0 and numbers[i] == numbers[i - 1]
        leader = column if going_on else NO_EMOTION
        new = next_leader(tops[i], heights[i], leader, known[i, leader], hysteresis=hysteresis, at_least=at_least)
        if i > 0 and (new != column or not going_on):
            runs.append(Run(column, begin, i))
            begin = i
        column = new
    runs.append(Run(column, begin, count))
    return runs


def next_leader(top: int, score: float, leader: int, of_leader: float, *, hysteresis: float, at_least: float) -> int:
    """Return the column that leads at a sample.

    Args:
        top: The column of the highest score.
        score: That score.
        leader: The column that led at the sample before, or :data:`NO_EMOTION`, as where there is none before.
        of_leader: Its score now.
        hysteresis: How much higher another score must be to take over.
        at_least: Below this score no emotion leads.
    """
    if score < at_least:
        return NO_EMOTION
    return leader if leader != NO_EMOTION and score < of_leader + hysteresis else top


def without_short(
    runs: Iterable[Run],
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    stretches: NDArray[np.int64],
    *,
    min_seconds: float,
) -> list[Run]:
    """Return the runs without short ones: they count to the one before, or the first of a stretch to the one after.

    One that is alone in its stretch is left out.

    Args:
        runs: What :func:`leading` gave.
        starts: Seconds of each sample.
        ends: Seconds until which each sample stands.
        stretches: Number of the stretch that each sample belongs to.
        min_seconds: What is shorter is short.
    """

    def is_short(run: Run) -> bool:
        return bool(ends[run.end - 1] - starts[run.begin] < min_seconds - _ROUNDED)

    merged: list[Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        if last is None or stretches[run.begin] != stretches[last.end - 1]:
            merged.append(run)
        elif run.column == last.column or is_short(run):
            merged[-1] = Run(last.column, last.begin, run.end)
        elif is_short(last):
            merged[-1] = Run(run.column, last.begin, run.end)
        else:
            merged.append(run)
    return [run for run in merged if not is_short(run)]


def highest(
    scores: NDArray[np.float32], stretches: NDArray[np.int64], *, threshold: float
) -> Iterator[tuple[int, int]]:
    """Yield row and column of the highest score of each stretch of time in which one is over a threshold.

    Args:
        scores: A row a sample, 0 to 100; NaN where they were not asked for.
        stretches: Number of the stretch that each sample belongs to.
        threshold: Score that has to be reached.
    """
    with np.errstate(invalid="ignore"):
        high = scores >= threshold
    for column in np.flatnonzero(high.any(axis=0)).tolist():
        rows = np.flatnonzero(high[:, column])
        parted = (np.diff(rows) > 1) | (np.diff(stretches[rows]) > 0)
        for run in np.split(rows, np.flatnonzero(parted) + 1):
            yield int(run[scores[run, column].argmax()]), column
