"""Samples in time: how far apart they are, and means over windows of them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOLERANCE", "interval_of", "smoothed", "step_of"]

TOLERANCE: Final = 1.5
"""Of the interval: a longer pause between two samples of a person is a gap."""

_PER_SECOND: Final = 2  # samples of the service and of the embedded engine
_USUAL_INTERVAL: Final = 1 / _PER_SECOND
_LONGEST_INTERVAL: Final = 1.0
_SURE: Final = 5  # steps of one length or a multiple of it, from which on samples are taken to be so far apart
_ROUNDED: Final = 0.01  # of a step, by which such a one may differ


def step_of(frame_rate: float) -> float:
    """Return the seconds that the service's samples of a video are apart at most: sample k is frame floor(k rate / 2).

    Args:
        frame_rate: Frames a second, on average; below two of them every frame is a sample.
    """
    return max(math.ceil(frame_rate / _PER_SECOND), 1) / frame_rate


def interval_of(milliseconds: NDArray[np.int64], *, frame_rate: float | None = None) -> float:
    """Return the seconds from one sample to the next.

    Samples without faces are not in an answer, so longer steps are several. The median of the short ones is right for
    any rate, even where rounding to whole frames makes them differ. Longer than a second it is believed where the rate
    of the frames says so, or, if that is not known, where steps are regular: a face now and then is no time-lapse.

    Args:
        milliseconds: Times of faces.
        frame_rate: Frames a second, on average, as an answer tells it; some tell 0.
    """
    if frame_rate is not None and not 0 < frame_rate < math.inf:
        frame_rate = None
    longest = _LONGEST_INTERVAL if frame_rate is None else max(step_of(frame_rate), _LONGEST_INTERVAL)
    steps = np.diff(np.unique(milliseconds)) / 1000
    if not len(steps):
        return _USUAL_INTERVAL if frame_rate is None else max(1 / frame_rate, _USUAL_INTERVAL)
    short = float(np.median(steps[steps <= np.quantile(steps, 0.1) * TOLERANCE]))
    if frame_rate is None and len(steps) >= _SURE:
        multiples = steps / short
        if (np.abs(multiples - np.rint(multiples)) <= _ROUNDED).all():
            return short
    return min(short, longest)


def smoothed(
    values: NDArray[np.float32],
    starts: NDArray[np.float64],
    stretches: NDArray[np.int64],
    width: float,
    *,
    causal: bool,
) -> NDArray[np.float32]:
    """Average over a window of time within each stretch; unknown values stay so, and take no part."""
    if not values.size or width == 0:
        return values
    # Stretches are moved apart on one axis, so that no window reaches from one into the next.
    apart = float(starts.max() - starts.min()) + 2 * width + 1
    axis = starts - starts.min() + stretches * apart
    slack = 1e-6  # times are whole milliseconds; sums of them are off by less
    first = np.searchsorted(axis, axis - (width if causal else width / 2) - slack)
    after = np.searchsorted(axis, axis + (0.0 if causal else width / 2) + slack)
    smooth = np.empty_like(values)
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        sums = np.concatenate(([0.0], np.cumsum(np.where(known, values[:, column], 0), dtype=np.float64)))
        counts = np.concatenate(([0], np.cumsum(known)))
        many = np.maximum(counts[after] - counts[first], 1)
        smooth[:, column] = np.where(known, (sums[after] - sums[first]) / many, np.nan)
    # Differences of long sums are off by some 1e-7.
    return np.clip(smooth, np.nanmin(values, initial=100), np.nanmax(values, initial=0))
