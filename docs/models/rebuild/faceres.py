"""Read the network that learnt identities, out of npm's @vladmandic/human: what ours is trained further from.

``faceres`` (weights MIT; made by the HSE's A. Savchenko, Apache-2.0) is MobileNetV1 (Howard et al. 2017,
arXiv:1704.04861), trained on VGGFace2's identities, then on age and gender. The batch normalisations are part of its
convolutions. Needs numpy and torch.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of the depthwise convolutions
MEAN = (103.939, 116.779, 123.68)  # of blue, green and red, 0..255, that its input lacks
WIDTH = 1024  # features


def read(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of ``faceres.json`` and ``faceres.bin`` by name."""
    raw, start, weights = (folder / "faceres.bin").read_bytes(), 0, {}
    for group in json.loads((folder / "faceres.json").read_text("utf-8"))["weightsManifest"]:
        for entry in group["weights"]:
            count = int(np.prod(entry["shape"]))
            kind = np.dtype(entry.get("quantization", entry)["dtype"])
            weights[entry["name"]] = np.frombuffer(raw, kind, count, start).reshape(entry["shape"])
            start += count * kind.itemsize
    assert start == len(raw), "not the file that the manifest tells of"
    return {name: torch.tensor(np.asarray(value, np.float32)) for name, value in weights.items()}


class Trunk(nn.Module):
    """The first blocks of the network.

    Args:
        blocks: How many of its thirteen.
        folder: Where its weights are; random ones if left out.
    """

    def __init__(self, blocks: int = 12, folder: Path | None = None) -> None:
        super().__init__()
        weights = None if folder is None else read(folder)
        self.convolutions = nn.ModuleList([self._layer(weights, "conv1", 3, 32, stride=2)])
        inputs = 32
        for number, stride in enumerate(STRIDES[:blocks], 1):
            outputs = min(WIDTH, inputs * 2) if stride == 2 or number == 1 else inputs  # noqa: PLR2004 -- halves the side
            self.convolutions.append(self._depthwise(weights, f"conv_dw_{number}", inputs, stride))
            self.convolutions.append(self._layer(weights, f"conv_pw_{number}", inputs, outputs))
            inputs = outputs

    @staticmethod
    def _layer(
        weights: dict[str, torch.Tensor] | None, name: str, inputs: int, outputs: int, stride: int = 1
    ) -> nn.Conv2d:
        layer = nn.Conv2d(inputs, outputs, 3 if name == "conv1" else 1, stride)
        if weights is not None:
            layer.weight.data = weights[f"{name}/convolution/merged_input"].permute(3, 2, 0, 1).contiguous()
            layer.bias.data = weights[f"{name}_bn/batchnorm_1/sub"].ravel()
        return layer

    @staticmethod
    def _depthwise(weights: dict[str, torch.Tensor] | None, name: str, inputs: int, stride: int) -> nn.Conv2d:
        layer = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs)
        if weights is not None:
            kernel = weights[f"{name}/depthwise_kernel"] * weights[f"{name}_bn/batchnorm_1/mul"].ravel()[:, None]
            layer.weight.data = kernel.permute(2, 3, 0, 1).contiguous()
            layer.bias.data = weights[f"{name}_bn/batchnorm_1/sub"].ravel()
        return layer

    def forward(self, x: torch.Tensor, frozen: int = 0) -> torch.Tensor:
        """Return features of shape (n, 1024) of RGB crops of shape (n, 3, side, side), 0..255, of an even side.

        Args:
            x: The crops.
            frozen: How many of the first convolutions learn nothing.
        """
        x = x.flip(1) - torch.tensor(MEAN)[:, None, None]
        for number, layer in enumerate(self.convolutions):
            if layer.kernel_size[0] > 1:  # TensorFlow's padding
                even = layer.stride[0] > 1 and x.shape[-1] % 2 == 0
                x = functional.pad(x, (0, 1, 0, 1) if even else (1, 1, 1, 1))
            x = functional.relu6(layer(x))
            if number + 1 == frozen:
                x = x.detach()
        return x.mean((2, 3))
