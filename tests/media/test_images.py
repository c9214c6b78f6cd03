from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media import images
from tests.pictures import PORTRAIT, chunk, exif, exif_of, jpeg, opened, png, portrait, saved, tiff, with_segments

WHITE, RED, HALF_RED = (255, 255, 255), (255, 0, 0, 255), (255, 0, 0, 128)


def difference(one, other):
    """Return the mean absolute difference of two pictures of one size, in levels of 0..255."""
    assert one.size == other.size
    return np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).mean()


def noise(width, height):
    """Return a picture that compresses badly."""
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))  # noqa: S311 -- no secret


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_by_its_exif(orientation):
    """Turn all eight orientations as Pillow's own reference does."""
    data = saved(portrait(), "JPEG", exif=exif_of(orientation))

    picture = images.load_rgb(data)

    assert ImageOps.exif_transpose(opened(data)).tobytes() == picture.tobytes()
    assert ((120, 160) if orientation >= 5 else (160, 120)) == picture.size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["WEBP", "TIFF", "AVIF"])
def test_other_formats_are_turned_by_their_exif(file_format, orientation):
    """Turn all eight orientations, each once."""
    data = saved(portrait(), file_format, exif=exif_of(orientation))

    picture = images.load_rgb(data)

    assert ((120, 160) if orientation >= 5 else (160, 120)) == picture.size
    assert difference(picture, _turned(portrait(), orientation)) < 20


def _turned(image, orientation):
    image.getexif()[274] = orientation
    return ImageOps.exif_transpose(image)


def test_a_png_is_not_turned():
    """Leave the EXIF of a PNG alone, as the service does."""
    picture = images.load_rgb(saved(portrait(), "PNG", exif=exif_of(6)))

    assert portrait().tobytes() == picture.tobytes()


@pytest.mark.parametrize("block", [b"", b"II*\0", tiff(6)[:20], tiff(6)[:30], b"MM\0*\0\0\0\x08\xff\xff" + bytes(40)])
def test_a_malformed_exif_is_neither_an_error_nor_a_warning(block):
    """Decode a JPEG whose EXIF is broken; warnings are errors in these tests."""
    data = saved(portrait(), "JPEG")

    picture = images.load_rgb(with_segments(data, exif(block)))

    assert opened(data).tobytes() == picture.tobytes()


@pytest.mark.parametrize("block", [b"", b"II*\0", tiff(6)[:20], tiff(6)[:30], b"MM\0*\0\0\0\x08\xff\xff" + bytes(40)])
def test_a_malformed_exif_of_a_picture_is_none(block):
    """Take a picture as upright whose file had a broken EXIF: a copy of it, and formats that are not read here."""
    image = portrait()
    image.info["exif"] = b"Exif\0\0" + block
    data = saved(portrait(), "WEBP", exif=b"Exif\0\0" + block)

    assert images.to_rgb(image).tobytes() == portrait().tobytes()
    assert images.load_rgb(data).tobytes() == opened(data).tobytes()


def test_the_first_picture_of_an_mpo_is_taken():
    """Take the main picture of a file with two."""
    data = saved(portrait(), "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120))])

    assert difference(portrait(), images.load_rgb(data)) < 12


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_is_taken(file_format):
    """Take the first frame of animations and pages."""
    data = saved(
        Image.new("RGB", (90, 90), "red"), file_format, save_all=True, append_images=[Image.new("RGB", (90, 90))]
    )

    assert difference(Image.new("RGB", (90, 90), "red"), images.load_rgb(data)) < 2


@pytest.mark.parametrize(
    "file_format", ["BMP", "DIB", "GIF", "JPEG2000", "PCX", "PPM", "QOI", "SGI", "TGA", "TIFF", "WEBP"]
)
def test_formats_that_pillow_reads_are_read(file_format):
    """Decode the same scene from a dozen formats."""
    assert difference(portrait(), images.load_rgb(saved(portrait(), file_format))) < 20


RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16)


