"""Where what is live can come from, cameras and addresses on a network: told by their names, without opening any."""

from __future__ import annotations

import re
import sys
from typing import Final
from urllib.parse import urlsplit

from attrs import define, field, frozen

from rekog_emotion.errors import InvalidInputError

__all__ = ["NUMBER", "Origin", "Position", "address_of", "camera_of"]

NUMBER: Final = re.compile(r"\d{1,3}")
"""Of a camera."""

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


@frozen
class Origin:
    """Where pictures come from.

    Attributes:
        url: As FFmpeg takes it, or a camera's number; it may hold a password.
        name: As messages call it.
        options: Of FFmpeg.
        format: Of a camera, what its driver is called.
    """

    url: str = field(repr=False)
    name: str
    options: dict[str, str] = field(factory=dict)
    format: str | None = None


@define
class Position:
    """How far a stream was seen, from one opening to the next.

    Attributes:
        whole: Whether it said how long it is.
        seconds: Of the last picture, where it did.
    """

    whole: bool | None = None
    seconds: float = -1.0


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
        InvalidInputError: This system's cameras are not known.
    """
    system = "linux" if sys.platform.startswith("linux") else sys.platform
    driver = _FORMATS.get(system)
    if driver is None:
        msg = f"camera {name}: cameras of {sys.platform} are not known; pass its address, or pictures of your own"
        raise InvalidInputError(msg)
    url = name
    if driver == "v4l2" and NUMBER.fullmatch(name):
        url = f"/dev/video{int(name)}"
    elif driver == "dshow" and not NUMBER.fullmatch(name):
        url = f"video={name}"
    return Origin(url, f"camera:{name}", {}, driver)
