"""Fit what joins the emotion network, face-api's and the muscles of the face to one answer.

Usage::

    python docs/models/rebuild/fit_emotions.py FOLDER... [--strength 0.002] [--times london=3]

Each folder has a ``labels.csv`` (file, label: angry, disgust ...; person and sex where they are known) beside its
pictures; what has a sha1 that ends in an odd byte, of the person if known, else of the file's name, does not count.
Prints how good the fit is on the faces it was fitted on, on those that it did not see when it was fitted on four
fifths, where nobody is in two fifths, and on the set that was left out when it was fitted on the other sets. Prints the
weights, too. Needs numpy, torch and the project.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import define
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1]))

from measure import LABELS

from rekog_emotion.embedded import expression
from rekog_emotion.embedded.engine import Engine, _find
from rekog_emotion.embedded.mesh import FaceMesh

PARTS = 5
BINS = 10
FREE = 0.1  # of the penalty holds for the bias
# What is fitted to some people is too sure of others: evidence is kept to this share, a temperature of 1.1. Chosen, as
# were the counts of the sets, on people whom the fit had not seen.
KEPT = 0.9
TIMES = ("london=2", "fer2013_private=1.5", "muxspace=1.5")
ROUNDS = 300

Array = NDArray[Any]


@define
class Faces:
    """What was measured on n faces: voices (n, 2, 7), square roots of muscles (n, m), class, part, set, and group.

    A group is of one sex and label in a set where the sex is known, else empty.
    """

    voices: Array
    muscles: Array
    classes: Array
    parts: Array
    sets: Array
    groups: Array

    def some(self, chosen: Array) -> Faces:
        """Return the chosen ones."""
        rows = (self.voices, self.muscles, self.classes, self.parts, self.sets, self.groups)
        return Faces(*(row[chosen] for row in rows))


@define
class Joint:
    """Weights of voices (2,), of muscles (m, 7), and bias (7,)."""

    voices: Array
    muscles: Array
    bias: Array

    def __call__(self, faces: Faces) -> Array:
        """Return probabilities of shape (n, 7)."""
        evidence = np.tensordot(faces.voices, self.voices, (1, 0)) + faces.muscles @ self.muscles + self.bias
        odds = np.exp(evidence - evidence.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True))


def person(path: Path) -> str:
    """Return who is on a picture, as far as its name tells: CK+'s subject, muxspace's name, else the file."""
    for pattern in (r"(S\d{3})_\d{3}_\d+", r"([A-Za-z]\w*?)_\d{1,4}$"):
        found = re.fullmatch(pattern, path.stem)
        if found and found[1] != "PrivateTest":
            return found[1]
    return path.stem


def measured(folders: Sequence[Path], engine: Engine) -> Faces:
    """Return what the networks say of the largest face of each picture that counts."""
    nets, rows = engine._networks(), []  # noqa: SLF001 -- the fit is of its insides
    heads = nets.heads
    assert heads is not None
    for folder in folders:
        for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
            path = folder / row["file"]
            key = row.get("person") or path.name
            if row["label"] not in LABELS or hashlib.sha1(key.encode()).digest()[-1] % 2:  # noqa: S324 -- no secret
                continue
            picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            for face in _find(nets, picture, "default")[:1]:
                moved: Mapping[str, float] = nets.blendshapes([face])[0]
                part = hashlib.sha1((row.get("person") or person(path)).encode()).digest()[0] % PARTS  # noqa: S324 -- likewise
                truth = expression.CLASSES.index(LABELS[row["label"]])
                muscles = np.sqrt([moved[name] for name in expression.MUSCLE_WEIGHTS])
                group = f"{row['sex']} {row['label']}" if row.get("sex") else ""
                rows.append((_voices(heads.emotions, face), muscles, truth, part, folder.name, group))
    return Faces(*(np.array(column) for column in zip(*rows, strict=True)))


def _voices(emotions: expression.Emotions, face: FaceMesh) -> Array:
    """Return the logits of our own network and face-api's log probabilities."""
    grey = [expression._grey(crop) for crop in expression.chips([face], expression.GREY_SIDE, expression.GREY_PAD)]  # noqa: SLF001 -- likewise
    (own,) = emotions._grey(np.stack(grey))  # noqa: SLF001 -- likewise
    (colour,) = emotions._colour(expression.chips([face], expression.COLOUR_SIDE, expression.COLOUR_PAD))  # noqa: SLF001 -- likewise
    last = np.log(np.clip(colour[:, expression.FACEAPI_ORDER], expression.SURELY_NOT, 1))
    return np.concatenate([own, last])


