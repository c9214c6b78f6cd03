"""What happens to crops before a network of ours learns from them. Needs numpy and torch."""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional


def _uniform(count: int, low: float, high: float) -> torch.Tensor:
    return torch.empty(count, 1, 1, 1).uniform_(low, high)


def _normal(count: int, deviation: float) -> torch.Tensor:
    return torch.randn(count, 1, 1, 1) * deviation


def moved(crops: torch.Tensor, side: int, shrink: float, *, spread: float, degrees: float) -> torch.Tensor:
    """Return crops of shape (n, channels, side, side), 0..255: zoomed, turned, stretched, shifted, mirrored.

    Args:
        crops: Shape (n, channels, height, width), 0..255.
        side: Pixels.
        shrink: Share of a stored crop's side that is seen.
        spread: Deviation of the log of the zoom.
        degrees: Deviation of the turn.
    """
    count = len(crops)
    zoom = shrink * torch.exp(torch.randn(count) * spread).clamp(0.85, 1.18)
    angle, mirror = torch.randn(count) * math.radians(degrees), torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    stretch, cos, sin = torch.exp(torch.randn(count) * 0.03), torch.cos(angle) * zoom, torch.sin(angle) * zoom
    first = torch.stack([cos * mirror * stretch, -sin, torch.randn(count) * 0.035], 1)
    second = torch.stack([sin * mirror * stretch, cos, torch.randn(count) * 0.035], 1)
    size = [count, crops.shape[1], side, side]
    grid = functional.affine_grid(torch.stack([first, second], 1), size, align_corners=False)
    return functional.grid_sample(crops.float(), grid, padding_mode="border", align_corners=False)


def coarsened(crops: torch.Tensor, share: float, sides: tuple[int, int], random: np.random.Generator) -> torch.Tensor:
    """Return crops of which a share was small once, of a side between two."""
    out, chosen = crops.clone(), torch.rand(len(crops)) < share
    if chosen.any():
        small = functional.interpolate(out[chosen], size=[int(random.integers(*sides))] * 2, mode="area")
        out[chosen] = functional.interpolate(small, size=list(out.shape[2:]), mode="bilinear", align_corners=False)
    return out


def relit(crops: torch.Tensor, tint: float = 0.0) -> torch.Tensor:
    """Return crops of other contrast, brightness, colour (``tint`` is its deviation), shade and noise."""
    count, out = len(crops), crops
    mean, ramp = out.mean((1, 2, 3), keepdim=True), torch.linspace(-1, 1, out.shape[-1])
    out = (out - mean) * _uniform(count, 0.6, 1.4) + mean + _normal(count, 15)
    if tint:
        out = out + torch.randn(count, 3, 1, 1) * tint
    out = out + _normal(count, 12) * ramp + _normal(count, 8) * ramp[:, None]
    out = 255 * (out.clamp(0, 255) / 255) ** _uniform(count, 0.75, 1.33)
    return out + torch.randn_like(out) * _uniform(count, 0, 8) * (torch.rand(count, 1, 1, 1) < 0.4)


def covered(
    crops: torch.Tensor, share: float, sides: tuple[int, int], beyond: int, random: np.random.Generator
) -> torch.Tensor:
    """Return crops, 0..255, of which a share has a plain rectangle on it, that begins so far beyond an edge at most."""
    out = crops
    for index in torch.nonzero(torch.rand(len(out)) < share).flatten().tolist():
        (height, width), (top, left) = random.integers(*sides, 2), random.integers(-beyond, out.shape[-1] - beyond, 2)
        out[index, :, max(0, top) : top + height, max(0, left) : left + width] = float(random.uniform(0, 255))
    return out.clamp(0, 255)


def soft_targets(labels: torch.Tensor, votes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return soft targets of labels and votes, and which rows have votes. A lone vote among ten is a slip."""
    known, trusted = votes.sum(1) > 2, votes * (votes > 1.5)
    votes = torch.where(trusted.sum(1, keepdim=True) > 0, trusted, votes)
    plus = votes / votes.sum(1, keepdim=True).clamp(min=1) * 0.96 + 0.04 / 7
    return functional.one_hot(labels, 7).float() * 0.94 + 0.06 / 7, plus, known
