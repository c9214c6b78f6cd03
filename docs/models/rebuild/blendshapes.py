"""MediaPipe's blendshapes network to ONNX: an MLP-Mixer (Tolstikhin et al. 2021) over points of a mesh.

The source has each of its layer normalisations as nine operators, for one face at a time. Here its weights go into the
operators that they mean, for any number of faces. Of the last block the class token alone is computed, since nothing
else of it is looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from graph import Graph
from numpy.typing import NDArray
from onnx import TensorProto, helper
from tflite_to_onnx import constants

POINTS, BLOCKS, OUTPUTS = 146, 4, 52


def convert(source: Path, target: Path) -> None:
    """Convert the network.

    Args:
        source: ``face_blendshapes.tflite``.
        target: ONNX file; input ``(N, 146, 2)``, points of a mesh; output ``(N, 1, 52)``. Weights
            stay float16.
    """
    network = _Mixer(constants(source))
    x = network.mixed(network.embedded(network.centred("input")))
    network.nodes.append(helper.make_node("Sigmoid", [network.dense(x, *next(network.layers))], ["out0"]))
    network.save(target, name="g", inputs={"input": ["N", POINTS, 2]}, outputs={"out0": ["N", 1, OUTPUTS]})


class _Mixer(Graph):
    def __init__(self, weights: list[tuple[str, list[NDArray[Any]]]]) -> None:
        super().__init__("w")
        self.layers = iter([(some[0][:, 0, 0], some[1]) for name, some in weights if name == "CONV_2D"])
        self.gains = iter([some[0] for name, some in weights if name == "MUL" and some[0].ndim])
        (self.half,) = (some[0] for name, some in weights if name == "MUL" and not some[0].ndim)
        (self.token,) = (some[0][0, 0] for name, some in weights if name == "CONCATENATION")
        self.epsilon = float(next(some[0] for name, some in weights if name == "ADD"))

    def node(self, operator: str, inputs: list[str], **options: Any) -> str:  # noqa: ANN401 -- ONNX attributes
        output = self.name(operator.lower())
        self.nodes.append(helper.make_node(operator, inputs, [output], **options))
        return output

    def weight(self, array: NDArray[Any]) -> str:
        """Return a constant as float32; float16 stays what is stored."""
        return self.node("Cast", [self.constant(array)], to=TensorProto.FLOAT)

    def centred(self, x: str) -> str:
        """Move the points around zero, at a mean distance of one."""
        points, numbers = self.constant(np.array([1])), self.constant(np.array([2]))
        x = self.node("Sub", [x, self.node("ReduceMean", [x, points])])
        return self.node("Div", [x, self.node("ReduceMean", [self.node("ReduceL2", [x, numbers]), points])])

    def embedded(self, x: str) -> str:
        """Make tokens of the points; before the first of them comes a row of zeros, whose bias is the class token."""
        kernel, bias = next(self.layers)
        x = self.across(x, np.pad(kernel * self.half, ((1, 0), (0, 0))), np.pad(bias, (1, 0)))
        tokens = len(bias)
        kernel, bias = next(self.layers)
        return self.dense(x, kernel, np.concatenate([self.token, np.tile(bias, (tokens, 1))]))

    def mixed(self, x: str) -> str:
        """Return the class token behind the blocks, ``(N, 1, channels)``."""
        first = self.constant(np.array([0]))
        for block in range(BLOCKS):
            last = block == BLOCKS - 1
            y = self.node("Relu", [self.across(self.normalised(x), *next(self.layers))])
            kernel, bias = next(self.layers)
            y = self.across(y, kernel[:1] if last else kernel, bias[:1] if last else bias)
            if last:
                x, y = (self.node("Gather", [z, first], axis=1) for z in (x, y))
            x = self.node("Add", [x, y])
            y = self.node("Relu", [self.dense(self.normalised(x), *next(self.layers))])
            x = self.node("Add", [x, self.dense(y, *next(self.layers))])
        return x

    def normalised(self, x: str) -> str:
        return self.node("LayerNormalization", [x, self.weight(next(self.gains))], epsilon=self.epsilon)

    def dense(self, x: str, kernel: NDArray[Any], bias: NDArray[Any]) -> str:
        """Mix the channels."""
        return self.node("Add", [self.node("MatMul", [x, self.weight(kernel.T)]), self.weight(bias)])

    def across(self, x: str, kernel: NDArray[Any], bias: NDArray[Any]) -> str:
        """Mix the tokens."""
        return self.node("Add", [self.node("MatMul", [self.weight(kernel), x]), self.weight(bias[:, None])])
