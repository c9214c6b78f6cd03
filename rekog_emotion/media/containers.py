"""What a video file says of itself in its first bytes and boxes: found before an upload, and without a decoder."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from rekog_emotion.media.formats import video_format

__all__ = ["Box", "boxes", "refusal", "refusal_of_the_service"]

_HEADER: Final = 8
_BOXES: Final = 1000  # more at one level are no video
_HEAD: Final = 1024  # bytes
_MP4: Final = "MP4 or MOV"
_CONVERT: Final = "convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4"
# Sample entries that are surely of another codec; of any other the service decides.
_CODECS: Final = {
    b"hvc1": "HEVC (H.265)",
    b"hev1": "HEVC (H.265)",
    b"dvh1": "HEVC (H.265)",
    b"dvhe": "HEVC (H.265)",
    b"av01": "AV1",
    b"vp08": "VP8",
    b"vp09": "VP9",
    b"mp4v": "MPEG-4 Part 2",
    b"s263": "H.263",
    b"jpeg": "Motion JPEG",
    b"mjpa": "Motion JPEG",
    b"mjpb": "Motion JPEG",
    **dict.fromkeys((b"apch", b"apcn", b"apcs", b"apco", b"ap4h", b"ap4x"), "ProRes"),
}
_ENCRYPTED: Final = b"encv"


class Box(NamedTuple):
    """A box of an ISO file (ISO/IEC 14496-12): its name, where its content begins, and where it says that it ends."""

    name: bytes
    begin: int
    end: int


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places, as far as they can be followed.

    The last one may reach beyond the end, where the file was cut.

    Raises:
        struct.error: The file ends within the head of a box.
    """
    for _ in range(_BOXES):
        if begin + _HEADER > end:
            return
        file.seek(begin)
        size, name = struct.unpack(">I4s", file.read(_HEADER))
        content = begin + _HEADER
        if size == 1:  # a 64-bit size follows
            (size,) = struct.unpack(">Q", file.read(8))
            content += 8
        elif size == 0:  # to the end of the file
            size = end - begin
        yield Box(name, content, begin + size)
        if size < content - begin:
            return
        begin += size


def refusal(file: BinaryIO) -> str | None:
    """Say what is wrong with a video that nobody can analyse, and what to do; ``None`` where it may be whole.

    A recording that was cut off has its pictures and no index; a download that was cut has its index and not all
    pictures.
    """
    if _format(file) != _MP4:
        return None
    movie = _Movie(file)
    codecs = movie.codecs()
    if movie.lacks_index:
        what = "the MP4 or MOV is incomplete: its index (moov) is missing; get a complete copy of it"
    elif movie.index is not None and movie.index.end > movie.size:
        what = "the MP4 or MOV is truncated within its index (moov); get a complete copy of it"
    elif movie.missing and not movie.is_fragmented:
        what = f"the MP4 or MOV is truncated: {movie.missing} bytes are missing at its end; get a complete copy of it"
    elif codecs == []:
        what = "the MP4 or MOV has sound, but no pictures; pass a video with a picture track"
    elif codecs and set(codecs) == {_ENCRYPTED}:
        what = "the pictures are encrypted (DRM); pass a copy that is not"
    else:
        return None
    return what


def refusal_of_the_service(path: Path) -> str | None:
    """Say why Amazon Rekognition, which takes H.264 in MP4 or MOV, would refuse a video, and what to do.

    Returns:
        ``None`` where the service decides, or the file cannot be read.
    """
    with suppress(OSError), path.open("rb") as file:
        form = _format(file)
        if form is not None and form != _MP4:
            return f"the file is {form}, and Rekognition takes H.264 in MP4 or MOV; {_CONVERT}"
        codecs = _Movie(file).codecs() if form else None
        if codecs and (codec := _CODECS.get(codecs[0])) is not None:
            return f"the pictures are {codec}, and Rekognition takes H.264 in MP4 or MOV; {_CONVERT}"
    return None


def _format(file: BinaryIO) -> str | None:
    file.seek(0)
    return video_format(file.read(_HEAD))


class _Movie:
    """The top level of an ISO file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self.index: Box | None = None
        self.missing = 0  # bytes at the end
        pictured, end = False, 0
        with suppress(struct.error):
            for box in boxes(file, 0, self.size):
                pictured, end = pictured or box.name == b"mdat", box.end
                if box.name == b"moov" and self.index is None:
                    self.index = box
                elif box.name == b"mdat":
                    self.missing = max(box.end - self.size, 0)
        # Looked through to the end.
        self.lacks_index = self.index is None and pictured and end + _HEADER > self.size

    @property
    def is_fragmented(self) -> bool:
        """Whether it is a recording in pieces, each with an index of its own, of which the last may be cut."""
        return self.index is not None and any(self._within(self.index, b"mvex"))

    def codecs(self) -> list[bytes] | None:
        """Return the sample entries of the picture tracks; ``None`` where the tracks cannot be read."""
        if self.index is None:
            return None
        found: list[bytes] = []
        tracks = 0
        try:
            for track in self._within(self.index, b"trak"):
                tracks += 1
                for media in self._within(track, b"mdia"):
                    if any(self._read(one, 8, 4) == b"vide" for one in self._within(media, b"hdlr")):
                        found += self._entries(media)
        except struct.error:
            return None
        return found if tracks else None

    def _entries(self, media: Box) -> Iterator[bytes]:
        entry = b""
        for information in self._within(media, b"minf"):
            for table in self._within(information, b"stbl"):
                for description in self._within(table, b"stsd"):
                    entry = self._read(description, 12, 4)
        yield entry

    def _within(self, outer: Box, name: bytes) -> Iterator[Box]:
        return (box for box in list(boxes(self._file, outer.begin, min(outer.end, self.size))) if box.name == name)

    def _read(self, box: Box, offset: int, length: int) -> bytes:
        self._file.seek(box.begin + offset)
        return self._file.read(length)
