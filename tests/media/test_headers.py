from __future__ import annotations

import struct
import time

import pytest
from PIL import Image

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.decoding import MAX_PIXELS, check_decoding, check_pixels
from rekog_emotion.media.headers import ImageHeader, memory_of, read_header
from tests.pictures import (
    DATA,
    EOI,
    SOI,
    chunk,
    exif,
    exif_of,
    frame,
    jpeg,
    opened,
    png,
    portrait,
    saved,
    scan,
    segment,
    tiff,
    with_segments,
)

XMP = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>")


@pytest.mark.parametrize("name", ["astronaut.jpg", "biden.jpg", "obama.jpg"])
def test_a_photo_has_the_size_that_pillow_decodes(name):
    """Agree with a decoder on real photos."""
    data = (DATA / name).read_bytes()

    assert opened(data).size == read_header(data).size


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"subsampling": 2, "optimize": True},
        {"exif": exif_of(6)},
        {"comment": b"\xff\xd9\xff\xc0"},
        {"icc_profile": bytes(range(256)) * 300},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_has_its_stored_size(mode, options):
    """Read baseline, progressive, restart markers, grey and CMYK, and segments that hold marker bytes."""
    header = read_header(saved(portrait((161, 122)).convert(mode), "JPEG", **options))

    assert (header.format, header.width, header.height) == ("JPEG", 161, 122)


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF])
def test_every_frame_header_gives_the_size(marker):
    """Know baseline, extended, progressive, lossless, differential and arithmetic frames."""
    data = SOI + segment(0xC4, bytes(17)) + segment(0xCC, bytes(2)) + frame(300, 200, marker) + scan() + EOI

    assert ImageHeader(format="JPEG", width=300, height=200) == read_header(data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_in_either_byte_order(orientation, kind, order):
    """Read the tag as SHORT, and as the BYTE or LONG that some writers make of it."""
    header = read_header(jpeg(exif(tiff(orientation, order, kind))))

    assert orientation == header.orientation
    assert ((90, 120) if orientation >= 5 else (120, 90)) == header.size


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"XX*\0" + tiff(6)[4:],
        tiff(6)[:9],
        tiff(6)[:30],
        tiff(0),
        tiff(9),
        tiff(65535),
        tiff(6)[:4] + struct.pack(">I", 0xFFFFFFFF) + tiff(6)[8:],
        tiff(6).replace(struct.pack(">HH", 0x0112, 3), struct.pack(">HH", 0x0112, 2)),
        b"MM\0*" + struct.pack(">IH", 8, 0),
        b"MM\0*" + struct.pack(">IH", 8, 0xFFFF) + bytes(100),
    ],
)
def test_a_malformed_exif_means_not_turned(block):
    """Take a broken EXIF block as orientation 1, as viewers do."""
    assert read_header(jpeg(exif(block))).orientation == 1


@pytest.mark.parametrize(
    ("data", "orientation"),
    [
        pytest.param(jpeg(XMP, exif(tiff(6))), 6, id="XMP first"),
        pytest.param(jpeg(exif(tiff(6)), XMP), 6, id="XMP last"),
        pytest.param(jpeg(exif(tiff(6)), exif(tiff(3))), 6, id="the first of two"),
        pytest.param(jpeg(segment(0xE1, b"Exif\0\xff" + tiff(6))), 6, id="another pad byte"),
        pytest.param(jpeg(b"\xff\xff\xff" + exif(tiff(6))), 6, id="fill bytes"),
        pytest.param(jpeg(XMP + b"junk" + exif(tiff(6))), 6, id="bytes between segments"),
        pytest.param(jpeg(segment(0xE0, b"Exif\0\0" + tiff(6))), 1, id="APP0"),
        pytest.param(SOI + frame(120, 90) + exif(tiff(6)) + scan() + EOI, 6, id="after the frame header"),
        pytest.param(SOI + frame(120, 90) + scan() + exif(tiff(6)) + EOI, 1, id="after the scan"),
        pytest.param(jpeg() + exif(tiff(6)), 1, id="after the end"),
    ],
)
def test_the_orientation_is_the_one_that_viewers_use(data, orientation):
    """Find the EXIF segment among others, before the scan."""
    assert orientation == read_header(data).orientation


