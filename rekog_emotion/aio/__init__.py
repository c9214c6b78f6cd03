"""The verbs in asyncio: the same decisions, options, errors and results, performed in tasks.

A task that is cancelled tidies up. anyio and trio are not supported; uvloop is a loop of asyncio like any other.
"""

from __future__ import annotations

from rekog_emotion.aio.image import detect_image
from rekog_emotion.aio.images import detect_images
from rekog_emotion.aio.job import VideoJob
from rekog_emotion.aio.live import record, watch
from rekog_emotion.aio.video import analyze_video, start_video
from rekog_emotion.aio.videos import VideoOutcome, analyze_videos, wait_for_videos
from rekog_emotion.clients.aio import aws_client, close
from rekog_emotion.clients.protocols import AsyncRekognitionClient, AsyncStaging

__all__ = [
    "AsyncRekognitionClient",
    "AsyncStaging",
    "VideoJob",
    "VideoOutcome",
    "analyze_video",
    "analyze_videos",
    "aws_client",
    "close",
    "detect_image",
    "detect_images",
    "record",
    "start_video",
    "wait_for_videos",
    "watch",
]
