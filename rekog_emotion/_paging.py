"""What a job says when it is asked: how it is, and its pages, each face once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve

from rekog_emotion import _calls, _waiting
from rekog_emotion.analyses import VideoAnalysis
from rekog_emotion.enums import JobStatus
from rekog_emotion.errors import InvalidPaginationTokenError, PaginationError, ResponseError

if TYPE_CHECKING:
    from rekog_emotion.clients import RekognitionClient

__all__ = ["each_page", "look", "misfit", "page_of"]

_CHANGED: Final = "read again after a token had expired, they are not the same"

_log: Final = logging.getLogger("rekog_emotion")

_SIZE: Final = 1000  # the service's maximum; larger values are taken for it

Fetch: TypeAlias = Callable[[str | None], VideoAnalysis]


def look(client: RekognitionClient, job_id: str) -> VideoAnalysis:
    """Ask once how a job is; when it has succeeded, the answer is its first page.

    Raises:
        ResponseError: The answer is broken, or its status is none of the three.
    """
    ask = partial(_calls.once, client, "get_face_detection", job_id=job_id, JobId=job_id, MaxResults=_SIZE)
    return _read(ask, job_id)


def page_of(
    client: RekognitionClient,
    job_id: str,
    *,
    token: str | None,
    clock: _waiting.Clock,
    cancel: threading.Event | None,
) -> VideoAnalysis:
    """Fetch a page, again where the call failed for a passing reason; without a token, the first.

    Raises:
        ResponseError: As for :func:`look`.
    """
    place = {} if token is None else {"NextToken": token}
    ask = partial(
        _calls.call,
        client,
        "get_face_detection",
        job_id=job_id,
        clock=clock,
        cancel=cancel,
        JobId=job_id,
        MaxResults=_SIZE,
        **place,
    )
    return _read(ask, job_id)


def _read(ask: Callable[[], Mapping[str, Any]], job_id: str) -> VideoAnalysis:
    try:
        page = VideoAnalysis.from_aws(ask())  # no variable holds the answer: its faces are freed as they are read
    except ResponseError as error:
        error.job_id = job_id
        raise
    if page.status not in set(JobStatus):
        problem = f"expected one of {', '.join(JobStatus)}, got {page.status!r}"
        raise ResponseError(problem, path="JobStatus", job_id=job_id)
    return page


def each_page(first: VideoAnalysis, fetch: Fetch, *, job_id: str) -> Iterator[VideoAnalysis]:
    """Give the pages as they are asked for.

    Tokens expire after 24 hours, results only after 7 days: when a token has expired, all is read again from the first
    page, and what was given before is left out.

    Args:
        first: The first page.
        fetch: Fetches the page of a token; ``None`` stands for the first page.
        job_id: For errors.

    Raises:
        PaginationError: A token came twice, or the pages are not the same when they are read again.
        InvalidPaginationTokenError: Another token expired, and there had been nothing new since the last one.
    """
    given, last, restarted_at = 0, None, -1
    while True:
        end = 0
        try:
            for page in _walk(first, fetch, job_id=job_id):
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
            first = fetch(None)
        else:
            if end < given:
                raise misfit(_CHANGED, job_id=job_id)
            return


def _walk(first: VideoAnalysis, fetch: Fetch, *, job_id: str) -> Iterator[VideoAnalysis]:
    page, seen = first, set[str]()
    yield page
    while token := page.next_token:
        if token in seen:
            problem = "a page token came twice, so that they would never end"
            raise misfit(problem, job_id=job_id)
        seen.add(token)
        page = fetch(token)
        yield page


def misfit(problem: str, *, job_id: str) -> PaginationError:
    """Return the error that says that the pages of a job do not fit together."""
    msg = f"the pages of job {job_id} do not fit together: {problem}; VideoJob.resume() begins again"
    return PaginationError(msg, job_id=job_id)
