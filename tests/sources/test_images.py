from __future__ import annotations

import io
import mmap
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image, ImageOps

from rekog_emotion import InvalidInputError, MissingExtraError, S3Object, media
from rekog_emotion.sources.images import PreparedImage, prepare_image
from rekog_emotion.sources.videos import PreparedVideo, prepare_video
from rekog_emotion.wire.service import MAX_IMAGE_BYTES
from tests.pictures import PORTRAIT, chunk, exif_of, opened, portrait, saved, segment, with_segments

JPEG, PNG = PORTRAIT.read_bytes(), saved(portrait(), "PNG")
LARGE_JPEG = saved(portrait(), "JPEG") + bytes(MAX_IMAGE_BYTES)
LARGE_PNG = saved(portrait(), "PNG") + bytes(MAX_IMAGE_BYTES)
WEBP = saved(portrait(), "WEBP")
EXTRA = "the 'image' extra: pip install 'rekog-emotion[image]'"


def sent(prepared):
    """Return the picture that goes out."""
    return opened(prepared.wire["Bytes"])


def difference(one, other):
    """Return the mean absolute difference of two pictures of one size, in levels of 0..255."""
    assert one.size == other.size
    return np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).mean()


def turned(orientation, size=(160, 120)):
    """Return the portrait as a viewer shows it when its EXIF has this orientation."""
    image = portrait(size)
    image.getexif()[274] = orientation
    return ImageOps.exif_transpose(image)


