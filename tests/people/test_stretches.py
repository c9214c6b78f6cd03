import numpy as np
import pytest

from rekog_emotion.people.stretches import NO_EMOTION, Run, highest, leading, without_short


def scores(*columns):
    """Give scores of one emotion a column."""
    return np.array(columns, np.float32).T


def stretches(*lengths):
    """Give the numbers of stretches of so many samples."""
    return np.repeat(np.arange(len(lengths)), lengths)


@pytest.mark.parametrize(
    ("rows", "lengths", "expected"),
    [
        (scores([80, 80, 20], [10, 10, 70]), [3], [Run(0, 0, 2), Run(1, 2, 3)]),
        # Another one takes over only when it is higher by ten.
        (scores([50, 45, 40], [40, 50, 55]), [3], [Run(0, 0, 2), Run(1, 2, 3)]),
        (scores([50, 45, 44], [40, 54, 54]), [3], [Run(0, 0, 2), Run(1, 2, 3)]),  # by ten exactly
        # Where none is high enough, none leads, and none has to be overtaken.
        (scores([50, 25, 40], [40, 20, 45]), [3], [Run(0, 0, 1), Run(NO_EMOTION, 1, 2), Run(1, 2, 3)]),
        # After a gap everything begins anew.
        (scores([50, 45, 45], [40, 40, 50]), [2, 1], [Run(0, 0, 2), Run(1, 2, 3)]),
        (scores([80, 80], [10, 10]), [1, 1], [Run(0, 0, 1), Run(0, 1, 2)]),
        (scores([np.nan, 80]), [2], [Run(NO_EMOTION, 0, 1), Run(0, 1, 2)]),
        (np.zeros((2, 0), np.float32), [2], [Run(NO_EMOTION, 0, 2)]),
    ],
)
def test_leading(rows, lengths, expected):
    """Each sample is in one run, and a run ends where another emotion takes over, none leads, or there is a gap."""
    assert leading(rows, stretches(*lengths), hysteresis=10, at_least=30) == expected


@pytest.mark.parametrize(
    ("runs", "lengths", "expected"),
    [
        ([Run(0, 0, 2), Run(1, 2, 3), Run(2, 3, 5)], [5], [Run(0, 0, 3), Run(2, 3, 5)]),
        ([Run(0, 0, 2), Run(1, 2, 3), Run(0, 3, 5)], [5], [Run(0, 0, 5)]),
        ([Run(1, 0, 1), Run(0, 1, 3)], [3], [Run(0, 0, 3)]),
        ([Run(0, 0, 2), Run(1, 2, 3), Run(0, 3, 5)], [2, 1, 2], [Run(0, 0, 2), Run(0, 3, 5)]),
        ([], [0], []),
    ],
)
def test_short_runs_count_to_their_neighbours(runs, lengths, expected):
    """The one before takes a short run, or the one after; over a gap there is no neighbour."""
    starts = np.arange(sum(lengths)) / 2

    assert without_short(runs, starts, starts + 0.5, stretches(*lengths), min_seconds=1) == expected


def test_highest():
    """Each time that a score is over the threshold, and each stretch, has one moment; NaN is over nothing."""
    rows = scores([60, 90, 70, 10, 80, 80], [np.nan, 0, 0, 0, 60, 70])

    assert list(highest(rows, stretches(5, 1), threshold=60)) == [(1, 0), (4, 0), (5, 0), (4, 1), (5, 1)]
