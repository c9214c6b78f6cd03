import io
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from PIL import Image, ImageChops, ImageOps

import rekog_emotion as rekog
from rekog_emotion import (
    AgeRange,
    BoundingBox,
    Emotion,
    Face,
    Gender,
    ImageAnalysis,
    InvalidInputError,
    Landmark,
    Landmarks,
    Pose,
)
from rekog_emotion.results.drawing import draw, writable_suffixes
from rekog_emotion.values.palette import COLORS, OTHER_COLOR

BOX = BoundingBox(left=0.25, top=0.5, width=0.25, height=0.25)
PIXELS = (100, 150, 200, 225)  # where BOX is in SIZE; right and bottom are the first pixels outside
SIZE = (400, 300)
DARK = (20, 20, 20)


def picture(size=SIZE, color="white"):
    """Give a picture of one colour."""
    return Image.new("RGB", size, color)


def face(kind="HAPPY", *, box=BOX, **members):
    """Give a face of one emotion."""
    return Face(bounding_box=box, emotions=(Emotion(type=kind, confidence=90.0),), **members)


def analysis(*faces, size=SIZE, source=None):
    """Give an analysis of these faces."""
    return ImageAnalysis(faces=faces, size=size, source=source)


def area(image, color):
    """Return left, top, right and bottom of the pixels of a colour."""
    rows, columns = np.nonzero((np.asarray(image) == color).all(axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("background", ["white", "black", "red", COLORS["HAPPY"]])
def test_box_has_the_color_of_the_dominant_emotion(background):
    """The box runs along the inside of its edge, with a dark rim that shows it on any background."""
    drawn = draw(analysis(face()), picture(color=background))

    left, top, right, bottom = PIXELS
    middle = (top + bottom) // 2
    assert [drawn.getpixel((x, middle)) for x in (left, right - 1)] == [COLORS["HAPPY"]] * 2
    assert [drawn.getpixel((x, middle)) for x in (left - 1, right, left + 1, right - 2)] == [DARK] * 4
    assert drawn.getpixel((150, bottom - 1)) == COLORS["HAPPY"]
    assert drawn.getpixel((150, middle)) == picture(color=background).getpixel((0, 0))


@pytest.mark.parametrize("one", [Face(bounding_box=BOX), face("BEWILDERED")])
def test_face_without_a_known_emotion_is_grey(one):
    """A face whose emotions were not asked for, or have no colour of their own, is drawn all the same."""
    drawn = draw(analysis(one), picture())

    assert drawn.getpixel((PIXELS[0], 200)) == OTHER_COLOR


@pytest.mark.parametrize("color", [*COLORS.values(), OTHER_COLOR])
def test_letters_contrast_with_every_color(color):
    """Dark letters on each colour have the contrast that WCAG 2.2 asks for at level AA, 4.5."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert (luminance(color) + 0.05) / (luminance(DARK) + 0.05) > 4.5


def test_landmarks_are_dots_where_they_are():
    """A landmark is a dot of the face's colour with a dark rim; one without a place is left out."""
    points = Landmarks.of([Landmark(type="nose", x=0.375, y=0.625), Landmark(type="mouthUp", x=0.5)])

    drawn = draw(analysis(face(landmarks=points)), picture((2000, 1500)))

    # The face is 500 pixels wide, the dot 17.
    assert [drawn.getpixel((750 + step, 937)) for step in (0, 6, -6)] == [COLORS["HAPPY"]] * 3
    assert drawn.getpixel((750 + 20, 937)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (BOX, SIZE),
        (BOX, (80, 80)),
        (BoundingBox(left=0.0, top=0.0, width=0.2, height=0.2), SIZE),
        (BoundingBox(left=0.9, top=0.9, width=0.2, height=0.3), SIZE),
        (BoundingBox(left=-0.2, top=-0.1, width=1.4, height=1.2), SIZE),
        (BoundingBox(left=1.1, top=1.1, width=0.1, height=0.1), SIZE),
        (BoundingBox(left=0.5, top=0.5, width=0.0, height=0.0), SIZE),
        (BOX, (1000, 90)),
        (BOX, (90, 1000)),
    ],
)
def test_label_is_whole_and_inside_the_picture(box, size, monkeypatch):
    """Wherever the box is, all four corners of the label's frame are in the picture."""
    members = {"gender": Gender(value="Female", confidence=99.0), "age_range": AgeRange(low=20, high=30)}
    one = analysis(face("DISGUSTED", box=box, **members), size=size)
    labelled = draw(one, picture(size))
    monkeypatch.setattr("rekog_emotion.results.drawing.label_lines", lambda _: [])

    left, top, right, bottom = ImageChops.difference(labelled, draw(one, picture(size))).getbbox()

    corners = [(x, y) for x in (left, right - 1) for y in (top, bottom - 1)]
    assert [labelled.getpixel(corner) for corner in corners] == [DARK] * 4
    assert labelled.size == size


def test_label_leaves_the_faces_free():
    """Labels take the first place that hides no face and no other label."""
    below = face("SAD", box=BoundingBox(left=0.4, top=0.5, width=0.1, height=0.1))
    above = face("HAPPY", box=BoundingBox(left=0.4, top=0.35, width=0.1, height=0.1))

    drawn = draw(analysis(below, above, size=(600, 600)), picture((600, 600)))

    for one, color in ((below, COLORS["SAD"]), (above, COLORS["HAPPY"])):
        left, top, right, bottom = one.bounding_box.to_pixels(drawn.size)
        inside = drawn.crop((left + 4, top + 4, right - 4, bottom - 4))
        assert inside.getcolors() == [(inside.width * inside.height, (255, 255, 255))]
        assert drawn.getpixel((left, top + 10)) == color


def test_label_says_what_is_known():
    """Emotion and confidence are one line, gender and age the next; more is a larger label, nothing is none."""

    def height(one):
        drawn = draw(analysis(one), picture())
        box = area(drawn, COLORS["HAPPY"] if one.emotions else OTHER_COLOR)
        return box[3] - box[1]

    bare = height(Face(bounding_box=BOX))
    emotion = height(face())
    both = height(face(gender=Gender(value="Male", confidence=90.0)))
    assert bare == PIXELS[3] - PIXELS[1]
    assert bare < emotion < both


@pytest.mark.parametrize("far", [1e300, 10**30, 5000.0])
def test_box_far_beyond_the_picture_is_drawn(far):
    """As one of pixels instead of ratios would be: without an error, and within the memory."""
    nose = Landmarks.of([Landmark(type="nose", x=0.5, y=0.5)])
    faces = [
        face(
            box=BoundingBox(left=-far, top=0, width=2 * far, height=far),
            landmarks=nose,
            pose=Pose(roll=0, yaw=0, pitch=0),
        )
    ]

    assert draw(analysis(*faces), picture()).size == SIZE


@pytest.mark.parametrize("number", [math.nan, math.inf, 1e300, 10**400])
def test_marks_without_a_place_are_left_out(number):
    """A landmark or an angle of an odd recording that is no number is not drawn, and the rest is."""
    points = Landmarks.of([Landmark(type="nose", x=number, y=0.5), Landmark(type="eyeLeft", x=0.5, y=number)])
    pose = Pose(roll=number, yaw=0, pitch=0)
    plain = draw(analysis(face()), picture(), labels=False)

    for members in ({"landmarks": points}, {"pose": pose}, {"landmarks": points, "pose": Pose(roll=0, yaw=0, pitch=0)}):
        drawn = draw(analysis(face(**members)), picture(), labels=False)

        assert drawn.tobytes() == plain.tobytes()


def test_face_without_a_box_is_not_drawn():
    """What has no place cannot be drawn, and is no error."""
    drawn = draw(analysis(face(box=None)), picture())

    assert drawn.tobytes() == picture().tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_picture_stays_as_it_is(mode):
    """The drawing is a new RGB picture, whatever the given one is."""
    given = picture().convert(mode)
    before = given.tobytes()

    drawn = draw(analysis(face()), given)

    assert (drawn.mode, drawn.size, given.mode, given.tobytes()) == ("RGB", SIZE, mode, before)


def test_picture_is_turned_by_its_exif(tmp_path):
    """A picture that viewers turn is drawn on as they show it, be it a file, bytes or set upright."""
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    picture((300, 400)).save(path, exif=exif)

    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        drawn = [draw(analysis(face()), given) for given in (path, str(path), path.read_bytes(), upright)]

    assert [one.size for one in drawn] == [SIZE] * 4
    assert [one.getpixel((PIXELS[0], 200)) for one in drawn] == [COLORS["HAPPY"]] * 4


@pytest.mark.parametrize("make", [lambda opened: opened, Image.Image.copy], ids=["opened", "copied"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_a_picture_that_may_lie_on_its_side_is_refused(orientation, make):
    """Where a file was analysed, which was turned, nobody can tell whether an opened picture was, too."""
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    picture().save(data, "JPEG", exif=exif)

    with pytest.raises(rekog.InvalidInputError) as caught:
        draw(analysis(face()), make(Image.open(data)))

    assert str(caught.value) == (
        "the picture has a note in its EXIF data to turn it, which may have been followed or not; pass the path of its "
        "file, or the upright picture without that note, as ImageOps.exif_transpose makes it"
    )


def test_an_analysed_picture_is_drawn_on_as_it_stands():
    """The picture itself needs no turning, whatever its note says."""
    given = picture()
    given.getexif()[0x0112] = 3

    drawn = draw(analysis(face(), source="<PIL image>"), given)

    assert drawn.getpixel((PIXELS[0], 200)) == COLORS["HAPPY"]


def test_drawing_on_a_copy_of_another_size():
    """Ratios fit any copy of the picture."""
    drawn = draw(analysis(face()), picture((1200, 900)))

    assert drawn.getpixel((PIXELS[0] * 3, 600)) == COLORS["HAPPY"]


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0), (-1, -1), (1, 10**400), (10**400, 1)], ids=range(6))
def test_no_picture_has_such_a_shape(size):
    """Whoever says so is told."""
    for look in (draw, rekog.ImageAnalysis.blur):
        with pytest.raises(rekog.InvalidInputError) as caught:
            look(evolve(analysis(face()), size=size), picture((40, 30)))

        assert str(caught.value) == (
            f"the picture has 40 x 30 pixels, and the analysed one had {size[0]} x {size[1]}; draw on that one, or on "
            "a copy of its shape"
        )


