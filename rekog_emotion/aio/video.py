"""The verbs for a video, in asyncio."""

from __future__ import annotations

from typing import Unpack

from rekog_emotion.aio.job import VideoJob
from rekog_emotion.aio.options import AnalyzeVideoOptions, StartVideoOptions
from rekog_emotion.flows.options import part, spelled_out
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.videos import VideoSource

__all__ = ["analyze_video", "start_video"]


@spelled_out(StartVideoOptions, defaults=VideoRequest)
async def start_video(source: VideoSource, **options: Unpack[StartVideoOptions]) -> VideoJob:
    """Start the analysis of a video and return its job, which waits, gives the faces and can be resumed.

    Args:
        source: A path, ``s3://bucket/key`` or :class:`S3Object`.
        **options: Those of ``StartVideoOptions``.

    Raises:
        CancelledError: The task was cancelled; nothing was left behind, or the error's notes say what may have been.
        RekogEmotionError: Whatever :func:`rekog_emotion.start_video` raises.
    """
    return await VideoJob.start(source, **options)


@spelled_out(AnalyzeVideoOptions, defaults=VideoRequest)
async def analyze_video(source: VideoSource, **options: Unpack[AnalyzeVideoOptions]) -> VideoAnalysis:
    """Find the faces of a video over time and describe them: start a job, wait for it, read every page.

    Emotions are how a face looks, not what a person feels.

    Cancelling the task ends all of it. Where that or ``timeout`` ends it after the start, the job goes on: the notes of
    the error say how to take it up again, and ``VideoJob.from_dict(error.state)`` does after a time-out.

    Args:
        source: A path, ``s3://bucket/key`` or :class:`S3Object`.
        **options: Those of ``AnalyzeVideoOptions``.

    Returns:
        Every face, in the order of the service, about two samples a second.

    Raises:
        CancelledError: The task was cancelled.
        RekogEmotionError: Whatever :func:`rekog_emotion.analyze_video` raises.
    """
    limit = VideoRequest.of(options).timeout
    job = await VideoJob.start(source, **part(options, StartVideoOptions))
    return await job.result(timeout=limit, on_progress=options["on_progress"])
