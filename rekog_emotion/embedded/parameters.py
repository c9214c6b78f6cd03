"""The bounds of the parameters of video jobs, as the service model that botocore ships has them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from rekog_emotion.wire.service import JOB_TAG, MAX_PAGE_FACES, TOKEN

__all__ = ["checked_job_id", "checked_page_size", "checked_page_token", "checked_start", "checked_token"]

_KEY: Final = r"(?s:.){1,1024}"
_S3_OBJECT: Final = {"Bucket": r"[0-9A-Za-z.\-_]{3,255}", "Name": _KEY, "Version": _KEY}
_CHANNEL: Final = {"SNSTopicArn": r"arn:aws:sns:.*:\w{12}:.+", "RoleArn": r"arn:aws:iam::\d{12}:role/?[\w+=,.@\-/]+"}


def checked_start(
    *, video: object, face_attributes: object, job_tag: object, notification_channel: object, sample_rate: object = None
) -> dict[str, Any]:
    """Return a copy of the parameters of StartFaceDetection, apart from the token, in one form.

    Raises:
        ValueError: The service would refuse one of them.
    """
    if not isinstance(video, Mapping) or set(video) != {"S3Object"} or face_attributes not in ("DEFAULT", "ALL"):
        raise ValueError
    request: dict[str, Any] = {
        "Video": {"S3Object": _structure(video["S3Object"], _S3_OBJECT, required={"Bucket", "Name"})},
        "FaceAttributes": face_attributes,
    }
    if job_tag is not None:
        request["JobTag"] = _text(job_tag, JOB_TAG)
    if notification_channel is not None:
        request["NotificationChannel"] = _structure(notification_channel, _CHANNEL, required=set(_CHANNEL))
    if sample_rate is not None:
        if (
            isinstance(sample_rate, bool)
            or not isinstance(sample_rate, (int, float))
            or not 1 <= sample_rate < math.inf
        ):
            raise ValueError
        request["SampleRate"] = sample_rate
    return request


def checked_token(token: object) -> str | None:
    """Return a ``ClientRequestToken``, if one was given.

    Raises:
        ValueError: The service would refuse it.
    """
    return None if token is None else _text(token, TOKEN)


def checked_job_id(job_id: object) -> str:
    """Return a ``JobId``.

    Raises:
        ValueError: The service would refuse it.
    """
    return _text(job_id, TOKEN)


def checked_page_size(max_results: object) -> int:
    """Return how many faces a page has; what is above 1000 is 1000, as with the service.

    Raises:
        ValueError: It is no number, or less than one.
    """
    if not isinstance(max_results, int) or max_results < 1:
        raise ValueError
    return min(max_results, MAX_PAGE_FACES)


def checked_page_token(token: object) -> str | None:
    """Return a ``NextToken``, if one was given; the service's own samples ask for the first page with an empty one.

    Raises:
        ValueError: It is no text.
    """
    if token is not None and not isinstance(token, str):
        raise ValueError
    return token or None


def _structure(value: object, patterns: Mapping[str, str], *, required: set[str]) -> dict[str, str]:
    if not isinstance(value, Mapping) or not required <= set(value) <= set(patterns):
        raise ValueError
    return {name: _text(member, patterns[name]) for name, member in value.items()}


def _text(value: object, pattern: str | re.Pattern[str]) -> str:
    if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
        raise ValueError
    return value
