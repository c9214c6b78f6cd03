"""What a long operation tells while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import asdict, field, frozen

from rekog_emotion.logs import logger
from rekog_emotion.values.words import Word

__all__ = ["OnProgress", "Progress", "ProgressEvent", "tell"]

_log: Final = logger("rekog_emotion")


class ProgressEvent(Word):
    """What has just happened: to a job, in the order in which it goes through it, or to many photos."""

    UPLOADING = "UPLOADING"
    WAITING_FOR_SLOT = "WAITING_FOR_SLOT"
    STARTED = "STARTED"
    WAITING = "WAITING"
    POLLED = "POLLED"
    ANALYZING = "ANALYZING"
    PAGE = "PAGE"
    IMAGE = "IMAGE"
    LEFT_OUT = "LEFT_OUT"
    ENDED = "ENDED"


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
        fraction: How much of the video has been looked at, 0 to 1, where the client tells it, as the embedded engine
            does: for ``ANALYZING``, which comes as that grows, and for the events of waiting after it.
        state: For ``STARTED``, what ``VideoJob.from_dict()`` takes the job up from, in another process if need be.
        source: Name of the video, where :func:`rekog_emotion.analyze_videos` works on several; for ``IMAGE`` and
            ``LEFT_OUT``, what the event is about.
        reason: Why a photo failed, or was left out.
        done: Photos that have an analysis, in this run; this and what follows up to ``rate`` belongs to the events of
            :func:`rekog_emotion.detect_images`.
        failed: Photos that have an error.
        left_out: Files and objects that are no pictures.
        skipped: Photos that an earlier run has done, those that failed in it included.
        failed_before: Of those that are skipped, how many failed in an earlier run: ``retry_errors=True`` does them
            again.
        total: Photos in all, those that are skipped included, as soon as that is known.
        rate: Photos a second, over the last half minute.
        seconds_left: How long the rest will take, where ``total`` or ``fraction`` is known.
    """

    event: ProgressEvent
    job_id: str | None = None
    seconds: float | None = None
    next_seconds: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    status: str | None = None
    faces: int | None = None
    fraction: float | None = None
    state: Mapping[str, Any] | None = field(default=None, hash=False)
    source: str | None = None
    reason: str | None = None
    done: int | None = None
    failed: int | None = None
    left_out: int | None = None
    skipped: int | None = None
    failed_before: int | None = None
    total: int | None = None
    rate: float | None = None
    seconds_left: float | None = None


OnProgress: TypeAlias = Callable[[Progress], None]


def tell(on_progress: OnProgress | None, progress: Progress) -> None:
    """Report to a caller who wants to know, and to the log: no faces, and nothing of the credentials."""
    if _log.isEnabledFor(logging.DEBUG):
        said = {name: value for name, value in asdict(progress, recurse=False).items() if value is not None}
        text = ", ".join(f"{name}={value}" for name, value in said.items() if name != "event")
        _log.debug("%s: %s", progress.event, text, extra={"rekog_emotion": said})
    if on_progress is not None:
        on_progress(progress)
