"""What the end of a job says: that there are no faces to speak of, and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.diagnosis import why_unsupported
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.text import quoted
from rekog_emotion.values.words import JobStatus

__all__ = ["check_succeeded", "reason_of_failure"]


_UNSUPPORTED: Final = "Unsupported codec/format"
_READ: Final = "what is read is H.264 in MP4 or MOV, as of ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4"


def check_succeeded(analysis: VideoAnalysis) -> None:
    """Refuse the answer of a job that runs or has failed: it has no faces, and nobody knows whether there are any.

    Raises:
        InvalidInputError: It is one.
    """
    if analysis.status in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        msg = f"this answer is of a job that is {analysis.status}, which is not 'no faces'; keep one that has SUCCEEDED"
        raise InvalidInputError(msg)


def reason_of_failure(page: VideoAnalysis, source: str | None) -> str:
    """Return why a job has failed: in the service's words, and for a file, of which it says no more than any, in ours.

    Args:
        page: The answer.
        source: Path or address of the video.
    """
    if page.status == JobStatus.IN_PROGRESS:
        return "the message of its end says so, though the service still calls it IN_PROGRESS"
    reason = page.status_message or "the service gives no reason"
    if reason.startswith(_UNSUPPORTED) and source and os.path.isfile(source):  # noqa: PTH113 -- may be no path
        fault = why_unsupported(Path(source))
        return f"{quoted(reason)} ({'; '.join(filter(None, (fault, _READ)))})"
    return quoted(reason)
