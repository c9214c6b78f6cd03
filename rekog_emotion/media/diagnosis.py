"""Why a local video that was refused cannot be analysed, as far as PyAV, where it is installed, can tell."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["why_unsupported"]

_ENOUGH: Final = 100  # packets without a picture
_CONVERT: Final = (
    "H.264 in MP4 or MOV is read for certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p "
    "OUT.mp4"
)
# What no conversion helps.
_NO_TRACK: Final = "pass a video with a picture track"
_NO_COPY: Final = "get a complete copy of it that is not encrypted"


def why_unsupported(path: Path) -> str:
    """Say what is wrong with a video, as far as it can be found, and what to do, as part of a message."""
    try:
        import av

        from rekog_emotion.media.clips import OPEN_OPTIONS
    except ImportError:
        return _CONVERT
    try:
        with av.open(f"file:{path}", "r", options=OPEN_OPTIONS) as container:
            return _fault(container)
    except UnicodeDecodeError:  # a title of other bytes
        return _CONVERT
    except (av.FFmpegError, OSError):
        return f"its container is damaged, cut off, or of a kind that is not read; {_CONVERT}"


def _fault(container: InputContainer) -> str:
    import av
    from av.stream import Disposition

    pictures = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not pictures:
        what = "it has sound, but no pictures" if container.streams.audio else "it has no pictures"
        return f"{what}; {_NO_TRACK}"
    if pictures[0].codec_context is None:
        return f"nothing here decodes its pictures; {_CONVERT}"
    name = pictures[0].codec_context.name
    size = 0
    for number, packet in enumerate(container.demux(pictures[0])):
        size += packet.size
        with suppress(av.FFmpegError):
            if packet.decode():
                return _CONVERT if name == "h264" else f"its pictures are {name}; {_CONVERT}"
        if number > _ENOUGH:
            break
    if not size:
        return f"its picture track is empty; {_NO_TRACK}"
    return f"none of its first pictures ({name}) can be decoded: it is damaged, cut off or encrypted; {_NO_COPY}"
