"""What a job says when it is asked: how it is, and its pages, each face once.

While a page is read and its faces are used, the next one is on its way, and is asked for again where its call failed.
Answers go from hand to hand in boxes: whoever reads one is the only one who holds it, and its faces are freed as they
are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import evolve, fields, frozen

from rekog_emotion.errors import InvalidPaginationTokenError, PaginationError, RekogEmotionError, ResponseError
from rekog_emotion.flows import retrying
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.flows.steps import Begin, Call, Cancelled, Facts, Flow, Give, Take, Tell, Turn, Work
from rekog_emotion.logs import logger
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.text import shown
from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.videos import VideoMetadata
from rekog_emotion.values.words import JobStatus
from rekog_emotion.wire.service import MAX_PAGE_FACES

__all__ = ["Readout", "look"]

_CHANGED: Final = "read again after a token had expired, they are not the same"

_log: Final = logger("rekog_emotion")


Box: TypeAlias = list[Mapping[str, Any]]
"""One answer, to be taken out."""


def look(job_id: str) -> Flow[VideoAnalysis]:
    """Ask once how a job is; when it has succeeded, the answer is its first page.

    Raises:
        ResponseError: The answer is broken, or its status is none of the three.
    """
    return (yield from _read([(yield _call(job_id))], job_id))


def _call(job_id: str, token: str | None = None) -> Call:
    place = {} if token is None else {"NextToken": token}
    return Call("get_face_detection", {"JobId": job_id, "MaxResults": MAX_PAGE_FACES, **place}, job_id)


def _read(box: Box, job_id: str) -> Flow[VideoAnalysis]:
    """Read a page.

    Raises:
        ResponseError: The answer is broken, or its status is none of the three.
    """
    page: VideoAnalysis = yield Work(partial(_page_of, box, job_id))
    return page


def _page_of(box: Box, job_id: str) -> VideoAnalysis:
    status = box[0].get("JobStatus")
    if isinstance(status, str) and status not in set(JobStatus):
        raise _no_status(status, job_id)  # whatever else there is of the answer
    try:
        page = VideoAnalysis.from_aws(box.pop())  # no variable holds the answer
    except ResponseError as error:
        error.job_id = job_id
        raise
    if page.status is None:
        raise _no_status(None, job_id)
    return page


def _no_status(status: str | None, job_id: str) -> ResponseError:
    problem = f"expected one of {', '.join(JobStatus)}, got {status!r}"
    return ResponseError(problem, path="JobStatus", job_id=job_id)


@frozen(kw_only=True)
class Readout:
    """One reading of the pages of a job that has succeeded.

    Attributes:
        job_id: The service's id.
        facts: Of the client.
        ways_out: What to say when the reading ends before the last page.
        begun_again: Called with the first page when it had to be read again.
        failed: Makes the flow that follows a page that says that the job has failed after all; it raises the error.
    """

    job_id: str
    facts: Facts
    ways_out: Callable[[], WaysOut]
    begun_again: Callable[[VideoAnalysis], None]
    failed: Callable[[VideoAnalysis], Flow[None]]

    def pages(self, first: VideoAnalysis) -> Flow[None]:
        """Give the pages as they are asked for, while the next one is fetched.

        Tokens expire after 24 hours, results only after 7 days: when a token has expired, all is read again from the
        first page, and what was given before is left out.

        Args:
            first: The first page.

        Raises:
            PaginationError: A token or the faces of a page came twice, or the pages are not the same when they are
                read again.
            InvalidPaginationTokenError: Another token expired, and there had been nothing new since the last one.
        """
        given, last, restarted_at = 0, None, -1
        while True:
            end, walk, page = 0, _Walk(self, first), None
            try:
                while (page := (yield from walk.next(page))) is not None:
                    begin, end = end, end + len(page.faces)
                    if begin < given <= end and page.faces[given - begin - 1] != last:
                        raise misfit(_CHANGED, job_id=self.job_id)
                    if begin < given and end <= given:
                        continue
                    fresh = page if begin == given else evolve(page, faces=page.faces[given - begin :])
                    given, last = end, page.faces[-1] if page.faces else last
                    yield Tell(Progress(event=ProgressEvent.PAGE, job_id=self.job_id, faces=given))
                    yield Give(fresh)
                    if page.next_token and (yield Cancelled()):
                        raise self.ways_out().reading_cancelled()
            except InvalidPaginationTokenError:
                if given == restarted_at:
                    raise
                _log.info("a page token of job %s has expired: reading again from the first page", shown(self.job_id))
                restarted_at = given
                first = yield from self.read((yield from self.fetch(None)), None)
            else:
                if end < given:
                    raise misfit(_CHANGED, job_id=self.job_id)
                return

    def fetch(self, token: str | None) -> Flow[Box]:
        """Fetch a page, again where the call failed for a passing reason; without a token, the first.

        The box is empty where the client could make nothing of the answer.
        """
        try:
            return (yield from self._fetched(token))
        except ResponseError:
            return []

    def _fetched(self, token: str | None) -> Flow[Box]:
        if (yield Cancelled()):
            raise self.ways_out().reading_cancelled()
        if not self.facts.files:
            yield Turn(waits=False)
        try:
            return [(yield from retrying.called(_call(self.job_id, token), ours=self.facts.retries))]
        except RekogEmotionError as error:
            if retrying.is_transient(error) and (yield Cancelled()):
                raise self.ways_out().reading_cancelled() from error
            raise

    def read(self, box: Box, token: str | None) -> Flow[VideoAnalysis]:
        """Read what was fetched."""
        page: VideoAnalysis | None = None
        with suppress(ResponseError):
            page = (yield from _read(box, self.job_id)) if box else None
        if page is None:
            # What came was cut off, or not the service's: it is asked for again, a few times.
            page = yield from retrying.retried(partial(self._again, token), passing=retrying.is_broken)
        if page.status == JobStatus.IN_PROGRESS:
            problem = f"one came as {page.status} after the job had SUCCEEDED"
            raise misfit(problem, job_id=self.job_id)
        if page.status == JobStatus.FAILED:
            yield from self.failed(page)
        if token is None:
            self.begun_again(page)
        return page

    def _again(self, token: str | None) -> Flow[VideoAnalysis]:
        return (yield from _read((yield from self._fetched(token)), self.job_id))


class _Walk:
    """The pages one after another, one of them fetched ahead.

    Args:
        readout: Fetches and reads them.
        first: The first page.
    """

    def __init__(self, readout: Readout, first: VideoAnalysis) -> None:
        self._readout = readout
        self._first = first
        self._seen = set[str]()
        self._ahead: Any = None
        self._announced: object = first.next_token

    def next(self, page: VideoAnalysis | None) -> Flow[VideoAnalysis | None]:
        """Return the page that follows one, ``None`` after the last; after ``None`` the first."""
        if page is None:
            yield from self._start()
            return self._first
        token, job_id = page.next_token, self._readout.job_id
        if not token:
            return None
        if self._ahead is None:
            problem = "a page token came twice, so that they would never end"
            raise misfit(problem, job_id=job_id)
        self._seen.add(token)
        box: Box = yield Take(self._ahead)
        self._announced = box[0].get("NextToken") if box else None
        yield from self._start()
        faces = page.faces
        page = yield from self._readout.read(box, token)
        number = len(self._seen) + 1
        # No two faces of one moment are alike to the last digit: something else is missing in this one's place.
        if page.faces and page.faces == faces:
            problem = f"page {number} has the faces of the one before once more"
            raise misfit(problem, job_id=job_id)
        if page.next_token != self._announced:  # what had arrived was broken, and was asked for again
            self._announced = page.next_token
            yield from self._start()
        _compare(self._first.metadata, page.metadata, number=number, job_id=job_id)
        return page

    def _start(self) -> Flow[None]:
        """Begin to fetch the page that was announced, before the one that it follows is read and used."""
        token = self._announced
        self._ahead = None
        if isinstance(token, str) and token and token not in self._seen:
            self._ahead = yield Begin(partial(self._readout.fetch, token))


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
    msg = f"the pages of job {shown(job_id)} do not fit together: {problem}; VideoJob.resume() begins again"
    return PaginationError(msg, job_id=job_id)
