"""Measure what a member says of a set that its scale was not fitted on.

Usage::

    python docs/models/left_out.py FOLDER... [--weights clean]

The folders are those of ``reliability.py``, and so are the faces that count; who looks happy smiles, and who is calm
does not. Each member that at least two sets know gets a scale of its own: a temperature of the emotions (Guo et al.
2017, arXiv:1706.04599), slope and offset of the log odds of the others (Platt 1999), fitted on all sets but one, of
which each counts the same, and measured on that one, beside what the engine says as it is. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from groups import calibration_error, of_chance
from numpy.typing import NDArray

from rekog_emotion.embedded.engine import Engine
from reliability import Face, Truth, answers

LEAST = 20  # faces of a set
STEPS = 60  # of Newton's method
PENALTY = 1e-3  # on a scale that differs from the engine's own
TEMPERATURES = np.exp(np.linspace(-1.2, 1.2, 97))
FLOOR = 1e-4  # of a probability
YES = {"Gender": "Male"}

Array = NDArray[Any]
Pairs = Sequence[tuple[Truth, Face]]


def voices(pairs: Pairs, member: str) -> tuple[Array, Array]:
    """Return log odds (n,) or log probabilities (n, classes) of a member, and the truths: 0 and 1, or the class."""
    rows, truths = [], []
    for known, face in pairs:
        truth = known.get(member)
        if member == "Smile" and truth is None and known.get("Emotion") in {"HAPPY", "CALM"}:
            truth = known["Emotion"] == "HAPPY"
        if truth is None or (member if member != "Emotion" else "Emotions") not in face:
            continue
        if member == "Emotion":
            told = {one["Type"]: max(one["Confidence"] / 100, FLOOR) for one in face["Emotions"]}
            types = sorted(told.keys() - {"UNKNOWN"})
            rows.append([math.log(told[name]) for name in types])
            truths.append(types.index(truth))
        else:
            yes = YES.get(member, True)
            sure = min(max(face[member]["Confidence"] / 100, FLOOR), 1 - FLOOR)
            rows.append((1 if face[member]["Value"] == yes else -1) * math.log(sure / (1 - sure)))
            truths.append(int(truth == yes))
    return np.array(rows), np.array(truths)


def answered(rows: Array, scale: Array) -> tuple[Array, Array]:
    """Return the answers and their confidences, 0..1, on a scale: slope and offset, or one over the temperature."""
    if rows.ndim == 1:
        likely = np.exp(-np.logaddexp(0, -(scale[0] * rows + scale[1])))
        return (likely >= 0.5).astype(int), np.maximum(likely, 1 - likely)  # noqa: PLR2004 -- even odds
    odds = np.exp(rows * scale[0])
    return rows.argmax(1), (odds / odds.sum(1, keepdims=True)).max(1)


def fit(sets: Sequence[tuple[Array, Array]]) -> Array:
    """Return the scale that suits some sets best, of which each counts the same."""
    rows, truth = (np.concatenate(column) for column in zip(*sets, strict=True))
    counts = np.concatenate([np.full(len(one), 1 / len(one)) for _, one in sets])
    if rows.ndim > 1:
        best, least = 1.0, math.inf
        for one in 1 / TEMPERATURES:
            odds = np.exp(rows * one)
            loss = -(counts * np.log((odds / odds.sum(1, keepdims=True))[np.arange(len(truth)), truth])).sum()
            best, least = (float(one), float(loss)) if loss < least else (best, least)
        return np.array([best])
    inputs, scale = np.stack([rows, np.ones(len(rows))], 1), np.array([1.0, 0.0])

    def loss(scale: Array) -> float:
        away = np.logaddexp(0, np.where(truth == 1, -1, 1) * (inputs @ scale))
        return float((counts * away).sum() + PENALTY / 2 * ((scale - [1, 0]) ** 2).sum())

    for _ in range(STEPS):
        likely = np.exp(-np.logaddexp(0, -inputs @ scale))
        slope = inputs.T @ (counts * (likely - truth)) + PENALTY * (scale - [1, 0])
        curve = (inputs * (counts * likely * (1 - likely))[:, None]).T @ inputs + PENALTY * np.eye(2)
        step = np.linalg.solve(curve, slope)
        while loss(scale - step) > loss(scale) + 1e-12:
            step = step / 2
        scale = scale - step
    return scale


def table(sets: Mapping[str, Pairs]) -> list[list[str]]:
    """Return a line for each member and set."""
    members = sorted({name for pairs in sets.values() for known, _ in pairs for name in known} | {"Smile"})
    lines = []
    for member in members:
        if member in {"Age", "race", "young"}:
            continue
        known = {name: voices(pairs, member) for name, pairs in sets.items()}
        known = {name: told for name, told in known.items() if len(told[1]) >= LEAST and np.ptp(told[1]) > 0}
        for name, (rows, truth) in known.items():
            others = [told for other, told in known.items() if other != name]
            if not others:
                continue
            scale = fit(others)
            line = [member, name, str(len(truth))]
            for one in (np.array([1.0, 0.0]), scale):
                said, sure = answered(rows, one)
                right = (said == truth).astype(float)
                line += [f"{right.mean():.3f}", f"{calibration_error(right, sure):.3f}"]
            lines.append([*line, f"{of_chance(sure):.3f}", ", ".join(f"{number:.2f}" for number in scale)])
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure members on sets that their scale was not fitted on.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--weights", choices=("all", "clean"), default="all")
    options = parser.parse_args()
    engine = Engine(weights=options.weights)
    sets = {
        folder.name: [(known, face) for known, face in answers(folder, engine) if face] for folder in options.folders
    }
    header = ["member", "left out", "faces", "right", "error", "refitted: right", "error", "of chance", "scale"]
    for line in (header, ["---"] * len(header), *table(sets)):
        print("|", " | ".join(line), "|")


if __name__ == "__main__":
    main()
