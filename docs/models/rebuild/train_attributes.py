"""Train the attribute network: the mean of small networks, 80 x 80 RGB crops, eight logits.

Usage::

    python docs/models/rebuild/train_attributes.py PACK OUT.onnx [--seeds 0 1] [--epochs 10]

``PACK`` is what ``attribute_pictures.py`` writes: ``labels.csv`` (``file``, ``source``, one column an attribute: 0..1,
empty for unknown) and the aligned crops that it names, 112 x 112: centres of the eyes at (.34, .38) and (.66, .38) of
the side, centre of the mouth at (.5, .72).

Each seed is a member, 237 680 parameters; the result is the mean of their logits, of which every other one is for the
crop's mirror image. A member is kept beside the result as ``OUT.SEED.pt`` and not trained again, so that two processes
can share the work.

Needs numpy, opencv-python-headless, pandas and torch. ``half_weights.py`` halves the result.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

ATTRIBUTES = ["Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "Smile", "MouthOpen", "Male"]
LOSS_WEIGHTS = (1.5, 1.5, 1.2, 1.5, 1.2, 0.7, 0.7, 0.7)
GLASSES, LOWER_FACE, OCCLUDED = [0, 1], [2, 3, 5, 6], 4
CROP, INPUT, BATCH = 112, 80, 96
EYES, UNIT = (0.5, 0.38), 0.32  # midway between the eyes and the distance between them, shares of the crop
CENTRE = np.array([56, 58], np.float32)
KEPT = 0.995  # share of the averaged weights that a step keeps
CERTAIN = 0.02  # a label says no more than that

Image = NDArray[np.generic]


class Member(nn.Module):
    """Six convolutions; the head sees a coarse map and the mean of all channels."""

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (3, 24, 32, 48, 72, 96, 128), (2, 2, 1, 2, 1, 2)
        self.features = nn.Sequential(*map(_block, widths, widths[1:], strides))
        self.map = nn.Sequential(nn.Conv2d(128, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.dropout, self.head = nn.Dropout(0.3), nn.Linear(32 * 25 + 128, len(ATTRIBUTES))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, 8), for crops of shape (n, 3, 80, 80), -1..1."""
        x = self.features(x)
        return self.head(self.dropout(torch.cat([self.map(x).flatten(1), x.mean((2, 3))], 1)))


