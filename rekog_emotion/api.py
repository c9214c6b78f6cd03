"""The verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rekog_emotion import _calls, _wire
from rekog_emotion.analyses import ImageAnalysis
from rekog_emotion.clients import engine_name, resolve_client
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.sources import ImageSource, prepare_image

if TYPE_CHECKING:
    from rekog_emotion.clients import RekognitionClient

__all__ = ["detect_image"]

# The service's own list; a test compares it with the installed service model.
ATTRIBUTES: Final = (
    "ALL",
    "DEFAULT",
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYEGLASSES",
    "EYES_OPEN",
    "EYE_DIRECTION",
    "FACE_OCCLUDED",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "SMILE",
    "SUNGLASSES",
)


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
            or :class:`S3Object`. A JPEG or PNG within the service's limits is sent byte for byte; anything else that
            Pillow reads is converted and fitted, which needs the ``image`` extra.
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
    prepared = prepare_image(source)
    rekognition = resolve_client(client)
    answer = _calls.call(rekognition, "detect_faces", Image=prepared.wire, Attributes=wanted)
    return ImageAnalysis.from_aws(
        answer,
        size=prepared.size,
        engine=_wire.engine_of(answer) or engine_name(rekognition),
        source=prepared.name,
    )


def _attributes(attributes: str | Sequence[str]) -> list[str]:
    wanted = [attributes] if isinstance(attributes, str) else list(attributes)
    for name in wanted:
        if name not in ATTRIBUTES:
            msg = f"attributes= has {name!r}, which the service does not know; it knows {', '.join(ATTRIBUTES)}"
            raise InvalidInputError(msg)
    if not wanted:
        msg = 'attributes= is empty: ask for "ALL", "DEFAULT" or a list of names'
        raise InvalidInputError(msg)
    return wanted
