"""Read clips: what they are, and their pictures on the service's grid of two samples a second."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rekog_emotion.media.clips import (
    ROUNDING,
    UnsupportedVideoError,
    decoded,
    frame_rate,
    opened,
    orientation_of,
    seconds_of,
    shown,
    spared,
    upright,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from rekog_emotion.media.clips import Orientation

__all__ = ["LONGEST", "SAMPLES_PER_SECOND", "Extent", "UnsupportedVideoError", "extent_of", "probe", "samples"]

LONGEST = Fraction(6 * 60 * 60)  # seconds; the service's limit for stored video
SAMPLES_PER_SECOND = 2
SMALLEST_SIDE = 2  # pixels; formats that share colour between neighbours have nothing below
FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG


def probe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the ``VideoMetadata`` of a clip, as the service words it.

    Width and height are those of the picture as a player shows it, turned as the file says; the first picture is
    decoded for this. ``DurationMillis`` is that of the picture track, rounded down, ``FrameRate`` its mean in single
    precision, as in recorded answers of the service. Luma is taken to be in the limited range where the file says
    nothing, as players and the service do.

    Args:
        path: A local file.

    Raises:
        UnsupportedVideoError: No picture can be decoded.
        OSError: The file is not there, or must not be read.
    """
    with opened(path) as (container, stream):
        first = next(decoded(container, stream), None)
        if first is None or min(first.width, first.height) < SMALLEST_SIDE:
            raise UnsupportedVideoError(path)
        turned = orientation_of(first, stream).turned
        metadata = {
            "Codec": stream.codec_context.codec.canonical_name,
            "DurationMillis": _duration_millis(container, stream),
            "Format": container.format.long_name,
            "FrameRate": _single_precision(frame_rate(stream)),
            "FrameHeight": first.width if turned else first.height,
            "FrameWidth": first.height if turned else first.width,
            "ColorRange": "FULL" if first.color_range == FULL_RANGE else "LIMITED",
        }
    return {name: value for name, value in metadata.items() if value is not None}


class Extent(NamedTuple):
    """What may be told of the size and the length of one clip.

    Attributes:
        sizes: Width and height, first as :func:`probe` tells them: pixels may be counted as they are stored or as they
            are shown, turned and square.
        lengths: Milliseconds, first as :func:`probe` tells them, of the picture track or of all; empty where the file
            does not say how long it is.
    """

    sizes: tuple[tuple[int, int], ...]
    lengths: tuple[int, ...]


def extent_of(path: str | os.PathLike[str]) -> Extent:
    """Return the size and the length of a clip in every way in which somebody may have told them.

    Raises:
        UnsupportedVideoError: No picture can be decoded.
        OSError: The file is not there, or must not be read.
    """
    with opened(path) as (container, stream):
        first = next(decoded(container, stream), None)
        if first is None:
            raise UnsupportedVideoError(path)
        orientation = orientation_of(first, stream)
        stored = first.width, first.height
        wide, high = max(orientation.aspect, Fraction(1)), min(orientation.aspect, Fraction(1))
        square = round(first.width * wide), round(first.height / high)
        sizes = [stored, square]
        if orientation.turned:
            sizes = [(height, width) for width, height in sizes] + sizes
        lengths = _duration_millis(container, stream), container.duration and container.duration // 1000
    return Extent(tuple(sizes), tuple(one for one in lengths if one is not None and one > 0))


def samples(
    path: str | os.PathLike[str], *, per_second: float = SAMPLES_PER_SECOND
) -> Generator[tuple[int, NDArray[np.uint8]]]:
    """Yield the pictures that the service looks at, two a second, with their times.

    Sample ``k`` is frame ``floor(k * fps / 2)`` at ``floor(frame * 1000 / fps)`` milliseconds, the rule that recorded
    answers of the service follow, where ``fps`` is the exact fraction that the stream gives as its mean rate. At a
    constant rate that is the frame of this number. At a variable rate it is the frame on display at this time: one that
    stays long is yielded again. A clip of less than two frames a second gives each frame number once.

    Pictures that are neither sampled nor needed for others are not decoded. Damaged parts are shown or passed over as
    players do it, without an error: a clip that was cut off gives its samples up to there. Memory does not grow with
    the clip, and decoding starts no thread.

    Args:
        path: A local file.
        per_second: Pictures a second, where it is not the service's two; never more than the frames.

    Yields:
        Milliseconds from the first picture, and an upright RGB array of shape (height, width, 3), of square pixels.

    Raises:
        UnsupportedVideoError: The file cannot be opened or read on, or its pictures cannot be converted.
        OSError: The file is not there, or must not be read.
    """
    with opened(path) as (container, stream):
        rate = frame_rate(stream)
        step = max(rate / Fraction(per_second), Fraction(1))  # frames between two samples
        slack = min(ROUNDING, 1 / rate / 2)

        def looked_at(since: Fraction, until: Fraction) -> bool:
            return _begun(until - slack, rate, step) > _begun(since - slack, rate, step)

        grid = _grid(rate, step)
        seconds = next(grid)
        # One for all: in PyAV a frame and its side data hold each other, and their memory, until the next collection.
        orientation: Orientation | None = None
        for frame, _, until in shown(container, stream, spared(container, stream, looked_at)):
            picture: NDArray[np.uint8] | None = None
            while seconds + slack < min(until, LONGEST):
                orientation = orientation or orientation_of(frame, stream)
                if picture is None:
                    picture = upright(frame, orientation)
                yield int(seconds * 1000), picture
                seconds = next(grid)


def _duration_millis(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.duration is not None:
        return int(seconds_of(stream, stream.duration) * 1000)
    if container.duration is None:
        return None
    # Microseconds. Matroska's end where its clock stands, which a recorder's does not begin at zero but with the date.
    start = container.start_time or 0
    return (container.duration - start if 0 < start < container.duration else container.duration) // 1000


def _single_precision(value: Fraction) -> float:
    single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return single


def _grid(rate: Fraction, step: Fraction) -> Iterator[Fraction]:
    """Yield the seconds of the frames to look at."""
    return (int(k * step) / rate for k in count())


def _begun(seconds: Fraction, rate: Fraction, step: Fraction) -> int:
    """Return how many times of the grid lie before this one."""
    return max(0, math.ceil(math.ceil(seconds * rate) / step))
