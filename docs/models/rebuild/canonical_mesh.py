"""MediaPipe's canonical face and the weights of its Procrustes fit, out of their protocol buffer.

The message is walked by hand (fields of mediapipe's ``GeometryPipelineMetadata``): that needs no schema compiler.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MESH, VERTICES, BASIS = 1, 3, 2  # fields: canonical mesh, its vertex buffer, a landmark of the fit
FLOATS_A_VERTEX = 5  # x, y, z and two texture coordinates


def convert(source: Path, target: Path) -> None:
    """Write vertices ``V`` (468 x 3), fitted vertices ``idx`` and their weights ``w``.

    Args:
        source: ``geometry_pipeline_metadata_landmarks.binarypb``.
        target: NumPy archive.
    """
    vertices: list[float] = []
    weights: dict[int, float] = {}
    for field, value in _fields(source.read_bytes()):
        if field == MESH:
            vertices += [part for number, part in _fields(value) if number == VERTICES]
        elif field == BASIS:
            basis = dict(_fields(value))
            weights[basis.get(1, 0)] = basis[2]
    canonical = np.array(vertices, np.float32).reshape(-1, FLOATS_A_VERTEX)[:, :3]
    np.savez(target, V=canonical, idx=np.array(list(weights)), w=np.array(list(weights.values()), np.float32))


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
            case 2:
                length, at = _varint(data, at)
                value, at = data[at : at + length], at + length
            case 5:
                value, at = struct.unpack_from("<f", data, at)[0], at + 4
            case wire_type:
                message = f"{wire_type} is not a wire type of this message"
                raise ValueError(message)
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 -- the continuation bit
            return value, at
