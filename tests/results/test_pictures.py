"""Crops, sheets, charts, privacy, pose axes and labels."""

import math
from pathlib import Path

import attrs
import numpy as np
import pytest
from PIL import Image, ImageDraw

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Emotion, Face, ImageAnalysis, Landmark, Landmarks, Pose
from rekog_emotion.results._labels import place_label
from rekog_emotion.results._marks import axes
from rekog_emotion.results.charts import emotion_chart
from rekog_emotion.results.crops import contact_sheet, crop
from rekog_emotion.results.drawing import draw
from rekog_emotion.results.privacy import METHODS, blur
from rekog_emotion.values.palette import COLORS

PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
BOX = BoundingBox(left=0.25, top=0.25, width=0.5, height=0.5)
HAPPY = Face(bounding_box=BOX, emotions=(Emotion(type="HAPPY", confidence=90.0),))
SIZE = (400, 200)


def analysis(*faces, **members):
    """Give an analysis of these faces."""
    return ImageAnalysis(faces=faces, size=SIZE, **members)


def noise(size=SIZE):
    """Give a picture in which every pixel differs."""
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8))


class TestSource:
    """Where the picture comes from."""

    def test_file_that_was_analysed(self):
        """Without a picture the analysed file is drawn on."""
        photo = rekog.detect_image(PORTRAIT, client="embedded")
        assert photo.draw().tobytes() == photo.draw(PORTRAIT).tobytes()

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (None, "the analysis does not know its picture: pass it, analysis.draw(picture)"),
            ("<bytes>", "the picture was <bytes>, not a file of this machine: pass it, analysis.draw(picture)"),
            ("s3://b/k", "the picture was s3://b/k, not a file of this machine: pass it, analysis.draw(picture)"),
            ("S3://b/k", "the picture was S3://b/k, not a file of this machine: pass it, analysis.draw(picture)"),
            ("gone.jpg", "gone.jpg: the picture that was analysed is no longer there: pass it, analysis.draw(picture)"),
        ],
    )
    def test_no_file(self, source, message):
        """Where it is not at hand, the error says why and what to do."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            analysis(source=source).draw()
        assert str(caught.value) == message


class TestPose:
    """The axes of a face."""

    @pytest.mark.parametrize(
        ("pose", "right", "down", "out"),
        [
            (Pose(roll=0, yaw=0, pitch=0), (1, 0), (0, 1), (0, 0)),
            (Pose(roll=90, yaw=0, pitch=0), (0, 1), (-1, 0), (0, 0)),  # clockwise on the screen
            (Pose(roll=0, yaw=90, pitch=0), (0, 0), (0, 1), (1, 0)),  # to the viewer's right
            (Pose(roll=0, yaw=0, pitch=90), (1, 0), (0, 0), (0, -1)),  # up
            (Pose(roll=90, yaw=90, pitch=0), (0, 0), (-1, 0), (0, 1)),  # turned in the plane after the turn
        ],
    )
    def test_signs(self, pose, right, down, out):
        """The axes follow the signs of the service."""
        for expected, actual in zip((right, down, out), axes(pose), strict=True):
            assert actual == pytest.approx(expected, abs=1e-9)

    def test_axes_are_drawn_from_the_nose(self):
        """The axes leave the nose, or the middle of the box; they can be left out, and are on small faces."""
        nose = Landmarks.of([Landmark(type="nose", x=0.5, y=0.6)])
        one = attrs.evolve(HAPPY, emotions=None, landmarks=nose, pose=Pose(roll=0, yaw=0, pitch=0))
        white = Image.new("RGB", SIZE, "white")

        drawn = draw(analysis(one), white, landmarks=False)

        assert drawn.getpixel((230, 120)) == (255, 70, 70)
        assert drawn.getpixel((200, 150)) == (70, 230, 70)
        assert draw(analysis(one), white, landmarks=False, pose=False).getpixel((230, 120)) == (255, 255, 255)
        assert draw(analysis(attrs.evolve(one, pose=Pose(roll=1))), white).getpixel((230, 120)) == (255, 255, 255)
        small = attrs.evolve(one, bounding_box=BoundingBox(left=0.475, top=0.3, width=0.1, height=0.5))
        assert draw(analysis(small), white, landmarks=False).getpixel((210, 120)) == (255, 255, 255)

    def test_axes_are_smooth(self):
        """A slanted axis has no steps: its rim fades into the picture, and so do its ends."""
        one = attrs.evolve(HAPPY, emotions=None, pose=Pose(roll=30, yaw=0, pitch=0))

        drawn = draw(analysis(one), Image.new("RGB", SIZE, "white"), landmarks=False)

        shades = {shade for _, shade in drawn.crop((205, 90, 295, 145)).getcolors(10_000)}
        assert {(255, 255, 255), (20, 20, 20), (255, 70, 70)} < shades
        assert len(shades) > 20


class TestLabels:
    """Where labels go."""

    def test_groups_have_free_labels(self):
        """In a group of 24 no label hides a face or another label."""
        boxes = [(x, y, x + 50, y + 60) for y in range(60, 800, 200) for x in range(60, 1200, 200)]
        places = []
        for box in boxes:
            label = place_label(["DISGUSTED 100.0%\nFemale, 20-30"], box, (1200, 800), boxes=boxes, labels=places)
            places.append(label.place)

        everything = boxes + places
        apart = [
            a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            for i, a in enumerate(everything)
            for b in everything[i + 1 :]
        ]
        assert all(apart)

    def test_crowded_labels_are_shorter(self):
        """Where there is no room for two lines, one is better than hiding a face."""
        boxes = [(x, 20, x + 40, 60) for x in range(0, 400, 44)]
        label = place_label(["HAPPY 99.0%\nFemale, 20-30", "HAPPY 99.0%"], boxes[3], (400, 75), boxes=boxes, labels=[])

        assert label.text == "HAPPY 99.0%"

    def test_a_hundred_faces_take_no_second(self):
        """All faces that the service gives at most have their labels, each within the picture."""
        faces = [
            attrs.evolve(HAPPY, bounding_box=BoundingBox(left=x / 10, top=y / 10, width=0.08, height=0.08))
            for x in range(10)
            for y in range(10)
        ]
        drawn = draw(analysis(*faces), Image.new("RGB", SIZE))
        assert (np.asarray(drawn) == COLORS["HAPPY"]).all(axis=-1).any()


class TestCrop:
    """A face cut out."""

    def test_box_with_margin(self):
        """The part is the box with its margin, cut at the edges, pixel for pixel."""
        picture = noise()

        assert crop(analysis(HAPPY), HAPPY, picture, margin=0).tobytes() == picture.crop((100, 50, 300, 150)).tobytes()
        assert analysis(HAPPY).crop(HAPPY, picture).tobytes() == picture.crop((60, 30, 340, 170)).tobytes()
        assert crop(analysis(HAPPY), HAPPY, picture, margin=9).size == SIZE

    def test_aligned_eyes_are_level(self):
        """Two dots where the eyes are come to lie on one row of a square."""
        picture = Image.new("RGB", SIZE)
        eyes = [(160, 80), (230, 120)]
        for (x, y), color in zip(eyes, ("red", "lime"), strict=True):
            ImageDraw.Draw(picture).ellipse((x - 4, y - 4, x + 4, y + 4), fill=color)
        kinds = ("eyeLeft", "eyeRight")
        points = [Landmark(type=kind, x=x / 400, y=y / 200) for kind, (x, y) in zip(kinds, eyes, strict=True)]
        one = attrs.evolve(HAPPY, landmarks=Landmarks.of(points))

        cut = np.asarray(crop(analysis(one), one, picture, margin=0, align=True))

        left, right = (np.argwhere(cut[..., channel] > 128).mean(axis=0) for channel in (0, 1))
        assert cut.shape == (200, 200, 3)
        assert left[0] == pytest.approx(right[0], abs=1)
        assert right[1] - left[1] == pytest.approx(math.dist(*eyes), abs=1)

    def test_aligned_by_the_pose(self):
        """Without eyes the roll of the pose turns the face."""
        one = attrs.evolve(HAPPY, pose=Pose(roll=90.0))
        picture = Image.new("RGB", SIZE)
        ImageDraw.Draw(picture).rectangle((200, 0, 399, 199), fill="red")  # the side where the head's top points

        cut = crop(analysis(one), one, picture, margin=0, align=True)

        assert (cut.getpixel((100, 20)), cut.getpixel((100, 180))) == ((255, 0, 0), (0, 0, 0))

    @pytest.mark.parametrize(
        "box", [None, BoundingBox(left=1.2, top=0.1, width=0.1, height=0.1), BoundingBox(left=0.1)]
    )
    def test_nothing_to_cut(self, box):
        """A face without a box in the picture cannot be cut out."""
        one = Face(bounding_box=box)
        with pytest.raises(rekog.InvalidInputError) as caught:
            crop(analysis(one), one, noise())
        assert str(caught.value) == "the face has no box within the picture, so there is nothing to cut out"

    def test_bad_margin(self):
        """A margin is a ratio."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            crop(analysis(HAPPY), HAPPY, noise(), margin=-1)
        assert str(caught.value) == "margin is -1, and should be a ratio of the box of 0 or more"