@pytest.mark.parametrize(
    ("image", "file_format"),
    [
        pytest.param(Image.fromarray(RAMP * 257), "PNG", id="16-bit PNG"),
        pytest.param(Image.fromarray(RAMP * 257), "TIFF", id="16-bit TIFF"),
        pytest.param(Image.fromarray(RAMP * 257), "PPM", id="16-bit PGM"),
        pytest.param(Image.fromarray(RAMP.astype(np.int32) * 257), "TIFF", id="32-bit integers up to 65535"),
        pytest.param(Image.fromarray(RAMP.astype(np.int32) * (1 << 22)), "TIFF", id="32-bit integers"),
        pytest.param(Image.fromarray(RAMP.astype(np.float32) / 255), "TIFF", id="floats up to 1"),
        pytest.param(Image.fromarray(RAMP.astype(np.float32)), "TIFF", id="floats up to 255"),
        pytest.param(Image.fromarray(RAMP.astype(np.float32) * 257), "TIFF", id="floats up to 65535"),
    ],
)
def test_deep_pictures_are_scaled_not_clipped(image, file_format):
    """Map black to black, white to white and the greys between in order."""
    picture = np.asarray(images.load_rgb(saved(image, file_format)), dtype=int)

    assert np.abs(picture - RAMP[..., None].astype(int)).max() <= 1


def test_a_big_endian_16_bit_picture_is_scaled():
    """Take the high byte wherever it stands."""
    image = Image.frombytes("I;16B", (2, 1), b"\x40\x01\xff\x02")

    assert images.to_rgb(image).tobytes() == bytes([64, 64, 64, 254, 254, 254])


def test_a_png_of_48_bits_a_pixel_is_scaled():
    """Decode 16 bits a channel."""
    row = b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0x0001)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND")

    assert images.load_rgb(data).getpixel((0, 0)) == (255, 128, 0)


def _palette(*, transparency):
    image = Image.new("P", (1, 1), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.info["transparency"] = transparency
    return image


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        pytest.param(Image.new("RGBA", (1, 1), (255, 0, 0, 0)), WHITE, id="RGBA"),
        pytest.param(Image.new("RGBA", (1, 1), RED), (255, 0, 0), id="RGBA opaque"),
        pytest.param(Image.new("RGBA", (1, 1), HALF_RED), (255, 127, 127), id="RGBA half"),
        pytest.param(Image.new("RGBa", (1, 1), (0, 0, 0, 0)), WHITE, id="RGBa"),
        pytest.param(Image.new("LA", (1, 1), (0, 0)), WHITE, id="LA"),
        pytest.param(Image.new("La", (1, 1), (0, 0)), WHITE, id="La"),
        pytest.param(Image.new("LA", (1, 1), (7, 255)), (7, 7, 7), id="LA opaque"),
        pytest.param(Image.new("PA", (1, 1), (0, 0)), WHITE, id="PA"),
        pytest.param(_palette(transparency=1), WHITE, id="P, transparent index"),
        pytest.param(_palette(transparency=0), (255, 0, 0), id="P, another index"),
        pytest.param(_palette(transparency=b"\0\x80"), (255, 127, 127), id="P, alpha table"),
        pytest.param(Image.new("1", (1, 1), 1), WHITE, id="1-bit"),
        pytest.param(Image.new("L", (1, 1), 9), (9, 9, 9), id="L"),
        pytest.param(Image.new("CMYK", (1, 1), (0, 255, 255, 0)), (255, 0, 0), id="CMYK"),
        pytest.param(Image.new("YCbCr", (1, 1), (255, 128, 128)), WHITE, id="YCbCr"),
        pytest.param(Image.new("HSV", (1, 1), (0, 255, 255)), (255, 0, 0), id="HSV"),
    ],
)
def test_every_mode_becomes_rgb_over_white(image, pixel):
    """Lay transparency over white and convert other colours."""
    picture = images.to_rgb(image)

    assert ("RGB", pixel) == (picture.mode, picture.getpixel((0, 0)))


