"""The installed botocore's model of the service against our tables.

Older versions of botocore may lack what we have; no version may have what we lack.
"""

import inspect

import pytest
from botocore import __version__ as botocore_version
from botocore.loaders import create_loader
from botocore.model import ServiceModel

from rekog_emotion.clients.failures import ERRORS
from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values import words as enums
from rekog_emotion.values.base import Value
from rekog_emotion.values.faces import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    EyeDirection,
    Face,
    Gender,
    Pose,
    Quality,
)
from rekog_emotion.values.landmarks import Landmark, Landmarks
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.values.videos import StartedJob, TimedFace, Video, VideoMetadata
from rekog_emotion.wire.kinds import members

SERVICE = ServiceModel(create_loader().load_service_model("rekognition", "service-2"), "rekognition")
# The version whose model our tables were compared with in both directions; older models may lack some of it.
WRITTEN_AGAINST = (1, 44)
OPERATIONS = {
    "DetectFaces": ("detect_faces", ImageAnalysis),
    "StartFaceDetection": ("start_face_detection", StartedJob),
    "GetFaceDetection": ("get_face_detection", VideoAnalysis),
}
# Structures of the service that are read into a class of ours.
SHAPES = {
    "AgeRange": AgeRange,
    "Beard": Attribute,
    "BoundingBox": BoundingBox,
    "DetectFacesResponse": ImageAnalysis,
    "Emotion": Emotion,
    "EyeDirection": EyeDirection,
    "EyeOpen": Attribute,
    "Eyeglasses": Attribute,
    "FaceDetail": Face,
    "FaceDetection": TimedFace,
    "FaceOccluded": Attribute,
    "Gender": Gender,
    "GetFaceDetectionResponse": VideoAnalysis,
    "ImageQuality": Quality,
    "Landmark": Landmark,
    "MouthOpen": Attribute,
    "Mustache": Attribute,
    "Pose": Pose,
    "S3Object": S3Object,
    "Smile": Attribute,
    "StartFaceDetectionResponse": StartedJob,
    "Sunglasses": Attribute,
    "Video": Video,
    "VideoMetadata": VideoMetadata,
}
WORDS = {
    "EmotionName": enums.EmotionType,
    "GenderType": enums.GenderType,
    "LandmarkType": enums.LandmarkType,
    "OrientationCorrection": enums.OrientationCorrection,
    "VideoColorRange": enums.ColorRange,
    "VideoJobStatus": enums.JobStatus,
}
# botocore puts it beside every answer; no model has it.
BESIDE_THE_ANSWER = {"ResponseMetadata"}

newest_only = pytest.mark.skipif(
    tuple(map(int, botocore_version.split(".")[:2])) < WRITTEN_AGAINST, reason="an older botocore lacks what we have"
)
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


def walk(shape, found=None):
    """Return all shapes within a shape, by name."""
    found = {} if found is None else found
    if shape.name not in found:
        found[shape.name] = shape
        for inner in [*getattr(shape, "members", {}).values(), *filter(None, [getattr(shape, "member", None)])]:
            walk(inner, found)
    return found


def answered(*, kind):
    """Return the shapes of one kind within the answers of our operations, by name."""
    found = {}
    for operation in OPERATIONS:
        walk(SERVICE.operation_model(operation).output_shape, found)
    return {name: shape for name, shape in found.items() if kind(shape)}


