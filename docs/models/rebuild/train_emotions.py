"""Train the emotion network: 756 670 parameters, 64 x 64 grey crops, seven classes, two heads that the export merges.

Usage::

    python docs/models/rebuild/train_emotions.py prepare MIRROR PACK.npz
    python docs/models/rebuild/train_emotions.py train PACK.npz OUT.pt [--seed 0] [--epochs 20]
    python docs/models/rebuild/train_emotions.py export OUT.pt OUT.onnx

``MIRROR`` holds bare copies (``OWNER+NAME/repo``) of these public repositories; the pictures stay outside the project:

- RecepTahirGunlu/Duygu-Tanima: FER2013 (contrast-stretched JPEG, folders named by the original label). ``train`` and
  ``validation`` (FER2013's PublicTest) are used, ``test`` (PrivateTest) only to find near duplicates. FER2013 is
  scraped from the web, for research only.
- tessav/crowd-emotion: the same pictures as PNG, in the order of FER+, with ``fer2013new.csv``: votes of ten raters
  (Barsoum et al. 2016, arXiv:1608.01041; labels MIT, microsoft/FERPlus).
- WuJie1010/Facial-Expression-Recognition.Pytorch (CK+ 48) and muxspace/facial_expressions: only to ban near duplicates.

A training picture that correlates above .98, mirrored or not, with a picture of FER2013's PrivateTest, CK+ or muxspace
is left out. Crops are those of the engine: aligned by the mesh that the engine itself lays over the picture. Needs git,
numpy, Pillow, torch, onnx and the project. ``half_weights.py`` halves the result.

What was run: the shipped file is the moving mean after 18 of 20 epochs (seed 0; stopped after 19) of the program that
this one tidies up, on 31 831 pictures. This one was run from end to end on a thousand pictures and for one epoch only;
its ``export`` of the shipped checkpoint makes logits that differ from the shipped ones by 4e-4 at most, of 2.2.
The whole training was not repeated, and the fit of the weights in ``expression.py`` is no part of this program.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
import copy
import csv
import io
import math
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn import functional

from rekog_emotion.embedded.detector import Detector
from rekog_emotion.embedded.expression import CHIP, CHIP_VERTICES
from rekog_emotion.embedded.geometry import Patch, invert, similarity
from rekog_emotion.embedded.mesh import Mesh

FER2013 = "RecepTahirGunlu/Duygu-Tanima"
FER_PLUS = "tessav/crowd-emotion"
EVALUATION = {
    FER2013: r"test/.*PrivateTest_\d+\.jpg$",
    FER_PLUS: r"data/FER2013Test/.*\.png$",
    "WuJie1010/Facial-Expression-Recognition.Pytorch": r"CK\+48/.*\.png$",
    "muxspace/facial_expressions": r"images/.*\.jpg$",
}
FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # ANGRY DISGUSTED ... CALM
VOTES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
NO_VOTES = ("contempt", "unknown", "NF")
STORED, STORED_PAD = 88, 0.4  # side of a stored crop, pixels, and its margin
SIDE, BATCH = 64, 128
DUPLICATE, SAME, CLOSE, AHEAD = 0.98, 0.93, 0.7, 0.1  # correlations
MEAN_SQUARE_FLOOR = 25.0  # a flat crop is not blown up to noise

Array = NDArray[np.generic]


# prepare -------------------------------------------------------------------------------------------------------------


def _git(mirror: Path, repository: str, *arguments: str) -> bytes:
    folder = mirror / repository.replace("/", "+") / "repo"
    command = ["git", f"--git-dir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 -- names are this file's


def _names(mirror: Path, repository: str, pattern: str) -> list[str]:
    listed = _git(mirror, repository, "ls-tree", "-r", "--name-only", "-z", "HEAD").decode().split("\0")
    return sorted(name for name in listed if re.match(pattern, name))


def _pictures(mirror: Path, repository: str, names: Sequence[str]) -> Iterator[bytes]:
    folder = mirror / repository.replace("/", "+") / "repo"
    command = ["git", f"--git-dir={folder}", "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 -- likewise
        assert process.stdin is not None
        assert process.stdout is not None
        for name in names:
            process.stdin.write(f"HEAD:{name}\n".encode())
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            yield process.stdout.read(size)
            process.stdout.read(1)


def _grey(data: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L").resize((48, 48)), np.float32)


def _unit(pictures: Array) -> Array:
    """Return pictures as vectors of mean 0 and length 1: their products are correlations."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6)


