from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.headers import ImageHeader, read_header
from tests.pictures import EOI, SOI, chunk, exif, frame, jpeg, png, scan, segment, tiff

markers = st.integers(0, 255)
pieces = st.one_of(
    st.binary(max_size=40),
    st.builds(segment, markers, st.binary(max_size=60)),
    st.builds(frame, st.integers(0, 65535), st.integers(0, 65535), markers),
    st.builds(exif, st.binary(max_size=60)),
    st.builds(exif, st.builds(tiff, st.integers(0, 255), st.sampled_from("<>"), st.sampled_from([1, 3, 4]))),
    st.builds(scan, st.binary(max_size=40)),
    st.builds(chunk, st.sampled_from([b"IHDR", b"IDAT", b"IEND", b"eXIf", b"zzzz"]), st.binary(max_size=40)),
    st.sampled_from([SOI, EOI, b"\xff", b"\xff\xd0"]),
)
files = st.builds(
    lambda start, middle, end: start + b"".join(middle) + end,
    st.sampled_from([b"", SOI, SOI + b"\xff", b"\x89PNG\r\n\x1a\n", png()[:33]]),
    st.lists(pieces, max_size=8),
    st.sampled_from([b"", EOI, chunk(b"IEND")]),
)


def outcome(data):
    """Return what came of reading: a header, nothing, or the message of the error."""
    try:
        return read_header(data)
    except InvalidInputError as error:
        return str(error)


@given(st.one_of(st.binary(), files))
@example(jpeg())
@example(png())
def test_any_bytes_give_a_header_nothing_or_an_error(data):
    """Never fail in another way, and never give a header that cannot be."""
    match outcome(data):
        case None:
            assert not data.startswith((SOI + b"\xff", b"\x89PNG\r\n\x1a\n"))
        case ImageHeader(width=width, height=height, orientation=orientation):
            assert min(width, height) > 0
            assert 1 <= orientation <= 8
        case message:
            assert message.startswith(("the JPEG is truncated: ", "the JPEG is broken: ", "the PNG is "))


@given(
    st.integers(1, 65535),
    st.integers(1, 65535),
    st.integers(1, 8),
    st.sampled_from("<>"),
    st.lists(st.builds(segment, st.sampled_from([0xE0, 0xE2, 0xED, 0xFE, 0xDB]), st.binary(max_size=200)), max_size=4),
    st.binary(max_size=200),
)
def test_a_jpeg_is_read_whatever_stands_around_its_headers(width, height, orientation, order, segments, trailer):
    """Find size and orientation among foreign segments and before any trailing bytes."""
    data = jpeg(*segments, exif(tiff(orientation, order)), width=width, height=height)

    expected = ImageHeader(format="JPEG", width=width, height=height, orientation=orientation)
    assert expected == read_header(data + trailer)


@given(
    st.integers(1, 2**31 - 1),
    st.integers(1, 2**31 - 1),
    st.lists(st.builds(chunk, st.just(b"teSt"), st.binary(max_size=200)), max_size=4),
    st.binary(max_size=200),
)
def test_a_png_is_read_whatever_stands_around_its_headers(width, height, chunks, trailer):
    """Find the size among foreign chunks and before any trailing bytes."""
    data = png(*chunks, width=width, height=height)

    assert ImageHeader(format="PNG", width=width, height=height) == read_header(data + trailer)
