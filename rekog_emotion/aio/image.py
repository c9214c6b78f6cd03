"""The verb for an image, in asyncio."""

from __future__ import annotations

from typing import TypedDict, Unpack

from rekog_emotion.aio.clock import time_of
from rekog_emotion.aio.driver import Driver, opened
from rekog_emotion.clients.protocols import AnyClient, ClientName
from rekog_emotion.flows.detecting import PhotoOptions, PhotoRequest, opening
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import ImageSource

__all__ = ["detect_image"]


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: ``"aws"`` (aiobotocore, one client a loop and configuration), ``"embedded"`` (offline), an aiobotocore
            client, or any object with boto3's methods, whose calls are made in threads. Default: ``None``, what the
            environment variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.
    """

    client: AnyClient | ClientName | None


class DetectImageOptions(_Performer, PhotoOptions, total=False):
    """Options of ``detect_image``."""


@spelled_out(DetectImageOptions, defaults=PhotoRequest)
async def detect_image(source: ImageSource, **options: Unpack[DetectImageOptions]) -> ImageAnalysis:
    """Find the faces of an image and describe them.

    Emotions are how a face looks, not what a person feels.

    Cancelling the task is the cancel: its connection is closed, and the error has a note that says whether the call may
    be charged. A file is read, and a picture converted, in a thread, so that the loop is not held up.

    Args:
        source: As for :func:`rekog_emotion.detect_image`.
        **options: Those of ``DetectImageOptions``.

    Returns:
        The faces, largest first; ratios refer to the picture as a viewer shows it.

    Raises:
        CancelledError: The task was cancelled.
        RekogEmotionError: Whatever :func:`rekog_emotion.detect_image` raises.
    """
    clock = time_of()
    asked = PhotoRequest.of(options, now=clock.now())
    image, found = await opened(opening(source, options["client"]))
    driver = Driver(client=found, clock=clock)
    return await driver.run(asked.detect(image, found, driver.facts, now=clock.now()))
