"""Answers as the service might give them, made from botocore's model of it.

Optional members are left out or null, unknown members turn up anywhere, words are unknown, numbers are whole or far out
of range. What is never made: a value of the wrong type, or an answer without its list of faces.
"""

import functools

from botocore.loaders import create_loader
from botocore.model import ServiceModel
from hypothesis import strategies as st

__all__ = ["JSON", "NUMBERS", "face_details", "images", "started_jobs", "unfinished_jobs", "videos"]

SERVICE = ServiceModel(create_loader().load_service_model("rekognition", "service-2"), "rekognition")

# NaN is left out: it is not equal to itself, and no JSON.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)
# Names that no member has, now or later; some begin like one, differ in case or would not do in Python.
UNKNOWN_NAMES = st.sampled_from(["X-New", "bounding_box", "faceDetails", "confidence", "__class__", "", "🙂"])
UNKNOWN = st.just({}) | st.just({}) | st.dictionaries(UNKNOWN_NAMES, JSON, max_size=2)
RESPONSE_METADATA = st.fixed_dictionaries(
    {"RequestId": st.uuids().map(str), "HTTPStatusCode": st.just(200)},
    optional={"HTTPHeaders": st.fixed_dictionaries({}, optional={"x-rekog-emotion-engine": st.just("embedded")})},
)


@functools.cache
def of(name):
    """Return a strategy for a shape of the service."""
    shape = SERVICE.shape_for(name)
    if shape.type_name == "structure":
        return structures(shape)
    if shape.type_name == "list":
        return st.lists(of(shape.member.name), max_size=3)
    if getattr(shape, "enum", None):
        return st.sampled_from(shape.enum) | st.text(max_size=8)
    return {
        "boolean": st.booleans(),
        "float": NUMBERS,
        "integer": st.integers(),
        "long": st.integers(),
        "string": st.text(max_size=8),
    }[shape.type_name]


def structures(shape, **required):
    """Return a strategy for a structure: members there, absent or null, and unknown ones beside them."""
    optional = {
        name: of(member.name) | of(member.name) | st.none()
        for name, member in shape.members.items()
        if name not in required
    }
    if shape.name == "FaceDetail":
        optional["Landmarks"] |= plain_landmarks()
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda unknown, members: unknown | members, UNKNOWN, known)


def plain_landmarks():
    """Return a strategy for landmarks as they come as a rule: listed words, both coordinates, nothing else."""
    words = st.sampled_from(SERVICE.shape_for("LandmarkType").enum)
    return st.lists(st.fixed_dictionaries({"Type": words, "X": NUMBERS, "Y": NUMBERS}), max_size=5)


def answers(operation, **required):
    """Return a strategy for answers of an operation, with botocore's metadata now and then."""
    shape = SERVICE.operation_model(operation).output_shape
    beside = st.fixed_dictionaries({}, optional={"ResponseMetadata": st.none() | RESPONSE_METADATA})
    return st.builds(lambda members, metadata: members | metadata, structures(shape, **required), beside)


face_details = of("FaceDetail")
images = answers("DetectFaces", FaceDetails=of("FaceDetailList"))
videos = answers("GetFaceDetection", Faces=of("FaceDetections"))
unfinished_jobs = answers(
    "GetFaceDetection", JobStatus=st.sampled_from(["IN_PROGRESS", "FAILED"]), Faces=st.none() | st.just([])
) | answers("GetFaceDetection", JobStatus=st.sampled_from(["IN_PROGRESS", "FAILED"]), Faces=st.none()).map(
    lambda answer: {name: member for name, member in answer.items() if name != "Faces"}
)
started_jobs = answers("StartFaceDetection", JobId=st.text(min_size=1, max_size=8))
