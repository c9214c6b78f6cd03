"""Write ONNX graphs node by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 9


class Graph:
    """A growing ONNX graph; names are unique because each carries a running number.

    Args:
        constant_prefix: What the names of constants begin with.
    """

    def __init__(self, constant_prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.prefix = constant_prefix
        self.count = 0

    def name(self, prefix: str) -> str:
        """Return a fresh name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def constant(self, array: NDArray[Any] | np.generic) -> str:
        """Add a constant."""
        name = self.name(self.prefix)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def save(
        self,
        path: Path,
        *,
        name: str,
        inputs: dict[str, Sequence[Any]],
        outputs: dict[str, Sequence[Any]],
        by: str = "",
        input_type: int = TensorProto.FLOAT,
    ) -> None:
        """Check and write the graph.

        Args:
            path: Where to.
            name: Of the graph.
            inputs: Shape by name; ``"N"`` is a free batch axis.
            outputs: Shape by name.
            by: Name of the producer.
            input_type: ONNX's number of the type of the inputs.
        """
        infos = (
            [helper.make_tensor_value_info(key, kind, shape) for key, shape in values.items()]
            for values, kind in ((inputs, input_type), (outputs, TensorProto.FLOAT))
        )
        graph = helper.make_graph(self.nodes, name, *infos, self.constants)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        if by:
            model.producer_name = by
        onnx.checker.check_model(model)
        onnx.save(model, path)