def fill(shape):
    """Make an answer with every member; a list has one item a word of its vocabulary, or two."""
    if shape.type_name == "structure":
        return {name: fill(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        words = [
            {name: word}
            for name, member in getattr(shape.member, "members", {}).items()
            for word in getattr(member, "enum", ())
        ]
        return [fill(shape.member) | word for word in words or [{}, {}]]
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return {"boolean": True, "float": 0.5, "integer": 7, "long": 7_000_000_000, "string": shape.name}[shape.type_name]


def shapes(base):
    """Return every class of values that has members on the wire."""
    inner = [shape for kind in base.__subclasses__() for shape in shapes(kind)]
    return [base, *inner] if members(base) else inner


def values_within(value):
    """Return all our values within one, itself included."""
    inner = (
        value
        if isinstance(value, (tuple, Landmarks))
        else [
            getattr(value, attribute) for _, attribute, _ in (members(type(value)) if isinstance(value, Value) else ())
        ]
    )
    found = [value] if isinstance(value, Value) else []
    for item in inner:
        if isinstance(item, (Value, tuple, Landmarks)):
            found += values_within(item)
    return found


STRUCTURES = answered(kind=lambda shape: shape.type_name == "structure")
VOCABULARIES = answered(kind=lambda shape: getattr(shape, "enum", None))


def test_every_structure_has_a_class():
    """Each structure in the service's answers is read into a class."""
    assert sorted(set(STRUCTURES) - set(SHAPES)) == []


@pytest.mark.parametrize("name", [name for name in STRUCTURES if name in SHAPES])
def test_every_member_is_known(name):
    """Each member of each structure has an attribute in its class."""
    known = {name: attribute for name, attribute, _ in members(SHAPES[name])}

    assert sorted(set(STRUCTURES[name].members) - set(known)) == []
    assert [attribute for attribute in known.values() if not hasattr(SHAPES[name], attribute)] == []


def test_every_vocabulary_has_an_enum():
    """Each list of words in the service's answers is an enum of ours."""
    assert sorted(set(VOCABULARIES) - set(WORDS)) == []


@pytest.mark.parametrize("name", [name for name in VOCABULARIES if name in WORDS])
def test_every_word_is_known(name):
    """Each word of each vocabulary is in its enum."""
    assert sorted(set(VOCABULARIES[name].enum) - {word.value for word in WORDS[name]}) == []


@each_operation
def test_every_error_is_mapped(operation):
    """Each error that the service may answer with has a class."""
    codes = {shape.error_code for shape in SERVICE.operation_model(operation).error_shapes}

    assert sorted(codes - set(ERRORS)) == []


@each_operation
def test_every_parameter_can_be_given(operation):
    """Each parameter of each operation is one of the client's, optional exactly where the service's is."""
    method, _ = OPERATIONS[operation]
    ours = inspect.signature(getattr(RekognitionClient, method)).parameters
    theirs = SERVICE.operation_model(operation).input_shape

    assert sorted(set(theirs.members) - set(ours)) == []
    assert [name for name in theirs.required_members if ours[name].default is not inspect.Parameter.empty] == []


@each_operation
def test_full_answer_has_nothing_extra(operation):
    """An answer with every member of the model comes back the same, and no value of it has anything unknown."""
    _, analysis = OPERATIONS[operation]
    answer = fill(SERVICE.operation_model(operation).output_shape)

    value = analysis.from_aws(answer)

    assert value.to_aws() == answer
    assert {type(item).__name__: dict(item.extra) for item in values_within(value) if item.extra} == {}
    read = {shape.name for shape in walk(SERVICE.operation_model(operation).output_shape).values()}
    assert {SHAPES[name] for name in read if name in SHAPES} == {type(item) for item in values_within(value)}


@newest_only
def test_no_class_without_a_structure():
    """Nothing in our tables is unknown to the service."""
    assert sorted(set(SHAPES) - set(STRUCTURES)) == []
    assert sorted(kind.__name__ for kind in set(shapes(Value)) - set(SHAPES.values())) == []
    assert sorted(set(WORDS) - set(VOCABULARIES)) == []
    assert {name for name in enums.__all__ if list(getattr(enums, name))} == {kind.__name__ for kind in WORDS.values()}


@newest_only
@pytest.mark.parametrize("name", [name for name in STRUCTURES if name in SHAPES])
def test_no_member_of_our_own(name):
    """A member that we name is one that the service has."""
    ours = {member.name for member in members(SHAPES[name])}

    assert sorted(ours - set(STRUCTURES[name].members) - BESIDE_THE_ANSWER) == []


@newest_only
@pytest.mark.parametrize("name", [name for name in VOCABULARIES if name in WORDS])
def test_no_word_of_our_own(name):
    """A word that we list is one that the service says."""
    assert sorted({word.value for word in WORDS[name]} - set(VOCABULARIES[name].enum)) == []


@newest_only
@each_operation
def test_no_parameter_of_our_own(operation):
    """A parameter that the client may be given is one that the service takes."""
    method, _ = OPERATIONS[operation]
    ours = set(inspect.signature(getattr(RekognitionClient, method)).parameters) - {"self"}

    assert sorted(ours - set(SERVICE.operation_model(operation).input_shape.members)) == []
