"""What callers ask for: options, their defaults and their checks."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

from rekog_emotion.errors import InvalidInputError

__all__ = ["SLOT_TIMEOUT", "TIMEOUT", "Seconds", "check_listeners", "seconds", "start_parameters"]

Seconds: TypeAlias = float | timedelta | None
"""How long: seconds, a ``timedelta``, or ``None`` for ever."""


def seconds(duration: Seconds, name: str) -> float | None:
    """Return a caller's duration in seconds.

    Raises:
        InvalidInputError: It is no number, negative or not a number at all.
    """
    value = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        msg = f"{name}={duration!r} is no duration: pass seconds, a timedelta, or None to wait for ever"
        raise InvalidInputError(msg)
    return float(value)


# The service model's patterns, which botocore does not check; an upload would be made in vain.
_TOKEN: Final = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_TAG: Final = re.compile(r"[a-zA-Z0-9_.\-:+=/]{1,1024}")
_FACE_ATTRIBUTES: Final = ("ALL", "DEFAULT")


def start_parameters(
    *,
    face_attributes: str,
    client_request_token: str | None,
    job_tag: str | None,
    notification_channel: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the parameters of StartFaceDetection but for the video.

    A token is always sent, a fresh one unless the caller gave one: without it, a time-out on the way back and the retry
    that follows buy the job twice; with a fixed one, the service gives yesterday's job back.

    Raises:
        InvalidInputError: The service would refuse one of them.
    """
    if face_attributes not in _FACE_ATTRIBUTES:
        msg = f'face_attributes={face_attributes!r} is not "ALL", or "DEFAULT", which leaves out the emotions'
        raise InvalidInputError(msg)
    if client_request_token is not None and not _matches(_TOKEN, client_request_token):
        msg = f"client_request_token={client_request_token!r} is not 1 to 64 letters, digits, hyphens and underscores"
        raise InvalidInputError(msg)
    if job_tag is not None and not _matches(_TAG, job_tag):
        msg = f"job_tag={job_tag!r} is not 1 to 1024 letters, digits and any of _.-:+=/"
        raise InvalidInputError(msg)
    if notification_channel is not None and not _is_channel(notification_channel):
        msg = (
            f"notification_channel={notification_channel!r} is no channel: pass "
            '{"SNSTopicArn": "arn:...", "RoleArn": "arn:..."}, or notify=SnsSqs(...)'
        )
        raise InvalidInputError(msg)
    parameters: dict[str, Any] = {
        "FaceAttributes": face_attributes,
        "ClientRequestToken": client_request_token or uuid.uuid4().hex,
    }
    if job_tag is not None:
        parameters["JobTag"] = job_tag
    if notification_channel is not None:
        parameters["NotificationChannel"] = dict(notification_channel)
    return parameters


def check_listeners(on_progress: object, cancel: object) -> None:
    """Refuse what would fail when it is needed, after the job has been paid for."""
    if on_progress is not None and not callable(on_progress):
        msg = f"on_progress= got {type(on_progress).__name__}: pass a function that takes a Progress"
        raise InvalidInputError(msg)
    if cancel is not None and not callable(getattr(cancel, "is_set", None)):
        msg = f"cancel= got {type(cancel).__name__}: pass a threading.Event"
        raise InvalidInputError(msg)


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_channel(channel: object) -> bool:
    return (
        isinstance(channel, Mapping)
        and set(channel) == {"SNSTopicArn", "RoleArn"}
        and all(isinstance(arn, str) and arn for arn in channel.values())
    )


TIMEOUT: Final = 3600.0
"""Seconds to wait for a job unless told otherwise."""


SLOT_TIMEOUT: Final = 3600.0
"""Seconds to wait for a free slot unless told otherwise."""


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


def _attributes(attributes: str | Sequence[str]) -> list[str]:
    if not isinstance(attributes, Iterable):
        msg = f'attributes= got {type(attributes).__name__}: ask for "ALL", "DEFAULT" or a list of names'
        raise InvalidInputError(msg)
    wanted = [attributes] if isinstance(attributes, str) else list(attributes)
    for name in wanted:
        if name not in ATTRIBUTES:
            msg = f"attributes= has {name!r}, which the service does not know; it knows {', '.join(ATTRIBUTES)}"
            raise InvalidInputError(msg)
    if not wanted:
        msg = 'attributes= is empty: ask for "ALL", "DEFAULT" or a list of names'
        raise InvalidInputError(msg)
    return wanted
