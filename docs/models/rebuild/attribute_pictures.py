"""Cut the aligned crops that the attribute network is trained on.

Usage::

    python docs/models/rebuild/attribute_pictures.py MIRROR CELEBA PACK MEASURED...

``CELEBA`` is a folder with CelebA's pictures and a ``labels.csv`` (``file``, CelebA's attributes as 1 and -1, and
``split``: the rows of ``train`` are used, whose people are in no other split). ``MEASURED`` are the folders that the
engine is measured on, each with a ``labels.csv``: a picture of the same name, or whose gradients are the same, is left
out. ``MIRROR`` holds bare copies of these public repositories; the pictures stay outside the project:

- SnorreW/FacialAttributes_Snorre: LFW, with what a network says of CelebA's attributes. Research only.
- anurag708/Facial-Landmark-Detection-Using-CNN, vyom1911/Facial-Landmark-Detection: pictures and labels of MTFL (Zhang
  et al. 2014), which holds pictures of LFW, too. Research only.
- bagashvilit/facial_recognition_bias: UTKFace, aligned, 200 x 200, with age and gender in the names. Research only.
- chandrikadeb7/Face-Mask-Detection: faces with and without masks. MIT; pictures found on the web.
- shreyas0906/Selfies-with-sunglasses: no licence.

What a source does not say of ``Sunglasses`` and ``FaceOccluded`` is what the engine's own network is sure of, or else
unknown. Needs git, numpy, Pillow and the project.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
import csv
import io
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import mirrors
import numpy as np
from attrs import define, field
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rekog_emotion.embedded.attributes import CROP, _anchors
from rekog_emotion.embedded.engine import Engine, _find, _Networks
from rekog_emotion.embedded.geometry import Patch, invert, similarity

LFW = "SnorreW/FacialAttributes_Snorre"
MTFL, MTFL_LABELS = "anurag708/Facial-Landmark-Detection-Using-CNN", "vyom1911/Facial-Landmark-Detection"
MTFL_COMMIT = "c62c8f8"  # a later one lacks the pictures
UTKFACE = "bagashvilit/facial_recognition_bias"
MASKS, SUNGLASSES = "chandrikadeb7/Face-Mask-Detection", "shreyas0906/Selfies-with-sunglasses"
ATTRIBUTES = ("Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "Smile", "MouthOpen", "Male")
SIDE = 112  # pixels of a crop
UTKFACE_ANCHORS = np.array([[61.5, 60.3], [136.4, 60.3], [98.2, 136.8]])  # of its aligned pictures of 200 pixels
LARGEST = 1000  # pixels; larger pictures are made smaller
A_PERSON = {True: 4, False: 1}  # pictures of LFW with rare attributes, and without
PLAIN = 900  # pictures of LFW without rare attributes
SAME = 3  # of 64 gradients
PROFILES = ("1", "5")  # MTFL's poses
SMALLEST = 7  # pixels between the eyes
WITHOUT = 0.1  # Eyeglasses that are certainly none

Labels = dict[str, float]


@define
class Example:
    """A picture and what is known of the face in it, perhaps the centres of eyes and mouth, shape (3, 2), pixels."""

    source: str
    name: str
    data: bytes
    labels: Labels
    anchors: NDArray[np.floating] | None = None


def celeba(folder: Path) -> Iterator[Example]:
    """Yield CelebA's pictures of people who are measured nowhere."""
    pictures = {picture.name: picture for picture in folder.rglob("*.jpg")}
    for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
        if row["split"] == "train":
            labels = labels_of({name: float(value == "1") for name, value in row.items()})
            yield Example("celeba", row["file"], pictures[row["file"]].read_bytes(), labels)


def labels_of(scores: Mapping[str, float]) -> Labels:
    """Return our attributes of CelebA's, 0..1; of a moustache nothing with a goatee alone, of which raters disagree."""
    labels = {
        "Eyeglasses": scores["Eyeglasses"],
        "Beard": 1 - scores["No_Beard"],
        "Smile": scores["Smiling"],
        "MouthOpen": scores["Mouth_Slightly_Open"],
        "Male": scores["Male"],
    }
    if scores["Mustache"] >= 0.5 or scores["Goatee"] <= 0.4:
        labels["Mustache"] = scores["Mustache"]
    return labels


def lfw_scores(mirror: Path) -> dict[str, dict[str, float]]:
    """Return the scores of LFW's pictures by their names."""
    scores = {}
    for name, text in mirrors.files(mirror, LFW, r"feature_embeddings_lfw/.*\.json$"):
        read = json.loads(text)
        if read:  # some are empty
            scores[Path(name).stem] = read
    return scores


