"""The table of the service's members, and values back to the wire.

A test compares ``MEMBERS`` with botocore's service model, so that a member which the service gains is noticed.
"""

from __future__ import annotations

from copy import deepcopy
from enum import StrEnum
from typing import Any, Final

from rekog_emotion.analyses import ImageAnalysis, StartedJob, TimedFace, Video, VideoAnalysis, VideoMetadata
from rekog_emotion.models import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    EyeDirection,
    Face,
    Gender,
    Landmark,
    Landmarks,
    Pose,
    Quality,
    S3Object,
    Value,
)

__all__ = ["KNOWN", "MEMBERS", "write_shape"]

# Wire name and attribute of every member of every shape, in the service's order.
MEMBERS: Final[dict[type, tuple[tuple[str, str], ...]]] = {
    BoundingBox: (("Width", "width"), ("Height", "height"), ("Left", "left"), ("Top", "top")),
    AgeRange: (("Low", "low"), ("High", "high")),
    Attribute: (("Value", "value"), ("Confidence", "confidence")),
    Gender: (("Value", "value"), ("Confidence", "confidence")),
    Emotion: (("Type", "type"), ("Confidence", "confidence")),
    Landmark: (("Type", "type"), ("X", "x"), ("Y", "y")),
    Pose: (("Roll", "roll"), ("Yaw", "yaw"), ("Pitch", "pitch")),
    Quality: (("Brightness", "brightness"), ("Sharpness", "sharpness")),
    EyeDirection: (("Yaw", "yaw"), ("Pitch", "pitch"), ("Confidence", "confidence")),
    Face: (
        ("BoundingBox", "bounding_box"),
        ("AgeRange", "age_range"),
        ("Smile", "smile"),
        ("Eyeglasses", "eyeglasses"),
        ("Sunglasses", "sunglasses"),
        ("Gender", "gender"),
        ("Beard", "beard"),
        ("Mustache", "mustache"),
        ("EyesOpen", "eyes_open"),
        ("MouthOpen", "mouth_open"),
        ("Emotions", "emotions"),
        ("Landmarks", "landmarks"),
        ("Pose", "pose"),
        ("Quality", "quality"),
        ("Confidence", "confidence"),
        ("FaceOccluded", "face_occluded"),
        ("EyeDirection", "eye_direction"),
    ),
    ImageAnalysis: (
        ("FaceDetails", "faces"),
        ("OrientationCorrection", "orientation_correction"),
        ("ResponseMetadata", "response_metadata"),
    ),
    S3Object: (("Bucket", "bucket"), ("Name", "name"), ("Version", "version")),
    Video: (("S3Object", "s3_object"),),
    VideoMetadata: (
        ("Codec", "codec"),
        ("DurationMillis", "duration_millis"),
        ("Format", "format"),
        ("FrameRate", "frame_rate"),
        ("FrameHeight", "frame_height"),
        ("FrameWidth", "frame_width"),
        ("ColorRange", "color_range"),
    ),
    TimedFace: (("Timestamp", "timestamp_ms"), ("Face", "face")),
    StartedJob: (("JobId", "job_id"), ("ResponseMetadata", "response_metadata")),
    VideoAnalysis: (
        ("JobStatus", "status"),
        ("StatusMessage", "status_message"),
        ("VideoMetadata", "metadata"),
        ("NextToken", "next_token"),
        ("Faces", "faces"),
        ("JobId", "job_id"),
        ("Video", "video"),
        ("JobTag", "job_tag"),
        ("ResponseMetadata", "response_metadata"),
    ),
}

KNOWN: Final = {shape: frozenset(name for name, _ in members) for shape, members in MEMBERS.items()}


def write_shape(value: Value) -> dict[str, Any]:
    """Return the wire form of a value: dicts, lists and plain strings, numbers and booleans."""
    members = {name: getattr(value, attribute) for name, attribute in MEMBERS[type(value)]}
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
