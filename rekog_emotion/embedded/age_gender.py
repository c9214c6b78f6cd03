"""Apparent age and gender of faces.

Both say how a face looks to networks that were trained on photographs, not who a person is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.expression import chips, mirrored
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import FloatArray, Net, sigmoid

__all__ = ["AgeGender", "Apparent", "age_range"]

SIDE, SMALL_SIDE = 112, 32  # pixels of the two networks' inputs
PADS, FAST_PADS, SMALL_PAD = (0.2, 0.3), (0.25,), 0.2
SMALL_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB, from the network's own preprocessing
# The first network's share of the gender; the second has the rest. Chosen on faces of UTKFace (of which the first
# network has seen some) and CelebA, development halves.
SHARE = 0.6
SURELY_NOT = 1e-4  # floor of that mean: log odds have none
OLDEST = 110
# From that mean to a probability: Platt scaling, fitted on faces of CelebA and UTKFace, development halves.
GENDER_SLOPE, GENDER_OFFSET = 1.925, 0.198
# Years down and up from an estimated age that hold about 84 % of true ages (faces of UTKFace, development half): the
# network reads the old too young.
AGES = (0, 8, 16, 25, 35, 45, 55, 67, 85)
YEARS_DOWN = (1, 2, 3, 5, 8.5, 10.5, 8.5, 7, 3)
YEARS_UP = (1.5, 4.5, 7, 11, 12.5, 12.5, 13, 13.5, 10)


@frozen
class Apparent:
    """What a face looks like: age in years, and the probability, 0..1, of ``Male``."""

    age: float
    male: float


class AgeGender:
    """Apparent age and gender; safe to call from several threads at once.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._both = Net("faceapi_age_gender", threads=threads)
        self._gender = Net("dlib_gender", threads=threads)

    def __call__(self, faces: Sequence[FaceMesh], *, fast: bool = False) -> list[Apparent]:
        """Return one estimate a face: means over crops, mirror images and, for gender, two networks.

        Args:
            faces: Faces with their meshes.
            fast: One crop a face instead of two.
        """
        pads = FAST_PADS if fast else PADS
        age, gender = self._both(np.concatenate([mirrored(chips(faces, SIDE, pad)) for pad in pads]))
        small = (mirrored(chips(faces, SMALL_SIDE, SMALL_PAD)) - SMALL_MEAN) / 256
        (second,) = self._gender(small.transpose(0, 3, 1, 2))
        ages = _by_face(age[:, 0], len(faces))
        males = SHARE * _by_face(gender[:, 0], len(faces)) + (1 - SHARE) * _by_face(second[:, 1], len(faces))
        males = sigmoid(
            GENDER_SLOPE * np.log(np.clip(males, SURELY_NOT, 1) / np.clip(1 - males, SURELY_NOT, 1)) + GENDER_OFFSET
        )
        return [Apparent(float(a), float(m)) for a, m in zip(ages, males, strict=True)]


def _by_face(values: FloatArray, faces: int) -> FloatArray:
    return np.asarray(values.reshape(-1, faces).mean(0))


def age_range(age: float) -> dict[str, int]:
    """Return the service's ``AgeRange`` around an estimated age, years."""
    age = max(age, 0.0)
    low = max(0, math.floor(age - float(np.interp(age, AGES, YEARS_DOWN))))
    high = min(OLDEST, math.ceil(age + float(np.interp(age, AGES, YEARS_UP))))
    return {"Low": low, "High": max(low + 1, high)}
