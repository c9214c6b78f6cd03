"""Train the network of a face's appearance: one trunk that learnt identities, and heads for what a face looks like.

Usage::

    python docs/models/rebuild/train_faces.py train PACK FACERES OUT.pt [--seed 0] [--steps 4000]
    python docs/models/rebuild/train_faces.py export OUT.pt OUT.onnx

``PACK`` is what ``face_pictures.py`` writes, ``FACERES`` the folder ``package/models`` of npm's @vladmandic/human 3.3.6
(``faceres.py``). Needs numpy, torch and onnx; an hour of one core. ``join_pads.py`` makes the
result quicker, and ``half_weights.py`` halves it.

The heads of expression answer as FER2013's labels do, as FER+'s raters, and as muxspace's labels; they make the trunk
look at expressions, and are left out of the export, for ``emotion.onnx`` is the better judge. Sex is learnt from
UTKFace and CelebA, age from UTKFace, the yes-or-no attributes from CelebA. A quarter of the trunk, its first nine
convolutions, stays as it was. The shipped file is the moving mean of the weights after the last step, of seed 0;
nothing was chosen by a measured set.
"""

# ruff: noqa: PLR2004 -- a recipe is made of figures

from __future__ import annotations

import argparse
import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import define
from augmentation import coarsened, covered, moved, relit, soft_targets
from faceres import WIDTH, Trunk
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

CLASSES = 7  # ANGRY, DISGUSTED, FEAR, HAPPY, SAD, SURPRISED, CALM
FLAGS = ("male", "smile", "moustache", "beard", "glasses", "open mouth")  # the first of face_pictures.KNOWN
AGE = len(FLAGS)  # the column of years
YEARS = torch.arange(0, 101.0)
STORED_PAD, PAD = 0.4, 0.28  # margins of a stored crop, and of one in use
SIDE = 96  # pixels
SHARES = (72, 10, 24, 22)  # crops of FER2013, muxspace, UTKFace and CelebA in a batch
FROZEN = 9  # convolutions
TAU = 0.6  # strength of the logit adjustment (Menon et al. 2021), which makes the answer fair to rare classes
BODY_RATE, HEAD_RATE, WARM = 5e-4, 2e-3, 200  # learning rates, and the steps in which they rise

Tensors = dict[str, torch.Tensor]


class Faces(nn.Module):
    """The trunk and its heads."""

    def __init__(self, faceres: Path | None = None) -> None:
        super().__init__()
        self.trunk, self.drop = Trunk(folder=faceres), nn.Dropout(0.3)
        self.fer, self.plus, self.mux = (nn.Linear(WIDTH, CLASSES) for _ in range(3))
        self.flags, self.age = nn.Linear(WIDTH, len(FLAGS)), nn.Linear(WIDTH, len(YEARS))


class Exported(nn.Module):
    """The network without its heads of expression."""

    def __init__(self, network: Faces) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of ``FLAGS`` (n, 6) and years (n, 1) of RGB crops (n, 96, 96, 3), 0..255."""
        features = self.network.trunk(x.permute(0, 3, 1, 2))
        return self.network.flags(features), self.network.age(features).softmax(1) @ YEARS[:, None]


def placed(crops: torch.Tensor) -> torch.Tensor:
    """Return crops of shape (n, 3, 96, 96), 0..255: moved, turned, mirrored."""
    shrink = (1 + 2 * PAD) / (1 + 2 * STORED_PAD)
    return moved(crops, SIDE, shrink, spread=0.07, degrees=6).expand(-1, 3, -1, -1)


def lit(crops: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Return crops blurred, without colour, lit otherwise, noisy, partly covered: each now and then."""
    out = coarsened(crops, 0.2, (28, 56), random)
    grey = torch.rand(len(out)) < 0.3
    light = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    out[grey] = (out[grey] * light).sum(1, keepdim=True).expand(-1, 3, -1, -1)
    return covered(relit(out, tint=6), 0.35, (12, 38), 8, random)


def _rare(groups: torch.Tensor, power: float) -> torch.Tensor:
    """Return how often rows are drawn: those of small groups more often."""
    counts = torch.bincount(groups).float()
    return (counts[groups] / counts.max()).clamp(min=0.02) ** -power


