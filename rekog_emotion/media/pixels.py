"""Pixels of decoded frames: as RGB, the way players show them, and as planes, the way a codec stores them.

What is not drawn on never becomes RGB: its numbers go from one codec to the next as they are. Numbers of colour spaces
are those of FFmpeg (`AVColorSpace`), which are those of ITU-T H.273.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeAlias, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["Colors", "Planes", "blend", "colors_of", "frame_of", "guessed_matrix", "is_rgb", "planes_of", "rgb"]

Planes: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]  # luma, and two of half its width and height

FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG
LIMITED_RANGE: Final = 1  # AVCOL_RANGE_MPEG
UNSPECIFIED: Final = 2  # AVCOL_SPC_UNSPECIFIED
BT709: Final = 1
BT601: Final = 6
_BT2020: Final = 9
_CONSTANT: Final = 10
# Kr and Kb of ITU-T H.273, table 4, by AVColorSpace: what red and blue weigh in luma.
_WEIGHTS: Final = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),
    _BT2020: (0.2627, 0.0593),
    _CONSTANT: (0.2627, 0.0593),
}
_SWSCALE: Final = {BT709: 1, 4: 4, 5: 5, BT601: 5, 7: 7, _BT2020: 9, _CONSTANT: 9}  # its own numbers for the same
_HD: Final = (1280, 576)  # pixels; what is wider or higher and says nothing is BT.709 to players, as of mpv and VLC
_EXACT: Final = 1 << 18 | 1 << 13  # SWS_ACCURATE_RND and SWS_FULL_CHR_H_INT: without them colours are off by 3 of 255
_SMOOTH: Final = 2  # SWS_BILINEAR
_SAME: Final = 16  # SWS_POINT: where nothing is scaled, chroma is that of the four pixels that share it
_BYTE: Final = 8  # bits
_DEEP: Final = "yuv420p10le"
_USUAL: Final = "yuv420p"


class Colors(NamedTuple):
    """What the numbers of planes mean.

    Attributes:
        matrix: `AVColorSpace`; never unspecified.
        full: Whether luma goes from 0 to 255 instead of 16 to 235.
        deep: Whether a number has ten bits instead of eight.
    """

    matrix: int
    full: bool
    deep: bool


def colors_of(frame: VideoFrame) -> Colors:
    """Return what the planes of a frame mean, as players take it; RGB becomes BT.709 in the limited range."""
    deep = max(component.bits for component in frame.format.components) > _BYTE
    if is_rgb(frame):
        return Colors(BT709, full=False, deep=deep)
    return Colors(_matrix_of(frame), full=_is_full(frame), deep=deep)


def is_rgb(frame: VideoFrame) -> bool:
    """Tell whether a frame has no matrix that its numbers were made with."""
    # FFmpeg's grey has no chroma to be wrong about, and converts as RGB does.
    return frame.format.is_rgb or frame.format.has_palette or frame.format.name.startswith(("gray", "ya", "mono"))


def _is_full(frame: VideoFrame) -> bool:
    return frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")


def _matrix_of(frame: VideoFrame) -> int:
    return frame.colorspace if frame.colorspace in _WEIGHTS else guessed_matrix(frame.width, frame.height)


def guessed_matrix(width: int, height: int) -> int:
    """Return the matrix that players take for that of pictures of this size where none is said."""
    return BT709 if width >= _HD[0] or height > _HD[1] else BT601


def rgb(frame: VideoFrame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return a frame as RGB of shape (height, width, 3), scaled to a size (width, height) if one is given."""
    width, height = size or (frame.width, frame.height)
    how = _SAME if (width, height) == (frame.width, frame.height) else _SMOOTH
    options: dict[str, Any] = {}
    if not is_rgb(frame):
        matrix = _SWSCALE[_matrix_of(frame)]
        options = {"src_colorspace": matrix, "dst_colorspace": matrix}
        options["src_color_range"] = FULL_RANGE if _is_full(frame) else LIMITED_RANGE
    options |= {"width": width, "height": height, "interpolation": _EXACT | how, "threads": 1}
    with _readable(frame):
        picture = frame.to_ndarray(format="rgb24", **options)
    return cast("NDArray[np.uint8]", picture)


@contextmanager
def _readable(frame: VideoFrame) -> Iterator[None]:
    """Let a frame say for a while what swscale takes BT.2020 of constant luminance for, which it refuses."""
    told = frame.colorspace
    if told == _CONSTANT:
        frame.colorspace = _BT2020
    try:
        yield
    finally:
        frame.colorspace = told


def planes_of(frame: VideoFrame, colors: Colors, size: tuple[int, int]) -> Planes:
    """Return the planes of a frame at a size (width, height); those that are as they should be are not touched."""
    if is_rgb(frame) or colors_of(frame)[:2] != colors[:2]:
        return _from_rgb(rgb(frame, size), colors)
    name = frame.format.name
    if (name.replace("yuvj", "yuv"), frame.width, frame.height) != (_DEEP if colors.deep else _USUAL, *size):
        matrix, full = _SWSCALE[colors.matrix], FULL_RANGE if colors.full else LIMITED_RANGE
        with _readable(frame):
            frame = frame.reformat(
                *size,
                format=_DEEP if colors.deep else "yuvj420p" if name.startswith("yuvj") else _USUAL,
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=full,
                dst_color_range=full,
                interpolation=_EXACT | _SMOOTH,
                threads=1,
            )
    luma, blue, red = (_numbers(plane, deep=colors.deep)[:, : plane.width] for plane in frame.planes[:3])
    return luma, blue, red


