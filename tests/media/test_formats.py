from __future__ import annotations

import pytest

from rekog_emotion.media.formats import image_format, not_a_video, not_an_image, video_format
from tests.pictures import PORTRAIT, portrait, saved


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "TIFF", "AVIF"])
def test_common_images_are_named(name):
    """Know what Pillow writes, and take it neither for a video nor for a document."""
    data = saved(portrait(), name.upper())

    assert (name, None, None) == (image_format(data), video_format(data), not_an_image(data))


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1"])
def test_heic_is_an_image(brand):
    """Tell Apple's photos from Apple's videos, which share a container."""
    data = b"\0\0\0\x24ftyp" + brand + bytes(40)

    assert (image_format(data), video_format(data)) == ("HEIC", None)


def test_a_raw_photo_in_a_video_container_is_left_to_pillow():
    """Not call Canon's CR3 a video."""
    assert not_an_image(b"\0\0\0\x18ftypcrx " + bytes(40)) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypisom", "MP4 or MOV"),
        (b"\0\0\0\x18ftypmp42", "MP4 or MOV"),
        (b"\0\0\0\x14ftypqt  ", "MP4 or MOV"),
        (b"\0\0\0\x08wide", "MP4 or MOV"),
        (b"\n\n\n\nmdat", "MP4 or MOV"),
        (b"\x1a\x45\xdf\xa3\x01", "Matroska or WebM"),
        (b"RIFF\n\0\0\0AVI LIST", "AVI"),
        (b"\0\0\x01\xba\x44", "MPEG"),
        (b"\0\0\x01\xb3\x16", "MPEG"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6", "Windows Media"),
        (b"FLV\x01\x05", "Flash"),
        (PORTRAIT.read_bytes(), None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"", None),
    ],
)
def test_videos_are_named(head, name):
    """Know containers by their first bytes."""
    assert name == video_format(head)


@pytest.mark.parametrize(
    "data",
    [
        b"P3\n2 1\n255\n255 0 0 0 0 255\n",
        b"/* XPM */\nstatic char",
        b"#define im_width 90\n#define im_height 90\n",
        bytes(range(256)),
        b"BM\x01\x02\x80",
        b"text and \xff",
    ],
)
def test_what_may_be_an_image_is_left_to_pillow(data):
    """Not refuse images that are text, and what is not known."""
    assert not_an_image(data) is None


@pytest.mark.parametrize("data", [b"hello", b"\xef\xbb\xbfhello", "é".encode() * 513, "日本".encode()[:5], b" \r\n\t"])
def test_text_is_text(data):
    """Know UTF-8 with and without a mark, and a character that is cut at the end of the head."""
    assert not_an_image(data) == "text, not an image; check what was read or downloaded"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"#EXTM3U\nclip.ts", "text, not a video; check what was read or downloaded"),
        (b"%PDF-1.7", "a PDF, not a video; pass an MP4 or MOV file"),
        (b"<!doctype html><p>404", "an HTML page, not a video; pass an MP4 or MOV file"),
        (b"GIF89a", "an image (GIF), not a video; pass it to detect_image"),
        (bytes(range(256)), None),
        (b"\0\0\0\x18ftypmp42", None),
    ],
)
def test_what_is_no_video(data, what):
    """Refuse what is certainly none, and leave the rest to who decodes it."""
    assert not_a_video(data) == what


@pytest.mark.parametrize(
    "data", [b"<svg>", b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='9'", b"\xef\xbb\xbf<SVG>"]
)
def test_a_drawing_is_found_behind_its_prologue(data):
    """Say what to do with SVG."""
    assert not_an_image(data) == "an SVG drawing; export it as a PNG"