def test_picture_of_another_shape_is_refused():
    """A picture that cannot be the analysed one is refused, for example one that was turned by hand."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        draw(analysis(face()), picture((300, 400)))

    assert str(caught.value) == (
        "the picture has 300 x 400 pixels, and the analysed one had 400 x 300; draw on that one, or on a copy of its "
        "shape"
    )


def test_what_is_no_picture_is_refused(tmp_path):
    """A file is named, and what is of another type told so."""
    text = tmp_path / "photo.jpg"
    text.write_bytes(bytes(100))

    messages = []
    for wrong in (text, bytes(100), np.zeros((9, 9, 3), np.uint8), io.BytesIO()):
        with pytest.raises(InvalidInputError) as caught:
            ImageAnalysis().draw(wrong)
        messages.append(str(caught.value))

    unread = "the content is no image that Pillow reads; pass a JPEG or PNG"
    other = "pass a path, the bytes of a file or a PIL image; of an array make one with Image.fromarray"
    assert messages == [
        f"{text}: {unread}",
        f"the file given as 100 bytes: {unread}",
        f"the picture is of type ndarray: {other}",
        f"the picture is of type BytesIO: {other}",
    ]


def test_picture_of_an_unknown_size_is_taken():
    """An analysis of a photo in S3 knows no size, and is drawn on any copy of it."""
    drawn = draw(analysis(face(), size=None), picture((300, 400)))

    assert drawn.size == (300, 400)


def test_analysis_draws_itself(photo, portrait):
    """The method of the analysis is the same drawing; the portrait's face is in its box."""
    drawn = photo.draw(portrait)

    left, top, _, _ = photo.faces[0].bounding_box.to_pixels(photo.size)
    assert drawn.tobytes() == draw(photo, portrait).tobytes()
    assert drawn.getpixel((left, top + 10)) == COLORS["HAPPY"]


def test_drawing_needs_pillow(monkeypatch):
    """Without Pillow the error says what to install."""
    for name in ("rekog_emotion.results.drawing", "rekog_emotion.media.images"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        analysis().draw(b"")

    assert str(caught.value) == "Drawing needs the 'image' extra: pip install 'rekog-emotion[image]'"


def test_suffixes_are_those_that_pillow_writes():
    """Formats that Pillow only reads are not among them."""
    assert {".png", ".jpg", ".webp"} <= writable_suffixes()
    assert ".psd" not in writable_suffixes()


@pytest.fixture
def portrait():
    """Give the path of the portrait."""
    return Path(__file__).parents[1] / "data" / "astronaut.jpg"


@pytest.fixture
def photo(portrait):
    """Give the analysis of the portrait."""
    return rekog.detect_image(portrait, client="embedded")
