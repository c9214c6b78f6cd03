"""What a long operation tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import frozen

from rekog_emotion.enums import Word

__all__ = ["OnProgress", "Progress", "ProgressEvent", "tell"]


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
    """

    event: ProgressEvent
    job_id: str | None = None
    seconds: float | None = None
    next_seconds: float | None = None
    bytes_done: int | None = None
    bytes_total: int | None = None
    status: str | None = None
    faces: int | None = None


OnProgress: TypeAlias = Callable[[Progress], None]


def tell(on_progress: OnProgress | None, **members: Any) -> None:  # noqa: ANN401 -- the members of Progress
    """Report to a caller who wants to know."""
    if on_progress is not None:
        on_progress(Progress(**members))
