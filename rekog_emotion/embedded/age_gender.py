"""Apparent age and gender of faces.

Both say how a face looks to networks that were trained on photographs, not who a person is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.appearance import Look
from rekog_emotion.embedded.expression import chips
from rekog_emotion.embedded.gender import Gender
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, FloatArray, Hardware, Net, sigmoid

__all__ = ["AgeGender", "Apparent", "age_range", "aged", "ageless", "male"]

SIDE, PAD = 112, 0.25  # pixels of face-api's input, and its margin
# Weights of the log odds of our own network, face-api's and dlib's, and an offset: a logistic regression, fitted on
# faces of CelebA, UTKFace (of which face-api's network has seen some) and the London Set, development halves.
WEIGHTS, OFFSET = (0.48, 0.58, 0.34), -0.19
BOUND = 9.2  # of log odds: no network is surer than that
OWN_SHARE = 0.5  # of an age that our own network says; face-api's has the rest
# Both read the old too young: years to add at ages, by a smooth fit on UTKFace's development half.
LEAN_AGES = (0, 10, 20, 30, 40, 50, 60, 70, 85)
LEANS = (0.0, 0.8, 1.3, 1.1, 0.4, 0.3, 0.7, 1.4, 2.0)
OLDEST = 110
# Years down and up from an estimated age. They hold nineteen true ages of twenty of UTKFace's development half; where
# the networks have seen none of a set in training, they are further off, and the service reads people younger.
AGES = (0, 8, 16, 25, 35, 45, 55, 67, 85)
YEARS_DOWN = (1.5, 4, 8, 10.5, 12.5, 13.5, 13, 11.5, 8)
YEARS_UP = (1.5, 4.5, 9, 12, 12, 12, 12.5, 11.5, 8)


@frozen
class Apparent:
    """What a face looks like: age in years, where it is known, and the probability, 0..1, of ``Male``."""

    age: float | None
    male: float


class AgeGender:
    """Apparent age and gender; safe to call from several threads at once.

    Args:
        gender: One of three voices.
        on: What face-api's network runs on.
    """

    FILES: ClassVar = ("faceapi_age_gender",)

    def __init__(self, gender: Gender, *, on: Hardware = ALONE) -> None:
        self._gender = gender
        (self._both,) = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh], looks: Sequence[Look]) -> list[Apparent]:
        """Return one estimate a face.

        Args:
            faces: Faces with their meshes.
            looks: What our own network says of them.
        """
        ages, genders = self._both(chips(faces, SIDE, PAD))
        own = np.array([(look.age, look.flags["Male"]) for look in looks])
        years = aged(own[:, 0], ages[:, 0])
        males = male(own[:, 1], genders[:, 0], self._gender(faces))
        return [Apparent(*one) for one in zip(years.tolist(), males.tolist(), strict=True)]


def ageless(gender: Gender, faces: Sequence[FaceMesh]) -> list[Apparent]:
    """Return what is known of faces whose age no network may tell.

    Args:
        gender: Tells it alone.
        faces: Faces with their meshes.
    """
    return [Apparent(None, likely) for likely in gender(faces).tolist()]


def aged(own: FloatArray, second: FloatArray) -> FloatArray:
    """Return ages in years, one a face, of what two networks say."""
    years = OWN_SHARE * own + (1 - OWN_SHARE) * second
    return np.asarray(years + np.interp(years, LEAN_AGES, LEANS))


def male(own: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Return the probability, 0..1, of ``Male``, one a face.

    Args:
        own: Our own network's log odds.
        second: What face-api's network says, 0..1.
        third: What dlib's says.
    """
    edge = sigmoid(-BOUND)
    odds = [own.clip(-BOUND, BOUND), *(np.log(p / (1 - p)) for p in np.clip((second, third), edge, 1 - edge))]
    return np.asarray(sigmoid(np.dot(WEIGHTS, odds) + OFFSET))


def age_range(age: float) -> dict[str, int]:
    """Return the service's ``AgeRange`` around an estimated age, years."""
    age = max(age, 0.0)
    low = max(0, math.floor(age - float(np.interp(age, AGES, YEARS_DOWN))))
    high = min(OLDEST, math.ceil(age + float(np.interp(age, AGES, YEARS_UP))))
    return {"Low": low, "High": max(low + 1, high)}
