"""Open clips, and turn their frames upright: what the embedded engine and drawing on videos share."""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple, cast

from rekog_emotion.errors import InvalidInputError, MissingExtraError

try:
    import av
    import numpy as np
    from av.container import InputContainer
    from av.packet import Packet
    from av.sidedata.sidedata import SideData
    from av.stream import Disposition
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray
except ModuleNotFoundError as error:
    what = "Embedded video"
    raise MissingExtraError(what, extra="embedded") from error

__all__ = [
    "Orientation",
    "UnsupportedVideoError",
    "decoded",
    "displayed",
    "frame_rate",
    "opened",
    "orientation_of",
    "seconds_of",
    "spared",
    "upright",
]

# Files only, and containers of moving pictures only: a playlist leads to other files or hosts, a text would be painted.
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,avi,matroska,webm"}
# 8K is 33 million pixels; a stream that claims more would take its memory before any picture is seen.
CODEC_OPTIONS = {"max_pixels": "40000000"}
# Titles in other bytes than UTF-8 are no fault of a clip. From 19 on PyAV lets them through, and has no option for it.
METADATA_OPTIONS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # noqa: PLR2004 -- said above
REORDERED = 32  # packets; twice what H.264 and HEVC store out of the order of display at most


class UnsupportedVideoError(InvalidInputError):
    """A file holds no moving picture that can be decoded."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{os.fspath(path)}: no video can be decoded from it; use H.264 in an MP4 or MOV file")


@contextmanager
def opened(path: str | os.PathLike[str], *, threads: int = 1) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a clip and its first track of moving pictures, which decodes on so many threads, 0 for one a core."""
    try:
        # The prefix keeps a name like "http:..." or "concat:..." from being a protocol.
        with av.open(f"file:{os.fspath(path)}", "r", options=OPEN_OPTIONS, **METADATA_OPTIONS) as container:
            # The cover of a song is a video stream, too; one of an unknown codec has no context.
            tracks = (one for one in container.streams.video if not one.disposition & Disposition.attached_pic)
            stream = next(tracks, None)
            if stream is None or stream.codec_context is None:
                raise UnsupportedVideoError(path)
            # Decoding runs at hundreds of pictures a second on one thread; it is detection that takes the time.
            stream.codec_context.thread_count = threads
            stream.codec_context.options = CODEC_OPTIONS
            stream.codec_context.open(strict=False)  # here a decoder that cannot start is one error, not one a packet
            yield container, stream
    except av.FFmpegError as error:
        if isinstance(error, (FileNotFoundError, IsADirectoryError, PermissionError)):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error  # without the prefix
        raise UnsupportedVideoError(path) from error


def frame_rate(stream: VideoStream) -> Fraction:
    """Return the mean rate of a track as an exact fraction."""
    # What has no rate has one picture, and any rate gives it the time 0.
    return stream.average_rate or stream.guessed_rate or Fraction(1)


def seconds_of(clock: VideoStream | VideoFrame, ticks: int) -> Fraction:
    """Return the seconds of a time in ticks."""
    return ticks * cast("Fraction", clock.time_base)  # None is for what no file was read into


def decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode in the order of display, past damaged packets, to the end or to where the container is damaged."""
    with suppress(av.InvalidDataError):
        for packet in container.demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()


def spared(
    container: InputContainer, stream: VideoStream, looked_at: Callable[[Fraction, Fraction], bool]
) -> Iterator[VideoFrame]:
    """Decode as :func:`decoded` does, without what neither a viewer nor another picture needs.

    Args:
        container: What the stream is in.
        stream: The pictures.
        looked_at: Tells whether a picture is looked at that is on display from one second, counted from the first
            picture, until another.
    """
    context, intra_only = stream.codec_context, stream.codec_context.codec.intra_only
    begin: Fraction | None = None
    behind: deque[int | None] = deque(maxlen=REORDERED)
    for packet, ahead in _with_next(container.demux(stream)):
        since = packet.pts
        later = chain(behind, (one.pts for one in ahead))
        until = None if since is None else min((pts for pts in later if pts is not None and pts > since), default=None)
        behind.append(since)
        # Before the first picture nobody knows where the count begins.
        needless = not (begin is None or since is None or until is None) and not looked_at(
            seconds_of(stream, since) - begin, seconds_of(stream, until) - begin
        )
        if needless and intra_only:
            continue
        context.skip_frame = "NONREF" if needless else "DEFAULT"
        with suppress(av.FFmpegError):
            for frame in packet.decode():
                if begin is None and frame.pts is not None:
                    begin = seconds_of(frame, frame.pts)
                yield frame


def _with_next(
    packets: Iterable[Packet[VideoStream]],
) -> Iterator[tuple[Packet[VideoStream], Sequence[Packet[VideoStream]]]]:
    """Yield each packet with those that follow it, up to where the container is damaged."""
    ahead: deque[Packet[VideoStream]] = deque()
    with suppress(av.InvalidDataError):
        for packet in packets:
            ahead.append(packet)
            if len(ahead) > REORDERED:
                yield ahead.popleft(), ahead
    while ahead:
        yield ahead.popleft(), ahead


def displayed(frames: Iterator[VideoFrame], *, at_least: Fraction) -> Iterator[tuple[VideoFrame, Fraction]]:
    """Yield each frame with the second, counted from the first frame, until which it is on display.

    Some files give their last frame no time: it is shown ``at_least`` so many seconds.
    """
    shown: VideoFrame | None = None
    origin = since = length = Fraction(0)
    for frame in frames:
        if frame.pts is None:
            continue
        at = seconds_of(frame, frame.pts)
        if shown is None:
            origin = at
        else:
            yield shown, at - origin
        shown, since, length = frame, at, seconds_of(frame, frame.duration)
    if shown is not None:
        yield shown, since - origin + max(length, at_least)


class Orientation(NamedTuple):
    """How a decoded picture is shown: mirrored at its main diagonal, then its rows and columns in reverse order."""

    turned: bool
    rows_reversed: bool
    columns_reversed: bool


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read the display matrix: nine numbers a, b, u, c, d, v, ... that show (x, y) at (a x + c y, b x + d y)."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation(turned=False, rows_reversed=False, columns_reversed=False)
    a, b, _, c, d = struct.unpack_from("=5i", bytes(cast("SideData", matrix)))
    if abs(b) > abs(a):
        return Orientation(turned=True, rows_reversed=b < 0, columns_reversed=c < 0)
    return Orientation(turned=False, rows_reversed=d < 0, columns_reversed=a < 0)


def upright(frame: VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
    """Return a frame as an upright RGB array of shape (height, width, 3)."""
    picture = cast("NDArray[np.uint8]", frame.to_ndarray(format="rgb24", threads=1))
    if orientation.turned:
        picture = picture.swapaxes(0, 1)
    if orientation.rows_reversed:
        picture = picture[::-1]
    if orientation.columns_reversed:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
