"""mini-XCEPTION (Keras) to ONNX; input of shape (N, 64, 64, 1), grey, -1..1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from graph import Graph
from numpy.typing import NDArray
from onnx import helper

SIDE, CLASSES = 64, 7


class _Keras(Graph):
    """Translates one Keras layer after the other; a node is called as its layer."""

    def __init__(self, weights: h5py.Group) -> None:
        super().__init__("c")
        self.weights = weights

    def node(self, operator: str, inputs: list[str], name: str, **options: Any) -> str:  # noqa: ANN401 -- ONNX attributes
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"n_{name}", **options))
        return name

    def weight(self, layer: str, kind: str) -> NDArray[np.float32]:
        group = self.weights[layer]
        names = (name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"])
        return np.array(group[next(name for name in names if name.split("/")[-1].startswith(kind))], np.float32)

    # Layers, called as Keras calls them

    def inputlayer(self, name: str, _: dict[str, Any], __: list[str]) -> str:
        return self.node("Transpose", ["input"], name, perm=[0, 3, 1, 2])

    def conv2d(self, name: str, options: dict[str, Any], inputs: list[str]) -> str:
        operands = [*inputs, self.constant(self.weight(name, "kernel").transpose(3, 2, 0, 1))]
        if options["use_bias"]:
            operands.append(self.constant(self.weight(name, "bias")))
        return self.node("Conv", operands, name, **_window(options))

    def separableconv2d(self, name: str, options: dict[str, Any], inputs: list[str]) -> str:
        deep, point = self.weight(name, "depthwise_kernel"), self.weight(name, "pointwise_kernel")
        height, width, channels, multiplier = deep.shape
        kernel = self.constant(deep.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width))
        depthwise = self.node("Conv", [*inputs, kernel], f"{name}_dw", **_window(options), group=channels)
        return self.node("Conv", [depthwise, self.constant(point.transpose(3, 2, 0, 1))], name)

    def batchnormalization(self, name: str, options: dict[str, Any], inputs: list[str]) -> str:
        kinds = ("gamma", "beta", "moving_mean", "moving_variance")
        operands = [*inputs, *(self.constant(self.weight(name, kind)) for kind in kinds)]
        return self.node("BatchNormalization", operands, name, epsilon=options["epsilon"])

    def activation(self, name: str, options: dict[str, Any], inputs: list[str]) -> str:
        if options["activation"] == "softmax":
            return self.node("Softmax", inputs, name, axis=1)
        assert options["activation"] == "relu"
        return self.node("Relu", inputs, name)

    def maxpooling2d(self, name: str, options: dict[str, Any], inputs: list[str]) -> str:
        return self.node("MaxPool", inputs, name, kernel_shape=options["pool_size"], **_window(options))

    def add(self, name: str, _: dict[str, Any], inputs: list[str]) -> str:
        return self.node("Add", inputs, name)

    def globalaveragepooling2d(self, name: str, _: dict[str, Any], inputs: list[str]) -> str:
        axes = self.constant(np.array([2, 3], np.int64))
        return self.node("ReduceMean", [*inputs, axes], name, keepdims=0)


def _window(options: dict[str, Any]) -> dict[str, Any]:
    same = options["padding"] == "same"
    return {"auto_pad": "SAME_UPPER" if same else "VALID", "strides": options["strides"]}


def convert(source: Path, target: Path) -> None:
    """Convert ``emotion_model.hdf5``.

    Args:
        source: Keras model.
        target: ONNX file, float32.
    """
    with h5py.File(source, "r") as file:
        graph, made = _Keras(file["model_weights"]), {}
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        for layer in layers:
            before = [made[origin[0]] for nodes in layer["inbound_nodes"] for origin in nodes]
            name, translate = layer["config"]["name"], getattr(graph, layer["class_name"].lower())
            made[name] = translate(name, layer["config"], before)
    graph.nodes.append(helper.make_node("Identity", [made[name]], ["probs"]))
    graph.save(
        target, name="fer_mini_xception", inputs={"input": ["N", SIDE, SIDE, 1]}, outputs={"probs": ["N", CLASSES]}
    )
