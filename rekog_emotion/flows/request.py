"""What callers ask for: options, their defaults and their checks."""

from __future__ import annotations

import inspect
import math
import re
import uuid
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypedDict

from attrs import field, fields_dict, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.options import described
from rekog_emotion.values.numbers import as_float
from rekog_emotion.wire.service import JOB_TAG, TOKEN

if TYPE_CHECKING:
    from rekog_emotion.flows.messages import SnsSqs

__all__ = [
    "ATTRIBUTES",
    "SLOT_TIMEOUT",
    "TIMEOUT",
    "WATCH_RATE",
    "WATCH_SMOOTH",
    "CheckBeside",
    "Seconds",
    "StartOptions",
    "VideoOptions",
    "VideoRequest",
    "WaitOptions",
    "asked_for",
    "attribute_names",
    "check_listeners",
    "check_notify",
    "limit_of",
    "seconds",
]

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
        msg = f"{name}={duration!r} is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"
        raise InvalidInputError(msg)
    return as_float(value)


TIMEOUT: Final = 3600.0
"""Seconds to wait for a job unless told otherwise."""


SLOT_TIMEOUT: Final = 3600.0
"""Seconds to wait for a free slot unless told otherwise."""


WATCH_RATE: Final = 2.0
"""Samples a second of what is watched unless told otherwise."""


WATCH_SMOOTH: Final = 1.0
"""Seconds before each sample, of what is watched, over which scores are averaged unless told otherwise."""


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


@described
class VideoOptions(TypedDict, total=False):
    """What is asked for a video, one or each of many.

    Attributes:
        slot_timeout: Longest wait for a free slot, a video, where the account runs as many jobs as it may: seconds, a
            ``timedelta``, or ``None`` for ever. Default: ``3600.0``.
        attributes: As for photos, in capitals or not. On video the service knows two sets: ``"DEFAULT"`` alone leaves
            out the emotions, and anything more, such as ``"emotions"``, asks for all. Default: ``"ALL"``.
        sample_rate: Pictures a second to look at, from 1 on, of the embedded engine alone: Rekognition looks at two.
            Default: ``None``, two.
        job_tag: Comes back with the result and in notifications. Default: ``None``.
        notify: Topic and queue by which the end of a job is learned of, instead of by asking. Default: ``None``.
    """

    slot_timeout: Seconds
    attributes: str | Sequence[str]
    sample_rate: float | None
    job_tag: str | None
    notify: SnsSqs | None


@described
class StartOptions(VideoOptions, total=False):
    """What is asked for one video.

    Attributes:
        client_request_token: A token that was used in the last 7 days gives that job back. Default: ``None``, a fresh
            one.
        notification_channel: The service's ``{"SNSTopicArn": ..., "RoleArn": ...}``, for a message to somebody else.
            Default: ``None``.
        video_length: Seconds or a ``timedelta``, where it is known of a video in S3. It tells when the first look is
            worth it. Default: ``None``; of a file it is read.
    """

    client_request_token: str | None
    notification_channel: Mapping[str, str] | None
    video_length: Seconds


@described
class WaitOptions(TypedDict, total=False):
    """How long a job that has started is waited for.

    Attributes:
        timeout: Longest wait for a job once it has started; an upload takes the time that it takes. Seconds, a
            ``timedelta``, or ``None`` for ever. Default: ``3600.0``.
    """

    timeout: Seconds


def _slot_timeout(given: Seconds) -> float | None:
    return seconds(given, "slot_timeout")


def _timeout(given: Seconds) -> float | None:
    return seconds(given, "timeout")


def _face_attributes(given: str | Sequence[str]) -> str:
    return "DEFAULT" if {*_attributes(given)} == {"DEFAULT"} else "ALL"


def _video_length(given: Seconds) -> float | None:
    return seconds(given, "video_length")