@contextmanager
def without_pillow():
    """Make Pillow impossible to import."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "PIL"]:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "PIL", None)
        patch.delitem(sys.modules, "rekog_emotion.media.images", raising=False)
        patch.delattr(media, "images", raising=False)
        yield


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_any_jpeg_goes_out_byte_for_byte(mode, options):
    """Send a JPEG as it is, whatever its mode, without Pillow and without a copy."""
    data = saved(portrait().convert(mode), "JPEG", **options)

    with without_pillow():
        prepared = prepare_image(data)

    assert data is prepared.wire["Bytes"]
    assert (prepared.size, prepared.name) == ((160, 120), "<bytes>")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_any_png_goes_out_byte_for_byte(mode):
    """Send a PNG as it is, whatever its mode, without Pillow and without a copy."""
    image = Image.new(mode, (160, 120)) if mode == "I;16" else portrait().convert(mode)
    data = saved(image, "PNG")

    with without_pillow():
        prepared = prepare_image(data)

    assert data is prepared.wire["Bytes"]
    assert prepared.size == (160, 120)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_a_jpeg_is_that_of_its_viewer(orientation):
    """Turn the size as the service turns the picture."""
    data = saved(portrait(), "JPEG", exif=exif_of(orientation))

    with without_pillow():
        prepared = prepare_image(data)

    assert turned(orientation).size == prepared.size
    assert data is prepared.wire["Bytes"]


def test_the_size_of_a_png_is_the_stored_one():
    """Not turn by the EXIF of a PNG, which the service ignores."""
    data = saved(portrait(), "PNG", exif=exif_of(6))

    with without_pillow():
        prepared = prepare_image(data)

    assert prepared.size == (160, 120)


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("data", [saved(portrait(), "JPEG"), PNG])
def test_the_limit_of_bytes_is_the_service_s(data, extra):
    """Send 5 242 880 bytes as they are, and no more."""
    data += bytes(MAX_IMAGE_BYTES - len(data) + extra)

    prepared = prepare_image(data)

    assert (data == prepared.wire["Bytes"]) is not bool(extra)
    assert len(prepared.wire["Bytes"]) <= MAX_IMAGE_BYTES


def test_a_side_of_80_pixels_is_enough():
    """Take the least that the service takes."""
    assert prepare_image(saved(portrait((80, 80)), "PNG")).size == (80, 80)


class OnlyRead:
    """A file object that can do no more than is asked, and gives little at a time."""

    def __init__(self, data):
        self.data = data

    def read(self, size):
        """Give at most a thousand bytes."""
        part, self.data = self.data[: min(size, 1000)], self.data[min(size, 1000) :]
        return part


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda path: path, "{path}"),
        (str, "{path}"),
        (os.path.relpath, "{relative}"),
        (lambda path: path.read_bytes(), "<bytes>"),
        (lambda path: bytearray(path.read_bytes()), "<bytearray>"),
        (lambda path: memoryview(path.read_bytes()), "<memoryview>"),
        pytest.param(lambda path: memoryview(path.read_bytes() * 2)[: len(JPEG)], "<memoryview>", id="part"),
        (lambda path: io.BytesIO(path.read_bytes()), "<file>"),
        pytest.param(lambda path: OnlyRead(path.read_bytes()), "<file>", id="little at a time"),
    ],
)
def test_every_form_of_a_file_goes_out_alike(make, name):
    """Send the same bytes for a path, bytes and a file object, under a name that says what it was."""
    prepared = prepare_image(make(PORTRAIT))

    assert type(prepared.wire["Bytes"]) is bytes
    assert prepared.wire["Bytes"] == JPEG
    assert name.format(path=PORTRAIT, relative=os.path.relpath(PORTRAIT)) == prepared.name


class Pathlike:
    """A path of a class of somebody else."""

    def __fspath__(self):
        """Give the path."""
        return str(PORTRAIT)


def test_a_path_like_object_is_a_path():
    """Take what os.fspath takes."""
    assert prepare_image(Pathlike()).wire["Bytes"] == JPEG


def test_a_file_object_is_read_from_where_it_stands_and_left_open():
    """Neither rewind nor close it."""
    with tempfile.TemporaryFile() as file:
        file.write(b"header" + JPEG)
        file.seek(6)

        prepared = prepare_image(file)

        assert prepared.wire["Bytes"] == JPEG
        assert not file.closed
        assert 6 + len(JPEG) == file.tell()


def test_a_mapped_file_is_a_file_object():
    """Read mmap too."""
    with PORTRAIT.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert prepare_image(mapped).wire["Bytes"] == JPEG


def test_a_named_file_object_is_called_by_its_name():
    """Say which file it was."""
    with PORTRAIT.open("rb") as file:
        assert f"<file {PORTRAIT}>" == prepare_image(file).name


@pytest.mark.parametrize("suffix", [".png", ".txt", ".mp4", ""])
def test_the_content_decides_and_never_the_suffix(suffix, tmp_path):
    """Take a JPEG by any name."""
    path = tmp_path / f"photo{suffix}"
    shutil.copy(PORTRAIT, path)

    assert prepare_image(path).wire["Bytes"] == JPEG


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["WEBP", "TIFF", "AVIF", "JPEG"])
def test_what_is_encoded_anew_is_turned_first(file_format, orientation):
    """Send the picture as a viewer shows it, with the size of that picture and no orientation left to apply."""
    data = saved(portrait(), file_format, exif=exif_of(orientation))
    if file_format == "JPEG":
        data += bytes(MAX_IMAGE_BYTES)

    prepared = prepare_image(data)

    assert sent(prepared).format == "JPEG"
    assert 274 not in sent(prepared).getexif()
    assert turned(orientation).size == prepared.size
    assert difference(turned(orientation), sent(prepared)) < 20


@pytest.mark.parametrize("file_format", ["BMP", "GIF", "PPM", "QOI", "JPEG2000", "TIFF", "WEBP"])
def test_other_formats_become_jpegs(file_format):
    """Convert what the service does not take."""
    prepared = prepare_image(saved(portrait(), file_format))

    assert (sent(prepared).format, sent(prepared).mode, prepared.size) == ("JPEG", "RGB", (160, 120))
    assert difference(portrait(), sent(prepared)) < 20


def test_a_large_png_becomes_a_jpeg_and_is_not_turned():
    """See a PNG of over 5 MB as the service would see a smaller one."""
    data = saved(portrait(), "PNG", exif=exif_of(6)) + bytes(MAX_IMAGE_BYTES)

    prepared = prepare_image(data)

    assert (sent(prepared).format, prepared.size) == ("JPEG", (160, 120))
    assert difference(portrait(), sent(prepared)) < 5


def test_the_size_is_that_of_the_original_however_small_it_went_out(monkeypatch):
    """Keep the size that ratios are placed on."""
    monkeypatch.setattr("rekog_emotion.sources.images.MAX_IMAGE_BYTES", 20_000)
    data = saved(portrait((2000, 1500)), "JPEG", quality=95, exif=exif_of(6))

    prepared = prepare_image(data)

    assert prepared.size == (1500, 2000)
    assert sent(prepared).width < 750
    assert abs(sent(prepared).width / sent(prepared).height - 0.75) < 0.01
    assert len(prepared.wire["Bytes"]) <= 20_000


def test_a_small_picture_is_never_enlarged():
    """Keep the size of what is encoded anew."""
    assert sent(prepare_image(saved(portrait((81, 82)), "WEBP"))).size == (81, 82)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda image: image, id="opened"),
        pytest.param(lambda image: image.copy(), id="copied"),
        pytest.param(lambda image: image.transpose(Image.Transpose.ROTATE_270), id="set upright, with a stale note"),
        pytest.param(ImageOps.exif_transpose, id="set upright by its note"),
        pytest.param(lambda image: image.crop((10, 10, 100, 110)), id="cropped"),
        pytest.param(lambda image: image.convert("L"), id="grey"),
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_pil_image_is_taken_as_it_stands(file_format, make):
    """Turn no pixels of a caller's by a note that the picture carries, and leave the note and the pixels alone."""
    image = make(opened(saved(portrait(), file_format, exif=exif_of(6))))
    before = image.tobytes(), dict(image.getexif())

    prepared = prepare_image(image)

    assert image.convert("RGB").tobytes() == sent(prepared).tobytes()
    assert (image.size, "<PIL image>") == (prepared.size, prepared.name)
    assert before == (image.tobytes(), dict(image.getexif()))


