"""Why a local file is no video that can be read: by its first bytes and boxes, or by what PyAV makes of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from rekog_emotion.media.containers import refusal
from rekog_emotion.media.files import is_file
from rekog_emotion.media.formats import not_a_video

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["OPEN_OPTIONS", "why_no_video", "why_undecoded", "why_unsupported"]

# Files only, and containers of moving pictures only: a playlist leads to other files or hosts, a text would be painted.
OPEN_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,avi,matroska,webm"}
_HEAD: Final = 1024  # bytes
_ENOUGH: Final = 100  # packets without a picture
_CONVERT: Final = (
    "H.264 in MP4 or MOV is read for certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p "
    "OUT.mp4"
)
# What no conversion helps.
_NO_TRACK: Final = "pass a video with a picture track"
_NO_COPY: Final = "get a complete copy of it that is not encrypted"


def why_no_video(file: BinaryIO) -> str | None:
    """Say what is in a file that is certainly no video that can be read, and what to do; ``None`` where it may be one.

    Args:
        file: At its beginning.
    """
    head = file.read(_HEAD)
    if not head:
        return "the file is empty; check how it was written"
    what = not_a_video(head)
    return f"the content is {what}" if what else refusal(file)


def why_undecoded(path: Path) -> str:
    """Say why no picture could be decoded from a file, and what to do."""
    if not is_file(path):  # nothing more can be had of a pipe
        return f"no video can be decoded from it; {_CONVERT}"
    with suppress(OSError), path.open("rb") as file:
        if wrong := why_no_video(file):
            return wrong
    return f"no video can be decoded from it ({why_unsupported(path)})"


def why_unsupported(path: Path) -> str:
    """Say what is wrong with a video, as far as it can be found, and what to do, as part of a message."""
    try:
        import av
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
