"""How long a video file is, as its header says: a first guess of when a job on it can be ready."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["video_seconds"]

# ISO/IEC 14496-12: a file is a row of boxes, each with its size and a name; 'mvhd' within 'moov' has the duration.
_HEADER: Final = 8
_BOXES: Final = 1000  # more at one level are no video
_LONGEST: Final = 7 * 24 * 3600.0


def video_seconds(path: Path) -> float | None:
    """Return the length of an MP4 or MOV file in seconds, or ``None`` where its header does not say, or lies."""
    try:
        if not path.is_file():  # a pipe would not even open
            return None
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            movie = _find(file, b"moov", 0, end)
            header = movie and _find(file, b"mvhd", *movie)
            return _duration(file, *header) if header else None
    except (OSError, ValueError, struct.error):
        return None


def _find(file: BinaryIO, name: bytes, begin: int, end: int) -> tuple[int, int] | None:
    """Return where the content of the first box of a name begins and ends, within the one around it."""
    for _ in range(_BOXES):
        if begin + _HEADER > end:
            return None
        file.seek(begin)
        size, kind = struct.unpack(">I4s", file.read(_HEADER))
        content = begin + _HEADER
        if size == 1:  # a 64-bit size follows
            (size,) = struct.unpack(">Q", file.read(8))
            content += 8
        elif size == 0:  # to the end of the file
            size = end - begin
        if kind == name:
            return content, min(begin + size, end)
        if size < content - begin:
            return None
        begin += size
    return None


def _duration(file: BinaryIO, begin: int, _: int) -> float | None:
    file.seek(begin)
    version = file.read(4)[0:1]
    scale, duration = struct.unpack(
        ">16xIQ" if version == b"\x01" else ">8xII", file.read(28 if version == b"\x01" else 16)
    )
    seconds = duration / scale if scale else 0.0
    return seconds if 0 < seconds < _LONGEST else None
