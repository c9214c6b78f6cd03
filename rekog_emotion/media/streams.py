"""Pictures that come as they are taken: of cameras, and of addresses on a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

from rekog_emotion.errors import needs
from rekog_emotion.media.addresses import NUMBER, Origin, Position

with needs("embedded", "Watching a camera, an address or a file"):
    import av
    import numpy as np
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

from rekog_emotion.media.clips import (
    CODEC_OPTIONS,
    METADATA_OPTIONS,
    Orientation,
    frame_rate,
    orientation_of,
    seconds_of,
    upright,
)

__all__ = ["LostError", "pictures"]

OPENING: Final = 10.0
"""Seconds after which what does not answer counts as not there."""
STALLED: Final = 5.0
"""Seconds without a picture after which a stream counts as lost."""

Picture: TypeAlias = Callable[[], NDArray[np.uint8]]
"""Makes the upright RGB array (height, width, 3): of most pictures nobody wants it."""

_JUMP: Final = 10.0  # seconds; whatever is further apart comes from a clock that was set


class LostError(Exception):
    """No picture comes any more; the message says why."""


def pictures(origin: Origin, closed: Callable[[], bool], position: Position) -> Iterator[tuple[float | None, Picture]]:
    """Yield pictures as they come, until the stream says by itself that it is whole.

    Damaged packets are passed over. A picture may have another size than the one before. What comes in pieces, as HLS
    does, or could all be had at once, has times of its own: seconds from the first picture, which ascend. Others have
    none, since a camera's clock may say anything.

    Args:
        origin: Where from.
        closed: Tells whether nobody wants any more.
        position: What is whole goes on from there when it is opened again; a broadcast that can be had from its
            beginning now is over.

    Raises:
        LostError: It cannot be opened, stalls, breaks off, or goes on somewhere else.
    """
    with _opened(origin) as (container, stream):
        # What says how long it is has an end; a camera or a broadcast that ends is lost.
        whole = container.duration is not None and origin.format is None
        if whole and position.whole is False:
            return
        position.whole = whole
        times = _Times(stream) if whole or container.format.name.startswith("hls") else None
        orientation: Orientation | None = None
        for packet in container.demux(stream):
            if closed():
                return
            with suppress(av.FFmpegError):
                for frame in packet.decode():
                    orientation = orientation or orientation_of(frame, stream)
                    seconds = None if times is None else times.of(frame)
                    if whole and seconds is not None:
                        if seconds <= position.seconds:
                            continue
                        position.seconds = seconds
                    yield seconds, _later(frame, orientation)
    if not whole:
        msg = "it has ended"
        raise LostError(msg)


class _Times:
    """When pictures of a stream are shown: where its clock is set, they go on from there."""

    def __init__(self, stream: VideoStream) -> None:
        self._step = float(1 / frame_rate(stream))
        self._ahead: float | None = None  # of its clock: seconds to add to what it says
        self._last = -self._step

    def of(self, frame: VideoFrame) -> float:
        """Return the seconds of the next picture."""
        told = None if frame.pts is None else float(seconds_of(frame, frame.pts))
        if told is not None:
            seconds = 0.0 if self._ahead is None else told + self._ahead
            if not self._last < seconds <= self._last + _JUMP:
                seconds = self._last + self._step
            self._ahead = seconds - told
        else:
            seconds = self._last + self._step
        self._last = seconds
        return seconds


def _later(frame: VideoFrame, orientation: Orientation) -> Picture:
    def picture() -> NDArray[np.uint8]:
        try:
            return upright(frame, orientation)
        except av.FFmpegError as error:
            raise LostError(_why(error)) from None

    return picture


@contextmanager
def _opened(origin: Origin) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        with av.open(
            _device(origin),
            "r",
            format=origin.format,
            options=dict(origin.options),
            timeout=(OPENING, STALLED),
            **METADATA_OPTIONS,
        ) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None:
                msg = "it has no moving pictures"
                raise LostError(msg)
            stream.codec_context.thread_count = 1  # frames that several threads hold are late
            stream.codec_context.options = CODEC_OPTIONS
            yield container, stream
    except av.FFmpegError as error:
        raise LostError(_why(error)) from None  # its own message names the address, password and all
    except PermissionError as error:
        raise LostError(error.strerror or "it may not be read") from None


def _device(origin: Origin) -> str:
    """Return what FFmpeg opens; DirectShow knows cameras by names alone, and a number is looked up among them."""
    if origin.format != "dshow" or not NUMBER.fullmatch(origin.url):
        return origin.url
    found: list[Any] = [one for one in av.enumerate_input_devices("dshow") if "video" in one.media_types]
    number = int(origin.url)
    if number >= len(found):
        msg = f"of cameras there are {len(found)}, counted from 0"
        raise LostError(msg)
    return f"video={found[number].name}"


def _why(error: Any) -> str:  # noqa: ANN401 -- PyAV's errors have Python's as parents, too
    if isinstance(error, (av.error.ExitError, TimeoutError)):
        return f"no picture came for {STALLED:.0f} seconds"
    return str(error.strerror or type(error).__name__).lower()