def test_a_colour_key_is_transparent():
    """Lay the one transparent colour of a PNG over white."""
    data = saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3))

    assert images.load_rgb(data).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("options", [{}, {"quality": 95, "progressive": True}])
def test_a_cmyk_jpeg_has_its_colours(options):
    """Undo the inversion that Adobe's CMYK JPEGs have."""
    data = saved(portrait().convert("CMYK"), "JPEG", **options)

    assert b"Adobe" in data[:40]
    assert difference(portrait(), images.load_rgb(data)) < 6


def test_metadata_stays_behind():
    """Carry no comment, place or profile into what is encoded."""
    data = saved(portrait(), "JPEG", exif=exif_of(1), comment=b"home", icc_profile=b"profile")
    picture = images.load_rgb(data)

    assert picture.info == {}
    assert b"home" not in images.fit_jpeg(picture, max_bytes=100_000, min_side=80)
    assert b"home" not in images.encode(picture, max_bytes=100_000, min_side=80)


def test_a_caller_s_picture_is_left_as_it_is():
    """Give a copy, without its metadata."""
    image = opened(saved(portrait(), "JPEG", exif=exif_of(6), comment=b"home"))
    before = (image.size, image.mode, image.tobytes(), image.getexif()[274], dict(image.info))

    picture = images.to_rgb(image)

    assert picture is not image
    assert (picture.size, picture.info) == ((160, 120), {})
    assert before == (image.size, image.mode, image.tobytes(), image.getexif()[274], dict(image.info))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_picture_from_a_file_is_seen_like_the_file(file_format):
    """Give the same pixels for an opened file and for its bytes."""
    data = saved(portrait(), file_format)

    assert images.load_rgb(data).tobytes() == images.to_rgb(Image.open(io.BytesIO(data))).tobytes()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_taken_as_it_stands(file_format):
    """Turn nothing by the note of a picture: who opened it may have turned it."""
    image = opened(saved(portrait(), file_format, exif=exif_of(6)))

    assert image.convert("RGB").tobytes() == images.to_rgb(image).tobytes() == images.to_rgb(image.copy()).tobytes()


DAMAGED = "the image cannot be decoded: it is damaged or truncated; get an intact copy of it"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(saved(portrait(), "WEBP")[:-900], DAMAGED, id="WebP cut"),
        pytest.param(saved(portrait(), "TIFF")[:5000], DAMAGED, id="TIFF cut"),
        pytest.param(saved(portrait(), "BMP")[:5000], DAMAGED, id="BMP cut"),
        pytest.param(saved(portrait(), "PNG")[:-2000] + saved(portrait(), "PNG")[-12:], None, id="PNG with a hole"),
        pytest.param(
            saved(portrait(), "PNG").replace(b"IDAT", b"IDAT\0", 1)[:-1] + b"\x82", None, id="PNG with a wrong chunk"
        ),
        pytest.param(bytes(200), "the content is no image that Pillow reads; pass a JPEG or PNG", id="zeros"),
        pytest.param(
            b"\0\0\0\x18ftypheic" + bytes(60),
            "reading HEIC needs pillow-heif: install it and call pillow_heif.register_heif_opener() first",
            id="HEIC without a plugin",
        ),
        pytest.param(
            saved(portrait(), "EPS"),
            "the content is no image that Pillow reads; pass a JPEG or PNG",
            id="EPS is a program",
        ),
    ],
)
def test_damaged_content_is_invalid_input(data, message):
    """Raise no error of Pillow's."""
    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(data)

    assert message is None or message == str(caught.value)


@pytest.fixture
def plugin(monkeypatch):
    """Teach Pillow a format, as another package would."""

    def register(read):
        monkeypatch.setattr(Image, "ID", [*Image.ID])
        monkeypatch.setattr(Image, "OPEN", {**Image.OPEN})
        Image.register_open("PLAIN", read, lambda prefix: prefix.startswith(b"PLAIN"))

    return register


