"""How drawings follow the faces, and what the caller can choose of them."""

import math

import attrs
import numpy as np
import pytest
from PIL import Image, ImageChops

import rekog_emotion as rekog
from rekog_emotion import AgeRange, BoundingBox, Emotion, Face, Gender, ImageAnalysis
from rekog_emotion.results._labels import _fitted, place_label
from rekog_emotion.values.palette import COLORS
from tests.embedded.clips import numbered, write_clip

LABEL = ["HAPPY 95.4%\nFemale, 19-43", "HAPPY 95.4%"]
HAPPY = COLORS["HAPPY"]


def face(left, top, side, size, *, confidence=99.0):
    """Give a face of so many pixels in a picture."""
    return Face(
        bounding_box=BoundingBox(left=left / size[0], top=top / size[1], width=side / size[0], height=side / size[1]),
        confidence=confidence,
        emotions=(Emotion(type="HAPPY", confidence=95.4),),
        gender=Gender(value="Female", confidence=99.0),
        age_range=AgeRange(low=19, high=43),
    )


def drawn(size, *faces, **options):
    """Draw on a white picture."""
    return ImageAnalysis(faces=faces, size=size).draw(Image.new("RGB", size, "white"), **options)


def hidden(place, boxes):
    """Return how many pixels of faces a label hides."""
    return sum(
        max(0, min(place[2], box[2]) - max(place[0], box[0])) * max(0, min(place[3], box[3]) - max(place[1], box[1]))
        for box in boxes
    )


class TestSizes:
    """Lines and letters."""

    def test_a_face_looks_the_same_in_every_picture(self):
        """What is drawn of a face of 250 pixels depends on no more than the face: of 900 pixels or of 24 megapixels."""
        cuts = []
        for size in ((900, 900), (1200, 1000), (6000, 4000)):
            picture = drawn(size, face(300, 300, 250, size))
            cuts.append(picture.crop((200, 150, 700, 600)))

        assert cuts[0].tobytes() == cuts[1].tobytes() == cuts[2].tobytes()

    @pytest.mark.parametrize("side", [40, 250, 1000, 3000])
    def test_lines_and_letters_follow_the_face(self, side):
        """In 24 megapixels a label is readable, not much wider than the face, and off it; lines leave the face free."""
        size = (6000, 4000)
        one = face(1000, 900, side, size)
        picture = drawn(size, one)
        box = one.bounding_box.to_pixels(size)

        inside = np.asarray(picture.crop(box))
        assert (inside == 255).all(axis=2).mean() >= 0.8
        without = drawn(size, one, labels=False)
        left, top, right, bottom = ImageChops.difference(picture, without).getbbox()
        assert hidden((left, top, right, bottom), [box]) == 0
        assert right - left < max(2 * side, 120)
        letters = (bottom - top) / 2.5
        assert letters >= 9
        assert letters == pytest.approx(max(side / 6, 12), rel=0.25) or letters == pytest.approx(4000 / 20, rel=0.25)

    @pytest.mark.parametrize(("width", "expected"), [(None, 4), (1, 1), (7.4, 7), (20, 20), (10**9, 400)])
    def test_width(self, width, expected):
        """The lines of boxes are as wide as is asked for, and no wider than the picture."""
        size = (500, 400)
        picture = drawn(size, face(100, 30, 300, size), labels=False, width=width)

        row = [picture.getpixel((x, 180)) == HAPPY for x in range(100, 250)]
        assert (row.index(False) if False in row else 150) == min(expected, 150)


