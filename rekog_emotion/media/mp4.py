"""How long a video file is, as its header says: a first guess of when a job on it can be ready."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from rekog_emotion.media.containers import boxes
from rekog_emotion.media.files import is_file

__all__ = ["video_seconds"]

_LONGEST: Final = 7 * 24 * 3600.0


def video_seconds(path: Path) -> float | None:
    """Return the length of an MP4 or MOV file in seconds, or ``None`` where its header does not say, or lies."""
    try:
        if not is_file(path):  # a pipe would not even open
            return None
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            movie = next((box for box in boxes(file, 0, end) if box.name == b"moov"), None)
            inner = boxes(file, movie.begin, min(movie.end, end)) if movie else ()
            header = next((box for box in inner if box.name == b"mvhd"), None)
            return _duration(file, header.begin) if header else None
    except (OSError, ValueError, struct.error):
        return None


def _duration(file: BinaryIO, begin: int) -> float | None:
    file.seek(begin)
    version = file.read(4)[0:1]
    scale, duration = struct.unpack(
        ">16xIQ" if version == b"\x01" else ">8xII", file.read(28 if version == b"\x01" else 16)
    )
    seconds = duration / scale if scale else 0.0
    return seconds if 0 < seconds < _LONGEST else None