def test_a_plugin_that_is_registered_is_used(plugin):
    """Read a format that another package taught Pillow."""
    plugin(lambda file, _name: Image.frombytes("L", (2, 1), file.read()[5:]))

    assert images.load_rgb(b"PLAIN\1\2").tobytes() == bytes([1, 1, 1, 2, 2, 2])


def test_memory_that_runs_out_is_no_fault_of_the_input(monkeypatch):
    """Let MemoryError through."""

    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(images, "flat", exhausted)

    with pytest.raises(MemoryError):
        images.load_rgb(saved(portrait(), "PNG"))


def test_a_closed_picture_is_invalid_input():
    """Name closing as a cause where there is no file to look at."""
    image = opened(saved(portrait(), "PNG"))
    image.close()

    with pytest.raises(InvalidInputError) as caught:
        images.to_rgb(image)

    assert str(caught.value) == (
        "the image cannot be decoded: it is damaged, truncated or closed; get an intact copy of it"
    )


def bomb(file_format, side):
    """Return a small file whose header claims side x side pixels."""
    if file_format == "BMP":
        data = bytearray(saved(Image.new("L", (100, 100)), "BMP"))
        data[18:26] = side.to_bytes(4, "little") * 2
        return bytes(data)
    return {"JPEG": jpeg, "PNG": png}[file_format](width=side, height=side)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP"])
def test_a_bomb_is_refused_before_it_is_decoded(file_format):
    """Look at the header alone."""
    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(bomb(file_format, 20_000))

    assert str(caught.value) == (
        "the image has 20000 x 20000 pixels, more than the 200000000 that are decoded (a decompression bomb?); "
        "shrink it first"
    )


def test_a_tiff_of_more_pixels_than_pillow_is_silent_about_is_refused():
    """Refuse before Pillow's TIFF reader warns, as its warning cannot be kept in."""
    data = saved(Image.new("1", (10_000, 10_000)), "TIFF", compression="group4")

    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(data)

    assert str(caught.value) == (
        "the image has 10000 x 10000 pixels, more than the 89478485 that are decoded (a decompression bomb?); "
        "shrink it first"
    )


@pytest.mark.parametrize("found", [Image.DecompressionBombError, Image.DecompressionBombWarning])
def test_a_bomb_that_pillow_finds_first_is_refused(found, plugin):
    """Turn Pillow's own refusal into ours: the readers of WebP and GIF look at the size themselves."""

    def read(*_):
        raise found

    plugin(read)

    with pytest.raises(InvalidInputError) as caught:
        images.load_rgb(b"PLAIN")

    assert str(caught.value) == "the image has too many pixels for Pillow (a decompression bomb?); shrink it first"


def test_pillow_s_own_limit_is_neither_used_nor_touched(monkeypatch):
    """Decode what Pillow would warn of, without a warning, and leave its limit and the filters of warnings."""
    files = [saved(portrait(), kind) for kind in ("JPEG", "PNG", "BMP", "GIF", "PPM")]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    filters = list(warnings.filters)

    assert [images.load_rgb(data).size for data in files] == [(160, 120)] * 5

    assert Image.MAX_IMAGE_PIXELS == 100
    assert filters == list(warnings.filters)


