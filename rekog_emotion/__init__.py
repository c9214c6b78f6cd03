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
    from rekog_emotion import aio as aio
    from rekog_emotion import ray as ray
    from rekog_emotion.blocking.image import detect_image
    from rekog_emotion.blocking.images import detect_images
    from rekog_emotion.blocking.job import VideoJob
    from rekog_emotion.blocking.video import analyze_video, start_video
    from rekog_emotion.blocking.videos import VideoOutcome, analyze_videos, wait_for_videos
    from rekog_emotion.clients.aws import aws_client
    from rekog_emotion.clients.fastpath import accelerate
    from rekog_emotion.clients.protocols import RekognitionClient, Staging
    from rekog_emotion.clients.uploads import S3Staging
    from rekog_emotion.errors import (
        AccessDeniedError,
        CallCancelledError,
        CallTimeoutError,
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
    from rekog_emotion.flows.batch import ImageOutcome
    from rekog_emotion.flows.messages import SnsSqs
    from rekog_emotion.live import record, watch
    from rekog_emotion.results.image_analysis import ImageAnalysis
    from rekog_emotion.results.moments import Moment
    from rekog_emotion.results.video_analysis import VideoAnalysis
    from rekog_emotion.showing import show_progress
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
    from rekog_emotion.values.progress import Progress, ProgressEvent
    from rekog_emotion.values.s3 import S3Object
    from rekog_emotion.values.videos import TimedFace, Video, VideoMetadata
    from rekog_emotion.values.words import (
        ColorRange,
        EmotionType,
        GenderType,
        JobStatus,
        LandmarkType,
        OrientationCorrection,
    )

__version__: str

__all__ = [
    "AccessDeniedError",
    "AgeRange",
    "Attribute",
    "BoundingBox",
    "CallCancelledError",
    "CallTimeoutError",
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
    "ImageOutcome",
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
    "Moment",
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
    "analyze_videos",
    "aws_client",
    "detect_image",
    "detect_images",
    "record",
    "show_progress",
    "start_video",
    "wait_for_videos",
    "watch",
]

# Where each name lives.
_HOMES = {
    "AccessDeniedError": "errors",
    "AgeRange": "values.faces",
    "Attribute": "values.faces",
    "BoundingBox": "values.faces",
    "CallCancelledError": "errors",
    "CallTimeoutError": "errors",
    "ColorRange": "values.words",
    "ConfigurationError": "errors",
    "Emotion": "values.faces",
    "EmotionType": "values.words",
    "EyeDirection": "values.faces",
    "Face": "values.faces",
    "Gender": "values.faces",
    "GenderType": "values.words",
    "IdempotentParameterMismatchError": "errors",
    "ImageAnalysis": "results.image_analysis",
    "ImageOutcome": "flows.batch",
    "InternalServiceError": "errors",
    "InvalidInputError": "errors",
    "InvalidMediaError": "errors",
    "InvalidPaginationTokenError": "errors",
    "InvalidParameterError": "errors",
    "InvalidS3ObjectError": "errors",
    "JobCancelledError": "errors",
    "JobError": "errors",
    "JobFailedError": "errors",
    "JobNotFoundError": "errors",
    "JobStatus": "values.words",
    "JobTimeoutError": "errors",
    "Landmark": "values.landmarks",
    "LandmarkType": "values.words",
    "Landmarks": "values.landmarks",
    "LimitExceededError": "errors",
    "MissingExtraError": "errors",
    "Moment": "results.moments",
    "OrientationCorrection": "values.words",
    "PaginationError": "errors",
    "Pose": "values.faces",
    "Progress": "values.progress",
    "ProgressEvent": "values.progress",
    "Quality": "values.faces",
    "RekogEmotionError": "errors",
    "RekognitionClient": "clients.protocols",
    "ResponseError": "errors",
    "S3Object": "values.s3",
    "S3Staging": "clients.uploads",
    "ServiceError": "errors",
    "SnsSqs": "flows.messages",
    "Staging": "clients.protocols",
    "StagingError": "errors",
    "ThrottledError": "errors",
    "TimedFace": "values.videos",
    "TransportError": "errors",
    "Video": "values.videos",
    "VideoAnalysis": "results.video_analysis",
    "VideoJob": "blocking.job",
    "VideoMetadata": "values.videos",
    "VideoOutcome": "blocking.videos",
    "accelerate": "clients.fastpath",
    "analyze_video": "blocking.video",
    "analyze_videos": "blocking.videos",
    "aws_client": "clients.aws",
    "detect_image": "blocking.image",
    "detect_images": "blocking.images",
    "record": "live",
    "show_progress": "showing",
    "start_video": "blocking.video",
    "wait_for_videos": "blocking.videos",
    "watch": "live",
}


if not TYPE_CHECKING:  # type checkers would take any name for one of the package's

    def __getattr__(name: str) -> Any:  # noqa: ANN401 -- a module's attributes
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 -- rarely asked for

            return version("rekog-emotion")
        if name in {"aio", "ray"}:
            return import_module(f"{__name__}.{name}")
        if name in _HOMES:
            from rekog_emotion.interrupts import uncut  # noqa: PLC0415 -- it takes as long as all else here

            with uncut():
                home = import_module(f"{__name__}.{_HOMES[name]}")
            return globals().setdefault(name, getattr(home, name))
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    return [*__all__, "aio", "ray"]
