from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from rekog_emotion import InvalidInputError
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.media import images
from rekog_emotion.media.headers import memory_of
from rekog_emotion.sources.images import prepare_image
from tests.pictures import PORTRAIT, chunk, exif_of, portrait, saved

SIDE = 384
with Image.open(PORTRAIT) as opened_portrait:
    FACE = opened_portrait.convert("RGB").resize((SIDE, SIDE))
GREY = np.asarray(FACE.convert("L"))


def lab():
    """Return the portrait in CIELAB, which `Image.convert` cannot make."""
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.applyTransform(FACE, ImageCms.buildTransform(*profiles, "RGB", "LAB"))


def sixteen(mode, order, factor):
    """Return the portrait in a mode of 16 bits, in a byte order, its grey times a factor."""
    return Image.frombytes(mode, FACE.size, (GREY.astype(f"{order}u2") * factor).astype(f"{order}u2").tobytes())


def keyed(image, key):
    """Return a picture some of whose colours are transparent."""
    image.info["transparency"] = key
    return image


def half(image):
    """Return a picture half of which can be seen."""
    image.putalpha(190)
    return image


PICTURES = {
    "1": FACE.convert("1"),
    "L": FACE.convert("L"),
    "L, grey 0 transparent": keyed(FACE.convert("L"), 0),
    "P": FACE.convert("P"),
    "P, index 0 transparent": keyed(FACE.convert("P"), 0),
    "P, alpha table": keyed(FACE.convert("P"), bytes([190]) * 256),
    "PA": half(FACE.convert("P").convert("PA")),
    "RGB": FACE,
    "RGB, black transparent": keyed(FACE.copy(), (0, 0, 0)),
    "RGBA": half(FACE.convert("RGBA")),
    "RGBa": half(FACE.convert("RGBA")).convert("RGBa"),
    "RGBX": FACE.convert("RGBX"),
    "LA": half(FACE.convert("LA")),
    "La": half(FACE.convert("LA")).convert("La"),
    "CMYK": FACE.convert("CMYK"),
    "YCbCr": FACE.convert("YCbCr"),
    "HSV": FACE.convert("HSV"),
    "LAB": lab(),
    "I, 8 bits": FACE.convert("I"),
    "I, 16 bits": Image.fromarray(GREY.astype(np.int32) * 257),
    "I, 31 bits": Image.fromarray(GREY.astype(np.int32) << 23),
    "F, to 1": Image.fromarray(GREY.astype(np.float32) / 255),
    "F, to 255": FACE.convert("F"),
    "F, to 65535": Image.fromarray(GREY.astype(np.float32) * 257),
    "F, overshooting": Image.fromarray(GREY.astype(np.float32) / 255 - 0.05),
    "I;16": sixteen("I;16", "<", 257),
    "I;16, 8 bits of it": sixteen("I;16", "<", 1),
    "I;16, 12 bits of it": sixteen("I;16", "<", 16),
    "I;16, one grey transparent": keyed(sixteen("I;16", "<", 257), 0),
    "I;16L": sixteen("I;16L", "<", 257),
    "I;16B": sixteen("I;16B", ">", 257),
    "I;16B, 12 bits of it": sixteen("I;16B", ">", 16),
    "I;16N": sixteen("I;16N", "=", 257),
}


@pytest.fixture(scope="module")
def client():
    """Make an engine for all of these tests."""
    with EmbeddedClient(mode="fast") as engine:
        yield engine


def faces(client, source):
    """Return the number of faces that are found in what goes out."""
    return len(client.detect_faces(Image=prepare_image(source).wire)["FaceDetails"])


@pytest.mark.parametrize("turn", [None, Image.Transpose.FLIP_LEFT_RIGHT])
@pytest.mark.parametrize("name", PICTURES)
def test_the_face_is_found_in_every_mode(name, turn, client):
    """Read every mode of Pillow's rightly, also one that was turned."""
    image = PICTURES[name] if turn is None else PICTURES[name].transpose(turn)

    assert faces(client, image) == 1


