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

    codec: str | None = None
    duration_millis: int | None = None
    format: str | None = None
    frame_rate: float | None = field(default=None, repr=short(2))
    frame_height: int | None = None
    frame_width: int | None = None
    color_range: ColorRange | str | None = None


@frozen(kw_only=True)
class Video(Value):
    """The video of a job, as the service echoes it."""

    s3_object: S3Object | None = None


@frozen(kw_only=True)
class TimedFace(Value):
    """A face at a moment of a video.

    Attributes:
        timestamp_ms: Milliseconds from the start of the video; the service samples about two frames a second.
        face: The face; several may share one timestamp, in no fixed order.
    """

    timestamp_ms: int | None = None
    face: Face | None = None

    @classmethod
    def from_aws(cls, detection: Mapping[str, Any]) -> TimedFace:
        """Read the service's ``FaceDetection``.

        Raises:
            ResponseError: A member has the wrong type; ``path`` says which.
        """
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_timed_face(detection)

    def to_aws(self) -> dict[str, Any]:
        """Return the service's ``FaceDetection``, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)

    @property
    def seconds(self) -> float | None:
        """The timestamp in seconds."""
        return None if self.timestamp_ms is None else as_float(self.timestamp_ms) / 1000


@frozen(kw_only=True)
class StartedJob(Value):
    """The answer of StartFaceDetection."""

    job_id: str | None = None
    response_metadata: Mapping[str, Any] | None = field(default=None, repr=False, eq=False)

    @classmethod
    def from_aws(cls, answer: Mapping[str, Any]) -> StartedJob:
        """Read an answer of StartFaceDetection.

        Raises:
            ResponseError: There is no ``JobId``.
        """
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_started_job(answer)

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of StartFaceDetection, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)
