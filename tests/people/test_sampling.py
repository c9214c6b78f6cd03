import math

import numpy as np
import pytest

from rekog_emotion.people.sampling import interval_of, smoothed, step_of


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [(30, 0.5), (25, 13 / 25), (2, 0.5), (2.5, 0.8), (1.5, 1 / 1.5), (0.2, 5.0), (29.97, 15 / 29.97)],
)
def test_samples_are_half_a_second_apart_or_a_frame(rate, seconds):
    """Rounded up to whole frames; where there are fewer than two a second, each is one."""
    assert step_of(rate) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("milliseconds", "rate", "seconds"),
    [
        # Without steps it is the usual one, or a frame where that is longer.
        ([], None, 0.5),
        ([700, 700], None, 0.5),
        ([700], 30.0, 0.5),
        ([700], 0.2, 5.0),
        ([700], 0.0, 0.5),
        ([700], -0.2, 0.5),
        ([700], math.inf, 0.5),
        # Longer steps are several; the median of the short ones counts.
        ([0, 500, 1000, 3000], None, 0.5),
        ([0, 480, 960, 1480, 2000, 5000], 25.0, 0.5),
        ([0, 500, 1000, 1750], None, 0.5),
        # Up to half as long again is short.
        ([0, 500, *range(1000, 8000, 750)], None, 0.75),
        ([0, 500, *range(1000, 8000, 752)], None, 0.5),
        # Irregular or few, and over a second: somebody was there now and then.
        ([0, 5000, 10000], None, 1.0),
        ([0, 7000, 19000, 20500, 33000, 41000, 60000], None, 1.0),
        ([0, 5000, 10000, 15000, 20000], None, 1.0),
        # Five regular steps, some of which are several, or a rate that says so.
        ([0, 5000, 10000, 15000, 20000, 25000], None, 5.0),
        ([0, 5000, 10000, 20000, 25000, 45000], None, 5.0),
        ([0, 5000, 10000, 20000, 25000, 45100], None, 1.0),
        ([0, 5000, 10000], 0.2, 5.0),
        ([0, 5000, 10000, 15000, 20000, 25000], 30.0, 1.0),
        ([0, 5000, 10000, 15000, 20000, 25000], 0.0, 5.0),
        ([0, 1500, 3000, 4500, 6000], 2 / 3, 1.5),
    ],
)
def test_interval(milliseconds, rate, seconds):
    """The seconds from one sample to the next, of the times of faces."""
    assert interval_of(np.array(milliseconds, np.int64), frame_rate=rate) == pytest.approx(seconds)


def smooth(values, width, *, starts=None, stretches=None, causal=False):
    """Return the means of one emotion, half a second apart unless told."""
    starts = np.arange(len(values)) / 2 if starts is None else np.array(starts, float)
    stretches = np.zeros(len(values), np.int64) if stretches is None else np.array(stretches)
    column = np.array(values, np.float32)[:, None]
    return smoothed(column, starts, stretches, width, causal=causal)[:, 0].tolist()


@pytest.mark.parametrize(
    ("width", "options", "expected"),
    [
        (0, {}, [0, 30, 60, 90]),
        (1, {}, [15, 30, 60, 75]),
        (0.98, {}, [0, 30, 60, 90]),
        (1, {"causal": True}, [0, 15, 30, 60]),
        (0.5, {"causal": True}, [0, 15, 45, 75]),
        (9, {"stretches": [0, 0, 1, 1]}, [15, 15, 75, 75]),
        (9, {"stretches": [0, 0, 1, 1], "starts": [0, 0.5, 0.5, 1]}, [15, 15, 75, 75]),
        (9, {"stretches": [0, 0, 1, 1], "starts": [-7, -6.5, -6, -5.5]}, [15, 15, 75, 75]),
        (0.2, {"stretches": [0, 0, 1, 1], "starts": [0, 0.04, 0.14, 0.18]}, [15, 15, 75, 75]),
        (1, {"starts": [7, 7.5, 8, 8.5]}, [15, 30, 60, 75]),
        (1, {"starts": [-7, -6.5, -6, -5.5]}, [15, 30, 60, 75]),
    ],
)
def test_means_over_a_window(width, options, expected):
    """Half the window lies on either side, or all of it before; none reaches into another stretch."""
    assert smooth([0, 30, 60, 90], width, **options) == pytest.approx(expected)


def test_the_unknown_takes_no_part():
    """It stays unknown, and the mean of the others is that of the others alone."""
    assert smooth([math.nan, 30, 60, math.nan], 9) == pytest.approx([math.nan, 45, 45, math.nan], nan_ok=True)


def test_means_stay_within_what_there_was():
    """However long the sums are, a mean of equal scores is that score."""
    assert smooth([33.3] * 5000, 3, starts=range(5000)) == [float(np.float32(33.3))] * 5000


def test_no_scores_at_all():
    """Emotions that were not asked for need no means."""
    empty = np.zeros((3, 0), np.float32)

    assert smoothed(empty, np.arange(3.0), np.zeros(3, np.int64), 1.0, causal=False) is empty
