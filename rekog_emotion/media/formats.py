"""What content is by its first bytes, whatever its name says."""

from __future__ import annotations

import codecs
import re
from typing import Final

__all__ = ["image_format", "looks_like_an_image", "not_a_video", "not_an_image", "unread_format", "video_format"]

_IMAGES: Final = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WebP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("AVIF", re.compile(rb"....ftypavi[fs]", re.DOTALL)),
    ("HEIC", re.compile(rb"....ftyp(?:he[ivx][cmsx]|mif1|msf1)", re.DOTALL)),
)
# Pictures that are not read here: what they unpack to is not bounded, or no viewer shows them.
_UNREAD: Final = (
    ("an icon (ICO)", re.compile(rb"\0\0\x01\0[^\0]\0")),
    ("an icon (ICNS)", re.compile(rb"icns")),
    ("a Photoshop file (PSD)", re.compile(rb"8BPS")),
    ("FITS", re.compile(rb"SIMPLE  =")),
    ("DICOM", re.compile(rb"(?s:.{128})DICM")),
    ("OpenEXR", re.compile(rb"\x76\x2f\x31\x01")),
    ("JPEG XL", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ")),
    ("a DirectDraw surface (DDS)", re.compile(rb"DDS ")),
    ("a Windows metafile", re.compile(rb"\xd7\xcd\xc6\x9a|\x01\0\0\0(?s:.{36}) EMF")),
    ("a raw photo (CR3)", re.compile(rb"....ftypcrx ", re.DOTALL)),
    ("XPM", re.compile(rb"/\* XPM")),
    ("XBM", re.compile(rb"#define \S*width[ \t]")),
)
# Pictures that are less common, and read by Pillow all the same.
_RARE: Final = (
    ("BMP", re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)),
    ("JPEG 2000", re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51")),
    ("PCX", re.compile(rb"\x0a[\0\2-\5][\0\1][\1\2\4\x08]")),
    ("PNM", re.compile(rb"P[1-7f]\s")),
    ("QOI", re.compile(rb"qoif")),
    ("SGI", re.compile(rb"\x01\xda[\0\1][\1\2]")),
    ("TGA", re.compile(rb".[\0\1][\1-\3\x09-\x0b].{13}[\x08\x0f\x10\x18\x20]", re.DOTALL)),
)
# An ISO file (ftyp) whose brand is none of an image above is a video, but for Canon's raw photos and for songs.
_VIDEOS: Final = (
    ("MP4 or MOV", re.compile(rb"....(?:ftyp(?!crx |M4[AB] )|moov|mdat|wide|pnot)", re.DOTALL)),
    ("Matroska or WebM", re.compile(rb"\x1a\x45\xdf\xa3")),
    ("AVI", re.compile(rb"RIFF....AVI ", re.DOTALL)),
    ("MPEG", re.compile(rb"\0\0\x01[\xba\xb3]")),
    ("Windows Media", re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    ("Flash", re.compile(rb"FLV\x01")),
    # Packets of 188 bytes, or of 192 with a time before each.
    ("MPEG transport stream", re.compile(rb"G(?:.{187}G){3}|.{4}G(?:.{191}G){3}", re.DOTALL)),
    ("Ogg", re.compile(rb"OggS.{24,400}?(?:\x80theora|BBCD\0|\x01video)", re.DOTALL)),
    ("MXF", re.compile(rb"\x06\x0e\x2b\x34\x02\x05\x01\x01")),
    ("RealMedia", re.compile(rb"\.RMF\0")),
)
# What the engine opens; the service takes the first alone.
_OPENED: Final = frozenset({"MP4 or MOV", "Matroska or WebM", "AVI"})
_SOUNDS: Final = (
    ("MP3", re.compile(rb"ID3[\2-\4]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")),
    ("AAC", re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ADIF")),
    ("WAV", re.compile(rb"(?:RIFF|RF64)....WAVE", re.DOTALL)),
    ("AIFF", re.compile(rb"FORM....AIF[FC]", re.DOTALL)),
    ("FLAC", re.compile(rb"fLaC")),
    ("Ogg", re.compile(rb"OggS")),
    ("M4A", re.compile(rb"....ftypM4[AB] ", re.DOTALL)),
)
# What it is, and what more to say of it to somebody who wants an image.
_DOCUMENTS: Final = (
    (re.compile(rb"%PDF-"), "a PDF", "; export its page as a JPEG or PNG"),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), "PostScript", ", which would have to be run; export it as a JPEG or PNG"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive", "; unpack it and pass one of its images"),
    (re.compile(rb"(?s:.{,1000}?)<svg[\s>]", re.IGNORECASE), "an SVG drawing", "; export it as a PNG"),
    (re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE), "an HTML page", ", perhaps of a failed download"),
    (
        re.compile(rb"data:image/|/9j/|iVBORw0KGgo|R0lGOD|UklGR"),
        "Base64 text",
        "; decode it with base64.b64decode first",
    ),
    *((start, f"sound ({name})", "; pass a picture") for name, start in _SOUNDS),
)
_TEXT_IMAGES: Final = re.compile(rb"P[1-7]\s|/\* XPM|#define \S*width[ \t]")  # PNM, which Pillow reads, XPM and XBM


def image_format(head: bytes) -> str | None:
    """Name the image format that the content begins like, out of those that are common; ``None`` for any other."""
    return next((name for name, start in _IMAGES if start.match(head)), None)


def unread_format(head: bytes) -> str | None:
    """Name the image format that the content begins like, out of those that are not read; ``None`` for any other."""
    return next((name for name, start in _UNREAD if start.match(head)), None)


def looks_like_an_image(head: bytes) -> bool:
    """Tell whether content begins like a picture of any format, one that is not read included.

    Where a folder is gone through, whatever begins like none is left out.

    Args:
        head: The first 1024 bytes or more.
    """
    if image_format(head) or unread_format(head):
        return True
    return any(start.match(head) for _, start in _RARE) and not_an_image(head) is None


def video_format(head: bytes) -> str | None:
    """Name the video container that the content begins like; ``None`` for any other."""
    if image_format(head):
        return None
    return next((name for name, start in _VIDEOS if start.match(head)), None)


def not_an_image(head: bytes) -> str | None:
    """Say what the content is and what to do with it where it is certainly no image.

    Args:
        head: The first 1024 bytes or more.

    Returns:
        For example ``"a PDF; export its page as a JPEG or PNG"``; ``None`` where it may be an image.
    """
    if video := video_format(head):
        return f"a video ({video}); pass it to analyze_video"
    if document := _document(head):
        return "".join(document)
    if _is_text(head[:1024]) and not _TEXT_IMAGES.match(head):
        return "text, not an image; check what was read or downloaded"
    return None


def not_a_video(head: bytes) -> str | None:
    """Say what the content is and what to do where it is certainly no video.

    Args:
        head: The first 1024 bytes or more.

    Returns:
        For example ``"an image (JPEG), not a video; pass it to detect_image"``; ``None`` where it may be a video.
    """
    if image := image_format(head):
        return f"an image ({image}), not a video; pass it to detect_image"
    if (video := video_format(head)) is not None and video not in _OPENED:
        return f"a video ({video}) in a container that is not read; make it an MP4: ffmpeg -i IN -c:v libx264 OUT.mp4"
    if document := _document(head):
        return f"{document[0]}, not a video; pass an MP4 or MOV file"
    if _is_text(head[:1024]):
        return "text, not a video; check what was read or downloaded"
    return None


def _document(head: bytes) -> tuple[str, str] | None:
    """Return what a document is, and what more to say of it; ``None`` where the content is none."""
    return next(((what, more) for start, what, more in _DOCUMENTS if start.match(head)), None)


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)