THUMBNAIL = SOI + frame(16, 12) + scan() + EOI


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jpeg(exif(tiff(1) + THUMBNAIL)), id="thumbnail in EXIF"),
        pytest.param(jpeg() + jpeg(width=640, height=480), id="second picture of an MPO"),
        pytest.param(jpeg() + b"\0\0\x31\x00SEFT", id="trailer of a phone"),
        pytest.param(jpeg() + bytes(1000), id="zeros at the end"),
        pytest.param(SOI + frame(120, 90) + frame(640, 480) + scan() + EOI, id="first of two frames"),
        pytest.param(SOI + b"\xff\x01" + frame(120, 90) + scan() + EOI, id="marker without a length"),
        pytest.param(SOI + frame(120, 90) + scan() + segment(0xC4, bytes(17)) + scan() + EOI, id="two scans"),
        pytest.param(SOI + frame(120, 90) + scan(b"\1\xff\xd0\2\xff\xd7\3\xff\xff") + EOI, id="restarts, fill bytes"),
    ],
)
def test_the_size_is_that_of_the_first_whole_picture(data):
    """Step over thumbnails, and stop at the end marker: what follows it is legal."""
    assert ImageHeader(format="JPEG", width=120, height=90) == read_header(data)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGBA", {}),
        ("L", {}),
        ("LA", {}),
        ("1", {}),
        ("P", {}),
        ("I;16", {}),
        ("RGB", {"exif": exif_of(6)}),
        ("RGB", {"save_all": True, "append_images": [Image.new("RGB", (161, 122))]}),
    ],
)
def test_every_kind_of_png_has_its_stored_size(mode, options):
    """Read all colour types, 16 bits, an animation, and leave an EXIF orientation out, as the service does."""
    image = portrait((161, 122)) if mode != "I;16" else Image.new(mode, (161, 122))

    header = read_header(saved(image.convert(mode), "PNG", **options))

    assert ImageHeader(format="PNG", width=161, height=122) == header


def test_an_interlaced_png_with_other_chunks_and_a_trailer_is_whole():
    """Step over chunks that are not known, and stop at IEND."""
    data = png(chunk(b"eXIf", tiff(6)), chunk(b"teSt", b"IEND"), width=7, height=9) + b"trailer"

    assert ImageHeader(format="PNG", width=7, height=9) == read_header(data)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"GIF89a", b"\x89PNG\r\n", b"RIFF\0\0\0\0WEBPVP8 ", b"\0" * 100])
def test_other_content_has_no_header(data):
    """Leave to others what is neither a JPEG nor a PNG."""
    assert read_header(data) is None


EOI_MISSING = "the JPEG is truncated: its end marker (EOI) is missing; get a complete copy of it"
IEND_MISSING = "the PNG is truncated: its end marker (IEND) is missing; get a complete copy of it"


@pytest.mark.parametrize("source", [jpeg(exif(tiff(6) + THUMBNAIL)), png(chunk(b"tEXt", b"a\0b"))])
def test_a_file_cut_anywhere_is_truncated(source):
    """Name the missing end marker wherever the file stops."""
    wanted = EOI_MISSING if source.startswith(SOI) else IEND_MISSING
    for length in range(8, len(source)):
        with pytest.raises(InvalidInputError) as caught:
            read_header(source[:length])
        assert wanted == str(caught.value)