@pytest.mark.parametrize("name", sorted(PICTURES.keys() - {"1", "P", "PA", "P, alpha table", "P, index 0 transparent"}))
def test_colours_are_those_of_the_picture(name):
    """Give the picture over white, its alpha blended in, and nothing black."""
    image = PICTURES[name]
    expected = FACE.convert("L").convert("RGB") if image.mode[0] in "LIF" and image.mode != "LAB" else FACE
    expected = np.asarray(expected, dtype=float)
    if "transparent" in name:
        expected = np.where((expected == 0).all(-1, keepdims=True), 255, expected)
    elif image.mode in {"RGBA", "RGBa", "LA", "La"}:
        expected = 255 + (expected - 255) * 190 / 255
    elif name == "F, overshooting":
        expected -= 0.05 * 255

    assert np.abs(np.asarray(images.to_rgb(image)) - expected.clip(0, 255)).mean() < 1.5


def test_one_grey_of_sixteen_bits_is_transparent():
    """Lay it over white, and not others that share its first or its last eight bits."""
    image = Image.frombytes("I;16", (3, 1), struct.pack("<3H", 30_000, 30_001, 30_256))

    picture = images.load_rgb(saved(image, "PNG", transparency=30_000))

    assert [picture.getpixel((x, 0))[0] for x in range(3)] == [255, 117, 118]


NO_NUMBERS = "the image has values that are no numbers (NaN or infinite); replace them first"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, NO_NUMBERS),
        (np.inf, NO_NUMBERS),
        (-np.inf, NO_NUMBERS),
        (-1, "the image has values from -1 to 1; scale them to 0..255 first"),
    ],
)
@pytest.mark.parametrize("place", [(0, 0), (SIDE - 1, SIDE - 1)])
def test_values_that_are_no_colours_are_refused(value, message, place, monkeypatch):
    """Say so rather than take the face for black, wherever in the picture they are."""
    monkeypatch.setattr("rekog_emotion.media.flattening._STRIP", 10_000)
    values = GREY.astype(np.float32) / 255
    values[place] = value
    values[SIDE // 2, SIDE // 2] = 1

    with pytest.raises(InvalidInputError) as caught:
        images.to_rgb(Image.fromarray(values))

    assert message == str(caught.value)


FLOATS = "pass uint8 from 0 to 255, for values from 0 to 1 as (array * 255).round().astype('uint8')"
INTEGERS = "scale it to 0..255 and pass array.astype('uint8')"


@pytest.mark.parametrize(
    ("kind", "mend"),
    [
        *((kind, f"; {INTEGERS}") for kind in ("int8", "int16", "uint16", "int32", "uint32", "int64", "uint64")),
        *((kind, f"; {INTEGERS}") for kind in (">u2", ">i4")),
        *((kind, f"; {FLOATS}") for kind in ("float16", "float32", "float64", ">f4")),
        *(
            (kind, ", which is no colour; pass uint8 from 0 to 255")
            for kind in ("complex64", "object", "datetime64[s]")
        ),
        ("bool", "; pass array.astype('uint8') * 255"),
    ],
)
@pytest.mark.parametrize("shape", [(90, 90), (90, 90, 3), (90, 90, 4)])
def test_other_numbers_than_bytes_are_refused(kind, mend, shape):
    """Guess no range of an array: say what to do."""
    with pytest.raises(InvalidInputError) as caught:
        prepare_image(np.zeros(shape, kind))

    assert f"<array>: the array is {np.dtype(kind)}{mend}" == str(caught.value)


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.asarray(FACE), id="RGB"),
        pytest.param(np.asarray(FACE)[:, ::-1], id="mirrored"),
        pytest.param(np.asfortranarray(np.asarray(FACE)), id="columns first in memory"),
        pytest.param(np.asarray(half(FACE.convert("RGBA"))), id="RGBA"),
        pytest.param(GREY, id="grey"),
        pytest.param(np.broadcast_to(GREY[..., None], (SIDE, SIDE, 3)), id="grey three times"),
        pytest.param(np.ma.masked_greater(GREY, 250), id="masked"),
    ],
)
def test_the_face_is_found_in_bytes_of_any_order(array, client):
    """Read what memory holds in any order."""
    assert faces(client, array) == 1


