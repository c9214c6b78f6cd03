"""Networks of @vladmandic/face-api (weight shards of TensorFlow.js) to ONNX; input (N, 112, 112, 3), RGB, 0..255.

The package holds weights without a graph: the layers are rebuilt here as its JavaScript calls them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from graph import Graph
from numpy.typing import NDArray
from onnx import helper

SIDE = 112
MEAN = (122.782, 117.001, 104.298)

Weights = dict[str, NDArray[np.float32]]


def expression(source: Path, target: Path) -> None:
    """Convert ``face_expression_model``.

    Args:
        source: Its ``.bin``; the manifest lies beside it.
        target: ONNX file, float32.
    """
    net = _FaceApi(_load(source))
    x = net.normalized()
    for block in range(4):
        x = net.dense_block(x, f"dense{block}", first=block == 0)
    x = net.node("Softmax", [net.connected(net.pooled(x), "fc")], axis=1)
    net.write(target, {"probs": x})


def age_gender(source: Path, target: Path) -> None:
    """Convert ``age_gender_model``.

    Args:
        source: Its ``.bin``; the manifest lies beside it.
        target: ONNX file, float32.
    """
    net = _FaceApi(_load(source))
    x = net.relu(net.convolution(net.normalized(), "entry_flow/conv_in", 2))
    x = net.reduction_block(x, "entry_flow/reduction_block_0", first=True)
    x = net.reduction_block(x, "entry_flow/reduction_block_1")
    for block in range(2):
        before = x
        for layer in range(3):
            x = net.separable(net.relu(x), f"middle_flow/main_block_{block}/separable_conv{layer}")
        x = net.node("Add", [x, before])
    x = net.reduction_block(x, "exit_flow/reduction_block")
    x = net.pooled(net.relu(net.separable(x, "exit_flow/separable_conv")))
    age = net.connected(x, "fc/age")
    net.write(target, {"age": age, "gender": net.node("Softmax", [net.connected(x, "fc/gender")], axis=1)})


def _load(source: Path) -> Weights:
    """Return the weights that a manifest describes, dequantized."""
    weights = {}
    for group in json.loads(source.with_name(f"{source.stem}-weights_manifest.json").read_text()):
        data, at = b"".join(source.with_name(path).read_bytes() for path in group["paths"]), 0
        for entry in group["weights"]:
            count, packed = int(np.prod(entry["shape"])), entry.get("quantization")
            array = np.frombuffer(data, packed["dtype"] if packed else np.float32, count, at)
            at += array.nbytes
            if packed:
                array = array.astype(np.float32) * np.float32(packed["scale"]) + np.float32(packed["min"])
            weights[entry["name"]] = array.reshape(entry["shape"])
        assert at == len(data), f"{source.name}: the manifest does not fit the shards"
    return weights


class _FaceApi(Graph):
    def __init__(self, weights: Weights) -> None:
        super().__init__("c")
        self.weights = weights

    def node(self, operator: str, inputs: list[str], **options: Any) -> str:  # noqa: ANN401 -- ONNX attributes
        output = self.name(operator)
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"n_{output}", **options))
        return output

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def sum(self, one: str, other: str) -> str:
        return self.node("Add", [one, other])

    def normalized(self) -> str:
        x = self.node("Transpose", ["input"], perm=[0, 3, 1, 2])
        x = self.node("Sub", [x, self.constant(np.array(MEAN, np.float32).reshape(1, 3, 1, 1))])
        return self.node("Div", [x, self.constant(np.float32(255))])

    def convolution(self, x: str, layer: str, stride: int) -> str:
        kernel = self.constant(self.weights[f"{layer}/filters"].transpose(3, 2, 0, 1))
        operands = [x, kernel, self.constant(self.weights[f"{layer}/bias"])]
        return self.node("Conv", operands, auto_pad="SAME_UPPER", strides=[stride, stride])

    def separable(self, x: str, layer: str, stride: int = 1) -> str:
        deep = self.weights[f"{layer}/depthwise_filter"]
        height, width, channels, multiplier = deep.shape
        kernel = self.constant(deep.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width))
        x = self.node("Conv", [x, kernel], auto_pad="SAME_UPPER", strides=[stride, stride], group=channels)
        point = self.constant(self.weights[f"{layer}/pointwise_filter"].transpose(3, 2, 0, 1))
        return self.node("Conv", [x, point, self.constant(self.weights[f"{layer}/bias"])])

    def dense_block(self, x: str, block: str, *, first: bool) -> str:
        """Four layers, each of which sees the sum of all before it."""
        x = self.convolution(x, f"{block}/conv0", 2) if first else self.separable(x, f"{block}/conv0", 2)
        total = self.relu(x)
        total = self.sum(total, self.separable(total, f"{block}/conv1"))
        for layer in (2, 3):  # each is added once, to the sum of all before it: ONNX Runtime does so while it convolves
            total = self.sum(total, self.separable(self.relu(total), f"{block}/conv{layer}"))
        return self.relu(total)

    def reduction_block(self, x: str, block: str, *, first: bool = False) -> str:
        """Half the resolution, with a strided shortcut; the first block's input has been activated already."""
        inner = self.separable(x if first else self.relu(x), f"{block}/separable_conv0")
        inner = self.separable(self.relu(inner), f"{block}/separable_conv1")
        inner = self.node("MaxPool", [inner], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        return self.sum(inner, self.convolution(x, f"{block}/expansion_conv", 2))

    def pooled(self, x: str) -> str:
        x = self.node("AveragePool", [x], kernel_shape=[7, 7], strides=[2, 2])
        return self.node("Flatten", [x], axis=1)

    def connected(self, x: str, layer: str) -> str:
        weights, bias = (self.constant(self.weights[f"{layer}/{kind}"]) for kind in ("weights", "bias"))
        return self.node("Gemm", [x, weights, bias])

    def write(self, target: Path, outputs: dict[str, str]) -> None:
        for name, origin in outputs.items():
            self.nodes.append(helper.make_node("Identity", [origin], [name]))
        self.save(
            target,
            name=target.name,
            inputs={"input": ["N", SIDE, SIDE, 3]},
            outputs={name: ["N", None] for name in outputs},
            by="faceapi2onnx",
        )
