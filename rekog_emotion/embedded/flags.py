"""The yes-or-no members of a face: calibrated on labelled faces, and such that they do not contradict each other.

All probabilities go through one form: a logistic regression on the log odds of what the networks and the mesh say.
docs/models/rebuild/fit_attributes.py fits it on development halves; docs/models/attributes.md has its figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.attributes import Shape
from rekog_emotion.embedded.nets import sigmoid

__all__ = ["Evidence", "flag", "flags", "flags_of_shape", "log_odds", "pieces"]

# Bias, and the weight of each piece of evidence: log odds, but for ``corners``, the coefficient of the mouth's corners.
# ``own`` is the attribute network's idea of ``Male``, which a beard moves; ``look`` is the network of appearance.
FITS: Mapping[str, Mapping[str, float]] = {
    "Smile": {"bias": -0.533, "Smile": 0.474, "corners": 1.163, "HAPPY": 0.067, "look Smile": 0.622},
    "MouthOpen": {"bias": -0.01, "MouthOpen": 0.428, "lips": 0.229, "look MouthOpen": 0.639},
    "Beard": {"bias": -0.098, "Beard": 0.846, "own": -0.302, "Male": 0.364, "look Beard": 0.437},
    "Mustache": {"bias": 1.47, "Mustache": 0.635, "look Mustache": 1.132},
    # But for the picture's edge and sunglasses. Colours alone took shadows for covers.
    "FaceOccluded": {"bias": 0.684, "FaceOccluded": 0.958, "covered": 0.333},
}
# What an attribute that something hides is: as frequent as among the faces of the fit.
FREQUENCY = {"Beard": 0.17, "Mustache": 0.04, "Smile": 0.47, "MouthOpen": 0.47}
# From this probability of a cover on, it hides the lower face; beards alone come out below.
HIDES = 0.9
# Ages, years, from which on hair grows on a face, and from which on as on others: the network takes some babies' chins
# for beards.
GROWN = (10, 15)
CERTAIN = 7.0  # bound of log odds that are not the attribute network's own


@frozen(kw_only=True)
class Evidence:
    """What is known of a face's attributes, all probabilities 0..1.

    Attributes:
        likely: The attribute network's, by name.
        look: What the network of appearance says, by name; log odds.
        form: Those of the mesh's shape.
        smile: The coefficient of the corners of the mouth.
        happy: Of ``HAPPY``.
        male: Of ``Male``.
        age: Years; no probability.
        cut: That the picture's edge hides a part.
        covered: That something of another colour does.
    """

    likely: Mapping[str, float]
    look: Mapping[str, float]
    form: Shape
    smile: float
    happy: float
    male: float
    age: float
    cut: float
    covered: float


def log_odds(probability: float, bound: float = 14.0) -> float:
    """Return the logarithm of the odds of a probability, 0..1, at most ``bound`` either way."""
    edge = float(sigmoid(-bound))
    probability = min(1 - edge, max(edge, probability))
    return math.log(probability / (1 - probability))


def flag(probability: float) -> dict[str, Any]:
    """Return a yes-or-no member; its confidence is that of the value, be it true or false."""
    return {"Value": probability >= 0.5, "Confidence": 100 * max(probability, 1 - probability)}  # noqa: PLR2004 -- even odds


def pieces(seen: Evidence) -> dict[str, float]:
    """Return the pieces of evidence that ``FITS`` weighs."""
    looks = {f"look {name}": max(-CERTAIN, min(CERTAIN, logit)) for name, logit in seen.look.items()}
    return (
        looks
        | {name: log_odds(probability) for name, probability in seen.likely.items()}
        | {
            "bias": 1.0,
            "corners": seen.smile,
            "HAPPY": log_odds(seen.happy, CERTAIN),
            "lips": log_odds(seen.form.mouth_open, CERTAIN),
            "Male": log_odds(seen.male, CERTAIN),
            "own": log_odds(seen.likely["Male"]),
            "covered": log_odds(seen.covered, CERTAIN),
        }
    )


def flags(seen: Evidence) -> dict[str, dict[str, Any]]:
    """Return the service's yes-or-no members by name.

    Sunglasses are eyeglasses, cover the face, and leave open what the eyes do; a smile follows ``HAPPY``; children have
    no beard; where the lower face is hidden, beard, moustache, smile and open mouth are as frequent as on other faces.
    """
    likely, evidence = seen.likely, pieces(seen)
    members = {
        name: float(sigmoid(sum(weights[piece] * evidence[piece] for piece in weights)))
        for name, weights in FITS.items()
    }
    cover = likely["FaceOccluded"] * (1 - likely["Sunglasses"])
    hidden = max(0.0, (cover - HIDES) / (1 - HIDES))
    members |= {name: (1 - hidden) * members[name] + hidden * often for name, often in FREQUENCY.items()}
    grown = float(np.interp(seen.age, GROWN, (0, 1)))
    members |= {name: grown * members[name] for name in ("Beard", "Mustache")}
    # Only lenses that are surely dark show without a frame: shadow and hair before the eyes are a little dark.
    members["Eyeglasses"] = max(likely["Eyeglasses"], 2 * likely["Sunglasses"] - 1)
    members["Sunglasses"] = min(likely["Sunglasses"], members["Eyeglasses"])
    members["EyesOpen"] = 0.5 + (seen.form.eyes_open - 0.5) * (1 - members["Sunglasses"])
    members["FaceOccluded"] = max(seen.cut, members["FaceOccluded"], likely["Sunglasses"])
    return {name: flag(probability) for name, probability in members.items()}


def flags_of_shape(form: Shape) -> dict[str, dict[str, Any]]:
    """Return the service's yes-or-no members that a mesh's shape alone tells, by name."""
    return {"Smile": flag(form.smile), "MouthOpen": flag(form.mouth_open), "EyesOpen": flag(form.eyes_open)}