def _paired(stretched: Array, plain: Array) -> list[int | None]:
    """Return, for every picture, which of the plain ones is the same."""
    left, right = _unit(stretched), _unit(plain)
    pairs: list[int | None] = []
    for start in range(0, len(left), 512):
        scores = left[start : start + 512] @ right.T
        for row in scores:
            second, first = np.argpartition(row, -2)[-2:]
            best, rest = max(row[first], row[second]), min(row[first], row[second])
            index = first if row[first] == best else second
            pairs.append(int(index) if best > SAME or (best > CLOSE and best - rest > AHEAD) else None)
    return pairs


def _mesh(picture: Image.Image, detector: Detector, mesh: Mesh) -> Array | None:
    for detections, presence in detector.search(picture):
        faces = mesh(picture, detections, presence=presence)
        if faces:
            return max(faces, key=lambda face: float(np.prod(face.extent[2:] - face.extent[:2]))).points
    return None


def _crop(picture: Image.Image, points: Array) -> Array:
    x, y = points[:, :2].mean(0)
    targets = (CHIP + STORED_PAD) / (1 + 2 * STORED_PAD) * STORED
    crop = Patch(picture, x, y, 60).warp(invert(similarity(points[CHIP_VERTICES, :2], targets)), STORED)
    return np.asarray(Image.fromarray(np.ascontiguousarray(crop)).convert("L"))


def prepare(mirror: Path, out: Path) -> None:
    """Cut the training crops.

    Args:
        mirror: Folder of the bare repositories.
        out: ``.npz`` file: ``crops`` of shape (n, 2, 88, 88) (stretched and plain copy), ``labels`` (n,), ``votes``
            (n, 7), ``found`` (n,).
    """
    names = _names(mirror, FER2013, r"(train|validation)/.*_\d+\.jpg$")
    stretched = list(_pictures(mirror, FER2013, names))
    plain_names = _names(mirror, FER_PLUS, r"data/FER2013(Train|Valid)/.*\.png$")
    plain = list(_pictures(mirror, FER_PLUS, plain_names))
    table = csv.DictReader(_git(mirror, FER_PLUS, "show", "HEAD:fer2013new.csv").decode().splitlines())
    votes = {row["Image name"]: row for row in table}
    banned = [
        _grey(data)
        for repo, pattern in EVALUATION.items()
        for data in _pictures(mirror, repo, _names(mirror, repo, pattern))
    ]
    against = _unit(np.concatenate([np.stack(banned), np.stack(banned)[:, :, ::-1]]))
    left, right = np.stack([_grey(data) for data in stretched]), np.stack([_grey(data) for data in plain])
    pairs = _paired(left, right)
    detector, mesh = Detector(), Mesh()
    rows: list[tuple[list[Image.Image], int, list[float], Array | None]] = []
    skipped = 0
    for index, name in enumerate(names):
        pair = pairs[index]
        copies = [left[index]] if pair is None else [left[index], right[pair]]
        if (_unit(np.stack(copies)) @ against.T).max() > DUPLICATE:
            skipped += 1
            continue
        pictures = [Image.open(io.BytesIO(stretched[index])).convert("RGB")]
        pictures.append(pictures[0] if pair is None else Image.open(io.BytesIO(plain[pair])).convert("RGB"))
        points = _mesh(pictures[0], detector, mesh)
        row = {} if pair is None else votes.get(Path(plain_names[pair]).name, {})
        given = [float(row.get(key) or 0) for key in VOTES]
        if sum(given) <= sum(float(row.get(key) or 0) for key in NO_VOTES):
            given = [0.0] * len(VOTES)
        rows.append((pictures, FOLDERS.index(Path(name).parent.name), given, points))
    # A face that the engine misses is cut where the others lie: such pictures are centred already.
    usual = np.median([points for *_, points in rows if points is not None], 0)
    np.savez(
        out,
        crops=np.array(
            [
                [_crop(picture, usual if points is None else points) for picture in pictures]
                for pictures, _, _, points in rows
            ]
        ),
        labels=np.array([label for _, label, _, _ in rows]),
        votes=np.array([given for _, _, given, _ in rows], np.float32),
        found=np.array([points is not None for *_, points in rows]),
    )
    print(f"{len(rows)} crops, {skipped} left out as near duplicates of evaluation pictures")


