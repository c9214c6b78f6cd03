"""What a job says when it is asked: how it is, and its pages, each face once.

While a page is read and its faces are used, the next one is on its way: in a thread that makes one call and ends
with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve, fields

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.clients import failures
from rekog_emotion.errors import InvalidPaginationTokenError, PaginationError, ResponseError
from rekog_emotion.logs import logger
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.videos import VideoMetadata
from rekog_emotion.values.words import JobStatus
from rekog_emotion.wire.service import MAX_PAGE_FACES

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["ask", "each_page", "look", "misfit", "read"]

_CHANGED: Final = "read again after a token had expired, they are not the same"

_log: Final = logger("rekog_emotion")


Answer: TypeAlias = Mapping[str, Any]
Ask: TypeAlias = Callable[[str | None], Answer]
"""Makes the call for the page of a token; ``None`` stands for the first page."""
Take: TypeAlias = Callable[[], Answer]
"""Gives an answer away: whoever reads it is the only one who holds it, and its faces are freed as they are read."""
Read: TypeAlias = Callable[[Take, str | None], VideoAnalysis]


def look(client: RekognitionClient, job_id: str) -> VideoAnalysis:
    """Ask once how a job is; when it has succeeded, the answer is its first page.

    Raises:
        ResponseError: The answer is broken, or its status is none of the three.
    """
    return read(
        partial(failures.once, client, "get_face_detection", job_id=job_id, JobId=job_id, MaxResults=MAX_PAGE_FACES),
        job_id,
    )


def ask(
    client: RekognitionClient,
    job_id: str,
    *,
    token: str | None,
    clock: _clock.Clock,
    cancel: threading.Event | None,
) -> Answer:
    """Fetch a page, again where the call failed for a passing reason; without a token, the first."""
    place = {} if token is None else {"NextToken": token}
    return failures.call(
        client,
        "get_face_detection",
        job_id=job_id,
        clock=clock,
        cancel=cancel,
        JobId=job_id,
        MaxResults=MAX_PAGE_FACES,
        **place,
    )


def read(take: Take, job_id: str) -> VideoAnalysis:
    """Read a page.

    Raises:
        ResponseError: The answer is broken, or its status is none of the three.
    """
    try:
        page = VideoAnalysis.from_aws(take())  # no variable holds the answer
    except ResponseError as error:
        error.job_id = job_id
        raise
    if page.status not in set(JobStatus):
        problem = f"expected one of {', '.join(JobStatus)}, got {page.status!r}"
        raise ResponseError(problem, path="JobStatus", job_id=job_id)
    return page


class _Ahead:
    """One call under way, in a thread that ends with it, whether anybody takes the answer or not."""

    def __init__(self, call: Callable[[], Answer]) -> None:
        self._call = call
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rekog-emotion-page", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._call())
        except BaseException as error:  # noqa: BLE001 -- it is raised where the answer is wanted
            self._error = error

    def wait(self) -> Answer:
        """Return the answer, or raise what the call raised."""
        self._thread.join()
        if self._error is None and not self._answers:  # the thread did not come along into a forked child
            self._run()
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def take(self) -> Answer:
        """Give the answer away."""
        return self._answers.pop()


def each_page(first: VideoAnalysis, ask: Ask, read: Read, *, job_id: str) -> Iterator[VideoAnalysis]:
    """Give the pages as they are asked for, while the next one is fetched.

    Tokens expire after 24 hours, results only after 7 days: when a token has expired, all is read again from the first
    page, and what was given before is left out.

    Args:
        first: The first page.
        ask: Makes a call; in another thread.
        read: Reads the answer.
        job_id: For errors.

    Raises:
        PaginationError: A token or the faces of a page came twice, or the pages are not the same when they are read
            again.
        InvalidPaginationTokenError: Another token expired, and there had been nothing new since the last one.
    """
    given, last, restarted_at = 0, None, -1
    while True:
        end = 0
        try:
            for page in _walk(first, ask, read, job_id=job_id):
                begin, end = end, end + len(page.faces)
                if begin < given <= end and page.faces[given - begin - 1] != last:
                    raise misfit(_CHANGED, job_id=job_id)
                if begin < given and end <= given:
                    continue
                fresh = page if begin == given else evolve(page, faces=page.faces[given - begin :])
                given, last = end, page.faces[-1] if page.faces else last
                yield fresh
        except InvalidPaginationTokenError:
            if given == restarted_at:
                raise
            _log.info("a page token of job %s has expired: reading again from the first page", job_id)
            restarted_at = given
            first = read(partial(ask, None), None)
        else:
            if end < given:
                raise misfit(_CHANGED, job_id=job_id)
            return


def _walk(first: VideoAnalysis, ask: Ask, read: Read, *, job_id: str) -> Iterator[VideoAnalysis]:
    seen = set[str]()

    def start(token: object) -> _Ahead | None:
        """Start the call for a page, before the one that it follows is read and used."""
        if not isinstance(token, str) or not token or token in seen:
            return None
        return _Ahead(partial(ask, token))

    page, token, ahead = first, first.next_token, start(first.next_token)
    while True:
        yield page
        if not token:
            return
        if ahead is None:
            problem = "a page token came twice, so that they would never end"
            raise misfit(problem, job_id=job_id)
        seen.add(token)
        here, arrived, announced = token, ahead, ahead.wait().get("NextToken")
        ahead = start(announced)
        faces, page = page.faces, read(arrived.take, here)
        # No two faces of one moment are alike to the last digit: something else is missing in this one's place.
        if page.faces and page.faces == faces:
            problem = f"page {len(seen) + 1} has the faces of the one before once more"
            raise misfit(problem, job_id=job_id)
        token = page.next_token
        if token != announced:  # what had arrived was broken, and was asked for again
            ahead = start(token)
        _compare(first.metadata, page.metadata, number=len(seen) + 1, job_id=job_id)


def _compare(first: VideoMetadata | None, other: VideoMetadata | None, *, number: int, job_id: str) -> None:
    """Raise an error that names what a page says differently of the video."""
    if first is None or other is None or first == other:
        return
    names = [field.name for field in fields(VideoMetadata) if getattr(first, field.name) != getattr(other, field.name)]
    differences = [f"{name} {getattr(other, name)!r}, not {getattr(first, name)!r}" for name in names]
    problem = f"page {number} has other VideoMetadata than the first: {', '.join(differences)}"
    raise misfit(problem, job_id=job_id)


def misfit(problem: str, *, job_id: str) -> PaginationError:
    """Return the error that says that the pages of a job do not fit together."""
    msg = f"the pages of job {job_id} do not fit together: {problem}; VideoJob.resume() begins again"
    return PaginationError(msg, job_id=job_id)