@frozen(kw_only=True)
class VideoRequest:
    """What a caller asks for a video, checked: the options of :class:`StartOptions` and :class:`WaitOptions`.

    Raises:
        InvalidInputError: The service would refuse one of them, or could not be waited for like that.
    """

    slot_timeout: float | None = field(default=SLOT_TIMEOUT, converter=_slot_timeout)
    timeout: float | None = field(default=TIMEOUT, converter=_timeout)
    attributes: str = field(default="ALL", converter=_face_attributes)
    sample_rate: float | None = None
    client_request_token: str | None = None
    job_tag: str | None = None
    notify: SnsSqs | None = None
    notification_channel: Mapping[str, str] | None = None
    video_length: float | None = field(default=None, converter=_video_length)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> VideoRequest:
        """Return the request among all options of a verb."""
        return cls(**{name: options[name] for name in fields_dict(cls) if name in options})

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse after the upload."""
        if self.sample_rate is not None and not _is_rate(self.sample_rate):
            msg = f"sample_rate={self.sample_rate!r} is no number of pictures a second: pass 1 or more"
            raise InvalidInputError(msg)
        if self.client_request_token is not None and not _matches(TOKEN, self.client_request_token):
            what = "1 to 64 letters, digits, hyphens and underscores"
            msg = f"client_request_token={self.client_request_token!r} is not {what}"
            raise InvalidInputError(msg)
        if self.job_tag is not None and not _matches(JOB_TAG, self.job_tag):
            msg = f"job_tag={self.job_tag!r} is not 1 to 1024 letters, digits and any of _.-:+=/"
            raise InvalidInputError(msg)
        if (channel := self._channel()) is not None and not _is_channel(channel):
            msg = (
                f"notification_channel={channel!r} is no channel: pass "
                '{"SNSTopicArn": "arn:...", "RoleArn": "arn:..."}, or notify=SnsSqs(...)'
            )
            raise InvalidInputError(msg)

    @property
    def sqs_client(self) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
        """The caller's client for the queue of messages, if there is one."""
        return None if self.notify is None else self.notify.sqs_client

    def _channel(self) -> Mapping[str, str] | None:
        """Return where the service announces the end of the job."""
        if self.notify is None:
            return self.notification_channel
        from rekog_emotion.flows.messages import SnsSqs  # noqa: PLC0415 -- who has none needs nothing of messages

        if not isinstance(self.notify, SnsSqs):
            msg = f"notify= got {type(self.notify).__name__}: pass SnsSqs(topic_arn, role_arn, queue_url)"
            raise InvalidInputError(msg)
        if self.notification_channel is not None:
            msg = "notify= and notification_channel= exclude each other: notify= names topic and role already"
            raise InvalidInputError(msg)
        return self.notify.channel()

    def check_client(self, client: object, capabilities: Container[str]) -> None:
        """Refuse what the client cannot do, before anything is uploaded, started or waited for.

        Args:
            client: Who runs the jobs.
            capabilities: Its own, beyond boto3's three methods.

        Raises:
            InvalidInputError: The client cannot do what is asked.
        """
        check_notify(self.notify, client, files="files" in capabilities)
        self.parameters(capabilities)

    def parameters(self, capabilities: Container[str] = ()) -> dict[str, Any]:
        """Return the parameters of StartFaceDetection but for the video.

        A token is always sent, a fresh one unless the caller gave one: without it, a time-out on the way back and the
        retry that follows buy the job twice; with a fixed one, the service gives yesterday's job back.

        Args:
            capabilities: Of the client, beyond boto3's three methods.

        Raises:
            InvalidInputError: The client cannot do what is asked.
        """
        if self.sample_rate is not None and "sample_rate" not in capabilities:
            msg = (
                f"sample_rate={self.sample_rate!r} is for the embedded engine alone: Rekognition looks at two pictures "
                'a second; leave it out, or stay offline with client="embedded"'
            )
            raise InvalidInputError(msg)
        parameters: dict[str, Any] = {
            "FaceAttributes": self.attributes,
            "ClientRequestToken": self.client_request_token or uuid.uuid4().hex,
        }
        if self.sample_rate is not None:
            parameters["SampleRate"] = self.sample_rate
        if self.job_tag is not None:
            parameters["JobTag"] = self.job_tag
        if (channel := self._channel()) is not None:
            parameters["NotificationChannel"] = dict(channel)
        return parameters