def test_a_photo_with_a_thumbnail_cut_in_its_scan_is_truncated():
    """Not take the end marker of the thumbnail for that of the picture."""
    data = with_segments(saved(portrait(), "JPEG"), exif(tiff(6) + saved(portrait((32, 24)), "JPEG")))

    with pytest.raises(InvalidInputError) as caught:
        read_header(data[:-40])

    assert str(caught.value) == EOI_MISSING


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (SOI + scan() + EOI, "the JPEG is broken: it has no frame header (SOF); get an intact copy of it"),
        (
            SOI + scan() + frame(120, 90) + EOI,
            "the JPEG is broken: it has no frame header (SOF); get an intact copy of it",
        ),
        (SOI + frame(120, 90) + EOI, "the JPEG is broken: it has no picture data (SOS); get an intact copy of it"),
        (jpeg(width=0), "the JPEG is broken: its header gives it no width or no height; get an intact copy of it"),
        (jpeg(height=0), "the JPEG is broken: its header gives it no width or no height; get an intact copy of it"),
        (png(width=0), "the PNG is broken: its header gives it no width or no height; get an intact copy of it"),
        (
            png()[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + png()[8:],
            "the PNG is broken: it does not begin with its header (IHDR); get an intact copy of it",
        ),
        (
            png()[:8] + chunk(b"IEND"),
            "the PNG is broken: it has no picture data (IDAT); get an intact copy of it",
        ),
        (
            png()[:33] + chunk(b"IEND"),
            "the PNG is broken: it has no picture data (IDAT); get an intact copy of it",
        ),
    ],
)
def test_headers_without_a_picture_are_broken(data, message):
    """Say which part is missing."""
    with pytest.raises(InvalidInputError) as caught:
        read_header(data)

    assert message == str(caught.value)


def test_the_largest_phone_photos_are_no_bombs():
    """Take 16 320 x 12 240 pixels."""
    assert MAX_PIXELS >= 16_320 * 12_240
    check_pixels(16_320, 12_240)


def test_more_pixels_are_a_decompression_bomb():
    """Say how many there are and how many are taken."""
    with pytest.raises(InvalidInputError) as caught:
        check_pixels(65_500, 65_500)

    assert str(caught.value) == (
        "the image has 65500 x 65500 pixels, more than the 200000000 that are decoded (a decompression bomb?); "
        "shrink it first"
    )


