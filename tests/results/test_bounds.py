"""Pictures of faces are bounded, whatever the answer says of the faces and the caller of the margins."""

import math

import pytest
from attrs import evolve
from PIL import Image

from rekog_emotion import BoundingBox, Emotion, Face, ImageAnalysis, InvalidInputError, Landmark, Landmarks, Pose
from rekog_emotion.results.charts import emotion_chart
from rekog_emotion.results.crops import contact_sheet
from rekog_emotion.results.frames import _cut
from rekog_emotion.values.bars import face_html

PICTURE = Image.new("RGB", (160, 120), (200, 180, 160))
FACE = Face(bounding_box=BoundingBox(left=0.4, top=0.4, width=0.2, height=0.2), pose=Pose(roll=30.0))


def analysis(*faces):
    """Return an analysis of the picture."""
    return ImageAnalysis(faces=faces, size=PICTURE.size)


@pytest.mark.parametrize("margin", [30.0, 5000.0, 1e308], ids=str)
def test_margin(margin):
    """A margin of thousands takes all of the picture, and no more than three times its longer side of black."""
    photo = analysis(FACE)

    assert photo.crop(FACE, PICTURE, margin=margin).size == PICTURE.size
    aligned = photo.crop(FACE, PICTURE, margin=margin, align=True)
    assert aligned.size == (480, 480)
    # All of it is there, turned: as many pixels as the picture has, within what the turned edges cost.
    assert sum(aligned.convert("L").point(lambda value: value > 90).histogram()[1:]) == pytest.approx(
        160 * 120, rel=0.02
    )


@pytest.mark.parametrize(
    ("margin", "shown"),
    [(-1, "-1"), (-0.5, "-0.5"), (math.nan, "nan"), (math.inf, "inf"), (10**400, "inf"), (-(10**400), "-inf")],
    ids=["-1", "-0.5", "nan", "inf", "10**400", "-10**400"],
)
def test_no_margin(margin, shown):
    """What is no margin is refused by name."""
    with pytest.raises(InvalidInputError) as caught:
        analysis(FACE).crop(FACE, PICTURE, margin=margin)
    assert str(caught.value) == f"margin is {shown}, and should be a ratio of the box of 0 or more"


@pytest.mark.parametrize("width", [1e308, 10**400], ids=["1e308", "10**400"])
def test_width(width):
    """A line that is wider than all pictures covers this one."""
    drawn = analysis(FACE).draw(PICTURE, width=width)

    assert drawn.getpixel((80, 30)) != PICTURE.getpixel((80, 30))


def test_usual_margins_are_as_they_were():
    """A square is as wide as the box with its margins."""
    assert analysis(FACE).crop(FACE, PICTURE, margin=0.5, align=True).size == (64, 64)


@pytest.mark.parametrize("side", ["left", "top", "width", "height"])
@pytest.mark.parametrize("value", [50.0, 1e5, 1e9, 1e300, 10**400, -1e9, 1e-320, math.nan, math.inf], ids=str)
def test_boxes(side, value):
    """A box beyond any picture is cut, refused, or taken as all of it."""
    face = evolve(FACE, bounding_box=evolve(FACE.bounding_box, **{side: value}))
    photo = analysis(face)
    for make in (
        lambda: photo.crop(face, PICTURE),
        lambda: photo.crop(face, PICTURE, align=True),
        lambda: contact_sheet([(photo, PICTURE)]),
        lambda: _cut(PICTURE, face, 64),
    ):
        try:
            made = make()
        except InvalidInputError:
            continue
        assert max(made.size) <= 3 * 160


@pytest.mark.parametrize("odd", [math.nan, math.inf, 1e308, 10**400, -(10**400)], ids=range(5))
def test_tilts(odd):
    """An angle or an eye that is nowhere turns nothing."""
    straight = analysis(FACE).crop(evolve(FACE, pose=None), PICTURE, align=True)
    eyes = Landmarks.of([Landmark(type="eyeLeft", x=0.4, y=odd), Landmark(type="eyeRight", x=0.6, y=-odd)])

    if abs(odd) != 1e308:
        rolled = evolve(FACE, pose=Pose(roll=odd))
        assert analysis(FACE).crop(rolled, PICTURE, align=True).tobytes() == straight.tobytes()
    assert analysis(FACE).crop(evolve(FACE, landmarks=eyes), PICTURE, align=True).size == straight.size


def test_sheets():
    """A sheet that would fill the memory is refused before any face is cut out."""
    crowd = analysis(*[FACE] * 1000)

    with pytest.raises(InvalidInputError) as caught:
        contact_sheet([(crowd, PICTURE)], side=1000)
    assert str(caught.value) == "the sheet has 1000 faces of 1000 x 1000 pixels, too many: make side smaller"
    with pytest.raises(InvalidInputError) as caught:
        contact_sheet([(crowd, PICTURE)], side=10**9)
    assert str(caught.value) == "side is 1000000000, and a face of a contact sheet is 4000 pixels wide at most"
    with pytest.raises(InvalidInputError, match=r"^a contact sheet needs columns >= 1, side >= 16, "):
        contact_sheet([(crowd, PICTURE)], side=math.nan)
    assert contact_sheet([(crowd, PICTURE)], side=16, columns=10**9).width == 24_008


def test_charts():
    """A chart has a hundred bars at most, and none wider than a page."""
    face = Face(emotions=tuple(Emotion(type="x" * 10_000, confidence=value) for value in [math.nan, 10**400] * 500))

    assert emotion_chart(face, width=160).size == (160, 11 * 100 + 5)
    with pytest.raises(InvalidInputError) as caught:
        emotion_chart(face, width=10**9)
    assert str(caught.value) == "width is 1000000000, and an emotion chart is 10000 pixels wide at most"


def test_drawings():
    """Of a crowd that no service gives, all get a box, and 200 the rest; of landmarks without end 500 are drawn."""
    crowd = [evolve(FACE, emotions=(Emotion(type="HAPPY", confidence=90.0),))] * 3000
    points = [Landmark(type="nose", x=0.1, y=0.1)] * 500
    few, many = (
        evolve(FACE, landmarks=Landmarks.of([*points, *more]))
        for more in ([], [Landmark(type="nose", x=0.9, y=0.9)] * 100_000)
    )

    assert analysis(*crowd).draw(PICTURE).tobytes() == analysis(*crowd[:200]).draw(PICTURE).tobytes()
    assert analysis(many).draw(PICTURE).tobytes() == analysis(few).draw(PICTURE).tobytes()


def test_bars():
    """A notebook shows fifty bars of a face at most."""
    face = Face(emotions=(Emotion(type="HAPPY", confidence=90.0),) * 10_000)

    assert face_html(face).count("HAPPY") == 50
