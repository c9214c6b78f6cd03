"""Let the convolutions of an ONNX file pad by themselves: an export from PyTorch may pad before them, and takes longer.

Needs numpy, onnx and onnxruntime.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

IMAGE = 4  # axes: pictures, channels, rows and columns


def join(source: Path, target: Path) -> None:
    """Write a copy in which no convolution has a pad of zeros before it.

    Args:
        source: ONNX file with one input.
        target: ONNX file.
    """
    model = onnx.load(source)
    graph = model.graph
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad" and is_of_zeros(node)}
    amounts = dict(zip(pads, computed(model, [node.input[1] for node in pads.values()]), strict=True))
    for node in graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            widths = amounts[node.input[0]].reshape(2, IMAGE)
            assert not widths[:, :2].any(), "a pad of pictures or channels"
            (own,) = [attribute for attribute in node.attribute if attribute.name == "pads"]
            own.ints[:] = [int(number) for number in np.array(own.ints) + widths[:, 2:].ravel()]
            node.input[0] = pads[node.input[0]].input[0]
    drop_unused(graph)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def is_of_zeros(pad: onnx.NodeProto) -> bool:
    """Tell whether a pad is of zeros: where nothing else is said."""
    modes = [helper.get_attribute_value(attribute) for attribute in pad.attribute if attribute.name == "mode"]
    return modes in ([], [b"constant"]) and not any(pad.input[2:])


def computed(model: onnx.ModelProto, names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return what a network computes inside, of a picture of zeros."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(copy.SerializeToString(), providers=["CPUExecutionProvider"])
    (told,) = session.get_inputs()
    shape = [size if isinstance(size, int) else 1 for size in told.shape]
    values: list[NDArray[np.int64]] = session.run(list(names), {told.name: np.zeros(shape, np.float32)})
    return values


def drop_unused(graph: onnx.GraphProto) -> None:
    """Drop the nodes whose results nobody uses any more."""
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        kept = [node for node in graph.node if used.intersection(node.output)]
        if len(kept) == len(graph.node):
            return
        del graph.node[:]
        graph.node.extend(kept)
