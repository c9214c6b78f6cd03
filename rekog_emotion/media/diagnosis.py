"""Why a local video that was refused cannot be analysed, as far as PyAV, where it is installed, can tell."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["why_unsupported"]

_ENOUGH: Final = 100  # packets without a picture


def why_unsupported(path: Path) -> str | None:
    """Say what is wrong with a video, as part of a message; ``None`` where nothing is found, or nobody can look."""
    try:
        import av

        from rekog_emotion.media.clips import OPEN_OPTIONS
    except ImportError:
        return None
    try:
        with av.open(f"file:{path}", "r", options=OPEN_OPTIONS) as container:
            return _fault(container)
    except UnicodeDecodeError:  # a title of other bytes
        return None
    except (av.FFmpegError, OSError):
        return "its container is damaged, cut off, or of a kind that is not read"


def _fault(container: InputContainer) -> str | None:
    import av
    from av.stream import Disposition

    pictures = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not pictures:
        return "it has sound, but no pictures" if container.streams.audio else "it has no pictures"
    if pictures[0].codec_context is None:
        return "nothing here decodes its pictures"
    name = pictures[0].codec_context.name
    for number, packet in enumerate(container.demux(pictures[0])):
        with suppress(av.FFmpegError):
            if packet.decode():
                return None if name == "h264" else f"its pictures are {name}"
        if number > _ENOUGH:
            break
    return f"none of its first pictures ({name}) can be decoded: it is damaged, cut off or encrypted"