def png_with(*chunks):
    """Return the portrait as a PNG with more chunks before its pixels."""
    data = saved(portrait(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def damaged(part):
    """Return a chunk whose checksum is wrong."""
    return part[:-1] + bytes([part[-1] ^ 1])


MEGABYTES = zlib.compress(bytes(3_000_000))


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + MEGABYTES)], id="XMP"),
        pytest.param([chunk(b"zTXt", b"Raw profile\0\0" + MEGABYTES)], id="compressed text"),
        pytest.param([chunk(b"tEXt", b"a\0" + b"b" * 1_000_000)] * 70, id="70 MB of texts"),
        pytest.param([chunk(b"iCCP", b"icc\0\0" + MEGABYTES)], id="profile"),
        pytest.param([chunk(b"iCCP", b"icc\0\1")], id="profile, compressed by nobody knows what"),
        pytest.param([damaged(chunk(b"tEXt", b"a\0b"))], id="text, wrong checksum"),
        pytest.param([damaged(chunk(b"tRNS", bytes(6)))], id="transparency, wrong checksum"),
        pytest.param([chunk(b"tRNS", b"\0")], id="transparency cut"),
        pytest.param([chunk(b"zTXt", b"a\0\7b")], id="text, unknown compression"),
        *(
            pytest.param([chunk(kind, b"\0")], id=f"{kind.decode()} cut")
            for kind in (b"pHYs", b"sRGB", b"cHRM", b"gAMA", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"bKGD", b"tIME")
        ),
        pytest.param([chunk(b"acTL", struct.pack(">II", 0, 0))], id="animation without frames"),
        pytest.param([chunk(b"\xe1\xe2cd", b"")], id="type that is no word"),
        pytest.param([chunk(b"teSt")] * 100_000, id="chunks without end"),
    ],
)
def test_a_png_is_read_whatever_it_carries(chunks):
    """Read what viewers open, without a warning, which is an error in these tests."""
    assert images.load_rgb(png_with(*chunks)).tobytes() == portrait().tobytes()


def test_a_picture_in_many_chunks_is_read():
    """Join the data of a picture, however it was cut."""
    data = saved(portrait(), "PNG")
    start = data.index(b"IDAT")
    content = data[start + 4 : start + 4 + int.from_bytes(data[start - 4 : start])]
    parts = b"".join(chunk(b"IDAT", content[k : k + 1]) for k in range(len(content)))

    assert images.load_rgb(data[: start - 4] + parts + chunk(b"IEND")).tobytes() == portrait().tobytes()


