"""Pictures that come as they are taken: of cameras, and of addresses on a network."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from attrs import define, field, frozen

from rekog_emotion.errors import InvalidInputError, needs

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

__all__ = ["LostError", "Origin", "Position", "address_of", "camera_of", "pictures"]

OPENING: Final = 10.0
"""Seconds after which what does not answer counts as not there."""
STALLED: Final = 5.0
"""Seconds without a picture after which a stream counts as lost."""

Picture: TypeAlias = Callable[[], NDArray[np.uint8]]
"""Makes the upright RGB array (height, width, 3): of most pictures nobody wants it."""

# What an address may lead to, by what it begins with: never to files, and from the network to the network alone.
_HTTP: Final = "http,https,tcp,tls,httpproxy,crypto,hls"
_RTSP: Final = "rtsp,rtsps,rtp,rtcp,udp,tcp,tls,srtp,http,https,httpproxy"
_RTMP: Final = "rtmp,rtmps,rtmpt,rtmpts,rtmpe,tcp,tls,http,https"
_PROTOCOLS: Final = {
    "http": _HTTP,
    "https": _HTTP,
    "rtsp": _RTSP,
    "rtsps": _RTSP,
    "rtmp": _RTMP,
    "rtmps": _RTMP,
    "rtp": "rtp,rtcp,udp,srtp",
    "udp": "udp",
    "tcp": "tcp",
    "srt": "srt,udp",
}
_FORMATS: Final = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_JUMP: Final = 10.0  # seconds; whatever is further apart comes from a clock that was set
_NUMBER: Final = re.compile(r"\d{1,3}")


class LostError(Exception):
    """No picture comes any more; the message says why."""


@frozen
class Origin:
    """Where pictures come from.

    Attributes:
        url: As FFmpeg takes it; it may hold a password.
        name: As messages call it.
        options: Of FFmpeg.
        format: Of a camera, what its driver is called.
    """

    url: str = field(repr=False)
    name: str
    options: dict[str, str] = field(factory=dict)
    format: str | None = None


def address_of(text: str) -> Origin | None:
    """Return where an address leads; ``None`` where a text is none that a stream can have."""
    scheme, colon, _ = text.partition("://")
    if not colon or (protocols := _PROTOCOLS.get(scheme.lower())) is None:
        return None
    # What a look at the format takes is not let go ("nobuffer"): the first picture that others need is in it, and the
    # next such may be seconds away. It is decoded at once, and the newest wins.
    options = {"protocol_whitelist": protocols}
    if scheme.lower() in {"rtsp", "rtsps"}:
        options["rtsp_transport"] = "tcp"  # what UDP loses looks like faces melting
    parts = urlsplit(text)
    host = (parts.netloc or "").rpartition("@")[2]  # neither a password nor a signature belongs into a message
    return Origin(text, f"{scheme}://{host}{parts.path}", options)


def camera_of(name: str) -> Origin:
    """Return where a camera is: its number, or what the system calls it.

    Raises:
        InvalidInputError: There is no such number, or this system's cameras are not known.
    """
    system = "linux" if sys.platform.startswith("linux") else sys.platform
    driver = _FORMATS.get(system)
    if driver is None:
        msg = f"camera {name}: cameras of {sys.platform} are not known; pass its address, or pictures of your own"
        raise InvalidInputError(msg)
    url = name
    if driver == "v4l2" and _NUMBER.fullmatch(name):
        url = f"/dev/video{int(name)}"
    elif driver == "dshow":
        url = f"video={_windows_camera(name)}"
    return Origin(url, f"camera:{name}", {}, driver)


def _windows_camera(name: str) -> str:
    """Return the name of a camera, which DirectShow knows by names alone."""
    if not _NUMBER.fullmatch(name):
        return name
    found: list[Any] = [one for one in av.enumerate_input_devices("dshow") if "video" in one.media_types]
    if int(name) >= len(found):
        msg = f"camera {name}: there are {len(found)}, counted from 0; plug it in, or name it as camera:NAME"
        raise InvalidInputError(msg)
    return str(found[int(name)].name)


@define
class Position:
    """How far a stream was seen, from one opening to the next.

    Attributes:
        whole: Whether it said how long it is.
        seconds: Of the last picture, where it did.
    """

    whole: bool | None = None
    seconds: float = -1.0


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
            origin.url,
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


def _why(error: Any) -> str:  # noqa: ANN401 -- PyAV's errors have Python's as parents, too
    if isinstance(error, (av.error.ExitError, TimeoutError)):
        return f"no picture came for {STALLED:.0f} seconds"
    return str(error.strerror or type(error).__name__).lower()
