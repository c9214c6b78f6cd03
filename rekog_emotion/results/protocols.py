"""What the rooms of results take, and what the end of a job says where there are no faces to speak of."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, Union

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.logs import logger
from rekog_emotion.media.diagnosis import why_unsupported
from rekog_emotion.people.tables import Tabular
from rekog_emotion.text import quoted
from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import TimedFace, VideoMetadata
from rekog_emotion.values.words import JobStatus

if TYPE_CHECKING:
    from rekog_emotion.people.person import Person

__all__ = [
    "Analyses",
    "AnyFaces",
    "PeopleOverTime",
    "PictureFaces",
    "PictureOutcome",
    "VideoFaces",
    "analyses_in",
    "check_succeeded",
    "reason_of_failure",
]


class _Analyzed(Protocol):
    """What is known of whatever was analysed."""

    @property
    def source(self) -> str | None:
        """Its path or address."""
        ...

    @property
    def engine(self) -> str | None:
        """Who analysed it."""
        ...

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels."""
        ...


class PictureFaces(_Analyzed, Protocol):
    """The faces of a picture, as an ``ImageAnalysis`` has them."""

    @property
    def faces(self) -> tuple[Face, ...]:
        """The faces."""
        ...


class PictureOutcome(Protocol):
    """What became of one picture of several."""

    @property
    def analysis(self) -> PictureFaces | None:
        """Its faces."""
        ...

    @property
    def error(self) -> Exception | None:
        """Why there are none."""
        ...


class VideoFaces(_Analyzed, Protocol):
    """The faces of a video, as a ``VideoAnalysis`` has them."""

    @property
    def faces(self) -> tuple[TimedFace, ...]:
        """The faces, by time."""
        ...

    @property
    def metadata(self) -> VideoMetadata | None:
        """What is said of the file."""
        ...

    @property
    def status(self) -> JobStatus | str | None:
        """State of the job."""
        ...

    @property
    def status_message(self) -> str | None:
        """Why the job failed."""
        ...

    @property
    def job_id(self) -> str | None:
        """Id of the job."""
        ...


AnyFaces: TypeAlias = PictureFaces | VideoFaces


class AnOutcome(Protocol):
    """What became of one of many: an analysis or an error."""

    @property
    def analysis(self) -> AnyFaces | None:
        """What was found."""
        ...

    @property
    def error(self) -> Exception | None:
        """Why there is no analysis."""
        ...


Analyses: TypeAlias = Union[AnyFaces, AnOutcome, "Iterable[Analyses]"]
"""An analysis, an outcome that may have one, or any iterable of these."""

_log: Final = logger(__name__)


def analyses_in(
    given: Any,  # noqa: ANN401 -- what callers pass
    *,
    on_error: Callable[[Any], object] | None = None,
) -> Iterator[Any]:
    """Yield the analyses among what was given, as they come.

    Args:
        given: As :data:`Analyses` says.
        on_error: Called with each outcome that is an error; left out, they are counted in the log.

    Raises:
        InvalidInputError: Something else is among it.
    """
    failed = 0
    waiting = [iter((given,))]
    while waiting:
        one = next(waiting[-1], _NOTHING)
        if one is _NOTHING:
            waiting.pop()
        elif hasattr(one, "faces") and hasattr(one, "size"):
            yield one
        elif hasattr(one, "analysis") and hasattr(one, "error"):
            if one.analysis is not None:
                yield one.analysis
            elif on_error is not None:
                on_error(one)
            else:
                failed += 1
        elif isinstance(one, Iterable) and not isinstance(one, (str, bytes, Mapping, Tabular)):
            waiting.append(iter(one))
        else:
            raise InvalidInputError(_no_analysis(one))
    if failed:
        are = "is an error, and has" if failed == 1 else "are errors, and have"
        _log.warning("%d of the outcomes %s no rows", failed, are)


def _no_analysis(one: object) -> str:
    what = f"{type(one).__name__} is no analysis"
    if isinstance(one, Tabular):
        return f"{what}, and a table by itself: call its to_pandas(), or its to_arrow()"
    if isinstance(one, AsyncIterable):
        return f"{what} yet: collect it first, as in [outcome async for outcome in outcomes]"
    return f"{what}: pass what the verbs for photos and videos gave, outcomes, or an iterable of them"


class PeopleOverTime(Protocol):
    """The people of a video, as a ``Timeline`` has them."""

    @property
    def people(self) -> tuple[Person, ...]:
        """The people by id."""
        ...

    @property
    def duration_seconds(self) -> float:
        """Length of the video."""
        ...


_NOTHING: Final = object()
_UNSUPPORTED: Final = "Unsupported codec/format"


def check_succeeded(analysis: AnyFaces) -> None:
    """Refuse the answer of a job that runs or has failed: it has no faces, and nobody knows whether there are any.

    Raises:
        InvalidInputError: It is one.
    """
    status = getattr(analysis, "status", None)  # of a photo there is none
    if status in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        msg = f"this answer is of a job that is {status}, which is not 'no faces'; keep one that has SUCCEEDED"
        raise InvalidInputError(msg)


def reason_of_failure(page: VideoFaces, source: str | None) -> str:
    """Return why a job has failed: in the service's words, and for a file, of which it says no more than any, in ours.

    Args:
        page: The answer.
        source: Path or address of the video.
    """
    if page.status == JobStatus.IN_PROGRESS:
        return "the message of its end says so, though the service still calls it IN_PROGRESS"
    reason = page.status_message or "the service gives no reason"
    if reason.startswith(_UNSUPPORTED) and source and os.path.isfile(source):  # noqa: PTH113 -- may be no path
        return f"{quoted(reason)} ({why_unsupported(Path(source))})"
    return quoted(reason)
