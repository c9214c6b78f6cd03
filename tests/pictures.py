"""Pictures for tests: files put together byte by byte, and files that Pillow writes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

DATA = Path(__file__).parent / "data"
PORTRAIT = DATA / "astronaut.jpg"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
NINE = [f"photos/{number}.jpg" for number in range(9)]
"""What `nine_photos` makes, from the folder on that it is made in."""


def segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG segment: marker, length, content."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame(width: int, height: int, marker: int = 0xC0) -> bytes:
    """Return the frame header of a grey JPEG; baseline unless told."""
    return segment(marker, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))


def scan(data: bytes = b"\x12\xff\x00\x34") -> bytes:
    """Return a scan header and its entropy-coded data."""
    return segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + data


def tiff(orientation: int, order: Literal["<", ">"] = ">", kind: int = 3) -> bytes:
    """Return a TIFF block with an orientation between two other tags; kind 1 is BYTE, 3 SHORT, 4 LONG."""
    value = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I"}[kind], orientation)
    entries = (
        struct.pack(order + "HHII", 0x010F, 2, 4, 0),
        struct.pack(order + "HHI", 0x0112, kind, 1) + value,
        struct.pack(order + "HHII", 0x0128, 3, 1, 2),
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return head + b"".join(entries) + bytes(4)


def exif(block: bytes) -> bytes:
    """Return the APP1 segment that carries an EXIF block."""
    return segment(0xE1, b"Exif\0\0" + block)


def exif_of(orientation: int) -> Image.Exif:
    """Return an EXIF block for Pillow's writers."""
    block = Image.Exif()
    block[274] = orientation
    return block


def jpeg(*before: bytes, width: int = 120, height: int = 90) -> bytes:
    """Return a JPEG whose headers are right and whose pixels are not: for what reads headers alone."""
    return SOI + b"".join(before) + frame(width, height) + scan() + EOI


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return a real JPEG with more segments at its beginning."""
    return data[:2] + b"".join(segments) + data[2:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """Return a PNG chunk with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: bytes, width: int = 120, height: int = 90) -> bytes:
    """Return a PNG whose headers are right and whose pixels are not."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", b"x") + chunk(b"IEND")


def portrait(size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Return a small picture of a real scene, not square and not symmetrical, in mode RGB."""
    with Image.open(PORTRAIT) as image:
        return image.convert("RGB").resize(size)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """Return an image as a file that Pillow writes."""
    Image.init()
    if file_format not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {file_format}")
    output = io.BytesIO()
    image.save(output, file_format, **options)
    return output.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the pixels of a file as Pillow decodes them, untouched."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def nine_photos(folder: Path) -> Path:
    """Make a folder ``photos`` of nine photos and a text."""
    photos = folder / "photos"
    photos.mkdir()
    for name in NINE:
        (folder / name).write_bytes(jpeg())
    (photos / "notes.txt").write_text("no picture")
    return photos
