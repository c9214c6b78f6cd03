"""Detections, tried with the package itself where it is installed."""

import subprocess
import sys
import warnings

import attrs
import pytest

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Emotion, EmotionType, Face, ImageAnalysis, TimedFace
from tests.pictures import PORTRAIT
from tests.results.people import at, face, video


@pytest.fixture
def sv():
    """Give the package, which says on import what it does without OpenCV."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("supervision")


BOX = BoundingBox(left=0.1, top=0.2, width=0.25, height=0.5)
SURE = Face(
    bounding_box=BOX,
    confidence=99.5,
    emotions=(Emotion(type="SAD", confidence=20.0), Emotion(type="CALM", confidence=70.0)),
)


def test_photo(sv):
    """Corners are pixels, confidences 0 to 1, and each face that has a box is there."""
    odd = Face(bounding_box=BoundingBox(left=-0.1, top=0.0, width=0.2, height=0.2), emotions=(Emotion(type="BORED"),))
    placeless = (Face(), Face(bounding_box=BoundingBox(left=0.1, top=0.2, width=float("nan"), height=0.5)))
    photo = ImageAnalysis(faces=(*placeless, SURE, odd), size=(400, 200), source="photo.jpg")

    found = photo.to_supervision()

    assert isinstance(found, sv.Detections)
    assert found.xyxy.tolist() == [pytest.approx([40, 40, 140, 140]), pytest.approx([-40, 0, 40, 40])]
    assert found.confidence.tolist() == [pytest.approx(0.995), pytest.approx(float("nan"), nan_ok=True)]
    assert found.class_id.tolist() == [list(EmotionType).index("CALM"), list(EmotionType).index("UNKNOWN")]
    assert found["class_name"].tolist() == ["CALM", "UNKNOWN"]
    assert found["emotion_confidence"].tolist() == [pytest.approx(0.7), pytest.approx(float("nan"), nan_ok=True)]
    assert found["face"].tolist() == [2, 3]
    assert found.tracker_id is None
    assert found.metadata == {"source": "photo.jpg"}


def test_filters_and_annotators_take_them(sv):
    """The package selects by them and draws them."""
    photo = rekog.detect_image(PORTRAIT, client="embedded")
    found = photo.to_supervision()

    assert len(found[found["class_name"] == "HAPPY"]) == 1
    assert len(found[found.confidence < 0.5]) == 0
    scene = rekog.ImageAnalysis().draw(PORTRAIT)
    drawn = sv.BoxAnnotator().annotate(scene.copy(), found)
    assert drawn.tobytes() != scene.tobytes()
    merged = sv.Detections.merge([found, photo.to_supervision()])
    assert len(merged) == 2


@pytest.mark.usefixtures("sv")
def test_no_faces():
    """There are none, and that is no error."""
    assert len(ImageAnalysis(size=(80, 80)).to_supervision()) == 0
    assert video().to_supervision(size=(80, 80)) == {}


def test_video(sv):
    """Each sample has its faces, and people keep their id from one to the next."""
    left, right = face(0.2, emotions={"HAPPY": 90.0}), face(0.8, emotions={"SAD": 90.0})
    clip = video(at(0, left), at(0, right), at(0.5, right), at(0.5, left), TimedFace(face=left), at(1.0, Face()))
    metadata = rekog.VideoMetadata(frame_width=100, frame_height=100)

    found = attrs.evolve(clip, metadata=metadata, source="clip.mp4").to_supervision()

    assert [(time, one.tracker_id.tolist(), one["face"].tolist()) for time, one in list(found.items())[:2]] == [
        (0, [1, 2], [0, 1]),
        (500, [2, 1], [2, 3]),
    ]
    assert len(found[1000]) == 0
    assert found[500].metadata == {"source": "clip.mp4", "timestamp_ms": 500}
    assert isinstance(found[0], sv.Detections)


@pytest.mark.usefixtures("sv")
def test_size_is_needed():
    """Ratios are no pixels."""
    photo = ImageAnalysis(faces=(SURE,))
    with pytest.raises(rekog.InvalidInputError) as caught:
        photo.to_supervision()

    assert str(caught.value) == (
        "the picture's size is not known, as it is in S3: pass its width and height as a viewer shows it"
    )
    assert photo.to_supervision(size=(10, 10)).xyxy.shape == (1, 4)


def test_without_the_package():
    """The error says how to get it."""
    program = (
        "import sys; sys.modules['supervision'] = None\n"
        "import rekog_emotion as rekog\n"
        "for one in (rekog.ImageAnalysis(), rekog.VideoAnalysis()):\n"
        "    try: one.to_supervision()\n"
        "    except rekog.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    message = "to_supervision() needs the 'supervision' extra: pip install 'rekog-emotion[supervision]'\n"
    assert done.stdout == message * 2
