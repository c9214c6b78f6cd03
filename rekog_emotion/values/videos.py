"""What comes back of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from rekog_emotion.values.base import Value, short
from rekog_emotion.values.faces import Face
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.values.words import ColorRange
from rekog_emotion.wire.kinds import INTEGER, NUMBER, OBJECT, TEXT, One, wire, word
from rekog_emotion.wire.reading import broken, read_answer, read_members, reader
from rekog_emotion.wire.writing import write_shape

__all__ = ["StartedJob", "TimedFace", "Video", "VideoMetadata"]


@frozen(kw_only=True)
class VideoMetadata(Value):
    """What the service says of the video file.

    Attributes:
        codec: For example ``"h264"``.
        duration_millis: Length in milliseconds.
        format: For example ``"QuickTime / MOV"``, which is what MP4 files are called, too.
        frame_rate: Frames a second.
        frame_height: Pixels.
        frame_width: Pixels.
        color_range: ``ColorRange``; absent in older answers.
    """

    codec: str | None = field(default=None, metadata=wire("Codec", TEXT))
    duration_millis: int | None = field(default=None, metadata=wire("DurationMillis", INTEGER))
    format: str | None = field(default=None, metadata=wire("Format", TEXT))
    frame_rate: float | None = field(default=None, repr=short(2), metadata=wire("FrameRate", NUMBER))
    frame_height: int | None = field(default=None, metadata=wire("FrameHeight", INTEGER))
    frame_width: int | None = field(default=None, metadata=wire("FrameWidth", INTEGER))
    color_range: ColorRange | str | None = field(default=None, metadata=wire("ColorRange", word(ColorRange)))


@frozen(kw_only=True)
class Video(Value):
    """The video of a job, as the service echoes it."""

    s3_object: S3Object | None = field(default=None, metadata=wire("S3Object", One(S3Object)))


@frozen(kw_only=True)
class TimedFace(Value):
    """A face at a moment of a video.

    Attributes:
        timestamp_ms: Milliseconds from the start of the video; the service samples about two frames a second.
        face: The face; several may share one timestamp, in no fixed order.
    """

    timestamp_ms: int | None = field(default=None, metadata=wire("Timestamp", INTEGER))
    face: Face | None = field(default=None, metadata=wire("Face", One(Face)))

    @classmethod
    def from_aws(cls, detection: Mapping[str, Any]) -> TimedFace:
        """Read the service's ``FaceDetection``.

        Raises:
            ResponseError: A member has the wrong type; ``path`` says which.
        """
        timed: TimedFace = read_answer(reader(TimedFace), detection)
        return timed

    def to_aws(self) -> dict[str, Any]:
        """Return the service's ``FaceDetection``, equal to what :meth:`from_aws` read."""
        return write_shape(self)

    @property
    def seconds(self) -> float | None:
        """The timestamp in seconds."""
        return None if self.timestamp_ms is None else as_float(self.timestamp_ms) / 1000


@frozen(kw_only=True)
class StartedJob(Value):
    """The answer of StartFaceDetection."""

    job_id: str | None = field(default=None, metadata=wire("JobId", TEXT))
    response_metadata: Mapping[str, Any] | None = field(
        default=None, repr=False, eq=False, metadata=wire("ResponseMetadata", OBJECT)
    )

    @classmethod
    def from_aws(cls, answer: Mapping[str, Any]) -> StartedJob:
        """Read an answer of StartFaceDetection.

        Raises:
            ResponseError: There is no ``JobId``.
        """
        return read_answer(cls._read, answer)

    @classmethod
    def _read(cls, answer: Mapping[str, Any]) -> StartedJob:
        members = read_members(cls, answer)
        if not members["job_id"]:
            broken("JobId", "missing from the answer, which is broken: the job may have been started")
        return cls(**members)

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of StartFaceDetection, equal to what :meth:`from_aws` read."""
        return write_shape(self)