def lfw(mirror: Path, scores: Mapping[str, Mapping[str, float]]) -> Iterator[Example]:
    """Yield LFW's pictures: of each person one, and some more with beards, moustaches and glasses."""
    listed = mirrors.names(mirror, LFW, r"lfw-deepfunneled.*\.jpg$")
    order = list(listed)
    random.Random(1).shuffle(order)  # noqa: S311 -- no secret
    taken: Counter[tuple[str, bool]] = Counter()
    chosen = []
    for name in order:
        score = scores.get(Path(name).name)
        if score is not None:
            rare = score["No_Beard"] < 0.5 or max(score[key] for key in ("Mustache", "Eyeglasses", "Goatee")) > 0.5
            person = Path(name).parent.name, rare
            if taken[person] < A_PERSON[rare] and (rare or taken["", False] < PLAIN):
                taken[person] += 1
                taken["", rare] += 1
                chosen.append(name)
    pictures = mirrors.contents(mirror, LFW, [listed[name] for name in chosen])
    for name, data in zip(chosen, pictures, strict=True):
        yield Example("lfw", Path(name).name, data, labels_of(scores[Path(name).name]))


def mtfl(mirror: Path, scores: Mapping[str, Mapping[str, float]]) -> Iterator[Example]:
    """Yield MTFL's pictures, 80 x 80 pixels with points, but for profiles and the smallest faces."""
    known = {}
    for part in ("training", "testing1"):
        for line in mirrors.git(mirror, MTFL_LABELS, "show", f"HEAD:MTFL/{part}.txt").decode().splitlines():
            row = line.replace("\\", "/").split()
            if len(row) == 15 and row[14] not in PROFILES:
                # Its smiles are wider than CelebA's: lips at rest are among them.
                known[row[0]] = {"Male": float(row[11] == "1"), "Eyeglasses": float(row[13] == "1")}
    listed = mirrors.names(mirror, MTFL, ".*", MTFL_COMMIT)
    points = {}
    for part in ("training", "testing"):
        for line in mirrors.git(mirror, MTFL, "show", f"{MTFL_COMMIT}:new_{part}.txt").decode().splitlines():
            name, *numbers = line.split()
            left, right, _, *mouth = np.array(numbers[:10], float).reshape(2, 5).T
            if name in known and name in listed and np.hypot(*(right - left)) >= SMALLEST:
                points[name] = np.stack([left, right, np.mean(mouth, 0)])
    pictures = mirrors.contents(mirror, MTFL, [listed[name] for name in points])
    for (name, anchors), data in zip(points.items(), pictures, strict=True):
        score = scores.get(Path(name).name)
        labels = known[name] if score is None else labels_of(score) | {"Male": known[name]["Male"]}
        if labels["Eyeglasses"] < WITHOUT:
            labels["Sunglasses"] = 0.0
        yield Example("mtfl", name, data, labels, anchors)


def utkface(mirror: Path) -> Iterator[Example]:
    """Yield UTKFace's pictures; nobody can tell the gender of babies."""
    for name, data in mirrors.files(mirror, UTKFACE, r"data/images.*/\d+_[01]_[0-4]_\d+[^/]*$"):
        age, gender, *_ = Path(name).name.split("_")
        labels = {"Male": float(gender == "0")} if int(age) >= 3 else {}
        yield Example("utkface", Path(name).name, data, labels, UTKFACE_ANCHORS)


def masks(mirror: Path) -> Iterator[Example]:
    """Yield faces with masks and without."""
    for name, data in mirrors.files(mirror, MASKS, r"(?i).*dataset/with(out)?_mask/.*\.(jpe?g|png)$"):
        yield Example("masks", Path(name).name, data, {"FaceOccluded": float("/with_mask/" in name)})


def sunglasses(mirror: Path) -> Iterator[Example]:
    """Yield faces with sunglasses."""
    for name, data in mirrors.files(mirror, SUNGLASSES, r"(?i).*\.(jpe?g|png)$"):
        yield Example("sunglasses", Path(name).name, data, {"Eyeglasses": 1.0, "Sunglasses": 1.0, "FaceOccluded": 1.0})


def gradients(picture: Image.Image) -> NDArray[np.bool_]:
    """Return where an 8 x 8 picture grows brighter to the right: what copies of a picture have in common."""
    small = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BILINEAR), int)
    return (small[:, 1:] > small[:, :-1]).ravel()


