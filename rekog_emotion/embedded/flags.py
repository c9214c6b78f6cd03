"""The yes-or-no members of a face: calibrated on labelled faces, and such that they do not contradict each other.

All probabilities go through one form: a logistic regression on the log odds of what the networks and the mesh say.
It was fitted on the development half of CelebA's test people (1513 faces); docs/models/attributes.md has its figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from rekog_emotion.embedded.attributes import Shape
from rekog_emotion.embedded.nets import sigmoid

__all__ = ["Evidence", "flag", "flags", "log_odds"]

# Bias, and the weight of each piece of evidence: log odds, but for ``corners``, the coefficient of the mouth's corners.
FITS: Mapping[str, Mapping[str, float]] = {
    "Smile": {"bias": -0.217, "Smile": 0.505, "corners": 1.542, "HAPPY": 0.633},
    "MouthOpen": {"bias": -0.351, "MouthOpen": 0.691, "lips": 0.16},
    "Beard": {"bias": -0.22, "Beard": 0.806, "Mustache": 0.276, "Male": 0.256},
    "Mustache": {"bias": -1.938, "Mustache": 0.886, "Male": 0.196},
}
# The same for Sunglasses, fitted on 129 pictures of people who wear them and on 1413 faces of CelebA without glasses;
# the network alone misses tinted lenses.
SHADED_BIAS, SHADED = 2.224, 0.673
# What an attribute that something hides is: as frequent as among the faces of the fit.
FREQUENCY = {"Beard": 0.17, "Mustache": 0.04, "Smile": 0.47, "MouthOpen": 0.47}
# From this probability of a cover on, it hides the lower face; beards alone come out below.
HIDES = 0.9
CERTAIN = 7.0  # bound of log odds that are not the attribute network's own


@frozen(kw_only=True)
class Evidence:
    """What is known of a face's attributes, all probabilities 0..1.

    Attributes:
        likely: The attribute network's, by name.
        form: Those of the mesh's shape.
        smile: The coefficient of the corners of the mouth.
        happy: Of ``HAPPY``.
        male: Of ``Male``.
        covered: That the picture's edge or another colour hides a part.
    """

    likely: Mapping[str, float]
    form: Shape
    smile: float
    happy: float
    male: float
    covered: float


def log_odds(probability: float, bound: float = 14.0) -> float:
    """Return the logarithm of the odds of a probability, 0..1, at most ``bound`` either way."""
    edge = float(sigmoid(-bound))
    probability = min(1 - edge, max(edge, probability))
    return math.log(probability / (1 - probability))


def flag(probability: float) -> dict[str, Any]:
    """Return a yes-or-no member; its confidence is that of the value, be it true or false."""
    return {"Value": probability >= 0.5, "Confidence": 100 * max(probability, 1 - probability)}  # noqa: PLR2004 -- even odds


def flags(seen: Evidence) -> dict[str, dict[str, Any]]:
    """Return the service's yes-or-no members by name.

    Sunglasses are eyeglasses, cover the face, and leave open what the eyes do; a smile follows ``HAPPY``; where the
    lower face is hidden, beard, moustache, smile and open mouth are as frequent as on other faces.
    """
    likely = seen.likely
    evidence = {name: log_odds(likely[name]) for name in FITS} | {
        "bias": 1.0,
        "corners": seen.smile,
        "HAPPY": log_odds(seen.happy, CERTAIN),
        "lips": log_odds(seen.form.mouth_open, CERTAIN),
        "Male": log_odds(seen.male, CERTAIN),
    }
    cover = likely["FaceOccluded"] * (1 - likely["Sunglasses"])
    hidden = max(0.0, (cover - HIDES) / (1 - HIDES))
    members = {
        name: (1 - hidden) * float(sigmoid(sum(weights[piece] * evidence[piece] for piece in weights)))
        + hidden * FREQUENCY[name]
        for name, weights in FITS.items()
    }
    shaded = float(sigmoid(SHADED_BIAS + SHADED * log_odds(likely["Sunglasses"])))
    worn = max(likely["Eyeglasses"], likely["Sunglasses"])
    members["Eyeglasses"] = worn
    members["Sunglasses"] = min(shaded, worn)
    members["EyesOpen"] = 0.5 + (seen.form.eyes_open - 0.5) * (1 - members["Sunglasses"])
    members["FaceOccluded"] = max(seen.covered, likely["FaceOccluded"], likely["Sunglasses"])
    return {name: flag(probability) for name, probability in members.items()}
