"""Fit what makes probabilities of a mesh's shape: whether it smiles, and whether its mouth is open.

Usage::

    python docs/models/rebuild/fit_shape.py CELEBA LONDON

Two folders as ``reliability.py`` reads them, of each the pictures that count there; of the second those that are happy
smile. Prints the numbers of ``rekog_emotion/embedded/attributes.py``, and how good they are on the faces that they were
fitted on (F1, calibration error) and on others (five parts, each told by a fit on the four others). Needs numpy and the
project.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from fit_attributes import Array, fitted

from rekog_emotion.embedded import attributes, detail
from rekog_emotion.embedded.engine import Engine
from reliability import answers


def measured(folder: Path) -> tuple[Array, list[bool | None], list[bool | None]]:
    """Return what the largest face of each picture that counts shows, and whether it smiles and opens its mouth.

    Returns:
        The corners of the mouth, what an open jaw adds to them, and the log of the gap between the lips, shape (n, 3);
        the truths, ``None`` where they are not known.
    """
    seen: list[list[float]] = []
    usual = detail.shape

    def listening(face: detail.FaceMesh, coefficients: detail.Mapping[str, float]) -> attributes.Shape:
        points = face.points[:, :2]
        gap = np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[78] - points[308])
        jaw = max(coefficients["jaw_open"] - attributes.JAW_OPEN, 0) / (1 - attributes.JAW_OPEN)
        seen.append([coefficients["smile"], jaw, float(np.log(gap + attributes.CLOSED))])
        return usual(face, coefficients)

    detail.shape = listening
    rows, smiles, mouths = [], [], []
    for truth, face in answers(folder, Engine(weights="clean")):
        if face:
            rows.append(seen[0])  # the largest face is told first
            emotion = truth.get("Emotion")
            smiles.append(truth.get("Smile", None if emotion is None else emotion == "HAPPY"))
            mouths.append(truth.get("MouthOpen"))
        seen.clear()
    detail.shape = usual
    return np.array(rows), smiles, mouths


def main() -> None:
    """Fit both."""
    parser = argparse.ArgumentParser(description="Fit the probabilities that the mesh's shape gives.")
    parser.add_argument("folders", type=Path, nargs=2)
    parts = [measured(folder) for folder in parser.parse_args().folders]
    rows = np.concatenate([part[0] for part in parts])
    for name, truths, columns in (
        ("Smile", [one for part in parts for one in part[1]], {"SMILE": 0, "JAW": 1}),
        ("MouthOpen", [one for part in parts for one in part[2]], {"LIPS": 2}),
    ):
        known = np.array([one is not None for one in truths])
        truth = np.array([bool(one) for one in truths], float)
        fitted(name, {column: rows[known, k] for column, k in columns.items()}, truth[known])


if __name__ == "__main__":
    main()