def segment(marker, content, length=None):
    """Return a JPEG segment, with a length that may be a lie."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2 if length is None else length) + content


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 100, id="6 MB of EXIF"),
        pytest.param([segment(0xE2, b"ICC_PROFILE\0" + bytes([k, 255]) + bytes(65_000)) for k in range(255)], id="ICC"),
        pytest.param([segment(0xE2, b"ICC_PROFILE\0")], id="ICC cut"),
        pytest.param([segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed")], id="Photoshop cut"),
        pytest.param([segment(0xE0, b"JFIF\0")], id="JFIF cut"),
        pytest.param([segment(0xE2, b"MPF\0" + bytes(9))], id="MPF cut"),
        pytest.param([segment(0xE1, b"", 0)], id="segment without a length"),
        pytest.param([segment(0xFE, b"\xff\xd9\xff\xc0")], id="comment"),
        pytest.param([segment(0xFE, b"") + b"junk"], id="bytes between segments"),
        pytest.param([b"\xff\xff\xff"], id="fill bytes"),
    ],
)
def test_a_jpeg_is_read_whatever_it_carries(segments):
    """Read what viewers open, without a warning, which is an error in these tests."""
    data = saved(portrait(), "JPEG")

    picture = images.load_rgb(data[:2] + b"".join(segments) + data[2:])

    assert picture.tobytes() == Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\0\0\1\0\1\0" + bytes(16) + saved(portrait(), "PNG"), "an icon (ICO)"),
        (saved(portrait((64, 64)), "ICNS"), "an icon (ICNS)"),
        (b"8BPS\0\1" + bytes(100), "a Photoshop file (PSD)"),
        (b"SIMPLE  =                    T" + bytes(3000), "FITS"),
        (bytes(128) + b"DICM" + bytes(100), "DICOM"),
        (b"DDS " + bytes(200), "a DirectDraw surface (DDS)"),
        (b"/* XPM */\nstatic char *x[] = {", "XPM"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "JPEG XL"),
    ],
)
def test_formats_that_bound_nothing_are_not_read(data, what):
    """Name the format and what to do."""
    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(data)

    assert f"the content is {what}, a format that is not read; export it as a JPEG or PNG" == str(caught.value)


def test_a_second_header_makes_no_larger_picture():
    """Decode what the first header says, by which the picture was taken, whatever a second one says."""
    huge = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    frame = segment(0xC0, struct.pack(">BHHB3B", 8, 60_000, 60_000, 1, 1, 0x11, 0))
    data = saved(portrait(), "JPEG")

    assert images.load_rgb(png_with(huge)).tobytes() == portrait().tobytes()
    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(data[: data.index(b"\xff\xda")] + frame + data[data.index(b"\xff\xda") :])

    assert str(caught.value) == (
        "the image has 60000 x 60000 pixels, more than the 19200 that are decoded (a decompression bomb?); shrink it "
        "first"
    )


def test_what_is_decoded_slowly_is_small():
    """Refuse by the header what Pillow decodes in Python."""
    data = b"qoif" + struct.pack(">II", 3000, 3000) + b"\3\0" + bytes(100)

    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(data)

    assert str(caught.value) == (
        "the image has 3000 x 3000 pixels, more than the 6000000 that are decoded (a decompression bomb?); shrink it "
        "first"
    )


MEASURE = """
import sys
from rekog_emotion.media import images
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
images.load_rgb(open(sys.argv[2], "rb").read())
data, before = open(sys.argv[1], "rb").read(), peak()
images.load_rgb(data, enough=int(sys.argv[3]) or None)
print(peak() - before)
"""
LARGE = (3000, 3000)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
@pytest.mark.parametrize(
    ("mode", "file_format", "options"),
    [
        ("RGB", "PNG", {"compress_level": 1}),
        ("RGBA", "PNG", {"compress_level": 1}),
        ("LA", "PNG", {"compress_level": 1}),
        ("P", "PNG", {"transparency": 0, "compress_level": 1}),
        ("I;16", "PNG", {}),
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("CMYK", "JPEG", {}),
        ("L", "JPEG", {"exif": exif_of(6)}),
    ],
)
def test_no_more_memory_is_taken_than_estimated(mode, file_format, options, tmp_path):
    """Measure the peak of a process that decodes one picture of 9 million pixels, whole or as far as is enough."""
    large, small = tmp_path / "large", tmp_path / "small"
    image = Image.new("I;16", LARGE) if mode == "I;16" else FACE.resize(LARGE).convert(mode)
    large.write_bytes(saved(image, file_format, **options))
    small.write_bytes(saved(FACE.convert("RGBA"), "PNG"))

    strips = 15_000_000
    for enough in (0, 1_000_000):
        ran = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, "-c", MEASURE, large, small, str(enough)], check=True, capture_output=True, text=True
        )
        assert int(ran.stdout) < memory_of(large.read_bytes(), enough=enough or None) + strips
