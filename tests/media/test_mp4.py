"""The length of a video by its header."""

import os
import struct
from pathlib import Path

import pytest

from rekog_emotion.media.mp4 import video_seconds

CLIP = Path(__file__).parents[1] / "data" / "people.mp4"


def box(name, content):
    """Return a box of an MP4 file."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def large(name, size, content=b""):
    """Return a box that gives its size in 64 bits."""
    return struct.pack(">I4sQ", 1, name, size) + content


HEADER = bytes(12) + struct.pack(">II", 600, 1500)
LONG_HEADER = b"\1" + bytes(19) + struct.pack(">IQ", 600, 1500)
MOVIE = box(b"moov", box(b"free", b"") + box(b"mvhd", HEADER))
LARGE = struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)


def test_of_a_real_clip():
    """Six seconds, as ffprobe says."""
    assert video_seconds(CLIP) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("content", "length"),
    [
        (box(b"ftyp", b"isom") + MOVIE, 2.5),
        (LARGE + MOVIE, 2.5),
        (box(b"moov", box(b"mvhd", LONG_HEADER)), 2.5),
        (struct.pack(">I4s", 0, b"moov") + box(b"mvhd", HEADER), 2.5),
        (b"", None),
        (b"no video at all", None),
        (MOVIE[:30], None),
        (struct.pack(">I4sQ", 1, b"moov", 2**64 - 1) + struct.pack(">I4sQ", 1, b"free", 2**64 - 1), None),
        (box(b"moov", b""), None),
        (struct.pack(">I4s", 4, b"junk") + MOVIE, None),
        (box(b"moov", box(b"mvhd", bytes(20))), None),
        (box(b"", b"") * 2000 + MOVIE, None),
        (large(b"moov", 2**64 - 1, large(b"free", 2**63)), None),
        (large(b"moov", 2**64 - 1, box(b"mvhd", HEADER)), 2.5),
        (large(b"moov", 2**63 - 1, box(b"free", b"") * 2000), None),
        (large(b"moov", 0) * 9, None),
        (large(b"free", 2**63) + MOVIE, None),
        (struct.pack(">I4s", 0, b"free") + MOVIE, None),
        (box(b"moov", large(b"mvhd", 2**64 - 1)), None),
        (box(b"moov", box(b"mvhd", b"\1" + bytes(19) + b"\xff" * 12)), None),
        (struct.pack(">I4s", 1, b"moov"), None),
    ],
)
def test_of_headers(tmp_path, content, length):
    """Large boxes, both versions, and whatever is broken says nothing."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)

    assert video_seconds(path) == length


def test_of_no_file(tmp_path):
    """A file that went away has no length."""
    assert video_seconds(tmp_path / "none.mp4") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_of_what_is_no_file(tmp_path):
    """A pipe would wait for a writer; a folder and an impossible name have no length, either."""
    os.mkfifo(tmp_path / "pipe.mp4")

    assert [video_seconds(path) for path in (tmp_path / "pipe.mp4", tmp_path, Path("a\0b"))] == [None, None, None]