class TestRoom:
    """Where there is room for labels."""

    def test_no_face_is_hidden_where_there_is_room_elsewhere(self):
        """Of a wall of faces without any gap the labels are beside the wall, all whole, with lines that lead there."""
        boxes = [(x, y, x + 80, y + 100) for y in range(0, 500, 100) for x in range(0, 800, 80)]
        places = []
        for box in boxes:
            label = place_label(LABEL, box, (1600, 500), boxes=boxes, labels=places)
            assert hidden(label.place, [*boxes, *places]) == 0
            assert 0 <= label.place[0] < label.place[2] <= 1600
            assert 0 <= label.place[1] < label.place[3] <= 500
            places.append(label.place)
            x, y, *end = label.leader or (box[0], box[1], label.place[0], label.place[1])
            assert box[0] <= x <= box[2]
            assert box[1] <= y <= box[3]
            assert label.place[0] <= end[0] <= label.place[2]
        assert len(places) == 50

    @pytest.mark.parametrize("corner", [(0, 0), (500, 0), (0, 460), (500, 460), (230, 250)])
    @pytest.mark.parametrize("scale", [1, 7])
    def test_the_only_room_is_found(self, corner, scale):
        """However far it is from the face, in small pictures and in large ones."""
        size = (600 * scale, 500 * scale)
        left, top = (one * scale for one in corner)
        hole = left, top, left + 100 * scale, top + 40 * scale
        taken = [
            (0, 0, size[0], hole[1]),
            (0, hole[3], size[0], size[1]),
            (0, hole[1], hole[0], hole[3]),
            (hole[2], hole[1], size[0], hole[3]),
        ]
        box = (300 * scale, 150 * scale, 330 * scale, 180 * scale)

        label = place_label(LABEL, box, size, boxes=[*taken, box], labels=[])

        assert hidden(label.place, taken) == 0

    def test_no_room_at_all(self):
        """One that finds none hides as little as it can, and what found none is not looked for again."""
        without_room = []
        everything = (0, 0, 400, 300)

        for _ in range(2):
            label = place_label(
                LABEL, (50, 50, 150, 150), (400, 300), boxes=[everything], labels=[], without_room=without_room
            )

        assert label.leader is None
        assert label.text == LABEL[1]
        assert len(without_room) == 2  # a size a text

    def test_leader_is_drawn(self):
        """A line of the face's colour leads from the face to the label."""
        size = (900, 300)
        faces = [face(x, y, 100, size) for x in range(0, 600, 100) for y in range(0, 300, 100)]

        picture = drawn(size, *faces, landmarks=False, pose=False)

        beside = np.asarray(picture.crop((610, 0, 900, 300)))
        assert (beside == HAPPY).all(axis=2).any()
        with_box = drawn(size, *faces, landmarks=False, pose=False, labels=False)
        changed = np.asarray(ImageChops.difference(picture, with_box).convert("L").crop((0, 0, 600, 300))) > 0
        assert changed.any()  # lines, as thin as one pixel
        assert changed.mean() < 0.06


class TestLabels:
    """Texts of the caller."""

    def test_function(self):
        """It is asked for each face that is drawn; None and nothing but spaces are no label."""
        size = (400, 300)
        faces = [face(20 + 120 * k, 100, 80, size, confidence=90.0 + k) for k in range(3)]
        asked = []

        def text(one):
            asked.append(one)
            return {90.0: "first", 91.0: None, 92.0: " \n"}[one.confidence]

        picture = drawn(size, *faces, labels=text)

        assert asked == faces
        bare = drawn(size, *faces, labels=False)
        left, _, right, _ = ImageChops.difference(picture, bare).getbbox()
        assert 0 <= left < right < 140

    @pytest.mark.parametrize(
        "text", ["x" * 5000, "\n".join("abcdefgh" * 9), "a\x1b[31mb", "한국어 \U0001f600", "\t\x00"]
    )
    @pytest.mark.parametrize("size", [(80, 80), (90, 600), (600, 90)])
    def test_any_text_stays_in_the_picture(self, text, size):
        """Where it is too large for the smallest letters, it is cut; what a terminal would obey is spelled."""
        shown, letters, ink = _fitted(text.replace("\x1b", "\\x1b"), 30.0, size)

        assert ink[2] - ink[0] + letters / 2 <= size[0]
        assert ink[3] - ink[1] + letters / 2 <= size[1]
        assert shown
        assert drawn(size, face(20, 20, 40, size), labels=lambda _: text).size == size

    def test_anything_else_is_refused(self):
        """Before a picture with half of the labels is given."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            drawn((400, 300), face(100, 100, 80, (400, 300)), labels=lambda one: one.confidence)

        assert str(caught.value) == "labels= gave float for a face: let it return a text, or None for no label"

    @pytest.mark.parametrize("labels", ["name", ["name"], None, 1, {}], ids=repr)
    def test_what_is_no_choice_of_labels(self, labels):
        """A list of names, say, is not taken for a wish for the usual labels."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            drawn((400, 300), labels=labels)

        told = "name" if labels == "name" else repr(labels)
        assert str(caught.value).startswith("labels is ")
        assert told in str(caught.value)
        assert str(caught.value).endswith(": pass True, False, or a function of a face that gives what its label says")


