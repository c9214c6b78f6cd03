"""The verb for an image, in asyncio."""

from __future__ import annotations

from collections.abc import Sequence

from rekog_emotion.aio.clock import LoopClock
from rekog_emotion.aio.driver import Driver, opened
from rekog_emotion.clients.protocols import AnyClient, ClientName
from rekog_emotion.flows import detecting
from rekog_emotion.flows.request import Seconds
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import ImageSource

__all__ = ["detect_image"]


async def detect_image(
    source: ImageSource,
    *,
    client: AnyClient | ClientName | None = None,
    attributes: str | Sequence[str] = "ALL",
    timeout: Seconds = detecting.TIMEOUT,  # noqa: ASYNC109 -- an option of the verb, in whatever world
) -> ImageAnalysis:
    """Find the faces of an image and describe them.

    Emotions are how a face looks, not what a person feels.

    Cancelling the task is the cancel: its connection is closed, and the error has a note that says whether the call may
    be charged. A file is read, and a picture converted, in a thread, so that the loop is not held up.

    Args:
        source: As for :func:`rekog_emotion.detect_image`.
        client: ``"aws"`` (aiobotocore, one client a loop and configuration), ``"embedded"`` (offline), an aiobotocore
            client, or any object with boto3's methods, whose calls are made in threads; left out, what the environment
            variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.
        attributes: As for :func:`rekog_emotion.detect_image`.
        timeout: Longest wait for the answer, with all attempts and the waits between them: seconds, a ``timedelta``, or
            ``None`` for as long as they take.

    Returns:
        The faces, largest first; ratios refer to the picture as a viewer shows it.

    Raises:
        CancelledError: The task was cancelled.
        RekogEmotionError: Whatever :func:`rekog_emotion.detect_image` raises.
    """
    clock = LoopClock()
    asked = detecting.PhotoRequest.of(attributes, timeout, now=clock.now())
    image, found = await opened(detecting.opening(source, client))
    driver = Driver(client=found, clock=clock)
    return await driver.run(asked.detect(image, found, driver.facts, now=clock.now()))
