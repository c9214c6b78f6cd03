"""The verbs for a video."""

from __future__ import annotations

from typing import Unpack

from rekog_emotion.blocking.job import VideoJob
from rekog_emotion.blocking.options import AnalyzeVideoOptions, StartVideoOptions
from rekog_emotion.flows.options import part, spelled_out
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.videos import VideoSource

__all__ = ["analyze_video", "start_video"]


@spelled_out(StartVideoOptions, defaults=VideoRequest)
def start_video(source: VideoSource, **options: Unpack[StartVideoOptions]) -> VideoJob:
    """Start the analysis of a video and return its job, which waits, gives the faces and can be resumed.

    Args:
        source: A path, ``s3://bucket/key`` or :class:`S3Object`.
        **options: Those of ``StartVideoOptions``.

    Raises:
        InvalidInputError: The source or an argument cannot be used; nothing was uploaded or started.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
        StagingError: The upload failed, or was left when the job could not start.
        IdempotentParameterMismatchError: ``client_request_token`` was used for another video or other parameters, which
            every upload is.
        JobTimeoutError: No slot was free in time.
        JobCancelledError: ``cancel`` was set; nothing was left behind.
        ServiceError: The service refused; its subclasses say why.
        TransportError: No answer came.
        ResponseError: The answer is broken.
    """
    return VideoJob.start(source, **options)


@spelled_out(AnalyzeVideoOptions, defaults=VideoRequest)
def analyze_video(source: VideoSource, **options: Unpack[AnalyzeVideoOptions]) -> VideoAnalysis:
    """Find the faces of a video over time and describe them: start a job, wait for it, read every page.

    Emotions are how a face looks, not what a person feels.

    ``cancel`` ends all of it. Where it or ``timeout`` ends it after the start, the job goes on:
    ``VideoJob.from_dict(error.state)`` takes it up again.

    Args:
        source: A path, ``s3://bucket/key`` or :class:`S3Object`.
        **options: Those of ``AnalyzeVideoOptions``.

    Returns:
        Every face, in the order of the service, about two samples a second.

    Raises:
        JobFailedError: The service ended the job as FAILED; the message has its reason.
        JobTimeoutError: The time is over.
        JobCancelledError: ``cancel`` was set.
        PaginationError: The pages do not fit together.
        RekogEmotionError: Whatever :func:`start_video` raises.
    """
    limit = VideoRequest.of(options).timeout
    job = VideoJob.start(source, **part(options, StartVideoOptions))
    return job.result(timeout=limit, on_progress=options["on_progress"], cancel=options["cancel"])
