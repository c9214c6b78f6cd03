"""Store the float32 weights of an ONNX file as float16: half the size, the same float32 arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 64  # numbers; below, nothing is won


def halve(source: Path, target: Path) -> None:
    """Write a copy with float16 weights; a Cast, folded when the file is loaded, makes them float32 again.

    Args:
        source: ONNX file.
        target: ONNX file.
    """
    model = onnx.load(source)
    graph, kept, casts = model.graph, [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size > SMALLEST:
            kept.append(numpy_helper.from_array(array.astype(np.float16), f"{tensor.name}_h"))
            casts.append(helper.make_node("Cast", [f"{tensor.name}_h"], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, target)