class TestSheet:
    """A sheet of faces."""

    def test_cells(self):
        """A sheet has a cell a face, rows of so many columns, and the colours of the emotions below."""
        sheet = contact_sheet([(analysis(HAPPY, HAPPY), noise()), (analysis(HAPPY), noise())], columns=2, side=100)

        empty = contact_sheet([], columns=2, side=100)
        assert sheet.width == 2 * 108 + 8
        assert sheet.height - 8 == 2 * (empty.height - 8)
        assert sheet.getpixel((8 + 95, empty.height - 10)) == COLORS["HAPPY"]
        assert empty.getcolors() == [(empty.width * empty.height, (250, 250, 250))]

    @pytest.mark.parametrize(
        "options",
        [{"columns": 0}, {"columns": float("inf")}, {"columns": "6"}, {"side": 1}, {"side": 99.5}, {"theme": "blue"}],
    )
    def test_bad_options(self, options):
        """What makes no sheet is refused."""
        with pytest.raises(
            rekog.InvalidInputError, match=r"^a contact sheet needs columns >= 1, side >= 16, and theme"
        ):
            contact_sheet([], **options)


class TestChart:
    """The emotions of a face."""

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_bars(self, theme):
        """The surest emotion is on top, with the longest bar; numbers beyond 100 end there."""
        emotions = tuple(Emotion(type=kind, confidence=value) for kind, value in (("SAD", 40.0), ("HAPPY", 140.0)))
        chart = np.asarray(emotion_chart(Face(emotions=emotions), theme=theme))

        rows, columns = np.nonzero((chart == COLORS["HAPPY"]).all(axis=-1))
        lower, shorter = np.nonzero((chart == COLORS["SAD"]).all(axis=-1))
        assert rows.max() < lower.min()
        assert np.ptp(shorter) / np.ptp(columns) == pytest.approx(0.4, abs=0.02)
        assert columns.max() < chart.shape[1] * 0.85

    def test_none(self):
        """A face without emotions has a chart that says so, in letters."""
        assert len(emotion_chart(Face()).getcolors()) > 1

    @pytest.mark.parametrize("options", [{"width": 10}, {"theme": "blue"}])
    def test_bad_options(self, options):
        """What makes no chart is refused."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            emotion_chart(Face(), **options)
        assert str(caught.value) == "an emotion chart needs width >= 160 and theme 'light' or 'dark'"


class TestPrivacy:
    """Faces made unrecognisable."""

    @pytest.mark.parametrize("method", METHODS)
    def test_what_is_left(self, method):
        """The face with its margin keeps four blocks a side at most; everything else stays as it was."""
        picture = noise()

        hidden = analysis(HAPPY).blur(picture, method=method)

        before, after = np.asarray(picture).astype(float), np.asarray(hidden).astype(float)
        changed = np.argwhere((before != after).any(axis=-1))
        assert changed.min(axis=0).tolist() == [50 - 16, 100 - 31]
        assert changed.max(axis=0).tolist() == [150 + 15, 300 + 30]
        assert after[60:140, 110:290].std() < before.std() / 5
        if method == "pixelate":
            assert len(np.unique(after[34:166, 69:331].reshape(-1, 3), axis=0)) <= 16

    @pytest.mark.parametrize("method", METHODS)
    def test_sharpening_brings_nothing_back(self, method):
        """Two pictures that differ within the blocks alone give the same result: the detail is gone."""
        picture = np.full((400, 400, 3), 100, np.uint8)
        other = picture.copy()
        other[::2, ::2], other[1::2, 1::2] = 110, 90
        one = Face(bounding_box=BoundingBox(left=-0.1, top=-0.1, width=1.2, height=1.2))

        hidden = [blur(ImageAnalysis(faces=(one,)), Image.fromarray(it), method=method) for it in (picture, other)]

        difference = np.asarray(hidden[0]).astype(int) - np.asarray(hidden[1])
        assert np.abs(difference).max() <= 2

    def test_nothing_of_the_file_stays(self, tmp_path):
        """A copy has no metadata, where a thumbnail may show the original."""
        exif = Image.Exif()
        exif[0x010E] = "who it is"
        noise().save(tmp_path / "photo.jpg", exif=exif)

        analysis(HAPPY, source=str(tmp_path / "photo.jpg")).blur().save(tmp_path / "copy.jpg")

        with Image.open(tmp_path / "copy.jpg") as copy:
            assert dict(copy.getexif()) == {}

    def test_faces_out_of_the_picture(self):
        """A face beyond the edge, or without a box, changes nothing."""
        outside = Face(bounding_box=BoundingBox(left=2, top=2, width=0.1, height=0.1))
        picture = noise()
        assert blur(analysis(outside, Face()), picture).tobytes() == picture.tobytes()

    def test_no_such_method(self):
        """A method that is not there is refused."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            blur(analysis(), noise(), method="smear")
        assert str(caught.value) == "there is no method 'smear': use one of blur, pixelate, fill"


@pytest.mark.parametrize(("theme", "paper"), [("light", (250, 250, 250)), ("dark", (30, 30, 34))])
def test_beyond_a_picture_a_sheet_shows_its_paper(theme, paper):
    """A turned face near an edge has corners that no picture has: they are not black, as in a crop."""
    corner = Face(bounding_box=BoundingBox(left=0.0, top=0.0, width=0.2, height=0.2), pose=Pose(roll=30.0))
    red = Image.new("RGB", (200, 200), "red")
    photo = ImageAnalysis(faces=(corner,), size=red.size)

    sheet = contact_sheet((photo, red), theme=theme, side=100)

    colors = {color for _, color in sheet.crop((8, 8, 108, 108)).getcolors(10_000)}
    assert (0, 0, 0) not in colors
    assert {paper, (255, 0, 0)} <= colors
    assert crop(photo, corner, red, align=True).getpixel((0, 0)) == (0, 0, 0)
