"""Cut the aligned crops that the emotion network is trained on.

Usage::

    python docs/models/rebuild/emotion_pictures.py MIRROR PACK.npz MEASURED...

``MEASURED`` are the folders that the engine is measured on, each with a ``labels.csv`` beside its pictures; both halves
count here. ``MIRROR`` holds bare copies (``OWNER+NAME/repo``) of these public repositories; the pictures stay outside
the project:

- RecepTahirGunlu/Duygu-Tanima: FER2013 (contrast-stretched JPEG, folders named by the original label). ``train`` and
  ``validation`` (FER2013's PublicTest) are used, ``test`` (PrivateTest) only to find near duplicates. FER2013 is
  scraped from the web, for research only.
- tessav/crowd-emotion: the same pictures as PNG, with ``fer2013new.csv``: votes of ten raters (Barsoum et al. 2016,
  arXiv:1608.01041; labels MIT, microsoft/FERPlus).
- WuJie1010/Facial-Expression-Recognition.Pytorch (CK+ 48): only to find near duplicates.

A picture of FER2013 that correlates above .98, mirrored or not, with a picture of its PrivateTest or of CK+ is left
out. FER2013 holds many photos several times, cut differently: so is any whose aligned face correlates above .9 with
that of a measured picture. Needs git, numpy, Pillow and the project.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mirrors
import numpy as np
from attrs import define
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rekog_emotion.embedded.engine import Engine, _find, _Networks
from rekog_emotion.embedded.expression import CHIP, CHIP_VERTICES
from rekog_emotion.embedded.geometry import Patch, invert, similarity
from rekog_emotion.embedded.mesh import _refined, _Region

FER2013 = "RecepTahirGunlu/Duygu-Tanima"
FER_PLUS = "tessav/crowd-emotion"
CK = "WuJie1010/Facial-Expression-Recognition.Pytorch"
FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # ANGRY DISGUSTED ... CALM
VOTES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
NO_VOTES = ("contempt", "unknown", "NF")
TINY = 64  # pixels; such a picture is a face, so that nothing needs to be found there
LARGEST = 700  # pixels; larger pictures are made smaller
STORED, STORED_PAD = 88, 0.4  # side of a stored crop, pixels, and its margin
DUPLICATE, ALIGNED, SAME, CLOSE, AHEAD = 0.98, 0.9, 0.93, 0.7, 0.1  # correlations
FACE = slice(20, 68)  # of a stored crop

Array = NDArray[Any]


@define
class Example:
    """A picture in one or two copies, its class, and the raters' votes."""

    copies: list[Image.Image]
    label: int
    votes: list[float]


def _grey(data: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L").resize((48, 48)), np.float32)


def _unit(pictures: Array) -> Array:
    """Return pictures as vectors of mean 0 and length 1: their products are correlations."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6))


def _small(pictures: Array) -> Array:
    return np.stack([np.asarray(Image.fromarray(one).resize((16, 16), Image.Resampling.BOX)) for one in pictures])


def _likeness(pictures: Array, others: Array) -> Array:
    """Return the largest correlation of each picture with others, mirrored or not."""
    right = _unit(np.concatenate([others, others[:, :, ::-1]])).T.copy()
    left = _unit(pictures)
    return np.concatenate([(left[k : k + 256] @ right).max(1) for k in range(0, len(left), 256)])


def _paired(stretched: Array, plain: Array) -> list[int | None]:
    """Return, for every picture, which of the plain ones is the same: the best of the four likest of 16 x 16 pixels."""
    coarse, against = _unit(_small(stretched)), _unit(_small(plain)).T.copy()
    left, right = _unit(stretched), _unit(plain)
    pairs: list[int | None] = []
    for start in range(0, len(left), 512):
        for offset, four in enumerate(np.argpartition(coarse[start : start + 512] @ against, -4, axis=1)[:, -4:]):
            scores = right[four] @ left[start + offset]
            *_, second, first = np.argsort(scores)
            best, rest = scores[first], scores[second]
            pairs.append(int(four[first]) if best > SAME or (best > CLOSE and best - rest > AHEAD) else None)
    return pairs


def examples(mirror: Path) -> Iterator[Example]:
    """Yield FER2013's pictures but for those of which a measured set holds a copy."""
    banned = [
        (FER2013, mirrors.names(mirror, FER2013, r"test/.*PrivateTest_\d+\.jpg$").values()),
        (FER_PLUS, mirrors.names(mirror, FER_PLUS, r"data/FER2013Test/.*\.png$").values()),
        (CK, mirrors.names(mirror, CK, r"CK\+48/.*\.png$").values()),
    ]
    against = np.stack([_grey(data) for repo, objects in banned for data in mirrors.contents(mirror, repo, objects)])
    names = mirrors.names(mirror, FER2013, r"(train|validation)/.*_\d+\.jpg$")
    stretched = list(mirrors.contents(mirror, FER2013, names.values()))
    plain_names = mirrors.names(mirror, FER_PLUS, r"data/FER2013(Train|Valid)/.*\.png$")
    plain = list(mirrors.contents(mirror, FER_PLUS, plain_names.values()))
    rows = csv.DictReader(mirrors.git(mirror, FER_PLUS, "show", "HEAD:fer2013new.csv").decode().splitlines())
    votes, plain_files = {row["Image name"]: row for row in rows}, list(plain_names)
    left = np.stack([_grey(data) for data in stretched])
    pairs, likeness = _paired(left, np.stack([_grey(data) for data in plain])), _likeness(left, against)
    print(f"{(likeness > DUPLICATE).sum()} near duplicates left out")
    for index, name in enumerate(names):
        pair = pairs[index]
        if likeness[index] <= DUPLICATE:
            row = {} if pair is None else votes.get(Path(plain_files[pair]).name, {})
            given = [float(row.get(key) or 0) for key in VOTES]
            if sum(given) <= sum(float(row.get(key) or 0) for key in NO_VOTES):
                given = [0.0] * len(VOTES)
            copies = [stretched[index]] if pair is None else [stretched[index], plain[pair]]
            pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in copies]
            yield Example(pictures, FOLDERS.index(Path(name).parent.name), given)


