"""Facial analysis of images and videos with Amazon Rekognition, typed.

>>> import rekog_emotion as rekog
>>> photo = rekog.detect_image("photo.jpg")                # doctest: +SKIP
>>> photo.faces[0].dominant_emotion                        # doctest: +SKIP
Emotion(type=HAPPY, confidence=99.5)

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekog_emotion._fastpath import accelerate
    from rekog_emotion.analyses import ImageAnalysis, TimedFace, Video, VideoAnalysis, VideoMetadata
    from rekog_emotion.api import analyze_video, detect_image, start_video
    from rekog_emotion.batch import VideoOutcome, start_videos, wait_for_videos
    from rekog_emotion.clients import RekognitionClient, aws_client
    from rekog_emotion.enums import (
        ColorRange,
        EmotionType,
        GenderType,
        JobStatus,
        LandmarkType,
        OrientationCorrection,
    )
    from rekog_emotion.errors import (
        AccessDeniedError,
        ConfigurationError,
        IdempotentParameterMismatchError,
        InternalServiceError,
        InvalidInputError,
        InvalidMediaError,
        InvalidPaginationTokenError,
        InvalidParameterError,
        InvalidS3ObjectError,
        JobCancelledError,
        JobError,
        JobFailedError,
        JobNotFoundError,
        JobTimeoutError,
        LimitExceededError,
        MissingExtraError,
        PaginationError,
        RekogEmotionError,
        ResponseError,
        ServiceError,
        StagingError,
        ThrottledError,
        TransportError,
    )
    from rekog_emotion.jobs import VideoJob
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
    )
    from rekog_emotion.notifications import SnsSqs
    from rekog_emotion.progress import Progress, ProgressEvent
    from rekog_emotion.staging import S3Staging, Staging

__all__ = [
    "AccessDeniedError",
    "AgeRange",
    "Attribute",
    "BoundingBox",
    "ColorRange",
    "ConfigurationError",
    "Emotion",
    "EmotionType",
    "EyeDirection",
    "Face",
    "Gender",
    "GenderType",
    "IdempotentParameterMismatchError",
    "ImageAnalysis",
    "InternalServiceError",
    "InvalidInputError",
    "InvalidMediaError",
    "InvalidPaginationTokenError",
    "InvalidParameterError",
    "InvalidS3ObjectError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobNotFoundError",
    "JobStatus",
    "JobTimeoutError",
    "Landmark",
    "LandmarkType",
    "Landmarks",
    "LimitExceededError",
    "MissingExtraError",
    "OrientationCorrection",
    "PaginationError",
    "Pose",
    "Progress",
    "ProgressEvent",
    "Quality",
    "RekogEmotionError",
    "RekognitionClient",
    "ResponseError",
    "S3Object",
    "S3Staging",
    "ServiceError",
    "SnsSqs",
    "Staging",
    "StagingError",
    "ThrottledError",
    "TimedFace",
    "TransportError",
    "Video",
    "VideoAnalysis",
    "VideoJob",
    "VideoMetadata",
    "VideoOutcome",
    "accelerate",
    "analyze_video",
    "aws_client",
    "detect_image",
    "start_video",
    "start_videos",
    "wait_for_videos",
]

# Where the names live, the lightest first.
_MODULES = (
    *("errors", "enums", "models", "analyses", "progress"),
    *("_fastpath", "clients", "staging", "notifications", "jobs", "api", "batch"),
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- a module's attributes
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 -- rarely asked for

        return version("rekog-emotion")
    if name in __all__:
        for module in _MODULES:
            home = import_module(f"{__name__}.{module}")
            if name in home.__all__:
                return globals().setdefault(name, getattr(home, name))
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