class Network(nn.Module):
    """The mean of members, of which every other one sees the crop's mirror image."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, 8), for crops of shape (n, 3, 80, 80), -1..1."""
        views = x, x.flip(3)
        return torch.stack([member(views[number % 2]) for number, member in enumerate(self.members)]).mean(0)


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Augmenter:
    """Draws training crops: covered, turned, mirrored, blurred, recoloured.

    Args:
        crops: Shape (n, 112, 112, 3).
        labels: Shape (n, 8), NaN for unknown.
        seed: Of the random numbers.
    """

    def __init__(self, crops: Image, labels: Image, seed: int) -> None:
        self.crops, self.labels, self.random = crops, labels, np.random.default_rng(seed)

    def __call__(self, index: int) -> tuple[Image, Image]:
        """Return one augmented crop, shape (80, 80, 3), and its labels."""
        crop, labels = self.crops[index], self.labels[index].copy()
        if self.random.random() < 0.25:
            crop = self.covered(crop, labels)
        return self.recoloured(self.moved(crop)), labels

    def covered(self, crop: Image, labels: Image) -> Image:
        """Cover a part of the face; what can no longer be seen becomes unknown."""
        random, kind, mask = self.random, self.random.random(), np.zeros((CROP, CROP), np.uint8)
        filling = self.filling(crop)
        hides: list[int] = []
        if kind < 0.2:  # a face mask
            top = random.uniform(0.4, 0.75)
            outline = [
                (random.uniform(-1.5, -0.95), top + random.uniform(-0.1, 0.2)),
                (random.uniform(-0.2, 0.2), top - random.uniform(-0.05, 0.25)),
                (random.uniform(0.95, 1.5), top + random.uniform(-0.1, 0.2)),
                (random.uniform(0.95, 1.4), 1.5),
                (0, 2.1),
                (random.uniform(-1.4, -0.95), 1.5),
            ]
            cv2.fillPoly(mask, [np.array([_pixel(*point) for point in outline])], 1)
            hides = LOWER_FACE
        elif kind < 0.36:  # something before mouth and nose
            self.ellipse(mask, (random.uniform(-0.4, 0.4), random.uniform(0.7, 1.25)), (0.4, 1.05), (0.3, 0.8), 90)
            hides = LOWER_FACE
        elif kind < 0.46:  # something before the eyes
            self.ellipse(mask, (random.choice([-0.5, 0, 0.5]), random.uniform(-0.1, 0.1)), (0.5, 1.4), (0.3, 0.6), 40)
            hides = GLASSES
        elif kind < 0.7:  # a hand
            filling = self.hand(crop, mask)
            hides = self.hidden(mask)
        elif kind < 0.84:  # a phone
            filling = self.phone(mask)
            hides = self.hidden(mask)
        elif kind < 0.9:  # half of the face
            mask[:, : int(random.uniform(0.3, 0.5) * CROP)] = 1
            mask = mask[:, :: random.choice([-1, 1])].copy()
            hides = GLASSES + LOWER_FACE
        else:  # harmless: the border
            mask[: int(random.uniform(0.04, 0.13) * CROP)] = 1
            mask = np.rot90(mask, random.integers(4)).copy()
        labels[hides] = np.nan
        if kind < 0.9:
            share = mask[slice(*_pixels((-0.6, 1.7))), slice(*_pixels((-0.9, 0.9), EYES[0]))].mean()
            labels[OCCLUDED] = 1 if share > 0.12 or labels[OCCLUDED] == 1 else np.nan
        soft = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
        return np.clip(crop * (1 - soft) + np.clip(filling, 0, 255) * soft, 0, 255).astype(np.uint8)

    def ellipse(
        self,
        mask: Image,
        centre: tuple[float, float],
        wide: tuple[float, float],
        high: tuple[float, float],
        turn: float,
    ) -> None:
        """Draw a turned ellipse: sizes in distances between the eyes, drawn from two ranges."""
        axes = tuple(int(self.random.uniform(*bounds) * UNIT * CROP) for bounds in (wide, high))
        cv2.ellipse(mask, _pixel(*centre), axes, self.random.uniform(-turn, turn), 0, 360, 1, -1)

    def hand(self, crop: Image, mask: Image) -> Image:
        """Draw a palm with three to five fingers on the mask; return their skin, darker between the fingers."""
        random, unit = self.random, UNIT * CROP
        other = crop if random.random() < 0.5 else self.crops[random.integers(len(self.crops))]
        skin = np.median(other[60:80, 22:90].reshape(-1, 3), 0) * random.uniform(0.75, 1.2)
        light = np.full((CROP, CROP), 0.75, np.float32)
        middle = np.array(_pixel(random.uniform(-0.7, 0.7), random.uniform(0, 1.5)), float)
        angle = random.uniform(0, 2 * np.pi)
        along, across = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        width, count = random.uniform(0.2, 0.32) * unit, int(random.integers(3, 6))
        root = middle - along * width
        for finger in range(count):
            start = root + across * (finger - (count - 1) / 2) * width * random.uniform(0.95, 1.15)
            bend = (finger - (count - 1) / 2) * random.uniform(0, 0.12)
            end = start + (along + across * bend) * random.uniform(2.5, 4.5) * width
            ends = tuple(start.astype(int).tolist()), tuple(end.astype(int).tolist())
            for share, shade in ((0.95, 0.8), (0.7, 0.95), (0.4, 1.05)):
                cv2.line(light, *ends, shade, max(1, int(width * share)))
            cv2.line(mask, *ends, 1, max(2, int(width * 0.95)))
        palm = tuple((root - along * 1.5 * width).astype(int).tolist())
        size = int(count * width * 0.55), int(2.2 * width)
        for picture, value in ((mask, 1), (light, 0.98)):
            cv2.ellipse(picture, palm, size, np.degrees(np.arctan2(across[1], across[0])), 0, 360, value, -1)
        light = cv2.GaussianBlur(light, (5, 5), 0)[..., None]
        return light * skin + random.normal(0, 3, (CROP, CROP, 1))

    def phone(self, mask: Image) -> Image:
        """Draw a phone at or before the face on the mask; return its colours."""
        random, unit = self.random, UNIT * CROP
        side = random.choice([-1, 1])
        centre = _pixel(side * random.uniform(0, 0.8), random.uniform(0.1, 1.2))
        size = random.uniform(0.9, 1.3) * unit, random.uniform(1.7, 2.6) * unit
        corners = cv2.boxPoints((centre, size, random.uniform(-35, 35))).astype(int)
        cv2.fillPoly(mask, [corners], 1)
        colours = np.zeros((CROP, CROP, 3), np.float32) + random.choice([15, 30, 60, 200, 235]) + random.normal(0, 8, 3)
        cv2.polylines(colours, [corners], isClosed=True, color=[random.uniform(60, 180)] * 3, thickness=2)
        for _ in range(int(random.integers(4))):
            spot = (corners[0] * 0.75 + corners[2] * 0.25 + random.normal(0, 0.12 * unit, 2)).astype(int)
            cv2.circle(colours, tuple(spot.tolist()), max(1, int(0.09 * unit)), [random.uniform(0, 120)] * 3, -1)
        return colours

    def hidden(self, mask: Image) -> list[int]:
        """Return which attributes a cover hides: those of whose place it takes a third or more."""
        eyes, mouth = (
            mask[slice(*_pixels(high)), slice(*_pixels(wide, EYES[0]))].mean()
            for wide, high in (((-0.9, 0.9), (-0.3, 0.3)), ((-0.6, 0.6), (0.7, 1.7)))
        )
        return GLASSES * bool(eyes > 0.33) + LOWER_FACE * bool(mouth > 0.33)

    def filling(self, crop: Image) -> Image:
        """Return what covers the face: a colour, another one's skin, or another crop upside down."""
        random, other, kind = self.random, self.crops[self.random.integers(len(self.crops))], self.random.random()
        if kind < 0.4:
            colour = random.uniform(20, 250, 3)
            if random.random() < 0.5:
                colour = crop[60:80, 30:80].mean((0, 1)) * random.uniform(0.7, 1.2)
            grain = random.normal(0, random.uniform(1, 8), (CROP // 8, CROP // 8, 1))
            return (colour + grain.repeat(8, 0).repeat(8, 1)).astype(np.float32)
        if kind < 0.7:
            return cv2.resize(other[62:84, 20:92], (CROP, CROP)).astype(np.float32)
        return other[::-1, ::-1].astype(np.float32)

    def moved(self, crop: Image) -> Image:
        """Scale, turn, mirror, shift and sometimes coarsen a crop."""
        random = self.random
        scale, angle = INPUT / CROP * random.uniform(0.92, 1.12), np.radians(random.normal(0, 5))
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0]], np.float32)
        if random.random() < 0.5:
            matrix[:, 0] *= -1
        target = np.array([INPUT / 2, INPUT / 2 * 58 / 56])
        matrix[:, 2] = target - matrix[:, :2] @ CENTRE + random.normal(0, 2.2, 2)
        if random.random() < 0.35:
            share = random.uniform(0.3, 0.8)
            small = cv2.resize(crop, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            crop = cv2.resize(small, (CROP, CROP))
        return cv2.warpAffine(crop, matrix, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE)

    def recoloured(self, crop: Image) -> Image:
        """Change contrast, brightness and colour, sometimes to grey, sometimes with noise."""
        random = self.random
        gain, shift = random.uniform(0.7, 1.3), random.normal(0, 18) + random.normal(0, 6, 3)
        crop = crop.astype(np.float32) * np.float32(gain) + (127.5 * (1 - gain) + shift).astype(np.float32)
        if random.random() < 0.12:
            crop[:] = crop.mean(2, keepdims=True)
        if random.random() < 0.2:
            crop += random.standard_normal(crop.shape, np.float32) * np.float32(random.uniform(2, 10))
        return np.clip(crop, 0, 255)


def _pixel(across: float, down: float) -> tuple[int, int]:
    """Return a place of the crop, given from midway between the eyes in distances between them."""
    return int((EYES[0] + UNIT * across) * CROP), int((EYES[1] + UNIT * down) * CROP)


def _pixels(bounds: tuple[float, float], origin: float = EYES[1]) -> list[int]:
    return [int((origin + UNIT * bound) * CROP) for bound in bounds]


def sampling(table: pd.DataFrame) -> Image:
    """Return how often to draw each row: rare labels more often, sources without the others less often."""
    labels = table[ATTRIBUTES].fillna(0)
    weights = 1 + 1.5 * sum((labels[name] > 0.5).astype(float) for name in ("Eyeglasses", "Sunglasses", "Mustache"))
    weights += 1.0 * (labels.Beard > 0.5)
    sources = {"celeba": 1.3, "lfw": 0.9, "mtfl": 0.9, "utkface": 0.6, "masks": 0.6, "sunglasses": 0.8}
    weights *= table.source.map(sources)
    return (weights / weights.sum()).to_numpy()


def loss(outputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the cross entropy of what is known of the attributes."""
    known = ~torch.isnan(wanted)
    soft = torch.nan_to_num(wanted) * (1 - 2 * CERTAIN) + CERTAIN
    each = functional.binary_cross_entropy_with_logits(outputs, soft, reduction="none") * known
    return each.sum(0) / known.sum(0).clamp(min=8) @ torch.tensor(LOSS_WEIGHTS)


def tensor(crops: Image) -> torch.Tensor:
    """Return crops as the network wants them."""
    scaled = torch.from_numpy(np.asarray(crops, np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    return scaled.contiguous(memory_format=torch.channels_last)


def train(augment: Augmenter, weights: Image, epochs: int) -> Member:
    """Train a member; return the running average of its weights, which is better than the last of them."""
    member, steps = Member().to(memory_format=torch.channels_last), len(augment.crops) // BATCH
    optimizer = torch.optim.AdamW(member.parameters(), 3e-3, weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, epochs * steps, pct_start=0.15)
    average = copy.deepcopy(member)
    for epoch in range(epochs):
        total = 0.0
        for drawn in augment.random.choice(len(augment.crops), (steps, BATCH), p=weights):
            pairs = [augment(index) for index in drawn]
            with torch.autocast("cpu", torch.bfloat16):
                outputs = member(tensor(np.stack([pair[0] for pair in pairs])))
            error = loss(outputs.float(), torch.from_numpy(np.stack([pair[1] for pair in pairs])))
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            schedule.step()
            total += error.item()
            with torch.no_grad():
                for mean, now in zip(average.state_dict().values(), member.state_dict().values(), strict=True):
                    mean.copy_(mean * KEPT + now * (1 - KEPT) if mean.is_floating_point() else now)
        print(f"epoch {epoch}: loss {total / steps:.3f}", flush=True)
    return average.eval().to(memory_format=torch.contiguous_format)


def export(network: Network, out: Path) -> None:
    """Write a network."""
    free = {0: "N"}
    torch.onnx.export(
        network,
        torch.zeros(1, 3, INPUT, INPUT),
        out,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": free, "y": free},
        dynamo=False,
        opset_version=13,
    )


def main() -> None:
    """Train the members that are missing, and export their mean."""
    parser = argparse.ArgumentParser(description="Train the attribute network.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    table = pd.read_csv(options.pack / "labels.csv")
    crops = np.stack([cv2.imread(str(options.pack / file))[:, :, ::-1] for file in table.file])
    labels = table[ATTRIBUTES].to_numpy(np.float32)
    members = []
    for seed in options.seeds:
        file = options.out.with_suffix(f".{seed}.pt")
        if not file.exists():
            torch.manual_seed(seed)
            torch.save(train(Augmenter(crops, labels, seed), sampling(table), options.epochs).state_dict(), file)
        member = Member().eval()
        member.load_state_dict(torch.load(file))
        members.append(member)
    export(Network(members).eval(), options.out)


if __name__ == "__main__":
    main()
