"""Open clips, and tell when and how their frames are shown: what the embedded engine and drawing on videos share."""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.media.diagnosis import OPEN_OPTIONS, why_undecoded
from rekog_emotion.text import shown as told

with needs("embedded", "Embedded video"):
    import av
    import numpy as np
    from av.container import InputContainer
    from av.packet import Packet
    from av.sidedata.sidedata import SideData
    from av.stream import Disposition, Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

from rekog_emotion.media import pixels  # isort: skip -- the lines above say which extra brings what it needs

__all__ = [
    "ROUNDING",
    "Display",
    "Orientation",
    "UnsupportedVideoError",
    "decoded",
    "displayed",
    "frame_rate",
    "opened",
    "orientation_of",
    "seconds_of",
    "shown",
    "spared",
    "timed_by_decoding",
    "upright",
]

# 8K is 33 million pixels; a stream that claims more would take its memory before any picture is seen.
CODEC_OPTIONS = {"max_pixels": "40000000"}
# Titles in other bytes than UTF-8 are no fault of a clip. From 19 on PyAV lets them through, and has no option for it.
METADATA_OPTIONS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # noqa: PLR2004 -- said above
REORDERED = 32  # packets; twice what H.264 and HEVC store out of the order of display at most
UNTIMED = 16  # frames in a row that have no time, or an impossible one, before the clock counts as set back
ROUNDING = Fraction(5, 1000)  # seconds; containers round times, to a millisecond at the coarsest
WIDEST = 4  # times as wide as high, or as high as wide: beyond it a pixel's shape is a mistake of the file


class UnsupportedVideoError(InvalidInputError):
    """A file holds no moving picture that can be decoded."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(f"{told(os.fspath(path))}: {why_undecoded(Path(path))}")


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
    return _exact(stream.average_rate) or _exact(stream.guessed_rate) or Fraction(1)


def _exact(ratio: Any) -> Fraction | None:  # noqa: ANN401 -- PyAV 19 gives its ratios another type than those before
    exact: Fraction | None = ratio
    return exact


def seconds_of(clock: VideoStream | VideoFrame, ticks: int) -> Fraction:
    """Return the seconds of a time in ticks."""
    return ticks * cast("Fraction", clock.time_base)  # None is for what no file was read into


def decoded(
    container: InputContainer,
    stream: VideoStream,
    others: Sequence[Stream] = (),
    on_other: Callable[[Packet[Stream]], None] = lambda _: None,
) -> Iterator[VideoFrame]:
    """Decode in the order of display, past damaged packets, to the end or to where the container is damaged.

    Args:
        container: What the stream is in.
        stream: The pictures.
        others: Streams that are not decoded.
        on_other: Called with each packet of those.
    """
    with suppress(av.InvalidDataError):
        for packet in container.demux([stream, *others]):
            if packet.stream_index == stream.index:
                with suppress(av.FFmpegError):
                    yield from cast("Packet[VideoStream]", packet).decode()
            else:
                on_other(packet)


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
    if timed_by_decoding(container, stream) and context.has_b_frames:
        yield from decoded(container, stream)  # nobody can tell from a packet when its picture is shown
        return
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


class Display(NamedTuple):
    """A frame, and the seconds, counted from the first frame, between which it is on display."""

    frame: VideoFrame
    since: Fraction
    until: Fraction


def shown(container: InputContainer, stream: VideoStream, frames: Iterable[VideoFrame]) -> Iterator[Display]:
    """Yield every frame of a clip with the time for which it is on display; see :func:`displayed`."""
    return displayed(
        frames,
        at_least=1 / frame_rate(stream),
        end=(stream.frames, seconds_of(stream, stream.duration)) if stream.duration else None,
        by_decoding=timed_by_decoding(container, stream),
    )


def displayed(
    frames: Iterable[VideoFrame],
    *,
    at_least: Fraction,
    end: tuple[int, Fraction] | None = None,
    by_decoding: bool = False,
) -> Iterator[Display]:
    """Yield every frame with the time for which it is on display, in this order.

    A decoder gives frames in the order of display, whatever the file says of their times. One that has no time, or one
    that no frame can have in its place, is shown evenly between its neighbours.

    Args:
        frames: As they are decoded.
        at_least: Seconds that a frame is shown of which nothing else says how long.
        end: How many frames there are, and the seconds from the first one to the end of the last, as the file says: of
            a clip that was cut off neither is true.
        by_decoding: See :func:`timed_by_decoding`.
    """
    before: tuple[VideoFrame, Fraction] | None = None
    origin = Fraction(0)
    count = 0
    for frame, at in _timed(frames, at_least, by_decoding=by_decoding):
        count += 1
        if before is None:
            origin = at
        else:
            yield Display(before[0], before[1] - origin, at - origin)
        before = frame, at
    if before is not None:
        frame, at = before
        since = at - origin
        until = since + (_length(frame) or at_least)
        # A frame's own length is that of its packet, which in some files is another frame's.
        if end is not None and count == end[0]:
            until = max(end[1], since + min(2 * ROUNDING, at_least))
        yield Display(frame, since, until)


def timed_by_decoding(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether a container has no times of display: AVI, and what Matroska keeps as AVI does.

    What FFmpeg then says of them is a guess, which is wrong where frames are stored out of the order of display.
    """
    if container.format.name == "avi":
        return True
    # Of its own kinds Matroska keeps no tag of AVI's or QuickTime's.
    return "matroska" in container.format.name and bool(stream.codec_context.codec_tag.strip("\0 "))


