"""The verb for an image."""

from __future__ import annotations

from collections.abc import Sequence

from rekog_emotion.blocking.driver import Driver
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.flows import detecting
from rekog_emotion.flows.request import _attributes
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import ImageSource, prepare_image

__all__ = ["detect_image"]


def detect_image(
    source: ImageSource,
    *,
    client: RekognitionClient | str | None = None,
    attributes: str | Sequence[str] = "ALL",
) -> ImageAnalysis:
    """Find the faces of an image and describe them.

    Emotions are how a face looks, not what a person feels.

    Args:
        source: A path, bytes, binary file object, PIL image, RGB array (height x width x 3, uint8), ``s3://bucket/key``
            or :class:`S3Object`. A JPEG or PNG within the service's limits is sent byte for byte; other files are
            turned by their EXIF orientation, converted and fitted, which needs the ``image`` extra. A PIL image is
            taken as it stands: ``ImageOps.exif_transpose`` sets a phone's photo upright.
        client: ``"aws"``, ``"embedded"`` (offline), or an object with boto3's methods; left out, what the environment
            variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.
        attributes: ``"ALL"``, ``"DEFAULT"`` (box, landmarks, pose, quality) or a list such as
            ``["DEFAULT", "EMOTIONS"]``; fewer are faster, the price is the same.

    Returns:
        The faces, largest first; ratios refer to the picture as a viewer shows it.

    Raises:
        InvalidInputError: The source or an argument cannot be used; nothing was sent.
        MissingExtraError: The source or the client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
        ServiceError: The service refused; its subclasses say why.
        TransportError: No answer came.
        ResponseError: The answer is broken.
    """
    wanted = _attributes(attributes)
    image = prepare_image(source)
    driver = Driver(client=resolve_client(client))
    return driver.run(detecting.detect(image, wanted, facts=driver.facts))