CheckBeside: TypeAlias = Callable[[Any, Any, Any], None]
"""Refuses a ``staging``, an ``s3_client`` and an ``sqs_client`` that cannot be used in the world of its clients."""


def asked_for(options: Mapping[str, Any], check_beside: CheckBeside) -> VideoRequest:
    """Return what is asked for, when all has been refused that is wrong whatever the video and the client are.

    Args:
        options: Those of a start.
        check_beside: Of the world.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    asked = VideoRequest.of(options)
    check_listeners(options["on_progress"], options.get("cancel"))
    check_beside(options["staging"], options["s3_client"], asked.sqs_client)
    return asked


def check_listeners(on_progress: object, cancel: object) -> None:
    """Refuse what would fail when it is needed, after the job has been paid for."""
    told = getattr(on_progress, "__call__", None)  # noqa: B004 -- of an object, the method
    if on_progress is not None and not callable(on_progress):
        msg = f"on_progress= got {type(on_progress).__name__}: pass a function that takes a Progress"
        raise InvalidInputError(msg)
    if inspect.iscoroutinefunction(on_progress) or inspect.iscoroutinefunction(told):
        msg = "on_progress= got a coroutine function, which nobody would await: pass a plain function"
        raise InvalidInputError(msg)
    wait = getattr(cancel, "wait", None)
    waits = callable(getattr(cancel, "is_set", None)) and callable(wait) and not inspect.iscoroutinefunction(wait)
    if cancel is not None and not waits:
        kind = type(cancel)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        msg = f"cancel= got {name}: pass a threading.Event"
        raise InvalidInputError(msg)


def limit_of(options: Mapping[str, Any]) -> float | None:
    """Return the seconds to wait, when all that is asked of a wait has been checked.

    Args:
        options: Those of `WaitOptions`, and of who is told.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    check_listeners(options["on_progress"], options.get("cancel"))
    return seconds(options["timeout"], "timeout")


def check_notify(notify: SnsSqs | None, client: object, *, files: bool) -> None:
    """Refuse to wait for messages that nobody sends.

    Args:
        notify: Where messages are waited for, or ``None``.
        client: Who runs the jobs.
        files: It does so on this machine.
    """
    if notify is not None and files:
        msg = f"notify= is for AWS: {type(client).__name__} sends no messages, so leave it out"
        raise InvalidInputError(msg)


def _is_rate(rate: object) -> bool:
    return isinstance(rate, (int, float)) and not isinstance(rate, bool) and 1 <= rate < math.inf


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_channel(channel: object) -> bool:
    return (
        isinstance(channel, Mapping)
        and set(channel) == {"SNSTopicArn", "RoleArn"}
        and all(isinstance(arn, str) and arn for arn in channel.values())
    )


def attribute_names(attributes: str | Iterable[str]) -> list[str]:
    """Return the names that are asked for as the service writes them; in one text they stand between commas."""
    names = attributes.split(",") if isinstance(attributes, str) else attributes
    return [name.strip().upper() if isinstance(name, str) else name for name in names]


def _attributes(attributes: str | Sequence[str]) -> list[str]:
    if not isinstance(attributes, Iterable):
        msg = f'attributes= got {type(attributes).__name__}: ask for "ALL", "DEFAULT" or a list of names'
        raise InvalidInputError(msg)
    wanted = attribute_names(attributes)
    for name in wanted:
        if name not in ATTRIBUTES:
            msg = f"attributes= has {name!r}, which the service does not know; it knows {', '.join(ATTRIBUTES)}"
            raise InvalidInputError(msg)
    if not wanted:
        msg = 'attributes= is empty: ask for "ALL", "DEFAULT" or a list of names'
        raise InvalidInputError(msg)
    return wanted