def test_a_pil_image_that_was_not_loaded_yet_is_read():
    """Take what Image.open gives."""
    with Image.open(PORTRAIT) as image:
        assert prepare_image(image).size == (512, 512)


@pytest.mark.parametrize(
    ("array", "picture"),
    [
        (np.asarray(portrait()), portrait()),
        (np.asarray(portrait())[::-1], portrait().transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
        (np.asarray(portrait().convert("L")), portrait().convert("L").convert("RGB")),
        (np.asarray(portrait().convert("L"))[..., None], portrait().convert("L").convert("RGB")),
        (np.asarray(portrait().convert("RGBA")), portrait()),
        (np.zeros((90, 100, 4), np.uint8), Image.new("RGB", (100, 90), "white")),
    ],
)
def test_an_array_goes_out_without_loss(array, picture):
    """Take RGB, grey and RGBA, in any memory order."""
    prepared = prepare_image(array)

    assert (picture.size, "<array>") == (prepared.size, prepared.name)
    assert picture.tobytes() == sent(prepared).tobytes()


def test_a_large_array_becomes_a_jpeg():
    """Spend no megabytes on a large frame."""
    prepared = prepare_image(np.asarray(portrait((1920, 1080))))

    assert (sent(prepared).format, prepared.size) == ("JPEG", (1920, 1080))
    assert len(prepared.wire["Bytes"]) < 1_000_000


def test_an_object_in_s3_is_only_named():
    """Send where it is; its size stays unknown."""
    prepared = prepare_image("s3://photos/a b.jpg?versionId=7")

    assert prepared.wire == {"S3Object": {"Bucket": "photos", "Name": "a b.jpg", "Version": "7"}}
    assert (prepared.size, prepared.name) == (None, "s3://photos/a b.jpg?versionId=7")
    assert prepared == prepare_image(S3Object(bucket="photos", name="a b.jpg", version="7"))


def test_the_repr_shows_no_bytes():
    """Keep the image out of logs."""
    assert repr(prepare_image(JPEG)) == "PreparedImage(size=(512, 512), name='<bytes>')"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (WEBP, f"the file given as {len(WEBP)} bytes: an image that is neither JPEG nor PNG needs {EXTRA}"),
        (LARGE_JPEG, f"the file given as {len(LARGE_JPEG)} bytes: an image of over 5242880 bytes needs {EXTRA}"),
        (LARGE_PNG, f"the file given as {len(LARGE_PNG)} bytes: an image of over 5242880 bytes needs {EXTRA}"),
        (
            np.zeros((90, 90, 3), np.uint8),
            f"<array>: encoding an array needs {EXTRA}",
        ),
    ],
    ids=["WebP", "large JPEG", "large PNG", "array"],
)
def test_without_pillow_the_extra_is_named(source, message):
    """Say why Pillow is needed and how to install it."""
    with without_pillow(), pytest.raises(MissingExtraError) as caught:
        prepare_image(source)

    assert (message, "image") == (str(caught.value), caught.value.extra)


