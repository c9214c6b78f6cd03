"""TFLite to ONNX, for the operators of MediaPipe's face detector and its face mesh.

TFLite lays images out as (N, height, width, channels), ONNX's convolutions as (N, channels, height, width): a tensor is
kept in the layout in which it was made, and is transposed when it is first needed in the other. Image networks get a
free batch axis. Weights that are float16 stay so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from graph import Graph
from numpy.typing import NDArray
from onnx import TensorProto, helper

DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}
OPERATORS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
IMAGE = 4  # axes
BLOCK = 16  # channels that ONNX Runtime keeps together, where the processor has AVX-512
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def convert(source: Path, target: Path) -> None:
    """Convert a network.

    Args:
        source: TFLite file.
        target: ONNX file; inputs are called ``input``, outputs ``out0``, ``out1``, ...
    """
    network = _Converter(tflite.Model.GetRootAsModel(source.read_bytes(), 0))
    network.run()
    network.write(target)


def convert_for_bytes(source: Path, target: Path) -> None:
    """Convert a network that sees pictures of 0..1, to see such of 0..255.

    Args:
        source: TFLite file.
        target: As of `convert`; the input is of bytes.
    """
    network = _Converter(tflite.Model.GetRootAsModel(source.read_bytes(), 0))
    network.see_bytes()
    network.run()
    network.write(target)


def constants(source: Path) -> list[tuple[str, list[NDArray[Any]]]]:
    """Return the name and the constants of every operator of a network that has any.

    Args:
        source: TFLite file.
    """
    network = _Converter(tflite.Model.GetRootAsModel(source.read_bytes(), 0))
    found = []
    for name, operator, inputs, output in network.operators():
        if name == "DEQUANTIZE":
            network.dequantize(operator, inputs, output)
        elif some := [network.fixed[tensor] for tensor in inputs if tensor in network.fixed]:
            found.append((name, some))
    return found


class _Converter(Graph):
    def __init__(self, model: Any) -> None:  # noqa: ANN401 -- tflite ships no types
        super().__init__("w")
        self.model, self.subgraph = model, model.Subgraphs(0)
        self.shape: dict[int, list[int]] = {}
        self.fixed: dict[int, NDArray[Any]] = {}  # constants, by TFLite's number of the tensor, as are the others
        self.last: dict[int, str] = {}  # tensors with the channels last
        self.first: dict[int, str] = {}  # tensors with the channels first
        for number in range(self.subgraph.TensorsLength()):
            tensor = self.subgraph.Tensors(number)
            self.shape[number] = tensor.ShapeAsNumpy().tolist() if tensor.ShapeLength() else []
            buffer = model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                data = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()])
                self.fixed[number] = data.reshape(self.shape[number])
        # Few channels fill half a block of ONNX Runtime's. Where they go through a PReLU, a depthwise and another
        # convolution, the other half holds relu(-x): a*x + (1-a)*relu(x) is relu(x) - a*relu(-x), and a step less.
        self.halves: set[int] = set()  # tensors x that are kept as relu(x) and relu(-x)
        self.slopes: dict[int, NDArray[Any]] = {}  # the slope of a PReLU whose output is kept so
        self.sums: set[int] = set()  # tensors that are kept as two halves whose sum they are
        self.input = self.subgraph.Inputs(0)
        self.last[self.input] = "input"
        self.input_type = TensorProto.FLOAT
        self.batched = len(self.shape[self.input]) == IMAGE

    def see_bytes(self) -> None:
        x = self.node("Cast", [self.channels_first(self.input)], to=TensorProto.FLOAT)
        self.first[self.input] = self.node("Div", [x, self.weight(np.float32(255))])
        self.input_type = TensorProto.UINT8

    def operators(self) -> Iterator[tuple[str, Any, list[int], int]]:
        """Yield each operator's name and itself, its inputs, and its output."""
        for number in range(self.subgraph.OperatorsLength()):
            operator = self.subgraph.Operators(number)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            name = OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            yield name, operator, operator.InputsAsNumpy().tolist(), int(operator.Outputs(0))

    def run(self) -> None:
        """Translate every operator; one that is not known here has no method and fails."""
        for name, operator, inputs, output in self.operators():
            getattr(self, name.lower())(operator, inputs, output)

    def write(self, target: Path) -> None:
        outputs = {}
        for number in range(self.subgraph.OutputsLength()):
            tensor = int(self.subgraph.Outputs(number))
            name = f"out{number}"
            self.nodes.append(helper.make_node("Identity", [self.channels_last(tensor)], [name]))
            outputs[name] = self.batch_of(tensor)
        inputs = {"input": self.batch_of(self.input)}
        self.save(target, name="g", inputs=inputs, outputs=outputs, input_type=self.input_type)

    def batch_of(self, tensor: int) -> list[Any]:
        return ["N", *self.shape[tensor][1:]] if self.batched else self.shape[tensor]

    # Nodes and operands

    def node(self, operator: str, inputs: list[str], **options: Any) -> str:  # noqa: ANN401 -- ONNX attributes
        output = self.name(operator.lower())
        self.nodes.append(helper.make_node(operator, inputs, [output], **options))
        return output

    def weight(self, array: NDArray[Any] | np.generic) -> str:
        name = self.constant(array)
        return self.node("Cast", [name], to=TensorProto.FLOAT) if array.dtype == np.float16 else name

    def numbers(self, *values: int) -> str:
        return self.weight(np.array(values, np.int64))

    def channels_last(self, tensor: int) -> str:
        if tensor not in self.last:
            if tensor in self.fixed:
                self.last[tensor] = self.weight(self.fixed[tensor])
            else:
                self.last[tensor] = self.node("Transpose", [self.first[tensor]], perm=TO_CHANNELS_LAST)
        return self.last[tensor]

    def channels_first(self, tensor: int) -> str:
        if tensor not in self.first:
            self.first[tensor] = self.node("Transpose", [self.channels_last(tensor)], perm=TO_CHANNELS_FIRST)
        return self.first[tensor]

    def activated(self, x: str, activation: int) -> str:
        if activation == tflite.ActivationFunctionType.NONE:
            return x
        assert activation == tflite.ActivationFunctionType.RELU
        return self.node("Relu", [x])

    def padding(
        self, mode: int, image: tuple[int, int], strides: tuple[int, int], window: tuple[int, int]
    ) -> list[int]:
        """Return TFLite's SAME padding for an input and an output image; none for VALID."""
        if mode != tflite.Padding.SAME:
            return [0, 0, 0, 0]
        before, after = [], []
        for axis in (0, 1):
            size, out = self.shape[image[0]][axis + 1], self.shape[image[1]][axis + 1]
            missing = max((out - 1) * strides[axis] + window[axis] - size, 0)
            before.append(missing // 2)
            after.append(missing - missing // 2)
        return [*before, *after]

    # Operators, called as TFLite calls them

    def dequantize(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        self.fixed[output] = self.fixed[inputs[0]]

    def conv_2d(self, operator: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        options = _options(operator, tflite.Conv2DOptions)
        self.convolution(options, inputs, output, kernel=self.fixed[inputs[1]].transpose(0, 3, 1, 2), group=1)

    def depthwise_conv_2d(self, operator: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- no types
        options = _options(operator, tflite.DepthwiseConv2DOptions)
        kernel = self.fixed[inputs[1]].transpose(3, 0, 1, 2)
        self.convolution(options, inputs, output, kernel=kernel, group=self.shape[inputs[0]][3])

    def convolution(
        self,
        options: Any,  # noqa: ANN401 -- tflite ships no types
        inputs: list[int],
        output: int,
        *,
        kernel: NDArray[Any],
        group: int,
    ) -> None:
        image, _, *biases = inputs
        window, strides = kernel.shape[2:], (options.StrideH(), options.StrideW())
        assert options.DilationHFactor() == options.DilationWFactor() == 1
        pads = self.padding(options.Padding(), (image, output), strides, window)
        bias = [self.fixed[tensor] for tensor in biases]
        if image in self.slopes:
            kernel = np.concatenate([kernel, -kernel * self.slopes[image].reshape(-1, 1, 1, 1)])
            bias, group = [np.concatenate([one, 0 * one]) for one in bias], 2 * group
            self.sums.add(output)
        elif image in self.sums:
            kernel = np.concatenate([kernel, kernel], 1)
        elif self.is_halved(output):
            kernel, bias = np.concatenate([kernel, -kernel]), [np.concatenate([one, -one]) for one in bias]
            self.halves.add(output)
        operands = [self.channels_first(image), self.weight(kernel), *map(self.weight, bias)]
        x = self.node(
            "Conv",
            operands,
            kernel_shape=list(window),
            strides=list(strides),
            dilations=[1, 1],
            pads=pads,
            group=group,
        )
        x = self.node("Relu", [x]) if output in self.halves else x
        self.first[output] = self.activated(x, options.FusedActivationFunction())

    def is_halved(self, tensor: int) -> bool:
        """Tell whether few channels go through a PReLU, a depthwise and another convolution, and nowhere else."""
        if 2 * self.shape[tensor][3] > BLOCK:
            return False
        for wanted in ("PRELU", "DEPTHWISE_CONV_2D", "CONV_2D"):
            users = [(name, output) for name, _, inputs, output in self.operators() if tensor in inputs]
            if [name for name, _ in users] != [wanted]:
                return False
            tensor = users[0][1]
        return True

    def prelu(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        """Write a*x + (1-a)*relu(x) as two depthwise convolutions: ONNX Runtime's own PRelu is slow."""
        slope = self.fixed[inputs[1]].ravel().astype(np.float32)
        if inputs[0] in self.halves:
            self.first[output], self.slopes[output] = self.first[inputs[0]], slope
            return
        options = {"group": len(slope), "kernel_shape": [1, 1]}
        x = self.channels_first(inputs[0])
        below, above = (self.weight(part.reshape(-1, 1, 1, 1)) for part in (slope, 1 - slope))
        if (slope <= 1).all():  # then (1-a)*relu(x) is relu((1-a)*x), and a convolution and its ReLU are one
            positive = self.node("Relu", [self.node("Conv", [x, above], **options)])
        else:
            positive = self.node("Conv", [self.node("Relu", [x]), above], **options)
        self.first[output] = self.node("Add", [positive, self.node("Conv", [x, below], **options)])

    def max_pool_2d(self, operator: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        options = _options(operator, tflite.Pool2DOptions)
        window, strides = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
        pads = self.padding(options.Padding(), (inputs[0], output), strides, window)
        x = [self.channels_first(inputs[0])]
        x = self.node("MaxPool", x, kernel_shape=list(window), strides=list(strides), pads=pads)
        self.first[output] = self.activated(x, options.FusedActivationFunction())

    def pad(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        """Double the channels by a convolution, since ONNX Runtime's Pad takes no blocks; less is not worth one."""
        before, after = self.fixed[inputs[1]][TO_CHANNELS_FIRST].T.tolist()
        x, channels = self.channels_first(inputs[0]), self.shape[inputs[0]][3]
        if [*before, *after] == [0, 0, 0, 0, 0, channels, 0, 0] and channels % BLOCK == 0:
            kernel = np.eye(2 * channels, channels, dtype=np.float16)[:, :, None, None]
            self.first[output] = self.node("Conv", [x, self.weight(kernel)])
        else:
            self.first[output] = self.node("Pad", [x, self.numbers(*before, *after)])

    def resize_bilinear(self, operator: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- no types
        assert _options(operator, tflite.ResizeBilinearOptions).HalfPixelCenters()
        (_, *old, _), (_, *new, _) = self.shape[inputs[0]], self.shape[output]
        scales = np.array([1, 1, new[0] / old[0], new[1] / old[1]], np.float32)
        x = [self.channels_first(inputs[0]), "", self.weight(scales)]
        self.first[output] = self.node("Resize", x, mode="linear", coordinate_transformation_mode="half_pixel")

    def add(self, operator: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        activation = _options(operator, tflite.AddOptions).FusedActivationFunction()
        operands, made = self.channels_last, self.last
        if any(tensor in self.first for tensor in inputs):
            operands, made = self.channels_first, self.first
        made[output] = self.activated(self.node("Add", [operands(t) for t in inputs]), activation)

    def relu(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        self.unary("Relu", inputs[0], output)

    def logistic(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        self.unary("Sigmoid", inputs[0], output)

    def unary(self, name: str, tensor: int, output: int) -> None:
        made = self.first if tensor in self.first else self.last
        made[output] = self.node(name, [made[tensor]])

    def reshape(self, _: Any, inputs: list[int], output: int) -> None:  # noqa: ANN401 -- tflite ships no types
        shape = [-1, *self.shape[output][1:]] if self.batched else self.shape[output]
        self.last[output] = self.node("Reshape", [self.channels_last(inputs[0]), self.numbers(*shape)])


def _options(operator: Any, kind: type[Any]) -> Any:  # noqa: ANN401 -- tflite ships no types
    table, options = operator.BuiltinOptions(), kind()
    options.Init(table.Bytes, table.Pos)
    return options
