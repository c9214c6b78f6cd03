"""Train the attribute network: 118 128 parameters, 80 x 80 RGB crops, eight logits.

Usage::

    python docs/models/rebuild/train_attributes.py PACK OUT.onnx [--seed 0] [--epochs 16]

``PACK`` holds ``labels.csv`` (``file``, ``source``, ``split``, one column an attribute: 0..1, empty for unknown) and
the aligned crops that it names, 112 x 112: centres of the eyes at (.34, .38) and (.66, .38) of the side, centre of the
mouth at (.5, .72). Needs numpy, opencv-python-headless, pandas and torch. ``half_weights.py`` halves the result.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

ATTRIBUTES = ["Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "Smile", "MouthOpen", "Male"]
LOSS_WEIGHTS = (1.5, 1.5, 1.0, 1.5, 1.2, 0.7, 0.7, 0.7)
GLASSES, LOWER_FACE, OCCLUDED = [0, 1], [2, 3, 5, 6], 4
CROP, INPUT, BATCH = 112, 80, 96
CENTRE = np.array([56, 58], np.float32)

Image = NDArray[np.generic]


class Network(nn.Module):
    """Six convolutions; the head sees a coarse map and the mean of all channels."""

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (3, 16, 24, 32, 48, 64, 96), (2, 2, 1, 2, 1, 2)
        self.features = nn.Sequential(*map(_block, widths, widths[1:], strides))
        self.map = nn.Sequential(nn.Conv2d(96, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.dropout, self.head = nn.Dropout(0.3), nn.Linear(32 * 25 + 96, len(ATTRIBUTES))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, 8), for crops of shape (n, 3, 80, 80), -1..1."""
        x = self.features(x)
        return self.head(self.dropout(torch.cat([self.map(x).flatten(1), x.mean((2, 3))], 1)))


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Augmenter:
    """Draws training crops: rare labels more often, covered, turned, mirrored, blurred, recoloured.

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
        if self.random.random() < 0.3:
            crop = self.covered(crop, labels)
        return self.recoloured(self.moved(crop)), labels

    def covered(self, crop: Image, labels: Image) -> Image:
        """Cover a part of the face; what can no longer be seen becomes unknown."""
        random, mask, kind = self.random, np.zeros((CROP, CROP), np.uint8), self.random.random()
        hides: list[int] = []
        occludes = True
        if kind < 0.3:  # a face mask
            top = random.uniform(0.50, 0.62) * CROP
            outline = [
                (random.uniform(0.02, 0.2) * CROP, top + random.uniform(-4, 8)),
                (CROP / 2 + random.uniform(-8, 8), top - random.uniform(-2, 9)),
                (random.uniform(0.8, 0.98) * CROP, top + random.uniform(-4, 8)),
                (random.uniform(0.8, 0.95) * CROP, 0.85 * CROP),
                (CROP / 2, CROP + 4),
                (random.uniform(0.05, 0.2) * CROP, 0.85 * CROP),
            ]
            cv2.fillPoly(mask, [np.array(outline, np.int32)], 1)
            hides = LOWER_FACE
        elif kind < 0.55:  # something before mouth and nose
            centre = (random.uniform(0.38, 0.62), random.uniform(0.60, 0.78))
            self.ellipse(mask, centre, (random.uniform(0.14, 0.34), random.uniform(0.1, 0.25)), 90)
            hides = LOWER_FACE
        elif kind < 0.75:  # something before the eyes
            centre = (random.choice([0.34, 0.66, 0.5]), random.uniform(0.34, 0.42))
            self.ellipse(mask, centre, (random.uniform(0.15, 0.45), random.uniform(0.1, 0.2)), 40)
            hides = GLASSES
        elif kind < 0.82:  # half of the face
            mask[:, : int(random.uniform(0.25, 0.5) * CROP)] = 1
            mask = mask[:, :: random.choice([-1, 1])].copy()
            hides = GLASSES + LOWER_FACE
        else:  # harmless: the border
            width = int(random.uniform(0.04, 0.2) * CROP)
            mask[:width] = 1
            mask = np.rot90(mask, random.integers(4)).copy()
            occludes = False
        labels[hides] = np.nan
        if occludes:
            labels[OCCLUDED] = 1
        soft = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
        return np.clip(crop * (1 - soft) + np.clip(self.filling(crop), 0, 255) * soft, 0, 255).astype(np.uint8)

    def ellipse(self, mask: Image, centre: tuple[float, float], axes: tuple[float, float], turn: float) -> None:
        """Draw a turned ellipse, sizes as shares of the crop."""
        points = [tuple(int(share * CROP) for share in pair) for pair in (centre, axes)]
        cv2.ellipse(mask, *points, self.random.uniform(-turn, turn), 0, 360, 1, -1)

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
        return cv2.warpAffine(crop, matrix, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)

    def recoloured(self, crop: Image) -> Image:
        """Change contrast, brightness and colour, sometimes to grey, sometimes with noise."""
        random = self.random
        crop = (crop - 127.5) * random.uniform(0.7, 1.3) + 127.5 + random.normal(0, 18)
        crop = crop + random.normal(0, 6, 3)
        if random.random() < 0.12:
            crop[:] = crop.mean(2, keepdims=True)
        if random.random() < 0.3:
            crop = crop + random.normal(0, random.uniform(2, 10), crop.shape)
        return np.clip(crop, 0, 255)


def sampling(table: pd.DataFrame) -> Image:
    """Return how often to draw each row: rare labels more often."""
    weights = np.ones(len(table))
    labels = table[ATTRIBUTES].fillna(0)
    for prefix, base, glasses, sun, moustache, beard in (("celeba", 1, 2, 2, 2, 1), ("lfw", 0.8, 1, 0, 2, 1)):
        rows = table.source.str.startswith(prefix).to_numpy()
        drawn = base + glasses * (labels.Eyeglasses > 0.5) + sun * labels.Sunglasses
        drawn = drawn + moustache * (labels.Mustache > 0.5) + beard * (labels.Beard > 0.5)
        weights[rows] = drawn[rows]
    return weights / weights.sum()


def tensor(crops: Image) -> torch.Tensor:
    """Return crops as the network wants them."""
    scaled = torch.from_numpy(np.asarray(crops, np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    return scaled.contiguous(memory_format=torch.channels_last)


def main() -> None:
    """Train and export."""
    parser = argparse.ArgumentParser(description="Train the attribute network.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=16)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    table = pd.read_csv(options.pack / "labels.csv")
    table = table[table.split == "train"]
    crops = np.stack([cv2.imread(str(options.pack / file))[:, :, ::-1] for file in table.file])
    labels, weights = table[ATTRIBUTES].to_numpy(np.float32), sampling(table)
    augment, network = Augmenter(crops, labels, options.seed), Network().to(memory_format=torch.channels_last)
    steps = len(crops) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, options.epochs * steps, pct_start=0.15)
    for epoch in range(options.epochs):
        total = 0.0
        for drawn in augment.random.choice(len(crops), (steps, BATCH), p=weights):
            pairs = [augment(index) for index in drawn]
            wanted = torch.from_numpy(np.stack([pair[1] for pair in pairs]))
            known = ~torch.isnan(wanted)
            logits = network(tensor(np.stack([pair[0] for pair in pairs])))
            loss = functional.binary_cross_entropy_with_logits(logits, torch.nan_to_num(wanted), reduction="none")
            loss = (loss * known).sum(0) / known.sum(0).clamp(min=1) @ torch.tensor(LOSS_WEIGHTS)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / steps:.3f}")
    network.eval().to(memory_format=torch.contiguous_format)
    free = {0: "N"}
    torch.onnx.export(
        network,
        torch.zeros(1, 3, INPUT, INPUT),
        options.out,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": free, "y": free},
        dynamo=False,
        opset_version=13,
    )


if __name__ == "__main__":
    main()
