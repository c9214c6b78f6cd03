"""Which faces are reliable, and why others are not."""

import math
import pickle

import attrs
import pytest

import rekog_emotion as rekog
from rekog_emotion import Attribute, BoundingBox, Face, ImageAnalysis, Pose, Quality, TimedFace, VideoAnalysis
from rekog_emotion.results.reliable import LeftOut

SIZE = (1000, 800)
GOOD = Face(
    bounding_box=BoundingBox(left=0.1, top=0.1, width=0.1, height=0.2),
    confidence=99.0,
    pose=Pose(roll=80.0, yaw=10.0, pitch=-10.0),
    quality=Quality(brightness=70.0, sharpness=80.0),
)
FLAT = attrs.evolve(GOOD, quality=Quality(brightness=70.0, sharpness=4.94))


def small(width, height):
    """Give the face in another size, in pixels."""
    box = BoundingBox(left=0.1, top=0.1, width=width / SIZE[0], height=height / SIZE[1])
    return attrs.evolve(GOOD, bounding_box=box)


def reasons(face, *, size=SIZE, **options):
    """Return why a face of a photo is left out."""
    photo = ImageAnalysis(faces=(face,), size=size).reliable(**options)
    assert len(photo.faces) + len(photo.left_out) == 1
    return [reason for one in photo.left_out for reason in one.reasons]


@pytest.mark.parametrize(
    ("face", "options", "expected"),
    [
        (GOOD, {}, []),
        (Face(), {}, []),
        (FLAT, {}, ["sharpness 4.9, below 5"]),
        (FLAT, {"min_sharpness": None}, []),
        (GOOD, {"min_sharpness": 80}, []),
        (GOOD, {"min_sharpness": 80.5}, ["sharpness 80.0, below 80.5"]),
        (GOOD, {"min_brightness": 71}, ["brightness 70.0, below 71"]),
        (GOOD, {"min_confidence": 99.5}, ["confidence 99.0, below 99.5"]),
        (attrs.evolve(GOOD, pose=Pose(yaw=-45.1, pitch=31.0)), {}, [
            "yaw -45.1, beyond 45 degrees",
            "pitch 31.0, beyond 30 degrees",
        ]),
        (attrs.evolve(GOOD, pose=Pose(yaw=45.0, pitch=-30.0)), {}, []),
        (attrs.evolve(GOOD, pose=Pose(yaw=-170.0)), {"max_yaw": None}, []),
        (GOOD, {"max_yaw": 5, "max_pitch": 5}, ["yaw 10.0, beyond 5 degrees", "pitch -10.0, beyond 5 degrees"]),
        (small(49, 90), {}, ["49 pixels, smaller than 50"]),
        (small(50, 50), {}, []),
        (small(90, 49), {"min_size": 200}, ["49 pixels, smaller than 200"]),
        (attrs.evolve(GOOD, face_occluded=Attribute(value=True)), {}, []),
        (attrs.evolve(GOOD, face_occluded=Attribute(value=True)), {"covered": False}, ["covered"]),
        (attrs.evolve(GOOD, face_occluded=Attribute(value=False)), {"covered": False}, []),
        (attrs.evolve(GOOD, quality=Quality(sharpness=math.nan), pose=Pose(yaw=math.nan)), {}, []),
        (attrs.evolve(GOOD, bounding_box=BoundingBox(left=0.1, width=0.001)), {}, []),
        (attrs.evolve(GOOD, bounding_box=BoundingBox(left=0.1, top=math.inf, width=0.01, height=0.01)), {}, []),
    ],
)  # fmt: skip
def test_each_reason(face, options, expected):
    """What is beyond a limit is told with the limit; what is not known, or not asked, leaves no face out."""
    assert reasons(face, **options) == expected


def test_size_that_is_not_known():
    """Of a photo in S3 nobody can tell how many pixels a face has."""
    assert reasons(small(10, 10), size=None) == []


def test_photo():
    """The analysis stays, and the new one has the rest of it, those that were left out, and where they stood."""
    tiny = small(10, 10)
    photo = ImageAnalysis(faces=(FLAT, GOOD, tiny), size=SIZE, source="photo.jpg", engine="aws")

    reliable = photo.reliable()

    assert photo.faces == (FLAT, GOOD, tiny)
    assert (photo.left_out, reliable.source, reliable.engine, reliable.size) == ((), "photo.jpg", "aws", SIZE)
    assert reliable.faces == (GOOD,)
    assert reliable.left_out == (
        LeftOut(face=FLAT, position=0, reasons=("sharpness 4.9, below 5",)),
        LeftOut(face=tiny, position=2, reasons=("10 pixels, smaller than 50",)),
    )
    assert reliable.left_out[0].reason == "sharpness 4.9, below 5"
    assert reliable == ImageAnalysis(faces=(GOOD,), size=SIZE)
    assert ImageAnalysis.from_json(reliable.to_json()) == reliable
    assert pickle.loads(pickle.dumps(reliable)).left_out == reliable.left_out  # noqa: S301 -- our own


def test_video_and_again():
    """Times stay with their faces; who asks for more later keeps what was left out before."""
    faces = tuple(TimedFace(timestamp_ms=500 * k, face=one) for k, one in enumerate((GOOD, FLAT, None, small(90, 60))))
    metadata = rekog.VideoMetadata(frame_width=SIZE[0], frame_height=SIZE[1])
    clip = VideoAnalysis(faces=faces, metadata=metadata, job_id="job")

    once = clip.reliable()
    twice = once.reliable(min_size=61)

    assert once.faces == (faces[0], faces[2], faces[3])
    assert twice.faces == (faces[0], faces[2])
    assert [(one.face.timestamp_ms, one.position, one.reason) for one in twice.left_out] == [
        (500, 1, "sharpness 4.9, below 5"),
        (1500, 2, "60 pixels, smaller than 61"),
    ]
    assert (twice.job_id, len(twice.tracks())) == ("job", 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_sharpness": -1}, "min_sharpness is -1"),
        ({"max_yaw": math.nan}, "max_yaw is nan"),
        ({"min_size": "50"}, "min_size is '50'"),
        ({"max_pitch": True}, "max_pitch is True"),
    ],
)
def test_limits_are_looked_at(options, said):
    """What is no number from 0 on cannot be meant."""
    for analysis in (ImageAnalysis(), VideoAnalysis()):
        with pytest.raises(rekog.InvalidInputError) as caught:
            analysis.reliable(**options)
        assert str(caught.value) == f"{said}, and has to be a number from 0 on, or None to leave no face out by it"
