"""What a long operation tells while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import asdict, frozen

from rekog_emotion.logs import logger
from rekog_emotion.values.words import Word

__all__ = ["OnProgress", "Progress", "ProgressEvent", "tell"]

_log: Final = logger("rekog_emotion")


class ProgressEvent(Word):
    """What has just happened, in the order in which a job goes through it."""

    UPLOADING = "UPLOADING"
    WAITING_FOR_SLOT = "WAITING_FOR_SLOT"
    STARTED = "STARTED"
    WAITING = "WAITING"
    POLLED = "POLLED"
    PAGE = "PAGE"


@frozen(kw_only=True)
class Progress:
    """One report; members that do not belong to the event are ``None``.

    Attributes:
        event: What has just happened.
        job_id: Id of the job, from ``STARTED`` on.
        seconds: Time waited so far, for the events of waiting.
        next_seconds: How long the wait that begins now is.
        bytes_done: Bytes uploaded so far.
        bytes_total: Bytes to upload.
        status: The job's state, for ``POLLED``.
        faces: Faces received so far, for ``PAGE``.
        state: For ``STARTED``, what ``VideoJob.from_dict()`` takes the job up from, in another process if need be.
        source: Name of the video, where :func:`rekog_emotion.analyze_videos` works on several.
    """

    event: ProgressEvent
    job_id: str | None = None
    seconds: float | None = None
    next_seconds: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    status: str | None = None
    faces: int | None = None
    state: Mapping[str, Any] | None = None
    source: str | None = None


OnProgress: TypeAlias = Callable[[Progress], None]


def tell(on_progress: OnProgress | None, progress: Progress) -> None:
    """Report to a caller who wants to know, and to the log: no faces, and nothing of the credentials."""
    if _log.isEnabledFor(logging.DEBUG):
        said = {name: value for name, value in asdict(progress, recurse=False).items() if value is not None}
        text = ", ".join(f"{name}={value}" for name, value in said.items() if name != "event")
        _log.debug("%s: %s", progress.event, text, extra={"rekog_emotion": said})
    if on_progress is not None:
        on_progress(progress)