def _length(frame: VideoFrame) -> Fraction:
    return seconds_of(frame, frame.duration)


def _timed(
    frames: Iterable[VideoFrame], at_least: Fraction, *, by_decoding: bool
) -> Iterator[tuple[VideoFrame, Fraction]]:
    """Yield frames with their times, which ascend; one or, where times are wrong, some more are held back."""
    held: list[tuple[VideoFrame, Fraction | None]] = []
    last: Fraction | None = None
    ahead: Fraction | None = None  # of the clock: seconds to add to what it says
    for frame in frames:
        ticks = frame.dts if by_decoding else frame.pts
        if ahead is None:
            ahead = seconds_of(frame, frame.pts - ticks) if ticks is not None and frame.pts is not None else Fraction(0)
        held.append((frame, None if ticks is None else seconds_of(frame, ticks) + ahead))
        kept = _ascending([at for _, at in held], last)
        if len(held) > UNTIMED:
            for one, at in _spread(held, kept, last, at_least):
                last = at
                yield one, at
            if ticks is not None and last is not None:
                ahead = last - seconds_of(frame, ticks)
            held.clear()
        elif len(held) > 1 and kept and kept[-1] == len(held) - 1 and len(kept) > 1:
            newest = held.pop()
            for one, at in _spread([*held, newest], kept, last, at_least)[:-1]:
                last = at
                yield one, at
            held = [newest]
    yield from _spread(held, _ascending([at for _, at in held], last), last, at_least)


def _ascending(times: Sequence[Fraction | None], last: Fraction | None) -> list[int]:
    """Return the positions of as many times as ascend, all of them after the last one; of several such the first."""
    best: list[list[int]] = []
    for k, time in enumerate(times):
        if time is None or (last is not None and time <= last):
            best.append([])
            continue
        before = (one for one in best if one and cast("Fraction", times[one[-1]]) < time)
        best.append([*max(before, key=len, default=[]), k])
    return max(best, key=len, default=[])


def _spread(
    frames: Sequence[tuple[VideoFrame, Fraction | None]], kept: list[int], last: Fraction | None, at_least: Fraction
) -> list[tuple[VideoFrame, Fraction]]:
    """Return frames with times; those that are not kept lie evenly between the others, or follow them."""
    spread: list[tuple[VideoFrame, Fraction]] = []
    begin = 0
    for k in kept:
        time = cast("Fraction", frames[k][1])
        many = k - begin + 1
        step = (time - last) / many if last is not None else _length(frames[k][0]) or at_least
        spread += [(frame, time - step * (many - i)) for i, (frame, _) in enumerate(frames[begin:k], 1)]
        spread.append((frames[k][0], time))
        begin, last = k + 1, time
    for frame, _ in frames[begin:]:
        last = Fraction(0) if last is None else last + (_length(frame) or at_least)
        spread.append((frame, last))
    return spread


class Orientation(NamedTuple):
    """How a decoded picture is shown: mirrored at its main diagonal, then its rows and columns in reverse order.

    Attributes:
        turned: Whether it is mirrored, so that rows become columns.
        rows_reversed: Whether the last row comes first.
        columns_reversed: Whether the last column comes first.
        aspect: Width of a pixel over its height, before all that.
    """

    turned: bool
    rows_reversed: bool
    columns_reversed: bool
    aspect: Fraction = Fraction(1)

    def turn(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Return rows of pixels, or one plane of them, turned upright."""
        if self.turned:
            picture = picture.swapaxes(0, 1)
        if self.rows_reversed:
            picture = picture[::-1]
        if self.columns_reversed:
            picture = picture[:, ::-1]
        return picture


def orientation_of(frame: VideoFrame, stream: VideoStream) -> Orientation:
    """Read the display matrix: nine numbers a, b, u, c, d, v, ... that show (x, y) at (a x + c y, b x + d y)."""
    aspect = _exact(stream.sample_aspect_ratio) or Fraction(1)
    if not Fraction(1, WIDEST) <= aspect <= WIDEST:
        aspect = Fraction(1)
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation(turned=False, rows_reversed=False, columns_reversed=False, aspect=aspect)
    a, b, _, c, d = struct.unpack_from("=5i", bytes(cast("SideData", matrix)))
    if abs(b) > abs(a):
        return Orientation(turned=True, rows_reversed=b < 0, columns_reversed=c < 0, aspect=aspect)
    return Orientation(turned=False, rows_reversed=d < 0, columns_reversed=a < 0, aspect=aspect)


def upright(frame: VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
    """Return a frame as an upright RGB array of shape (height, width, 3), of square pixels, as players show it."""
    width, height, aspect = frame.width, frame.height, orientation.aspect
    # More pixels rather than fewer.
    size = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
    return np.ascontiguousarray(orientation.turn(pixels.rgb(frame, size)))
