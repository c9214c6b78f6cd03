"""The life of a video job: it is waited for, read, and takes its upload away when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from attrs import define, evolve, field, frozen

from rekog_emotion.errors import JobFailedError, RekogEmotionError, StagingError
from rekog_emotion.flows import pages
from rekog_emotion.flows.combining import collect
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.messages import Mailbox, SnsSqs
from rekog_emotion.flows.pages import Readout
from rekog_emotion.flows.resuming import WaysOut, resumable, write_state
from rekog_emotion.flows.steps import Discard, Facts, Flow, Remove, Turn, Work
from rekog_emotion.logs import logger
from rekog_emotion.results.protocols import reason_of_failure
from rekog_emotion.results.video_analysis import VideoAnalysis, merge
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3Object, is_upload, s3_uri
from rekog_emotion.values.words import JobStatus

__all__ = ["Job", "JobHandle"]

_log: Final = logger("rekog_emotion")


@define(kw_only=True, eq=False)
class Job:
    """What is known of a job. Its methods are flows.

    Attributes:
        job_id: The service's id.
        facts: Of the client.
        upload: What the job owns in S3 until it has ended.
        notify: Where the service sends its message, or ``None``.
        mailbox: That of its queue, kept here so that nobody has to make another when it is waited for.
        token: The token that the caller started it with.
        fresh: It was started here, with a token of its own: it has not ended before it began.
        video_seconds: The length of its video, where it is known.
        source: The name of its video, where it is known.
        first: The first page, when it has succeeded.
    """

    job_id: str
    facts: Facts
    upload: S3Object | None = None
    notify: SnsSqs | None = None
    mailbox: Mailbox | None = None
    token: str | None = None
    fresh: bool = False
    video_seconds: float | None = None
    source: str | None = None
    first: VideoAnalysis | None = field(default=None, init=False)
    # While anybody has the job, its mailbox remembers that its message has come, and knows a second copy.
    _lookout: Lookout | None = field(default=None, init=False)

    @classmethod
    def taken_up(cls, job_id: str, options: Mapping[str, Any], facts: Facts) -> Job:
        """Return a job that was started elsewhere, with what the options of ``VideoJob.resume`` know of it."""
        return cls(job_id=job_id, facts=facts, upload=options["upload"], notify=options["notify"])

    @property
    def state(self) -> dict[str, Any]:
        """What it is taken up from in another process."""
        return write_state(self.job_id, self.upload)

    def ways_out(self) -> WaysOut:
        """Return what is to be said when it is left before it has ended."""
        # A client that takes files by itself works by itself, too.
        return WaysOut(job_id=self.job_id, upload=self.upload, here=self.facts.files)

    def status(self) -> Flow[JobStatus]:
        """Ask once how it is."""
        if not self.facts.files:
            yield Turn(waits=False)
        page = yield from pages.look(self.job_id)
        if page.status == JobStatus.SUCCEEDED:
            self.first = page
        if page.status != JobStatus.IN_PROGRESS:
            yield from self._adopt(page)
            yield from self.discard()
        return JobStatus(str(page.status))

    def wait(self, limit: float | None) -> Flow[None]:
        """Wait until it has succeeded.

        Args:
            limit: Seconds, or ``None`` for ever.
        """
        with resumable(self.ways_out):
            yield from self._wait(limit)

    def pages(self, limit: float | None) -> Flow[None]:
        """Wait until it has succeeded, and give its pages one by one."""
        readout = Readout(
            job_id=self.job_id,
            facts=self.facts,
            ways_out=self.ways_out,
            begun_again=partial(setattr, self, "first"),
            failed=self._ended,
        )
        with resumable(self.ways_out):
            first = yield from self._wait(limit)
            yield from readout.pages(first)

    def result(self, limit: float | None) -> Flow[VideoAnalysis]:
        """Wait until it has succeeded, and return all of it."""
        with resumable(self.ways_out):
            whole = merge((yield from collect(self.pages(limit))))
            return evolve(whole, next_token=None, engine=whole.engine or self.facts.engine, source=self.source)

    def discard(self) -> Flow[None]:
        """Take its upload away."""
        if self.upload is not None:
            try:
                yield Discard(self.upload)
            except StagingError as error:
                error.job_id = self.job_id
                raise
        self.upload = None

    def _wait(self, limit: float | None) -> Flow[VideoAnalysis]:
        if self.first is not None:
            return self.first
        self._lookout = lookout = Lookout(
            job_id=self.job_id,
            facts=self.facts,
            notify=self.notify,
            fresh=self.fresh,
            video_seconds=self.video_seconds,
            ways_out=self.ways_out,
        )
        page = yield from lookout.until_ended(limit)
        if lookout.looks == 1 and self.token is not None:
            _log.warning(
                "job %s was %s at the first look: the token %r may have given back a job that was started before",
                shown(self.job_id),
                page.status,
                self.token,
            )
        yield from self._ended(page)
        return page

    def _ended(self, page: VideoAnalysis) -> Flow[None]:
        """Take note of the first page, or of the failure, of a job that has ended, and take its upload away."""
        yield from self._adopt(page)
        if page.status != JobStatus.SUCCEEDED:
            about = f"{shown(self.source)}: " if self.source else ""
            reason = yield Work(partial(reason_of_failure, page, self.source))
            message = f"{about}job {shown(self.job_id)} failed: {reason}"
            try:
                yield from self.discard()
            except StagingError as error:
                message = f"{message}; {error}"
            raise JobFailedError(message, job_id=self.job_id)
        self.first = page
        try:
            yield from self.discard()
        except StagingError as error:
            error.add_note(f"The analysis is complete: VideoJob.resume({shown(self.job_id)!r}).result() gives it.")
            raise

    def _adopt(self, page: VideoAnalysis) -> Flow[None]:
        """Take an upload for the job's own whose job was taken up by its id alone."""
        video = page.video.s3_object if page.video is not None else None
        if self.fresh or self.upload is not None or video is None or not is_upload(video):
            return
        if self.facts.files or self.token is not None:
            return
        try:
            yield Remove(video)
        except RekogEmotionError as error:
            _log.warning("job %s has ended, and its upload is left: %s", shown(self.job_id), error)


@frozen(kw_only=True, eq=False, repr=False)
class JobHandle:
    """What a job says of itself in either world, without asking anybody."""

    _job: Job

    def __repr__(self) -> str:
        upload = f" with upload {shown(s3_uri(self.upload))}" if self.upload else ""
        return f"<VideoJob {shown(self.job_id)}{upload}>"

    @property
    def job_id(self) -> str:
        """The service's id; results are kept for 7 days under it."""
        return self._job.job_id

    @property
    def upload(self) -> S3Object | None:
        """What the job owns in S3 until it has ended, or ``None``."""
        return self._job.upload

    @property
    def source(self) -> str | None:
        """Path or address of the video; ``None`` where the job was taken up by its id."""
        return self._job.source

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` takes: plain JSON with the job's id and the bucket, key and version it owns."""
        return self._job.state