# train ---------------------------------------------------------------------------------------------------------------


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.a = _layer(inputs, outputs, stride=stride)
        self.b = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        around = [nn.AvgPool2d(stride, stride) if stride > 1 else nn.Identity()]
        around += [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.skip = nn.Identity() if inputs == outputs and stride == 1 else nn.Sequential(*around)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the feature map."""
        return functional.relu(self.b(self.a(x)) + self.skip(x), inplace=True)


class Network(nn.Module):
    """A small residual network; one head answers as FER2013's labels do, the other as FER+'s raters."""

    def __init__(self, widths: Sequence[int], blocks: Sequence[int] = (1, 1, 2, 1)) -> None:
        super().__init__()
        layers: list[nn.Module] = [_layer(1, widths[0], 5, 2)]
        inputs = widths[0]
        for stage, (outputs, count) in enumerate(zip(widths, blocks, strict=True)):
            for index in range(count):
                layers.append(Block(inputs, outputs, 2 if index == 0 and stage else 1))
                inputs = outputs
        self.body, self.drop = nn.Sequential(*layers), nn.Dropout(0.3)
        self.fer, self.plus = nn.Linear(inputs, len(FOLDERS)), nn.Linear(inputs, len(FOLDERS))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of shape (n, c) of crops of shape (n, 1, 64, 64), 0..255; contrast is evened out first."""
        x = x - x.mean((2, 3), keepdim=True)
        x = x / torch.sqrt((x * x).mean((2, 3), keepdim=True) + MEAN_SQUARE_FLOOR)
        return self.body(x).mean((2, 3))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of both heads, each of shape (n, 7)."""
        features = self.drop(self.features(x))
        return self.fer(features), self.plus(features)


class Merged(nn.Module):
    """The exported network: a weighted sum of both heads."""

    def __init__(self, network: Network, weights: tuple[float, float]) -> None:
        super().__init__()
        self.network, self.head = network, nn.Linear(network.fer.in_features, len(FOLDERS))
        fer, plus = weights
        with torch.no_grad():
            self.head.weight.copy_(fer * network.fer.weight + plus * network.plus.weight)
            self.head.bias.copy_(fer * network.fer.bias + plus * network.plus.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, 7) for crops of shape (n, 64, 64, 1), 0..255."""
        return self.head(self.network.features(x.permute(0, 3, 1, 2)))


def _uniform(count: int, low: float, high: float) -> torch.Tensor:
    return torch.empty(count, 1, 1, 1).uniform_(low, high)


def _normal(count: int, deviation: float) -> torch.Tensor:
    return torch.randn(count, 1, 1, 1) * deviation


def augment(crops: torch.Tensor, pad: float, random: np.random.Generator) -> torch.Tensor:
    """Return crops of shape (n, 1, 64, 64), 0..255: moved, mirrored, blurred, lit otherwise, noisy, partly covered."""
    count, image = len(crops), crops.float()[:, None]
    zoom = (1 + 2 * pad) / (1 + 2 * STORED_PAD) * torch.exp(torch.randn(count) * 0.06).clamp(0.85, 1.18)
    angle, mirror = torch.randn(count) * math.radians(5), torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    stretch, cos, sin = torch.exp(torch.randn(count) * 0.03), torch.cos(angle) * zoom, torch.sin(angle) * zoom
    first = torch.stack([cos * mirror * stretch, -sin, torch.randn(count) * 0.035], 1)
    second = torch.stack([sin * mirror * stretch, cos, torch.randn(count) * 0.035], 1)
    grid = functional.affine_grid(torch.stack([first, second], 1), [count, 1, SIDE, SIDE], align_corners=False)
    out = functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
    coarse = torch.rand(count) < 0.25
    if coarse.any():
        small = functional.interpolate(out[coarse], size=[int(random.integers(24, 44))] * 2, mode="area")
        out[coarse] = functional.interpolate(small, size=[SIDE, SIDE], mode="bilinear", align_corners=False)
    mean, ramp = out.mean((2, 3), keepdim=True), torch.linspace(-1, 1, SIDE)
    out = (out - mean) * _uniform(count, 0.6, 1.4) + mean + _normal(count, 15)
    out = out + _normal(count, 12) * ramp + _normal(count, 8) * ramp[:, None]
    out = 255 * (out.clamp(0, 255) / 255) ** _uniform(count, 0.75, 1.33)
    out = out + torch.randn_like(out) * _uniform(count, 0, 8) * (torch.rand(count, 1, 1, 1) < 0.4)
    for index in torch.nonzero(torch.rand(count) < 0.4).flatten().tolist():
        (height, width), (top, left) = random.integers(8, 26, 2), random.integers(-6, SIDE - 6, 2)
        out[index, :, max(0, top) : top + height, max(0, left) : left + width] = float(random.uniform(0, 255))
    return out.clamp(0, 255)


def _targets(labels: torch.Tensor, votes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return soft targets of both heads and which rows have votes. A lone vote among ten is a slip of the hand."""
    known, trusted = votes.sum(1) > 2, votes * (votes > 1.5)
    votes = torch.where(trusted.sum(1, keepdim=True) > 0, trusted, votes)
    plus = votes / votes.sum(1, keepdim=True).clamp(min=1) * 0.96 + 0.04 / 7
    return functional.one_hot(labels, 7).float() * 0.94 + 0.06 / 7, plus, known


def train(pack: Path, out: Path, options: argparse.Namespace) -> None:
    """Train a network; the moving mean of its weights is saved after every epoch."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    random, data = np.random.default_rng(options.seed), np.load(pack)
    crops, labels = torch.from_numpy(data["crops"]), torch.from_numpy(data["labels"].astype(np.int64))
    one, plus, known = _targets(labels, torch.from_numpy(data["votes"]))
    # Training against the classes' frequency (logit adjustment, Menon et al. 2021) makes the answer fair to rare ones.
    prior, plus_prior = one.mean(0).log() * options.tau, plus[known].mean(0).log() * options.tau
    frequency = torch.bincount(labels, minlength=7).float()
    weights = (frequency[labels] / frequency.max()) ** -0.35 * torch.where(torch.from_numpy(data["found"]), 1.0, 0.6)
    network = Network([int(width) for width in options.widths.split(",")]).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(network).eval()
    groups = [{"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": 2e-2}]
    groups += [{"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0}]
    steps, step = len(labels) // BATCH, 0
    optimizer = torch.optim.AdamW(groups, 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 3e-3, steps * options.epochs, pct_start=0.15, final_div_factor=200
    )
    for epoch in range(options.epochs):
        total, order = 0.0, torch.multinomial(weights, steps * BATCH, replacement=True)
        for rows in order.split(BATCH):
            copies = (torch.rand(len(rows)) < 0.5).long()
            x, first, second, has = (
                augment(crops[rows, copies], options.pad, random),
                one[rows],
                plus[rows],
                known[rows].float(),
            )
            if random.random() < 0.3:  # mix-up
                share, other = float(random.beta(0.4, 0.4)), torch.randperm(len(rows))
                x = share * x + (1 - share) * x[other]
                first, second = (share * t + (1 - share) * t[other] for t in (first, second))
                has = has * has[other]
            with torch.autocast("cpu", torch.bfloat16):
                fer, raters = network(x.contiguous(memory_format=torch.channels_last))
            loss = -(first * (fer.float() + prior).log_softmax(1)).sum(1).mean()
            rated = (second * (raters.float() + plus_prior).log_softmax(1)).sum(1)
            loss = loss - (has * rated).sum() / has.sum().clamp(min=1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            step += 1
            _follow(mean, network, min(0.999, (1 + step) / (10 + step)))
            total += loss.item()
        print(f"epoch {epoch}: loss {total / steps:.3f}", flush=True)
        torch.save({"state": mean.state_dict(), "widths": options.widths, "pad": options.pad}, out)


def _follow(mean: nn.Module, network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)


# export --------------------------------------------------------------------------------------------------------------


def export(checkpoint: Path, out: Path, weights: tuple[float, float]) -> None:
    """Write the network as ONNX: input ``x`` (n, 64, 64, 1), 0..255; output ``y`` (n, 7), logits."""
    saved = torch.load(checkpoint, weights_only=True)
    network = Network([int(width) for width in saved["widths"].split(",")])
    network.load_state_dict(saved["state"])
    free = {0: "N"}
    torch.onnx.export(
        Merged(network, weights).eval(),
        (torch.zeros(1, SIDE, SIDE, 1),),
        str(out),
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": free, "y": free},
        dynamo=False,
        opset_version=13,
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the emotion network.")
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("prepare")
    sub.add_argument("mirror", type=Path)
    sub.add_argument("out", type=Path)
    sub = commands.add_parser("train")
    sub.add_argument("pack", type=Path)
    sub.add_argument("out", type=Path)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--epochs", type=int, default=20)
    sub.add_argument("--pad", type=float, default=0.22, help="margin of the crop in use")
    sub.add_argument("--widths", default="32,56,96,160")
    sub.add_argument("--tau", type=float, default=0.6, help="strength of the logit adjustment")
    sub = commands.add_parser("export")
    sub.add_argument("checkpoint", type=Path)
    sub.add_argument("out", type=Path)
    # As fitted together with the weights of rekog_emotion/embedded/expression.py, times a temperature of .85.
    sub.add_argument("--fer", type=float, default=0.6847, help="weight of the head trained on FER2013's labels")
    sub.add_argument("--plus", type=float, default=0.1656, help="weight of the head trained on FER+'s votes")
    options = parser.parse_args()
    if options.command == "prepare":
        prepare(options.mirror, options.out)
    elif options.command == "train":
        train(options.pack, options.out, options)
    else:
        export(options.checkpoint, options.out, (options.fer, options.plus))


if __name__ == "__main__":
    main()
