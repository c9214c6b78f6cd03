import copy

import pytest

from rekog_emotion.values.faces import AgeRange, Attribute, BoundingBox, Face, Gender
from rekog_emotion.values.landmarks import Landmark
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.values.videos import TimedFace, Video, VideoMetadata
from rekog_emotion.wire.binding import UnusualError
from rekog_emotion.wire.compiled import compile_reader
from rekog_emotion.wire.kinds import members
from rekog_emotion.wire.reading import read_members

METADATA = {
    "Codec": "h264",
    "DurationMillis": 2100,
    "Format": "QuickTime / MOV",
    "FrameRate": 29.97,
    "FrameHeight": 480,
    "FrameWidth": 640,
    "ColorRange": "LIMITED",
}
WHOLE = {
    AgeRange: {"Low": 38, "High": 48},
    Attribute: {"Value": True, "Confidence": 98.5},
    BoundingBox: {"Width": 0.25, "Height": 0.5, "Left": 0.125, "Top": 0.0625},
    Gender: {"Value": "Female", "Confidence": 95},
    Landmark: {"Type": "nose", "X": 0.5, "Y": 0.25},
    VideoMetadata: METADATA,
    S3Object: {"Bucket": "clips", "Name": "a.mp4", "Version": "v1"},
    Video: {"S3Object": {"Bucket": "clips", "Name": "a.mp4", "Version": "v1"}},
    TimedFace: {"Timestamp": 500, "Face": {"Smile": {"Value": True, "Confidence": 98.5}, "Confidence": 99.5}},
}
each = pytest.mark.parametrize("shape", WHOLE, ids=[shape.__name__ for shape in WHOLE])


@each
def test_what_the_service_sends_is_read_fast(shape):
    """A dict with all members gives what the careful reader gives, whatever their order, and nothing extra."""
    wire = WHOLE[shape]
    for given in (wire, dict(reversed(wire.items()))):
        value = compile_reader(shape)(given)

        assert value == shape(**read_members(shape, given))
        assert value.extra == {}


@each
def test_an_unknown_member_is_left_to_the_careful_reader(shape):
    """So are a word where a number has to be, and a null."""
    plain = [name for name, _, _ in members(shape)]
    for wrong in ({"New": 1}, {plain[0]: object()}, {plain[-1]: None}):
        with pytest.raises((UnusualError, KeyError, TypeError)):
            compile_reader(shape)(WHOLE[shape] | wrong)


@pytest.mark.parametrize("shape", [AgeRange, Attribute, BoundingBox, Gender, Landmark, VideoMetadata])
def test_a_plain_shape_has_all_its_members(shape):
    """One that is absent is left to the careful reader, since the service sends all or none."""
    wire = copy.copy(WHOLE[shape])
    wire.popitem()

    with pytest.raises(KeyError):
        compile_reader(shape)(wire)


@pytest.mark.parametrize("wire", [{}, [], None, {"Face": {}, "Timestamp": 1.0}])
def test_what_is_no_timed_face(wire):
    """A list, a null, a missing or broken timestamp are left to the careful reader."""
    with pytest.raises((UnusualError, KeyError, TypeError)):
        compile_reader(TimedFace)(wire)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("Low", True), ("Low", 38.0), ("High", "48"), ("Low", None)],
)
def test_an_integer_has_its_exact_class(name, wrong):
    """A boolean is none, a float is none, and a null is none."""
    with pytest.raises(UnusualError):
        compile_reader(AgeRange)(WHOLE[AgeRange] | {name: wrong})


def test_a_number_may_be_an_integer():
    """Both classes that a number may have are read fast."""
    for width in (1, 0.5):
        assert compile_reader(BoundingBox)(WHOLE[BoundingBox] | {"Width": width}).width == width


def test_absent_parts_are_none():
    """A shape of parts may lack any of them; a null is not the same."""
    video = compile_reader(Video)

    assert video({}) == Video()
    with pytest.raises(UnusualError):
        video({"S3Object": None})
    timed = compile_reader(TimedFace)
    assert timed({"Timestamp": 5}) == TimedFace(timestamp_ms=5)
    assert timed({"Timestamp": 5, "Face": {}}) == TimedFace(timestamp_ms=5, face=Face())
