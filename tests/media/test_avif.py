"""Streams of an AVIF that are larger than its container says are known before they are decoded."""

import contextlib
import io
import re
import struct
import subprocess
import sys

import pytest
from PIL import Image, features

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media import images
from rekog_emotion.media.avif import stream_pixels
from tests.outputs import unmeasured

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
SMALL = (64, 48)


def avif(size, *, mode="RGB", frames=1):
    """Return an AVIF of one colour."""
    file = io.BytesIO()
    pictures = [Image.new(mode, size, (200, 20 * number, 40, 99)[: len(mode)]) for number in range(frames)]
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(file, "AVIF", quality=30, speed=10, **more)
    return file.getvalue()


def said_to_be(data, width, height):
    """Return a file whose container gives each picture another size."""
    size = struct.pack(">II", width, height)
    data = re.sub(rb"(ispe\0{4}).{8}", lambda match: match[1] + size, data, flags=re.DOTALL)
    # Sample entries of tracks: 24 bytes before the size, in 16 bits each.
    size = struct.pack(">HH", width, height)
    return re.sub(rb"(av01\0{6}.{18}).{4}", lambda match: match[1] + size, data, flags=re.DOTALL)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_still_picture(mode):
    """Its size is that of its stream, whatever the container says."""
    layers = len(mode) - 2
    data = avif(SMALL, mode=mode)

    assert stream_pixels(data, layers=layers) == 64 * 48
    assert stream_pixels(said_to_be(data, 16, 16), layers=layers) == 64 * 48


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_one_that_moves(mode):
    """Each frame may have any size that its numbers have the bits for."""
    data = avif(SMALL, mode=mode, frames=3)

    assert stream_pixels(data, layers=len(mode) - 2) == 64 * 64


@pytest.mark.parametrize(("mode", "frames"), [("RGB", 1), ("RGBA", 1), ("RGB", 2)])
def test_honest_files_are_decoded(mode, frames):
    """As they are."""
    assert images.load_sized(avif(SMALL, mode=mode, frames=frames))[1] == SMALL


DECODE = """
    import sys
    from pathlib import Path
    from rekog_emotion.errors import InvalidInputError
    from rekog_emotion.media import images

    def peak():  # what resource tells of a process begins with its parent's
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

    data = sys.stdin.buffer.read()
    images.load_rgb(open(sys.argv[1], "rb").read())  # all that is loaded for a small one
    before = peak()
    try:
        images.load_rgb(data)
    except InvalidInputError as error:
        print(error)
    print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory is told by Linux")
def test_nothing_large_is_decoded(tmp_path):
    """A file that says it were small, and has 64 megapixels, takes no memory: its sequence header tells."""
    small = tmp_path / "small.avif"
    small.write_bytes(avif(SMALL))
    code = "\n".join(line.removeprefix("    ") for line in DECODE.splitlines())
    run = subprocess.run(  # noqa: S603 -- the test's own script
        [sys.executable, "-c", code, str(small)],
        input=said_to_be(avif((8000, 8000)), *SMALL),
        capture_output=True,
        check=True,
        timeout=600,
        env=unmeasured(),
    )
    said, taken = run.stdout.decode().splitlines()

    assert said == (
        "the image has 64000000 pixels and says that it has 64 x 48 pixels, and decoding it takes 928 MB, more than "
        "the 900 that one may take (a decompression bomb?); shrink it first"
    )
    assert int(taken) < 20_000  # kilobytes; a plane of the picture alone has 64 000


BROKEN = "the AVIF is broken: {}; get an intact copy of it"


@pytest.mark.parametrize(
    ("find", "put", "why"),
    [
        (b"\x12\x00\x0a", b"\x12\x00\x3a", "it has no picture (a sequence header of AV1)"),
        (b"iloc", b"free", "it has no picture (a sequence header of AV1)"),
        (b"iloc\0\0\0\0D", b"iloc\1\0\0\0D", "it has no picture (a sequence header of AV1)"),
    ],
    ids=["no header", "no places", "other places"],
)
def test_streams_that_are_not_found(find, put, why):
    """Such a file is not left to the decoder, which may find them."""
    data = avif(SMALL)
    assert find in data

    with pytest.raises(InvalidInputError) as caught:
        stream_pixels(data.replace(find, put))

    assert str(caught.value) == BROKEN.format(why)


def test_too_many_parts():
    """Whoever hides the header behind them is not followed for long."""
    data = avif(SMALL)
    place = data.index(b"\x12\x00\x0a")
    # Temporal delimiters, which mean nothing; the one extent of the item grows by as much.
    hidden = bytearray(data[:place] + b"\x12\x00" * 100_000 + data[place:])
    at = data.index(b"iloc") + 22
    hidden[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + 200_000)

    with pytest.raises(InvalidInputError) as caught:
        stream_pixels(bytes(hidden))

    assert str(caught.value) == BROKEN.format("it has too many parts")


@pytest.mark.parametrize("same", [0, 100_000])
def test_endless_tracks(same):
    """One of four thousand million samples is not followed to its end."""
    data = avif(SMALL, frames=2)
    at = data.index(b"stsz") + 8
    data = data[:at] + struct.pack(">II", same, 0xFFFFFFFF) + data[at + 8 :]
    at = data.index(b"stsc") + 16
    data = data[:at] + struct.pack(">I", 0xFFFFFFFF) + data[at + 4 :]

    with pytest.raises(InvalidInputError) as caught:
        stream_pixels(data)

    assert str(caught.value) == BROKEN.format("it has too many parts" if same else "its boxes cannot be followed")


@pytest.mark.parametrize(
    ("begin", "why"), [(0, "its items are larger than the file"), (2**31, "it has too many parts")]
)
def test_an_item_of_many_parts(begin, why):
    """One that has the whole file, or nothing of it, again and again is not put together."""
    data = avif(SMALL)
    at = data.index(b"iloc") + 8
    # Two items with a base each, whose parts have neither a place nor a length.
    item = struct.pack(">HHIH", 1, 0, begin, 0xFFFF)
    data = data[:at] + struct.pack(">BBH", 0, 0x40, 2) + item * 2 + data[at + 4 + 2 * len(item) :]

    with pytest.raises(InvalidInputError) as caught:
        stream_pixels(data)

    assert str(caught.value) == BROKEN.format(why)


def test_cut_anywhere():
    """A file that ends early is an error of this library, or has its size."""
    for data in (avif(SMALL, mode="RGBA"), avif(SMALL, frames=2)):
        for end in range(len(data)):
            with contextlib.suppress(InvalidInputError):
                assert stream_pixels(data[:end]) >= 64 * 48