def photo(data: bytes) -> Image.Image:
    """Return a picture as it is shown, no larger than needed."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    picture.thumbnail((LARGEST, LARGEST))
    return picture


def points(picture: Image.Image, nets: _Networks) -> Array | None:
    """Return the mesh of the largest face."""
    if max(picture.size) > TINY:
        return next((face.points for face in _find(nets, picture, "fast")), None)
    region = _Region(picture.width / 2, picture.height / 2, picture.width * 1.15, 0.0)
    (fit,) = nets.mesh._fit(picture, [region])  # noqa: SLF001 -- without the detector, five times as fast
    if fit.presence < 0.95 or abs(_refined(fit.points).angle) > 0.08:
        (fit,) = nets.mesh._fit(picture, [_refined(fit.points)])  # noqa: SLF001 -- likewise
    return fit.points if fit.presence > 0.5 else None


def crop(picture: Image.Image, mesh: Array, side: int = STORED) -> Array:
    """Return the aligned face, shape (side, side, 3), with a margin of ``STORED_PAD``."""
    x, y = mesh[:, :2].mean(0)
    radius = float(np.ptp(mesh[:, :2], axis=0).max()) * 1.25
    targets = (CHIP + STORED_PAD) / (1 + 2 * STORED_PAD) * side
    return Patch(picture, x, y, radius).warp(invert(similarity(mesh[CHIP_VERTICES, :2], targets)), side)


def grey(picture: Array) -> Array:
    """Return a crop without its colours, of the side that crops are compared at."""
    one = Image.fromarray(np.ascontiguousarray(picture)).convert("L")
    return np.asarray(one if one.width == STORED else one.resize((STORED, STORED), Image.Resampling.BOX))


def measured_pictures(folders: Iterable[Path]) -> list[Path]:
    """Return the pictures that the engine is measured on."""
    rows = ((folder, csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines())) for folder in folders)
    return [folder / row["file"] for folder, table in rows for row in table]


def fresh(crops: Array, measured: Array) -> Array:
    """Return which crops (n, 88, 88) show no face of the measured ones (m, 88, 88)."""
    return np.asarray(_likeness(crops[:, FACE, FACE].astype(np.float32), measured[:, FACE, FACE]) <= ALIGNED)


def main() -> None:
    """Write ``crops`` (n, 2, 88, 88), ``labels`` (n,), ``votes`` (n, 7) and ``found`` (n,)."""
    parser = argparse.ArgumentParser(description="Cut the crops that the emotion network is trained on.")
    parser.add_argument("mirror", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("measured", type=Path, nargs="+")
    options = parser.parse_args()
    nets = Engine()._networks()  # noqa: SLF001 -- its insides are what is needed
    photos = [photo(path.read_bytes()) for path in measured_pictures(options.measured)]
    seen = np.array([grey(crop(one, mesh)) for one in photos if (mesh := points(one, nets)) is not None])
    rows = [(one, points(one.copies[0], nets)) for one in examples(options.mirror)]
    # A face that is missed is cut where the others lie: pictures of FER2013 are centred already.
    usual = np.median([mesh for _, mesh in rows if mesh is not None], 0)
    crops = np.array(
        [[grey(crop(copy, usual if mesh is None else mesh)) for copy in (one.copies * 2)[:2]] for one, mesh in rows]
    )
    new = fresh(crops[:, 0], seen)
    np.savez(
        options.out,
        crops=crops[new],
        labels=np.array([one.label for one, _ in rows])[new],
        votes=np.array([one.votes for one, _ in rows], np.float32)[new],
        found=np.array([mesh is not None for _, mesh in rows])[new],
    )
    print(f"{new.sum()} crops, {(~new).sum()} left out whose face is on a measured picture")


if __name__ == "__main__":
    main()
