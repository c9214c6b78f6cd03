"""Tell faces that are missing from those of a job that has not succeeded."""

from __future__ import annotations

from rekog_emotion.analyses import VideoAnalysis
from rekog_emotion.enums import JobStatus
from rekog_emotion.errors import InvalidInputError

__all__ = ["check_succeeded"]


def check_succeeded(analysis: VideoAnalysis) -> None:
    """Refuse the answer of a job that runs or has failed: it has no faces, and nobody knows whether there are any.

    Raises:
        InvalidInputError: It is one.
    """
    if analysis.status in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        msg = f"this answer is of a job that is {analysis.status}, which is not 'no faces'; keep one that has SUCCEEDED"
        raise InvalidInputError(msg)
