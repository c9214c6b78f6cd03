"""Take out what some models of the service say of every face, so that it is not taken for an emotion.

The model of 2022-23 gives SURPRISED at least 6.25, FEAR 5.87 and SAD 2.15 on every face, beside a full score for what
the face shows: on 54 recorded faces the confidences of a face sum to 107 to 152. Those of older and newer models sum to
at most 100 on nearly every face, or are undecided between all emotions (45 each and more). So there are floors to look
for only where even the lowest sums are over 100, and a floor is what nearly every face has of an emotion, and small.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["estimate_floors", "scores"]

_QUANTILE: Final = 0.05  # what is under it may be an outlier
_FULL: Final = 103.0  # confidences of one face sum to less without floors; the lowest sum with them was 107
_HIGHEST: Final = 10.0  # what all faces have more of is what they show, or no decision


def estimate_floors(confidences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the floor of each emotion, 0 where it has none: the 5 % quantile over all faces of an analysis.

    Args:
        confidences: 0 to 100, a row a face and a column an emotion; rows of NaN are left out.
    """
    told = confidences[~np.isnan(confidences).any(axis=1)]
    if not told.size or np.quantile(told.sum(axis=1), _QUANTILE) <= _FULL:
        return np.zeros(confidences.shape[1], np.float32)
    low = np.quantile(told, _QUANTILE, axis=0).astype(np.float32)
    return np.where(low <= _HIGHEST, low, np.float32(0))


def scores(confidences: NDArray[np.float32], floors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much a face looks like each emotion, 0 to 100, together at most 100.

    What is above the floor is stretched back to 0 to 100; where the confidences then sum to more than 100, they share
    it. What a face lacks to 100 stays undecided: one of which little is said does not look like the first of it.
    """
    above = np.clip(confidences - floors, 0, None) * (100 / (100 - floors))
    shared: NDArray[np.float32] = above * (100 / np.maximum(above.sum(axis=1, keepdims=True), 100))
    return np.clip(shared, 0, 100)