def _numbers(plane: Any, *, deep: bool) -> NDArray[Any]:  # noqa: ANN401 -- a plane is a buffer, which PyAV does not type
    """Return a plane with what lies beside it, rows being longer than the picture."""
    numbers = np.frombuffer(plane, np.uint16 if deep else np.uint8)
    return numbers[: plane.height * plane.line_size // numbers.itemsize].reshape(plane.height, -1)


def _from_rgb(picture: NDArray[np.uint8], colors: Colors, where: NDArray[np.bool_] | None = None) -> Planes:
    """Convert RGB by the formulas of ITU-T H.273, section 8.3.

    A number of chroma is the mean of four pixels; of those alone that are told by ``where``, if any is, so that a thin
    line has its colour.
    """
    high, wide = picture.shape[:2]
    even = np.pad(picture, ((0, high % 2), (0, wide % 2), (0, 0)), mode="edge")
    weights = _WEIGHTS[colors.matrix]
    kr, kb = weights
    values = even.astype(np.float32) / 255
    luma = values @ np.array([kr, 1 - kr - kb, kb], np.float32)
    counted = np.ones(picture.shape[:2], np.bool_) if where is None else where
    counted = np.pad(counted, ((0, high % 2), (0, wide % 2)), mode="edge")[..., None]
    shared = _of_fours(values * counted) / np.maximum(_of_fours(counted.astype(np.float32)), 1)
    base = shared @ np.array([kr, 1 - kr - kb, kb], np.float32)
    blue = (shared[..., 2] - base) / (2 * (1 - kb))
    red = (shared[..., 0] - base) / (2 * (1 - kr))
    unit, top = (4, 1023) if colors.deep else (1, 255)
    black, lumas, chromas = (0, top, top) if colors.full else (16 * unit, 219 * unit, 224 * unit)
    kind = np.uint16 if colors.deep else np.uint8

    def whole(numbers: NDArray[Any]) -> NDArray[Any]:
        rounded: NDArray[Any] = np.clip(np.rint(numbers), 0, top).astype(kind)
        return rounded

    return (
        whole(luma * lumas + black)[:high, :wide],
        whole(blue * chromas + 128 * unit),
        whole(red * chromas + 128 * unit),
    )


def _of_fours(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sums of two by two values; of truths, whether any is."""
    sums: NDArray[Any] = values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]
    return sums


def blend(planes: Planes, before: NDArray[np.uint8], after: NDArray[np.uint8], colors: Colors) -> Planes:
    """Return planes that show ``after`` where that differs from ``before``, which they show; the rest is as it was."""
    differs = before != after
    changed = differs[..., 0] | differs[..., 1] | differs[..., 2]  # six times as fast as NumPy's any()
    if not changed.any():
        return planes
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    # Both from an even number on, where four pixels begin that share their chroma.
    down = slice(rows[0] // 2 * 2, int(rows[-1]) + 1)
    along = slice(columns[0] // 2 * 2, int(columns[-1]) + 1)
    mask = changed[down, along]
    shared = _of_fours(np.pad(mask, ((0, mask.shape[0] % 2), (0, mask.shape[1] % 2))))
    drawn = _from_rgb(after[down, along], colors, mask)
    mixed = []
    for plane, new, where, half in zip(planes, drawn, (mask, shared, shared), (1, 2, 2), strict=True):
        copy = plane.copy()
        top, left = down.start // half, along.start // half
        np.copyto(copy[top : top + new.shape[0], left : left + new.shape[1]], new, where=where)
        mixed.append(copy)
    luma, blue, red = mixed
    return luma, blue, red


def frame_of(planes: Planes, colors: Colors, size: tuple[int, int]) -> VideoFrame:
    """Return a frame of even sides; planes that are smaller lie in its middle, on black.

    A row or a column that is missing to an even side is the last one again.
    """
    frame = av.VideoFrame(*size, _DEEP if colors.deep else _USUAL)
    frame.color_range = FULL_RANGE if colors.full else LIMITED_RANGE
    unit = 4 if colors.deep else 1
    high, wide = planes[0].shape
    top, left = (size[1] - high) // 4 * 2, (size[0] - wide) // 4 * 2
    black = 0 if colors.full else 16 * unit
    for plane, numbers, half, empty in zip(
        frame.planes, planes, (1, 2, 2), (black, 128 * unit, 128 * unit), strict=True
    ):
        place = _numbers(plane, deep=colors.deep)[:, : plane.width]
        y, x = top // half, left // half
        rows, columns = numbers.shape
        if size[1] - high > 1 or size[0] - wide > 1:
            place[:] = empty
        place[y : y + rows, x : x + columns] = numbers
        if rows % 2 and half == 1:
            place[y + rows, x : x + columns] = numbers[-1]
        if columns % 2 and half == 1:
            place[y : y + rows + rows % 2, x + columns] = place[y : y + rows + rows % 2, x + columns - 1]
    return frame
