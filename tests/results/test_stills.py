"""Files of several frames or pages: a copy would lose all but the first."""

import io

import pytest
from PIL import Image, TiffImagePlugin

import rekog_emotion as rekog
from rekog_emotion import ImageAnalysis
from rekog_emotion.commands.cli import main
from rekog_emotion.results._stills import check_still

SIZE = (96, 96)
ANIMATED = (
    "{name} is animated, and a copy would have the first of its 3 frames alone; convert it to an MP4 video, or save "
    "the frame that you want as a PNG"
)
PAGES = "{name} has 3 pages, and a copy would have the first alone; save each as a file of its own"
Image.init()
FRAMES = [kind for kind in ("GIF", "PNG", "WEBP", "AVIF") if kind in Image.SAVE_ALL]  # of Pillow 11.3 and later all
SEVERAL = [*((kind, ANIMATED) for kind in FRAMES), ("TIFF", PAGES)]


def encoded(kind, count):
    """Return a file of so many pictures."""
    first, *others = (Image.new("RGB", SIZE, (60 * k, 120, 90)) for k in range(count))
    file = io.BytesIO()
    first.save(file, kind, **({"save_all": True, "append_images": others, "duration": 100} if others else {}))
    return file.getvalue()


@pytest.mark.parametrize(("kind", "message"), SEVERAL)
@pytest.mark.parametrize("way", ["draw", "blur"])
def test_several_are_refused(tmp_path, kind, message, way):
    """Neither a drawing nor a blurred copy is made of the first one alone, of bytes, a path, or what was analysed."""
    path = tmp_path / "several"
    path.write_bytes(encoded(kind, 3))
    analysis = ImageAnalysis(faces=(), size=SIZE, source=str(path))

    for picture, name in (
        (path.read_bytes(), f"the file given as {path.stat().st_size} bytes"),
        (path, path),
        (str(path), path),
        (None, path),
    ):
        with pytest.raises(rekog.InvalidInputError) as caught:
            getattr(analysis, way)(picture)
        assert str(caught.value) == message.format(name=name)


@pytest.mark.parametrize("kind", [*FRAMES, "TIFF", "JPEG", "BMP"])
def test_one_is_copied(kind):
    """A file of one picture is no animation, whatever its format can hold."""
    assert ImageAnalysis(faces=(), size=SIZE).blur(encoded(kind, 1)).size == SIZE


def test_picture_at_hand():
    """A PIL image is the frame that it is at."""
    with Image.open(io.BytesIO(encoded("PNG", 3))) as image:
        image.seek(2)
        copy = ImageAnalysis(faces=(), size=SIZE).draw(image)
    assert copy.getpixel((0, 0)) == (120, 120, 90)


def test_beside_the_picture():
    """What a phone keeps beside a photo, and a thumbnail in a TIFF, are no further pictures."""
    phone, scan = io.BytesIO(), io.BytesIO()
    photo = Image.new("RGB", SIZE)
    photo.save(phone, "MPO", save_all=True, append_images=[photo])
    small = photo.resize((16, 16))
    small.encoderinfo = {"tiffinfo": TiffImagePlugin.ImageFileDirectory_v2()}
    small.encoderinfo["tiffinfo"][254] = 1
    photo.save(scan, "TIFF", save_all=True, append_images=[small])

    for file, count in ((phone, 2), (scan, 2)):
        assert Image.open(file).n_frames == count
        check_still(file.getvalue())


def test_damaged():
    """A file that cannot be read is refused by who decodes it."""
    data = encoded("GIF", 3)
    check_still(data[:20])
    check_still(b"GIF89a")
    with pytest.raises(rekog.InvalidInputError, match=r"^the file given as 20 bytes: the content is no image"):
        ImageAnalysis(faces=(), size=SIZE).blur(data[:20])


@pytest.mark.parametrize("arguments", [["blur"], ["annotate"], ["image", "--draw"]])
def test_commands_refuse_before_any_call(tmp_path, capsys, monkeypatch, arguments):
    """Nothing is analysed, and no copy is written."""
    monkeypatch.setattr("rekog_emotion.blocking.image.detect_image", lambda *_, **__: pytest.fail("a call was made"))
    path, out = tmp_path / "several.gif", tmp_path / "copy.png"
    path.write_bytes(encoded("GIF", 3))

    code = main([*arguments[:1], str(path), *arguments[1:], str(out), "--client", "embedded"])

    assert code == 2
    assert ANIMATED.format(name=path) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]