@define
class Measured:
    """The pictures that must not be trained on."""

    names: set[str] = field(factory=set)
    seen: NDArray[np.bool_] = field(factory=lambda: np.zeros((0, 64), bool))

    def add(self, folder: Path) -> None:
        """Take down a folder's pictures."""
        rows = csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines())
        files = [Path(row["file"]) for row in rows if row.get("split", "test") != "train"]
        self.names.update(file.name for file in files)
        pictures = {picture.name: picture for picture in folder.rglob("*.*")}
        self.seen = np.concatenate([self.seen, [gradients(Image.open(pictures[file.name])) for file in files]])

    def __contains__(self, example: Example) -> bool:
        own = gradients(Image.open(io.BytesIO(example.data)))
        return example.name in self.names or int((self.seen != own).sum(1).min()) <= SAME


@define
class Cutter:
    """Finds the face of a picture and cuts it."""

    nets: _Networks = field(factory=lambda: Engine()._networks())  # noqa: SLF001 -- its insides are what is needed

    def __call__(self, example: Example) -> tuple[Image.Image, Labels] | None:
        """Return the crop and all labels, or nothing where no face is found."""
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(example.data))).convert("RGB")
        if example.anchors is not None:
            left, right, _ = example.anchors
            patch = Patch(picture, *example.anchors.mean(0), 3 * np.hypot(*(right - left)))
            crop = patch.warp(invert(similarity(example.anchors, CROP * SIDE)), SIDE)
            return Image.fromarray(crop), example.labels
        picture.thumbnail((LARGEST, LARGEST), reducing_gap=2)
        faces = _find(self.nets, picture, "fast") or _find(self.nets, picture, "default")
        if not faces:
            return None
        face = faces[0]
        (likely,) = self.nets.heads.attributes([face])
        labels = guessed(example, likely)
        return None if labels is None else (Image.fromarray(face.crop(_anchors(face), CROP, SIDE)), labels)


def guessed(example: Example, likely: Mapping[str, float]) -> Labels | None:
    """Return the labels with those that the engine's network is sure of; nothing for glasses that are not dark."""
    labels = dict(example.labels)
    if example.source == "sunglasses":
        return labels if likely["Sunglasses"] >= 0.05 else None
    if example.source != "masks":
        if labels["Eyeglasses"] < WITHOUT or likely["Sunglasses"] < 0.03:
            labels["Sunglasses"] = 0.0
        elif likely["Sunglasses"] > 0.8:
            labels |= {"Sunglasses": 1.0, "FaceOccluded": 1.0}
        if likely["FaceOccluded"] < 0.8:  # profiles come out in between
            labels.setdefault("FaceOccluded", 0.0)
    return labels


def examples(mirror: Path, folder: Path) -> Iterator[Example]:
    """Yield everything."""
    scores = lfw_scores(mirror)
    yield from celeba(folder)
    yield from lfw(mirror, scores)
    yield from mtfl(mirror, scores)
    yield from utkface(mirror)
    yield from masks(mirror)
    yield from sunglasses(mirror)


def write(pack: Path, measured: Measured, every: Iterable[Example]) -> None:
    """Write crops and ``labels.csv``; print how many of each source there are."""
    cut, counts = Cutter(), Counter[str]()
    pack.mkdir(parents=True, exist_ok=True)
    with (pack / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, ("file", "source", "origin", *ATTRIBUTES))
        table.writeheader()
        for number, example in enumerate(every):
            if not example.data:
                counts["lacking"] += 1
            elif example in measured:
                counts["left out"] += 1
            elif (result := cut(example)) is None:
                counts["not found"] += 1
            else:
                crop, labels = result
                file = f"{example.source}_{number:05d}.png"
                crop.save(pack / file, compress_level=1)
                table.writerow({"file": file, "source": example.source, "origin": example.name, **labels})
                counts[example.source] += 1
    print(dict(counts))


def main() -> None:
    """Cut all crops."""
    parser = argparse.ArgumentParser(description="Cut the crops that the attribute network is trained on.")
    parser.add_argument("mirror", type=Path)
    parser.add_argument("celeba", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("measured", type=Path, nargs="+")
    options = parser.parse_args()
    measured = Measured()
    for folder in options.measured:
        measured.add(folder)
    write(options.pack, measured, examples(options.mirror, options.celeba))


if __name__ == "__main__":
    main()
