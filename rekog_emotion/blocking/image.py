"""The verb for an image."""

from __future__ import annotations

import threading
from typing import TypedDict, Unpack

from rekog_emotion.blocking.clock import system_clock
from rekog_emotion.blocking.driver import Driver, opened
from rekog_emotion.clients.protocols import ClientName, RekognitionClient
from rekog_emotion.flows.detecting import PhotoOptions, PhotoRequest, opening
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import ImageSource

__all__ = ["detect_image"]


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: ``"aws"``, ``"embedded"`` (offline), or an object with boto3's methods. Default: ``None``, what the
            environment variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.
    """

    client: RekognitionClient | ClientName | None


@described
class _Ending(TypedDict, total=False):
    """Who may end it.

    Attributes:
        cancel: Ends the call when set. A client that the library made closes its connection at once. A call of any
            other client cannot be interrupted: it ends by itself, and holds up nobody. Default: ``None``.
    """

    cancel: threading.Event | None


class DetectImageOptions(_Performer, PhotoOptions, _Ending, total=False):
    """Options of ``detect_image``."""


@spelled_out(DetectImageOptions, defaults=PhotoRequest)
def detect_image(source: ImageSource, **options: Unpack[DetectImageOptions]) -> ImageAnalysis:
    """Find the faces of an image and describe them.

    Emotions are how a face looks, not what a person feels.

    Args:
        source: A path, bytes, binary file object, PIL image, RGB array (height x width x 3, uint8), ``s3://bucket/key``
            or :class:`S3Object`. A JPEG or PNG within the service's limits is sent byte for byte; other files are
            turned by their EXIF orientation, converted and fitted, which needs the ``image`` extra. A PIL image is
            taken as it stands: ``ImageOps.exif_transpose`` sets a phone's photo upright.
        **options: Those of ``DetectImageOptions``.

    Returns:
        The faces, largest first; ratios refer to the picture as a viewer shows it.

    Raises:
        InvalidInputError: The source or an argument cannot be used; nothing was sent.
        MissingExtraError: The source or the client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
        ServiceError: The service refused; its subclasses say why.
        TransportError: No answer came.
        CallTimeoutError: The time is over; the message says whether the call may be charged.
        CallCancelledError: ``cancel`` was set; the message says whether the call may be charged.
        ResponseError: The answer is broken.
    """
    clock = system_clock()
    asked = PhotoRequest.of(options, now=clock.now())
    image, found = opened(opening(source, options["client"]))
    driver = Driver(client=found, clock=clock)
    return driver.run(asked.detect(image, found, driver.facts, now=clock.now()), cancel=options["cancel"])