def test_without_numpy_and_pillow_other_objects_are_told_apart(monkeypatch):
    """Need neither package to refuse what is no image."""
    monkeypatch.delitem(sys.modules, "numpy")

    with without_pillow(), pytest.raises(InvalidInputError):
        prepare_image(object())


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    "make",
    [
        lambda data: data,
        lambda data: data + bytes(MAX_IMAGE_BYTES),
        lambda data: saved(opened(data), "WEBP", exif=opened(data).getexif()),
        lambda data: ImageOps.exif_transpose(opened(data)),
    ],
    ids=["as it is", "fitted", "converted", "PIL"],
)
def test_every_way_of_a_picture_gives_the_same_size(make, orientation):
    """Refer ratios to one picture, however it came in."""
    data = saved(portrait(), "JPEG", exif=exif_of(orientation))

    assert turned(orientation).size == prepare_image(make(data)).size


def test_segments_that_are_not_known_go_out_too():
    """Send C2PA, profiles and makers' notes untouched."""
    data = with_segments(JPEG, segment(0xEB, b"JP" + bytes(5000)), segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(900)))

    assert data is prepare_image(data).wire["Bytes"]


def test_png_chunks_that_are_not_known_go_out_too():
    """Send them untouched."""
    data = PNG[:33] + chunk(b"teSt", bytes(999)) + PNG[33:]

    assert data is prepare_image(data).wire["Bytes"]


@pytest.fixture
def clip(tmp_path):
    """Write something that begins like a video."""
    path = tmp_path / "clip.jpg"
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    return path


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_local_video_is_found(kind, clip):
    """Give its path and its name."""
    assert PreparedVideo(place=clip, name=str(clip)) == prepare_video(kind(clip))


@pytest.mark.parametrize("source", ["s3://clips/a.mp4", S3Object(bucket="clips", name="a.mp4")])
def test_a_video_in_s3_is_named(source):
    """Give the object and its name."""
    s3_object = S3Object(bucket="clips", name="a.mp4")

    assert PreparedVideo(place=s3_object, name="s3://clips/a.mp4") == prepare_video(source)


NO_VIDEO = "this is no video; pass a path, an s3:// URI or an S3Object"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, f"None: {NO_VIDEO}"),
        (3.5, f"<float>: {NO_VIDEO}"),
        ("", "the path is empty; pass the path of a file"),
        (
            "https://example.org/clip.mp4?token=1",
            (
                "<https: URL>: nothing is downloaded; save it to a file and pass the path, or pass the s3:// URI of an "
                "object in S3"
            ),
        ),
        ("rtsp://camera/1", "<rtsp: URL>: no such scheme is known; pass a path or an s3:// URI"),
        (
            "s3://clips",
            "s3://clips/: the key is missing; write s3://bucket/key or s3://bucket/key?versionId=...",
        ),
        (
            S3Object(name="a.mp4"),
            "s3:///a.mp4: the bucket is missing; write s3://bucket/key or s3://bucket/key?versionId=...",
        ),
        (
            "no-such-clip.mp4",
            ("no-such-clip.mp4: there is no such file; check the path, which starts at the current directory"),
        ),
        (str(PORTRAIT.parent), f"{PORTRAIT.parent}: this is a directory; pass the path of a file in it"),
        (
            PORTRAIT,
            f"{PORTRAIT}: the content is an image (JPEG), not a video; pass it to detect_image",
        ),
    ],
)
def test_what_is_no_video_is_refused(source, message):
    """Say what is wrong and what to do."""
    with pytest.raises(InvalidInputError) as caught:
        prepare_video(source)

    assert message == str(caught.value)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "WebP", "TIFF", "AVIF"])
def test_an_image_is_no_video(file_format, tmp_path):
    """Point to detect_image."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(saved(portrait(), file_format.upper()))

    with pytest.raises(InvalidInputError) as caught:
        prepare_video(path)

    message = f"{path}: the content is an image ({file_format}), not a video; pass it to detect_image"
    assert message == str(caught.value)


def test_text_is_no_video(tmp_path):
    """Say so before an upload."""
    path = tmp_path / "clip.mp4"
    path.write_text("no video")

    with pytest.raises(InvalidInputError) as caught:
        prepare_video(path)

    assert f"{path}: the content is text, not a video; check what was read or downloaded" == str(caught.value)


def test_an_empty_file_is_no_video(tmp_path):
    """Say so before an upload."""
    path = tmp_path / "clip.mp4"
    path.touch()

    with pytest.raises(InvalidInputError) as caught:
        prepare_video(path)

    assert f"{path}: the file is empty; check how it was written" == str(caught.value)


@pytest.mark.parametrize("kind", [PreparedImage, PreparedVideo])
def test_what_is_prepared_is_made_by_name(kind):
    """No member of it is taken by position."""
    with pytest.raises(TypeError, match="takes 1 positional argument but"):
        kind("a", "b")