@define(slots=False)
class Pictures:
    """All crops and what is known of them."""

    pack: Path

    def __attrs_post_init__(self) -> None:
        fer = np.load(self.pack / "fer2013.npz")
        labels = torch.from_numpy(fer["labels"].astype(np.int64))
        self.fer = torch.from_numpy(fer["crops"])
        self.one, self.plus, self.rated = soft_targets(labels, torch.from_numpy(fer["votes"]))
        self.fer_often = _rare(labels, 0.35) * torch.where(torch.from_numpy(fer["found"]), 1.0, 0.6)
        self.mux, labels, _ = self._photos("muxspace")
        self.mux_one = functional.one_hot(labels, CLASSES).float() * 0.9 + 0.1 / 7
        self.mux_prior = (torch.bincount(labels, minlength=CLASSES).clamp(min=20) / len(labels)).log() * TAU
        self.utk, _, self.utk_known = self._photos("utkface")
        decades = (self.utk_known[:, AGE] / 10).long().clamp(max=9)
        self.utk_often = _rare(decades * 2 + self.utk_known[:, 0].long(), 0.4)
        self.celeba, _, self.celeba_known = self._photos("celeba")

    def _photos(self, name: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        read: dict[str, NDArray[Any]] = dict(np.load(self.pack / f"{name}.npz"))
        crops = torch.from_numpy(np.ascontiguousarray(read["crops"].transpose(0, 3, 1, 2)))
        return crops, torch.from_numpy(read["labels"].astype(np.int64)), torch.from_numpy(read["known"])


def losses(network: Faces, pictures: Pictures, random: np.random.Generator) -> Tensors:
    """Return the losses of one batch by name."""
    few, some, aged, many = SHARES
    i, view = torch.multinomial(pictures.fer_often, few), (torch.rand(few) < 0.5).long()
    j = torch.randint(len(pictures.mux), (some,))
    k = torch.multinomial(pictures.utk_often, aged)
    m = torch.randint(len(pictures.celeba), (many,))
    photos = torch.cat([pictures.mux[j], pictures.utk[k], pictures.celeba[m]])
    x = lit(torch.cat([placed(pictures.fer[i, view][:, None]), placed(photos)]), random)
    one, plus, rated = pictures.one[i], pictures.plus[i], pictures.rated[i].float()
    if random.random() < 0.3:  # mix-up
        share, other = float(random.beta(0.4, 0.4)), torch.randperm(few)
        x[:few] = share * x[:few] + (1 - share) * x[:few][other]
        one, plus = (share * t + (1 - share) * t[other] for t in (one, plus))
        rated = rated * rated[other]
    with torch.autocast("cpu", torch.bfloat16):
        features = network.trunk(x.contiguous(memory_format=torch.channels_last), FROZEN)
    fer, mux, utk, celeba = network.drop(features.float()).split(SHARES)
    prior, plus_prior = pictures.one.mean(0).log() * TAU, pictures.plus[pictures.rated].mean(0).log() * TAU
    votes = -(plus * (network.plus(fer) + plus_prior).log_softmax(1)).sum(1)
    flags, years = network.flags(torch.cat([utk, celeba])), pictures.utk_known[k, AGE].clamp(0, 100)
    male = torch.cat([pictures.utk_known[k, 0], pictures.celeba_known[m, 0]])
    told = network.age(utk).log_softmax(1)
    spread = 2 + years * 0.05  # of a given age, years: nobody tells old ones to the year
    ages = torch.softmax(-(((YEARS - years[:, None]) / spread[:, None]) ** 2) / 2, 1)
    missed = ((told.exp() * YEARS).sum(1) - years).abs() / (5 + years * 0.1)
    binary = functional.binary_cross_entropy_with_logits
    return {
        "fer": -(one * (network.fer(fer) + prior).log_softmax(1)).sum(1).mean(),
        "plus": (votes * rated).sum() / rated.sum().clamp(min=1),
        "mux": -(pictures.mux_one[j] * (network.mux(mux) + pictures.mux_prior).log_softmax(1)).sum(1).mean() * 0.3,
        "male": binary(flags[:, 0], male * 0.96 + 0.02),
        "flags": binary(flags[aged:, 1:], pictures.celeba_known[m, 1:AGE] * 0.96 + 0.02),
        "age": -(ages * told).sum(1).mean() * 0.3 + missed.mean() * 0.3,
    }


def train(pack: Path, faceres: Path, out: Path, options: argparse.Namespace) -> None:
    """Train a network; the moving mean of its weights is saved now and then, and in the end."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    random, pictures = np.random.default_rng(options.seed), Pictures(pack)
    network = Faces(faceres).to(memory_format=torch.channels_last)
    for layer in network.trunk.convolutions[:FROZEN]:
        layer.requires_grad_(requires_grad=False)
    mean = copy.deepcopy(network).eval()
    body = [weight for weight in network.trunk.parameters() if weight.requires_grad]
    heads = [weight for name, weight in network.named_parameters() if not name.startswith("trunk")]
    groups = [
        {"params": [p for p in body if p.ndim > 1], "lr": BODY_RATE, "weight_decay": 2e-2},
        {"params": [p for p in body if p.ndim <= 1], "lr": BODY_RATE, "weight_decay": 0.0},
        {"params": heads, "lr": HEAD_RATE, "weight_decay": 1e-2},
    ]
    optimizer = torch.optim.AdamW(groups)

    def share(step: int) -> float:
        return min(1, step / WARM) * (0.495 * (1 + math.cos(math.pi * step / options.steps)) + 0.01)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    for step in range(options.steps):
        parts = losses(network, pictures, random)
        loss = torch.stack(list(parts.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(body + heads, 5.0)
        optimizer.step()
        schedule.step()
        decay = min(0.999, (1 + step) / (10 + step))
        with torch.no_grad():
            for old, new in zip(mean.parameters(), network.parameters(), strict=True):
                old.lerp_(new, 1 - decay)
        if (step + 1) % 500 == 0 or step + 1 == options.steps:
            print(step + 1, {name: round(part.item(), 3) for name, part in parts.items()}, flush=True)
            torch.save(mean.state_dict(), out)


# export --------------------------------------------------------------------------------------------------------------


def export(checkpoint: Path, out: Path) -> None:
    """Write the network as ONNX: input ``x`` (n, 96, 96, 3), 0..255; outputs ``flags`` and ``age``."""
    network = Faces()
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    names = ["x", "flags", "age"]
    torch.onnx.export(
        Exported(network).eval(),
        (torch.zeros(1, SIDE, SIDE, 3),),
        str(out),
        input_names=names[:1],
        output_names=names[1:],
        dynamic_axes={name: {0: "N"} for name in names},
        dynamo=False,
        opset_version=13,
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the network of appearance.")
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("train")
    sub.add_argument("pack", type=Path)
    sub.add_argument("faceres", type=Path)
    sub.add_argument("out", type=Path)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--steps", type=int, default=4000)
    sub = commands.add_parser("export")
    sub.add_argument("checkpoint", type=Path)
    sub.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.command == "train":
        train(options.pack, options.faceres, options.out, options)
    else:
        export(options.checkpoint, options.out)


if __name__ == "__main__":
    main()
