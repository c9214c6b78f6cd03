"""Read clips: what they are, and their pictures on the service's grid of two samples a second."""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import count
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from rekog_emotion.errors import InvalidInputError, MissingExtraError

try:
    import av
    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.stream import Disposition
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
except ModuleNotFoundError as error:
    what = "Embedded video"
    raise MissingExtraError(what, extra="embedded") from error

__all__ = ["LONGEST", "UnsupportedVideoError", "probe", "samples"]

LONGEST = Fraction(6 * 60 * 60)  # seconds; the service's limit for stored video
SAMPLES_PER_SECOND = 2
# Files only, and containers of moving pictures only: a playlist leads to other files or hosts, a text would be painted.
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,avi,matroska,webm"}
# 8K is 33 million pixels; a stream that claims more would take its memory before any picture is seen.
CODEC_OPTIONS = {"max_pixels": "40000000"}
SMALLEST_SIDE = 2  # pixels; formats that share colour between neighbours have nothing below
FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG
ROUNDING = Fraction(5, 1000)  # seconds; containers round times, to a millisecond at the coarsest


class UnsupportedVideoError(InvalidInputError):
    """A file holds no moving picture that can be decoded."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{os.fspath(path)}: no video can be decoded from it; use H.264 in an MP4 or MOV file")


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
    with _opened(path) as (container, stream):
        first = next(_frames(container, stream), None)
        if first is None or min(first.width, first.height) < SMALLEST_SIDE:
            raise UnsupportedVideoError(path)
        turned = _orientation(first).turned
        metadata = {
            "Codec": stream.codec_context.codec.canonical_name,
            "DurationMillis": _duration_millis(container, stream),
            "Format": container.format.long_name,
            "FrameRate": _single_precision(_frame_rate(stream)),
            "FrameHeight": first.width if turned else first.height,
            "FrameWidth": first.height if turned else first.width,
            "ColorRange": "FULL" if first.color_range == FULL_RANGE else "LIMITED",
        }
    return {name: value for name, value in metadata.items() if value is not None}


def samples(path: str | os.PathLike[str]) -> Generator[tuple[int, NDArray[np.uint8]]]:
    """Yield the pictures that the service looks at, two a second, with their times.

    Sample ``k`` is frame ``floor(k * fps / 2)`` at ``floor(frame * 1000 / fps)`` milliseconds, the rule that recorded
    answers of the service follow, where ``fps`` is the exact fraction that the stream gives as its mean rate. At a
    constant rate that is the frame of this number. At a variable rate it is the frame on display at this time: one that
    stays long is yielded again. A clip of less than two frames a second gives each frame number once.

    Damaged parts are shown or passed over as players do it, without an error: a clip that was cut off gives its samples
    up to there. Memory does not grow with the clip, and decoding starts no thread.

    Args:
        path: A local file.

    Yields:
        Milliseconds from the first picture, and an upright RGB array of shape (height, width, 3).

    Raises:
        UnsupportedVideoError: The file cannot be opened or read on, or its pictures cannot be converted.
        OSError: The file is not there, or must not be read.
    """
    with _opened(path) as (container, stream):
        rate = _frame_rate(stream)
        slack = min(ROUNDING, 1 / rate / 2)
        grid = _grid(rate)
        seconds = next(grid)
        # One for all: in PyAV a frame and its side data hold each other, and their memory, until the next collection.
        orientation: _Orientation | None = None
        for frame, until in _displayed(_frames(container, stream), at_least=2 * slack):
            picture: NDArray[np.uint8] | None = None
            while seconds + slack < min(until, LONGEST):
                orientation = orientation or _orientation(frame)
                if picture is None:
                    picture = _upright(frame, orientation)
                yield int(seconds * 1000), picture
                seconds = next(grid)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        # The prefix keeps a name like "http:..." or "concat:..." from being a protocol.
        with av.open(f"file:{os.fspath(path)}", "r", options=OPEN_OPTIONS, metadata_errors="replace") as container:
            # The cover of a song is a video stream, too; one of an unknown codec has no context.
            tracks = (one for one in container.streams.video if not one.disposition & Disposition.attached_pic)
            stream = next(tracks, None)
            if stream is None or stream.codec_context is None:
                raise UnsupportedVideoError(path)
            # Decoding runs at hundreds of pictures a second on one thread; it is detection that takes the time.
            stream.codec_context.thread_count = 1
            stream.codec_context.options = CODEC_OPTIONS
            yield container, stream
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except av.FFmpegError as error:
        raise UnsupportedVideoError(path) from error


def _frame_rate(stream: VideoStream) -> Fraction:
    # What has no rate has one picture, and any rate gives it the time 0.
    return stream.average_rate or stream.guessed_rate or Fraction(1)


def _duration_millis(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.duration is not None:
        return int(_seconds(stream, stream.duration) * 1000)
    return None if container.duration is None else container.duration // 1000  # microseconds


def _seconds(clock: VideoStream | VideoFrame, ticks: int) -> Fraction:
    return ticks * cast("Fraction", clock.time_base)  # None is for what no file was read into


def _single_precision(value: Fraction) -> float:
    single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return single


def _grid(rate: Fraction) -> Iterator[Fraction]:
    """Yield the seconds of the frames to look at; below two frames a second of every one."""
    step = max(rate / SAMPLES_PER_SECOND, Fraction(1))
    return (int(k * step) / rate for k in count())


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode in the order of display, past damaged packets, to the end or to where the container is damaged."""
    with suppress(av.InvalidDataError):
        for packet in container.demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()


def _displayed(frames: Iterator[VideoFrame], *, at_least: Fraction) -> Iterator[tuple[VideoFrame, Fraction]]:
    """Yield each frame with the second, counted from the first frame, until which it is on display.

    Some files give their last frame no time: it is shown ``at_least`` so many seconds.
    """
    shown: VideoFrame | None = None
    origin = since = length = Fraction(0)
    for frame in frames:
        if frame.pts is None:
            continue
        at = _seconds(frame, frame.pts)
        if shown is None:
            origin = at
        else:
            yield shown, at - origin
        shown, since, length = frame, at, _seconds(frame, frame.duration)
    if shown is not None:
        yield shown, since - origin + max(length, at_least)


class _Orientation(NamedTuple):
    """How a decoded picture is shown: mirrored at its main diagonal, then its rows and columns in reverse order."""

    turned: bool
    rows_reversed: bool
    columns_reversed: bool


def _orientation(frame: VideoFrame) -> _Orientation:
    """Read the display matrix: nine numbers a, b, u, c, d, v, ... that show (x, y) at (a x + c y, b x + d y)."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _Orientation(turned=False, rows_reversed=False, columns_reversed=False)
    a, b, _, c, d = struct.unpack_from("=5i", bytes(cast("SideData", matrix)))
    if abs(b) > abs(a):
        return _Orientation(turned=True, rows_reversed=b < 0, columns_reversed=c < 0)
    return _Orientation(turned=False, rows_reversed=d < 0, columns_reversed=a < 0)


def _upright(frame: VideoFrame, orientation: _Orientation) -> NDArray[np.uint8]:
    picture = cast("NDArray[np.uint8]", frame.to_ndarray(format="rgb24", threads=1))
    if orientation.turned:
        picture = picture.swapaxes(0, 1)
    if orientation.rows_reversed:
        picture = picture[::-1]
    if orientation.columns_reversed:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
