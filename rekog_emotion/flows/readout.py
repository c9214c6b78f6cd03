"""Read the pages of a job that has succeeded: again where a call or an answer failed, and until nobody wants them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.errors import RekogEmotionError, ResponseError
from rekog_emotion.flows import pages as _paging
from rekog_emotion.flows import retrying
from rekog_emotion.flows.budget import Budget
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.progress import OnProgress, Progress, ProgressEvent, tell
from rekog_emotion.values.words import JobStatus

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["Readout"]


@frozen(kw_only=True)
class Readout:
    """One reading of the pages of a job.

    Attributes:
        client: Of boto3's shape.
        job_id: The service's id.
        budget: What all calls of the client share, or ``None``.
        clock: Where time comes from.
        cancel: Ends the reading when set.
        ways_out: What to say when the reading ends before the last page.
        begun_again: Called with the first page when it had to be read again.
        failed: Called with a page that says that the job has failed after all; raises the error.
    """

    client: RekognitionClient
    job_id: str
    budget: Budget | None
    clock: _clock.Clock
    cancel: threading.Event | None
    ways_out: Callable[[], WaysOut]
    begun_again: Callable[[VideoAnalysis], None]
    failed: Callable[[VideoAnalysis], None]
    _stop: _clock.Stop = field(init=False)

    @_stop.default
    def _either(self) -> _clock.Stop:
        return _clock.Stop(self.cancel)

    def pages(self, first: VideoAnalysis, on_progress: OnProgress | None) -> Iterator[VideoAnalysis]:
        """Give the pages one by one, each face once.

        Args:
            first: The first page.
            on_progress: Called at every page with the faces so far.
        """
        faces = 0
        try:
            for page in _paging.each_page(first, self._ask, self._read, job_id=self.job_id):
                faces += len(page.faces)
                tell(on_progress, Progress(event=ProgressEvent.PAGE, job_id=self.job_id, faces=faces))
                yield page
                if page.next_token and self._stop.is_set():
                    raise self.ways_out().reading_cancelled()
        finally:
            # Whoever drops the iterator ends the retries of the page that is fetched ahead, too.
            self._stop.set()

    def _ask(self, token: str | None) -> Mapping[str, Any]:
        """Fetch a page."""
        if self._stop.is_set():
            raise self.ways_out().reading_cancelled()
        if self.budget is not None:
            self.budget.spend(self.clock.now())
        try:
            return _paging.ask(self.client, self.job_id, token=token, clock=self.clock, cancel=self._stop)
        except RekogEmotionError as error:
            if self._stop.is_set() and retrying.is_transient(error):
                raise self.ways_out().reading_cancelled() from error
            raise

    def _read(self, take: _paging.Take, token: str | None) -> VideoAnalysis:
        """Read what was fetched."""
        try:
            page = _paging.read(take, self.job_id)
        except ResponseError:
            # What came was cut off, or not the service's: it is asked for again, a few times.
            page = retrying.retry(
                lambda: _paging.read(partial(self._ask, token), self.job_id),
                clock=self.clock,
                cancel=self._stop,
                passing=retrying.is_broken,
            )
        if page.status == JobStatus.IN_PROGRESS:
            problem = f"one came as {page.status} after the job had SUCCEEDED"
            raise _paging.misfit(problem, job_id=self.job_id)
        if page.status == JobStatus.FAILED:
            self.failed(page)
        if token is None:
            self.begun_again(page)
        return page