def test_threads_get_what_one_thread_gets():
    """Decode and encode in eight threads at once."""
    files = [saved(portrait(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF")] * 8

    def fitted(data):
        return images.fit_jpeg(images.load_rgb(data), max_bytes=6000, min_side=80)

    with ThreadPoolExecutor(8) as pool:
        assert [fitted(data) for data in files] == list(pool.map(fitted, files))


@pytest.mark.parametrize("enough", [None, 1, 100, 512 * 512 // 4, 512 * 512 // 4 + 1, 512 * 512, 10**9])
def test_a_large_jpeg_is_decoded_no_larger_than_needed(enough):
    """Decode at a half, a quarter or an eighth as long as enough pixels remain."""
    size = {None: 512, 1: 64, 100: 64, 512 * 512 // 4: 256}.get(enough, 512)

    assert (size, size) == images.load_rgb(PORTRAIT.read_bytes(), enough=enough).size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_that_is_decoded_smaller_is_turned_too(orientation):
    """Turn what scaled decoding gives."""
    data = saved(portrait((320, 240)), "JPEG", exif=exif_of(orientation))

    picture = images.load_rgb(data, enough=160 * 120)

    assert difference(_turned(portrait((160, 120)), orientation), picture) < 12


def quality(data):
    """Return the first quantiser of the luminance, which falls as the quality of a JPEG rises."""
    return opened(data).quantization[0][0]


def test_a_picture_that_fits_keeps_its_size_and_the_best_quality():
    """Encode at quality 95 where the bytes suffice."""
    data = images.fit_jpeg(portrait(), max_bytes=100_000, min_side=80)

    assert ((160, 120), quality(saved(portrait(), "JPEG", quality=95))) == (opened(data).size, quality(data))


def test_quality_goes_first():
    """Keep the size as long as a quality of 75 or more fits."""
    sizes = {value: len(saved(portrait(), "JPEG", quality=value)) for value in (95, 90, 85, 80, 75)}

    for value, size in sizes.items():
        data = images.fit_jpeg(portrait(), max_bytes=size, min_side=80)
        assert (size, (160, 120)) == (len(data), opened(data).size)
        assert quality(saved(portrait(), "JPEG", quality=value)) == quality(data)


@pytest.mark.parametrize("max_bytes", [20_000, 60_000, 100_000])
def test_then_the_picture_shrinks_no_more_than_needed(max_bytes):
    """Shrink what still does not fit, in its proportions, and use most of the bytes."""
    data = images.fit_jpeg(noise(600, 400), max_bytes=max_bytes, min_side=80)

    width, height = opened(data).size
    assert max_bytes * 0.5 < len(data) <= max_bytes
    assert abs(width / height - 1.5) < 0.02
    assert width < 600


def test_a_picture_that_cannot_shrink_enough_is_refused():
    """Never go under the service's least side."""
    with pytest.raises(InvalidInputError) as caught:
        images.fit_jpeg(noise(900, 81), max_bytes=10_000, min_side=80)

    assert str(caught.value) == "the image cannot be made small enough without a side under 80 pixels; crop it first"


def test_a_picture_wider_than_a_jpeg_can_be_shrinks():
    """Stay under the 65 500 pixels of libjpeg."""
    data = images.fit_jpeg(Image.new("RGB", (70_000, 100)), max_bytes=5_242_880, min_side=80)

    assert opened(data).size == (65_500, 93)


def test_a_small_picture_is_encoded_without_loss():
    """Write a PNG while the pixels take no more than 1 MiB."""
    data = images.encode(portrait((640, 480)), max_bytes=5_242_880, min_side=80)

    assert ("PNG", portrait((640, 480)).tobytes()) == (opened(data).format, opened(data).tobytes())


@pytest.mark.parametrize(("size", "max_bytes"), [((800, 600), 5_242_880), ((160, 120), 20_000)])
def test_a_larger_picture_becomes_a_jpeg(size, max_bytes):
    """Write a JPEG where a PNG would be large, or does not fit."""
    data = images.encode(portrait(size), max_bytes=max_bytes, min_side=80)

    assert ("JPEG", size) == (opened(data).format, opened(data).size)
    assert len(data) <= max_bytes


@pytest.mark.parametrize("shape", [(90, 100), (90, 100, 1), (90, 100, 3), (90, 100, 4)])
def test_an_array_becomes_a_picture(shape):
    """Take rows first, and grey, RGB or RGBA last."""
    picture = images.to_rgb(images.from_array(np.full(shape, 255, dtype=np.uint8)))

    assert (picture.size, picture.getpixel((99, 89))) == ((100, 90), WHITE)
