"""Fit what makes probabilities of the attribute network's logits, and flags of all that is known of a face.

Usage::

    python docs/models/rebuild/fit_attributes.py CELEBA SUNGLASSES MASKS

Three folders as ``reliability.py`` reads them: CelebA's attributes, faces with sunglasses, and faces with and without
masks; of each the pictures that count there. Prints ``SLOPE`` and ``OFFSET`` of ``embedded/attributes.py`` and the
weights in ``embedded/flags.py``, and how good these are on faces that they were fitted on (F1) and on others (five
parts, each told by a fit on the four others). Needs numpy and the project.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, evolve
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from rekog_emotion.embedded import attributes, detail, flags
from rekog_emotion.embedded.engine import Engine
from rekog_emotion.embedded.nets import sigmoid
from reliability import Tally, answers

PARTS, STEPS, PENALTY = 5, 30, 0.05

Array = NDArray[Any]


@define
class Seen:
    """A face: what is seen of it, and its truth."""

    evidence: flags.Evidence
    truth: Mapping[str, Any]


def measured(folders: Sequence[Path]) -> list[Seen]:
    """Return the faces of all pictures that count, with the bare logits' probabilities."""
    attributes.SLOPE, attributes.OFFSET = np.ones(len(attributes.OUTPUTS)), np.zeros(len(attributes.OUTPUTS))
    told: list[flags.Evidence] = []
    usual = detail.flags

    def listening(evidence: flags.Evidence) -> dict[str, dict[str, Any]]:
        told.append(evidence)
        return usual(evidence)

    detail.flags = listening
    engine, faces = Engine(), []
    for folder in folders:
        for truth, face in answers(folder, engine):
            if face:
                faces.append(Seen(told[0], truth))  # the largest face is told first
            told.clear()
    return faces


def fit(rows: Array, truth: Array) -> Array:
    """Return the weights (m,) of a logistic regression of a truth (n,) on rows (n, m), the last one the bias."""
    weights = np.zeros(rows.shape[1])
    penalty = PENALTY * np.eye(len(weights))
    penalty[-1, -1] = 0
    for _ in range(STEPS):  # Newton's method
        likely = sigmoid(rows @ weights)
        slope = rows.T @ (likely - truth) + penalty @ weights
        curve = (rows * (likely * (1 - likely) + 1e-9)[:, None]).T @ rows + penalty
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def unseen(rows: Array, truth: Array) -> Array:
    """Return the probability of every face by a fit on the parts in which it is not."""
    part = np.random.default_rng(0).permutation(len(truth)) % PARTS
    likely = np.zeros(len(truth))
    for number in range(PARTS):
        likely[part == number] = sigmoid(rows[part == number] @ fit(rows[part != number], truth[part != number]))
    return likely


def score(likely: Array, truth: Array) -> tuple[float, float]:
    """Return F1 and calibration error."""
    said = likely >= 0.5  # noqa: PLR2004 -- even odds
    tally = Tally(truth.astype(bool).tolist(), said.tolist(), np.maximum(likely, 1 - likely).tolist())
    return tally.f1(), tally.error()


def fitted(name: str, pieces: Mapping[str, Array], truth: Array) -> dict[str, float]:
    """Print and return the weights of some pieces of evidence (n,)."""
    rows = np.stack([*pieces.values(), np.ones(len(truth))], 1)
    weights = fit(rows, truth)
    (inside, off), (outside, far) = score(sigmoid(rows @ weights), truth), score(unseen(rows, truth), truth)
    found = dict(zip((*pieces, "bias"), weights.round(3).tolist(), strict=True))
    print(f"{name:13} {int(truth.sum())} of {len(truth)}; F1 {inside:.3f}, other parts {outside:.3f};", end=" ")
    print(f"calibration error {off:.3f}, other parts {far:.3f}; {found}")
    return found


def truth_of(seen: Seen, name: str) -> bool | None:
    """Return what is known; CelebA's faces without glasses are hardly ever covered."""
    if name == "FaceOccluded" and seen.truth.get("Sunglasses") is False:
        return False
    if name == "Male":
        return seen.truth["Gender"] == "Male" if "Smile" in seen.truth else None
    return seen.truth.get(name)


def known(faces: Sequence[Seen], name: str) -> tuple[list[Seen], Array]:
    """Return the faces of which the truth of a member is known, and the truth."""
    if name == "FaceOccluded":  # about as many of CelebA as with masks and without
        bare = [seen for seen in faces if seen.truth.get("Sunglasses") is False]
        faces = bare[::3] + [seen for seen in faces if name in seen.truth]
    chosen = [(seen, truth_of(seen, name)) for seen in faces]
    return [seen for seen, truth in chosen if truth is not None], np.array(
        [t for _, t in chosen if t is not None], float
    )


def main() -> None:
    """Fit everything."""
    parser = argparse.ArgumentParser(description="Fit the weights of the yes-or-no members.")
    parser.add_argument("folders", type=Path, nargs=3)
    faces = measured(parser.parse_args().folders)
    scaled = {}
    for name in attributes.OUTPUTS:
        some, truth = known(faces, name)
        bare = np.array([flags.log_odds(seen.evidence.likely[name]) for seen in some])
        scaled[name] = fitted(name, {name: bare}, truth)
    slope, offset = [scaled[name][name] for name in scaled], [scaled[name]["bias"] for name in scaled]
    print("SLOPE", slope, "OFFSET", offset)
    for seen in faces:
        likely = {
            name: float(sigmoid(a * flags.log_odds(seen.evidence.likely[name]) + b))
            for name, a, b in zip(attributes.OUTPUTS, slope, offset, strict=True)
        }
        seen.evidence = evolve(seen.evidence, likely=likely)
    for name in flags.FITS:
        some, truth = known(faces, name)
        pieces = [flags.pieces(seen.evidence) for seen in some]
        chosen = [piece for piece in flags.FITS[name] if piece != "bias"]
        fitted(name, {piece: np.array([one[piece] for one in pieces]) for piece in chosen}, truth)


if __name__ == "__main__":
    main()
