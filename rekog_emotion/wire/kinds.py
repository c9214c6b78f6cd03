"""The table of the service's members: what each is called on the wire and here, and what it holds.

Reading (``_wire``) and writing (below) both walk it; a test compares it with botocore's service model, so that a member
which the service gains is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from typing import Any, Final, NamedTuple

from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
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
from rekog_emotion.values.words import (
    ColorRange,
    EmotionType,
    GenderType,
    JobStatus,
    LandmarkType,
    OrientationCorrection,
)

__all__ = ["BOOLEAN", "INTEGER", "MEMBERS", "NUMBER", "OBJECT", "TEXT", "Leaf", "Many", "Member", "One", "write_shape"]


class Leaf(NamedTuple):
    """A plain value.

    Attributes:
        expected: What an error calls it.
        classes: The exact classes it may have; a bool is no number here.
        words: For a word of an open vocabulary, the enum's members by their wire form.
    """

    expected: str
    classes: frozenset[type]
    words: Mapping[str, StrEnum] | None = None


class One(NamedTuple):
    """Another shape."""

    shape: type[Value]


class Many(NamedTuple):
    """A list of another shape."""

    shape: type[Value]


class Member(NamedTuple):
    """One member of a shape: its name on the wire, its attribute here, and what it holds."""

    name: str
    attribute: str
    kind: Leaf | One | Many


NUMBER: Final = Leaf("a number", frozenset({float, int}))
INTEGER: Final = Leaf("an integer", frozenset({int}))
BOOLEAN: Final = Leaf("a boolean", frozenset({bool}))
TEXT: Final = Leaf("a string", frozenset({str}))
OBJECT: Final = Leaf("an object", frozenset({dict}))


def _word(vocabulary: type[StrEnum]) -> Leaf:
    return Leaf(TEXT.expected, TEXT.classes, {word.value: word for word in vocabulary})


def _members(*rows: tuple[str, str, Leaf | One | Many]) -> tuple[Member, ...]:
    return tuple(Member(*row) for row in rows)


# Every member of every shape, in the service's order.
MEMBERS: Final[dict[type[Value], tuple[Member, ...]]] = {
    BoundingBox: _members(
        ("Width", "width", NUMBER),
        ("Height", "height", NUMBER),
        ("Left", "left", NUMBER),
        ("Top", "top", NUMBER),
    ),
    AgeRange: _members(("Low", "low", INTEGER), ("High", "high", INTEGER)),
    Attribute: _members(("Value", "value", BOOLEAN), ("Confidence", "confidence", NUMBER)),
    Gender: _members(("Value", "value", _word(GenderType)), ("Confidence", "confidence", NUMBER)),
    Emotion: _members(("Type", "type", _word(EmotionType)), ("Confidence", "confidence", NUMBER)),
    Landmark: _members(("Type", "type", _word(LandmarkType)), ("X", "x", NUMBER), ("Y", "y", NUMBER)),
    Pose: _members(("Roll", "roll", NUMBER), ("Yaw", "yaw", NUMBER), ("Pitch", "pitch", NUMBER)),
    Quality: _members(("Brightness", "brightness", NUMBER), ("Sharpness", "sharpness", NUMBER)),
    EyeDirection: _members(("Yaw", "yaw", NUMBER), ("Pitch", "pitch", NUMBER), ("Confidence", "confidence", NUMBER)),
    Face: _members(
        ("BoundingBox", "bounding_box", One(BoundingBox)),
        ("AgeRange", "age_range", One(AgeRange)),
        ("Smile", "smile", One(Attribute)),
        ("Eyeglasses", "eyeglasses", One(Attribute)),
        ("Sunglasses", "sunglasses", One(Attribute)),
        ("Gender", "gender", One(Gender)),
        ("Beard", "beard", One(Attribute)),
        ("Mustache", "mustache", One(Attribute)),
        ("EyesOpen", "eyes_open", One(Attribute)),
        ("MouthOpen", "mouth_open", One(Attribute)),
        ("Emotions", "emotions", Many(Emotion)),
        ("Landmarks", "landmarks", Many(Landmark)),
        ("Pose", "pose", One(Pose)),
        ("Quality", "quality", One(Quality)),
        ("Confidence", "confidence", NUMBER),
        ("FaceOccluded", "face_occluded", One(Attribute)),
        ("EyeDirection", "eye_direction", One(EyeDirection)),
    ),
    ImageAnalysis: _members(
        ("FaceDetails", "faces", Many(Face)),
        ("OrientationCorrection", "orientation_correction", _word(OrientationCorrection)),
        ("ResponseMetadata", "response_metadata", OBJECT),
    ),
    S3Object: _members(("Bucket", "bucket", TEXT), ("Name", "name", TEXT), ("Version", "version", TEXT)),
    Video: _members(("S3Object", "s3_object", One(S3Object))),
    VideoMetadata: _members(
        ("Codec", "codec", TEXT),
        ("DurationMillis", "duration_millis", INTEGER),
        ("Format", "format", TEXT),
        ("FrameRate", "frame_rate", NUMBER),
        ("FrameHeight", "frame_height", INTEGER),
        ("FrameWidth", "frame_width", INTEGER),
        ("ColorRange", "color_range", _word(ColorRange)),
    ),
    TimedFace: _members(("Timestamp", "timestamp_ms", INTEGER), ("Face", "face", One(Face))),
    StartedJob: _members(("JobId", "job_id", TEXT), ("ResponseMetadata", "response_metadata", OBJECT)),
    VideoAnalysis: _members(
        ("JobStatus", "status", _word(JobStatus)),
        ("StatusMessage", "status_message", TEXT),
        ("VideoMetadata", "metadata", One(VideoMetadata)),
        ("NextToken", "next_token", TEXT),
        ("Faces", "faces", Many(TimedFace)),
        ("JobId", "job_id", TEXT),
        ("Video", "video", One(Video)),
        ("JobTag", "job_tag", TEXT),
        ("ResponseMetadata", "response_metadata", OBJECT),
    ),
}


def write_shape(value: Value) -> dict[str, Any]:
    """Return the wire form of a value: dicts, lists and plain strings, numbers and booleans."""
    members = {name: getattr(value, attribute) for name, attribute, _ in MEMBERS[type(value)]}
    if isinstance(value, VideoAnalysis) and not value._has_faces and not value.faces:  # noqa: SLF001 -- our own value
        del members["Faces"]
    known = {name: _write(member) for name, member in members.items() if member is not None}
    return deepcopy(dict(value.extra)) | known


def _write(member: Any) -> Any:  # noqa: ANN401 -- a value, several, or a leaf
    if isinstance(member, Value):
        return write_shape(member)
    if isinstance(member, (tuple, list, Landmarks)):
        return [write_shape(item) for item in member]
    if isinstance(member, StrEnum):
        return member.value
    return deepcopy(member)