def fit(faces: Faces, strength: float, times: Mapping[str, float]) -> Joint:
    """Return the weights of a logistic regression with a quadratic penalty on those of the muscles.

    Args:
        faces: To be fitted to.
        strength: Of the penalty.
        times: How many times a face counts, by its set; once where the set is not there.
    """
    voices, muscles = torch.tensor(faces.voices, dtype=torch.double), torch.tensor(faces.muscles, dtype=torch.double)
    truth = torch.tensor(faces.classes)
    counts = torch.tensor([times.get(name, 1.0) for name in faces.sets.tolist()], dtype=torch.double)
    shares = torch.full((voices.shape[1],), 0.3, dtype=torch.double, requires_grad=True)
    weights = torch.zeros((muscles.shape[1], voices.shape[2]), dtype=torch.double, requires_grad=True)
    bias = torch.zeros(voices.shape[2], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([shares, weights, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        evidence = (voices * shares[:, None]).sum(1) + muscles @ weights + bias
        value = (functional.cross_entropy(evidence, truth, reduction="none") * counts).sum() / counts.sum()
        value = value + strength * ((weights**2).sum() + FREE * (bias**2).sum())
        value.backward()  # type: ignore[no-untyped-call] -- torch has no types for it
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call] -- likewise
    return Joint(*(KEPT * part.detach().numpy() for part in (shares, weights, bias)))


def unseen(faces: Faces, strength: float, times: Mapping[str, float], parts: Array) -> Array:
    """Return probabilities of every face by a fit on the parts in which it is not.

    Args:
        faces: All.
        strength: Of the penalty.
        times: As :func:`fit` takes it.
        parts: In which part each face is.
    """
    told = np.zeros((len(faces.classes), faces.voices.shape[2]))
    for part in dict.fromkeys(parts.tolist()):
        out = parts == part
        told[out] = fit(faces.some(~out), strength, times)(faces.some(out))
    return told


def calibration_error(told: Array, truth: Array) -> float:
    """Return the expected calibration error of the first answers, 0..1."""
    sure, right = told.max(1), told.argmax(1) == truth
    which = np.minimum((sure * BINS).astype(int), BINS - 1)
    groups = [which == number for number in range(BINS) if (which == number).any()]
    return float(sum(group.sum() * abs(sure[group].mean() - right[group].mean()) for group in groups) / len(truth))


def report(title: str, told: Array, faces: Faces) -> None:
    """Print the share of right first answers and the calibration error, of each set and of all."""
    print(title)
    for name in (*dict.fromkeys(faces.sets.tolist()), "all"):
        chosen = (faces.sets == name) | (name == "all")
        right = (told.argmax(1) == faces.classes)[chosen].mean()
        error = calibration_error(told[chosen], faces.classes[chosen])
        print(f"  {name:16} {right:.3f}  calibration error {error:.3f}  {chosen.sum()} faces")
    for group in sorted(set(faces.groups.tolist()) - {""}):
        chosen = faces.groups == group
        print(f"  {group:16} {(told.argmax(1) == faces.classes)[chosen].sum()} of {chosen.sum()}")


def show(joint: Joint) -> None:
    """Print the weights as they stand in ``rekog_emotion/embedded/expression.py``."""
    print("OWN_WEIGHT, FACEAPI_WEIGHT =", ", ".join(f"{share:.3f}" for share in joint.voices))
    print("BIAS =", np.round(joint.bias - joint.bias.mean(), 3).tolist())
    for name, row in zip(expression.MUSCLE_WEIGHTS, joint.muscles, strict=True):
        print(f'    "{name}": {tuple(np.round(row, 3).tolist())},')


def main() -> None:
    """Fit, report, and write if asked to."""
    parser = argparse.ArgumentParser(description="Fit the joint of the emotion network and the muscles.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--strength", type=float, default=0.002, help="of the penalty on the muscles' weights")
    parser.add_argument("--times", nargs="*", default=TIMES, help="how many times faces of a set count: london=3")
    options = parser.parse_args()
    times = {name: float(count) for name, _, count in (one.partition("=") for one in options.times)}
    torch.set_num_threads(1)
    faces = measured(options.folders, Engine())
    joint = fit(faces, options.strength, times)
    report("fitted on these faces", joint(faces), faces)
    report("fitted on other people's faces", unseen(faces, options.strength, times, faces.parts), faces)
    if len(options.folders) > 1:
        report("fitted on the other sets", unseen(faces, options.strength, times, faces.sets), faces)
    show(joint)


if __name__ == "__main__":
    main()