class TestColors:
    """Colours of the caller."""

    @pytest.mark.parametrize(
        ("color", "expected"),
        [("navy", (0, 0, 128)), ("#ff8800", (255, 136, 0)), ((1, 2, 3), (1, 2, 3)), ("rgba(9,8,7,6)", (9, 8, 7))],
    )
    def test_color(self, color, expected):
        """Box and label have it, and letters are light on a dark one."""
        size = (400, 300)
        picture = drawn(size, face(100, 150, 100, size), color=color)

        assert picture.getpixel((100, 200)) == expected
        shades = {shade for _, shade in picture.crop((100, 90, 250, 146)).getcolors(50_000)}
        assert ((250, 250, 250) in shades) == (sum(expected) < 200)

    @pytest.mark.parametrize("color", ["bluish", (1, 2), (1, 2, 256), (1.0, 2, 3), (True, 0, 0), 7])
    def test_unknown(self, color):
        """It is told what a colour is."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            drawn((400, 300), color=color)

        assert str(caught.value) == (
            f"color is {color}: pass a name as CSS has it, '#rrggbb', or red, green and blue of 0 to 255"
        )


class TestConfidence:
    """Faces that are less sure."""

    def test_they_are_left_out(self):
        """Those below are not drawn, nor is room kept for them; one of which it is not known is drawn."""
        size = (600, 300)
        sure, unsure = face(50, 100, 80, size), face(250, 100, 80, size, confidence=50.0)
        unknown = face(450, 100, 80, size, confidence=None)

        assert drawn(size, sure, unsure, unknown, min_confidence=50.1).tobytes() == drawn(size, sure, unknown).tobytes()
        assert (
            drawn(size, sure, unsure, min_confidence=50).tobytes()
            == drawn(size, sure, attrs.evolve(unsure, confidence=99.0)).tobytes()
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"min_confidence": 101}, "min_confidence is 101, and has to be a confidence of 0 to 100"),
            ({"min_confidence": math.nan}, "min_confidence is nan, and has to be a confidence of 0 to 100"),
            ({"min_confidence": "90"}, "min_confidence is '90', and has to be a confidence of 0 to 100"),
            ({"min_confidence": None}, "min_confidence is None, and has to be a confidence of 0 to 100"),
            ({"width": 0}, "width is 0, and has to be a number of pixels from 1 on"),
            ({"width": True}, "width is True, and has to be a number of pixels from 1 on"),
            ({"width": math.nan}, "width is nan, and has to be a number of pixels from 1 on"),
        ],
    )
    def test_numbers_are_looked_at(self, options, message, tmp_path):
        """Before anything is drawn, on pictures and on videos alike."""
        clip = rekog.VideoAnalysis(source=str(write_clip(tmp_path / "clip.mp4", numbered(3, (128, 96)))))
        for make in (lambda: drawn((400, 300), **options), lambda: clip.annotate(tmp_path / "copy.mp4", **options)):
            with pytest.raises(rekog.InvalidInputError) as caught:
                make()
            assert str(caught.value) == message
        assert not (tmp_path / "copy.mp4").exists()


def test_videos_take_the_same_options(tmp_path):
    """A copy has the colour, the lines and the labels that are asked for."""
    source = write_clip(tmp_path / "clip.mp4", [np.full((96, 128, 3), 255, np.uint8)] * 10)
    one = face(40, 40, 48, (128, 96))
    clip = rekog.VideoAnalysis(faces=(rekog.TimedFace(timestamp_ms=0, face=one),), source=str(source))

    clip.annotate(tmp_path / "copy.mp4", color="#0000ff", width=6, labels=lambda _: "me", min_confidence=50)

    ((_, frame),) = clip.frames_at([0], video=tmp_path / "copy.mp4")
    red, green, blue = frame.getpixel((43, 64))
    assert blue > 200
    assert max(red, green) < 80
    clip.annotate(tmp_path / "bare.mp4", min_confidence=99.5)
    ((_, frame),) = clip.frames_at([0], video=tmp_path / "bare.mp4")
    assert min(low for low, _ in frame.getextrema()) > 250


@pytest.mark.parametrize("size", [(80, 80), (80, 100), (120, 90), (160, 80), (200, 80)])
@pytest.mark.parametrize("labels", [True, lambda _face: "first\nsecond\nthird"])
def test_a_label_leaves_a_tiny_picture(size, labels):
    """It takes an eighth of it at most, in letters that can be read, and says its first line rather than nothing."""
    blank = Image.new("RGB", size, "white")
    analysis = ImageAnalysis(faces=(face(10, 10, 16, size),), size=size)

    with_label, without = (analysis.draw(blank, labels=one) for one in (labels, False))

    box = ImageChops.difference(with_label, without).getbbox()
    width, height = box[2] - box[0], box[3] - box[1]
    assert width * height <= size[0] * size[1] / 8
    assert height >= 12


@pytest.mark.parametrize(("side", "lines"), [(80, 1), (150, 2), (400, 2)])
def test_a_small_picture_has_room_for_all(side, lines):
    """Nothing is left out but in a tiny one."""
    label = place_label(LABEL, (20, 20, 36, 36), (side, side), boxes=[], labels=[])

    assert len(label.text.splitlines()) == lines
