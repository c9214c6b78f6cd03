"""Cut the aligned crops that the network of a face's appearance is trained on.

Usage::

    python docs/models/rebuild/face_pictures.py MIRROR CELEBA PACK MEASURED...

``MEASURED`` are the folders that the engine is measured on, each with a ``labels.csv`` beside its pictures; both halves
count here, and nothing is trained on what is on them. ``CELEBA`` is a folder as ``attribute_pictures.py`` reads it.
``PACK`` is the folder that gets one file a source. ``MIRROR`` holds bare copies (``OWNER+NAME/repo``) of these public
repositories; the pictures stay outside the project:

- those of ``emotion_pictures.py``, of which the pictures are those that it takes.
- muxspace/facial_expressions: photos found on the web, of people of whom none is measured. No licence.
- bagashvilit/facial_recognition_bias: UTKFace, with age and gender in the names. Research only.

Many photos are there several times, cut differently: any whose aligned face correlates above .9 with that of a measured
picture is left out. Needs git, numpy, Pillow and the project.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mirrors
import numpy as np
from attrs import field, frozen
from emotion_pictures import FOLDERS, crop, examples, fresh, grey, measured_pictures, photo, points
from numpy.typing import NDArray

from rekog_emotion.embedded.engine import Engine, _Networks

MUXSPACE, UTKFACE = "muxspace/facial_expressions", "bagashvilit/facial_recognition_bias"
MUXSPACE_NAMES = {"anger": "angry", "happiness": "happy", "sadness": "sad"}  # of its labels, where FOLDERS has others
MOST = 1000  # pictures of one label of muxspace
# What is known of a face, beside its class: CelebA's attributes, and an age in years.
KNOWN = {"male": "Male", "smile": "Smiling", "moustache": "Mustache", "beard": "No_Beard", "glasses": "Eyeglasses"}
KNOWN |= {"open mouth": "Mouth_Slightly_Open", "age": ""}
STORED = 112  # side of a stored crop, pixels

Array = NDArray[Any]


@frozen
class Labelled:
    """A photo and what is known of its face: a class, or values 0..1 and years by the names of ``KNOWN``."""

    data: bytes
    label: int = -1
    known: Mapping[str, float] = field(factory=dict)


def _muxspace(mirror: Path, measured: Iterable[Path]) -> Iterator[Labelled]:
    """Yield photos with one label, of people who are on no measured picture."""
    people = {_who(path.name) for path in measured}
    labels = defaultdict[str, set[str]](set)
    for row in csv.reader(mirrors.git(mirror, MUXSPACE, "show", "HEAD:data/legend.csv").decode().splitlines()):
        labels[row[1].strip()].add(row[2].strip().lower())
    there, by_label = mirrors.names(mirror, MUXSPACE, r"images/"), defaultdict[str, list[str]](list)
    for name, given in labels.items():
        label = MUXSPACE_NAMES.get(next(iter(given)), next(iter(given)))
        if len(given) == 1 and label in FOLDERS and f"images/{name}" in there and _who(name) not in people:
            by_label[label].append(name)
    shuffled = random.Random(2)  # noqa: S311 -- no secret
    for label, names in by_label.items():
        names.sort()
        shuffled.shuffle(names)
        objects = [there[f"images/{name}"] for name in names[:MOST]]
        yield from (Labelled(data, FOLDERS.index(label)) for data in mirrors.contents(mirror, MUXSPACE, objects))


def _who(name: str) -> str:
    return re.sub(r"_?\d+\.jpe?g$", "", name)


def _utkface(mirror: Path, measured: Iterable[Path]) -> Iterator[Labelled]:
    taken = {path.name for path in measured}
    for name, data in mirrors.files(mirror, UTKFACE, r"data/images/\d+_[01]_[0-4]_\d+"):
        age, gender, *_ = Path(name).name.split("_")
        if Path(name).name not in taken:
            yield Labelled(data, known={"male": float(gender == "0"), "age": float(age)})


def _celeba(folder: Path) -> Iterator[Labelled]:
    pictures = {picture.name: picture for picture in folder.rglob("*.jpg")}
    for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
        if row["split"] == "train":
            known = {ours: float(row[theirs] == "1") for ours, theirs in KNOWN.items() if theirs}
            yield Labelled(pictures[row["file"]].read_bytes(), known=known | {"beard": 1 - known["beard"]})


def _write(out: Path, rows: Iterable[Labelled], nets: _Networks, seen: Array) -> None:
    """Write ``crops`` (n, side, side, 3), ``labels`` (n,) and ``known`` (n, len(KNOWN)), not a number where unknown."""
    crops, kept = [], []
    for row in rows:
        picture = photo(row.data)
        mesh = points(picture, nets)
        if mesh is not None:
            crops.append(crop(picture, mesh, STORED))
            kept.append(row)
    new = fresh(np.array([grey(one) for one in crops]), seen)
    known = np.array([[row.known.get(name, np.nan) for name in KNOWN] for row in kept], np.float32)
    labels = np.array([row.label for row in kept])
    np.savez(out, crops=np.array(crops)[new], labels=labels[new], known=known[new])
    print(f"{out.name}: {new.sum()} crops, {(~new).sum()} left out whose face is on a measured picture")


def _write_fer2013(out: Path, mirror: Path, nets: _Networks, seen: Array) -> None:
    """Write ``crops`` (n, 2, side, side), grey, ``labels`` (n,), ``votes`` (n, 7) and ``found`` (n,)."""
    rows = [(one, points(one.copies[0], nets)) for one in examples(mirror)]
    # A face that is missed is cut where the others lie: pictures of FER2013 are centred already.
    usual = np.median([mesh for _, mesh in rows if mesh is not None], 0)
    crops = np.array(
        [[crop(copy, usual if mesh is None else mesh, STORED) for copy in (one.copies * 2)[:2]] for one, mesh in rows]
    )
    new = fresh(np.array([grey(one) for one in crops[:, 0]]), seen)
    np.savez(
        out,
        crops=crops[new][..., 0],
        labels=np.array([one.label for one, _ in rows])[new],
        votes=np.array([one.votes for one, _ in rows], np.float32)[new],
        found=np.array([mesh is not None for _, mesh in rows])[new],
    )
    print(f"{out.name}: {new.sum()} crops, {(~new).sum()} left out whose face is on a measured picture")


def main() -> None:
    """Write ``fer2013.npz``, ``muxspace.npz``, ``utkface.npz`` and ``celeba.npz``."""
    parser = argparse.ArgumentParser(description="Cut the crops that the network of appearance is trained on.")
    parser.add_argument("mirror", type=Path)
    parser.add_argument("celeba", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("measured", type=Path, nargs="+")
    options = parser.parse_args()
    nets, measured = Engine()._networks(), measured_pictures(options.measured)  # noqa: SLF001 -- its insides are needed
    photos = [photo(path.read_bytes()) for path in measured]
    seen = np.array([grey(crop(one, mesh)) for one in photos if (mesh := points(one, nets)) is not None])
    options.pack.mkdir(parents=True, exist_ok=True)
    _write_fer2013(options.pack / "fer2013.npz", options.mirror, nets, seen)
    _write(options.pack / "muxspace.npz", _muxspace(options.mirror, measured), nets, seen)
    _write(options.pack / "utkface.npz", _utkface(options.mirror, measured), nets, seen)
    _write(options.pack / "celeba.npz", _celeba(options.celeba), nets, seen)


if __name__ == "__main__":
    main()