def png_of(depth, colour, *chunks, side=1000):
    """Return a PNG whose headers give it this number of bits and colour type."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    return png()[:8] + header + b"".join(chunks) + chunk(b"IDAT", b"x") + chunk(b"IEND")


def progressive(scans, *, side=1000, sampling=(0x11, 0x11, 0x11)):
    """Return a JPEG whose headers give it three components in so many scans."""
    components = b"".join(bytes([k, sampling[k], 0]) for k in range(3))
    frame_of_three = segment(0xC2, struct.pack(">BHHB", 8, side, side, 3) + components)
    return SOI + frame_of_three + scan() * scans + EOI


@pytest.mark.parametrize(
    ("data", "enough", "megabytes"),
    [
        pytest.param(png_of(8, 2), None, 4, id="RGB"),
        pytest.param(png_of(16, 2), None, 4, id="RGB of 16 bits, which Pillow decodes to 8"),
        pytest.param(
            png_of(8, 2, chunk(b"tRNS", bytes(6))), None, 8, id="RGB with a colour key and its RGB over white"
        ),
        pytest.param(png_of(8, 6), None, 8, id="RGBA"),
        pytest.param(png_of(16, 4), None, 8, id="grey with alpha"),
        pytest.param(png_of(1, 0), None, 5, id="black and white"),
        pytest.param(png_of(16, 0), None, 6, id="grey of 16 bits"),
        pytest.param(png_of(8, 3), None, 5, id="palette"),
        pytest.param(png_of(8, 2), 10_000, 4.04, id="RGB, and one shrunk to a tenth"),
        pytest.param(png_of(8, 6), 10_000, 4.04, id="RGBA, converted while it is shrunk"),
        pytest.param(jpeg(width=1000, height=1000), None, 5, id="grey JPEG"),
        pytest.param(jpeg(exif(tiff(6)), width=1000, height=1000), None, 8, id="turned JPEG, twice there"),
        pytest.param(jpeg(width=1000, height=1000), 10_000, 0.1025, id="JPEG decoded at an eighth"),
        pytest.param(saved(portrait((1000, 1000)), "JPEG"), None, 4, id="baseline JPEG"),
        pytest.param(saved(portrait((1000, 1000)).convert("CMYK"), "JPEG"), None, 8, id="CMYK"),
        pytest.param(progressive(9), None, 10, id="progressive, with all coefficients"),
        pytest.param(progressive(9, sampling=(0x22, 0x11, 0x11)), None, 7, id="progressive, of fewer colours"),
        pytest.param(progressive(9), 250_000, 7, id="progressive, decoded at a half"),
        pytest.param(b"GIF89a", None, 0, id="neither JPEG nor PNG"),
        pytest.param(png()[:40], None, 0, id="truncated"),
        pytest.param(png_of(8, 2, side=20_000), None, 0, id="too many pixels"),
        pytest.param(png_of(8, 6, side=11_000), None, 0, id="too much memory"),
        pytest.param(progressive(2001), None, 0, id="too many scans"),
    ],
)
def test_the_memory_of_a_picture_is_known_from_its_headers(data, enough, megabytes):
    """Count what is there at once: what is decoded, what the decoder keeps, and RGB beside other modes."""
    assert memory_of(data, enough=enough) == pytest.approx(megabytes * 1_000_000, abs=len(data))


@pytest.mark.parametrize(
    ("make", "most"),
    [
        pytest.param(lambda side: png_of(8, 6, side=side), 14_100, id="RGBA"),
        pytest.param(lambda side: png_of(16, 0, side=side), 14_100, id="grey of 16 bits"),
        pytest.param(lambda side: jpeg(exif(tiff(6)), width=side, height=side), 14_100, id="turned JPEG"),
        pytest.param(lambda side: progressive(9, side=side), 11_300, id="progressive"),
    ],
)
def test_no_smaller_picture_takes_more(make, most):
    """Shrink a little more where that is needed, rather than refuse 120 million pixels and take 170."""
    allowed = [memory_of(make(side), enough=41_943_040) > 0 for side in range(8000, 14_100, 100)]

    assert [side <= most for side in range(8000, 14_100, 100)] == allowed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            png_of(8, 6, side=11_000),
            (
                "the image has 11000 x 11000 pixels, and decoding it takes 968 MB, more than the 900 that one may take "
                "(a decompression bomb?); shrink it first"
            ),
        ),
        (
            progressive(2001),
            (
                "the image has 1000 x 1000 pixels in 2001 scans, more than are decoded (a decompression bomb?); "
                "encode it anew, not progressive"
            ),
        ),
        (
            SOI + segment(0xC1, struct.pack(">BHHB3B", 12, 90, 120, 1, 1, 0x11, 0)) + scan() + EOI,
            "the JPEG has 12 bits a sample, and those of 8 are decoded; encode it anew",
        ),
    ],
)
def test_what_is_not_decoded_is_refused(data, message):
    """Say what is too much and what to do."""
    header = read_header(data)

    with pytest.raises(InvalidInputError) as caught:
        check_decoding(header.decoding, header.size)

    assert message == str(caught.value)


def test_scans_are_those_of_the_picture():
    """Count none behind the end marker, and none of a baseline JPEG, whose decoder stops after the first."""
    assert read_header(progressive(3, side=9000) + progressive(500)).decoding.scans == 3
    assert read_header(progressive(30)[:-2] + segment(0xFE, EOI) + scan() * 3000 + EOI).decoding.scans == 3030
    assert read_header(SOI + frame(120, 90) + scan() * 5 + EOI).decoding.scans == 1
    assert read_header(saved(portrait(), "JPEG", progressive=True)).decoding.scans == 10


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SOI + b"\xff\xda\0\2" * 500_000, id="scans"),
        pytest.param(SOI + b"\xff" * 2_000_000, id="fill bytes"),
        pytest.param(SOI + b"\xff\x00" * 1_000_000, id="stuffed bytes"),
        pytest.param(SOI + b"\xff\xe1\0\2" * 500_000, id="segments"),
        pytest.param(SOI + b"\xff\xe1\0\0" * 500_000, id="segments without a length"),
        pytest.param(SOI + exif(tiff(6)[:8] + b"\xff\xff" + bytes(65_000)) * 30, id="EXIF with many entries"),
        pytest.param(png()[:33] + chunk(b"teSt") * 170_000, id="chunks"),
    ],
)
def test_the_time_grows_no_faster_than_the_file(data):
    """Read two hostile megabytes in CPU time that no quadratic reader would keep."""
    started = time.thread_time()

    with pytest.raises(InvalidInputError):
        read_header(data)

    assert time.thread_time() - started < 20
