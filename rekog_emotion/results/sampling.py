"""Samples in time: how far apart they are, and means over windows of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOLERANCE", "interval_of", "smoothed"]

TOLERANCE: Final = 1.5
"""Of the interval: a longer pause between two samples of a person is a gap."""

_USUAL_INTERVAL: Final = 0.5  # the service's two samples a second
_LONGEST_INTERVAL: Final = 1.0


def interval_of(milliseconds: NDArray[np.int64]) -> float:
    """Return the seconds from one sample to the next.

    Samples without faces are not in an answer, so longer steps are several. The median of the short ones is right for
    any rate, even where rounding to whole frames makes them differ.
    """
    steps = np.diff(np.unique(milliseconds))
    if not len(steps):
        return _USUAL_INTERVAL
    short = steps[steps <= np.quantile(steps, 0.1) * TOLERANCE]
    return min(float(np.median(short)) / 1000, _LONGEST_INTERVAL)


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
