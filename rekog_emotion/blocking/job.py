"""Video jobs: start one, wait for it, read every face of it, and take it up again in another process.

The service has no waiter and no paginator for them. The life cycle here follows three rules. An unfinished job is
never "no faces". A wait that ends early loses nothing: the job goes on at the service, and the error says how to resume
it. An upload belongs to its job: it is deleted when the job has ended or could not start, and by whoever resumes or
discards it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Unpack

from attrs import define, evolve, field

from rekog_emotion.blocking.clock import Clock, system_clock
from rekog_emotion.blocking.options import StartVideoOptions
from rekog_emotion.clients.names import engine_name, resolve_client
from rekog_emotion.clients.protocols import Staging, capabilities
from rekog_emotion.clients.staging import bucket_and_prefix, resolve_discard, resolve_staging
from rekog_emotion.clients.uploads import S3Staging, is_upload
from rekog_emotion.errors import (
    InvalidInputError,
    JobFailedError,
    RekogEmotionError,
    StagingError,
)
from rekog_emotion.flows import pages as _paging
from rekog_emotion.flows import request
from rekog_emotion.flows.budget import Budget, budget_of
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.options import spelled_out
from rekog_emotion.flows.readout import Readout
from rekog_emotion.flows.request import TIMEOUT, Seconds, VideoRequest, check_listeners
from rekog_emotion.flows.resuming import WaysOut, resumable
from rekog_emotion.flows.starting import Starter
from rekog_emotion.flows.states import read_state, write_state
from rekog_emotion.logs import logger
from rekog_emotion.results.protocols import reason_of_failure
from rekog_emotion.results.video_analysis import VideoAnalysis, merge
from rekog_emotion.sources.videos import VideoSource, prepare_video
from rekog_emotion.text import shown
from rekog_emotion.values.progress import OnProgress, Progress, ProgressEvent, tell
from rekog_emotion.values.s3 import S3Object, s3_uri
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.words import JobStatus

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["VideoJob"]

_log: Final = logger("rekog_emotion")


@define(kw_only=True, eq=False, repr=False)
class VideoJob:
    """A face-detection job at the service.

    Attributes:
        job_id: The service's id; results are kept for 7 days under it.
    """

    job_id: str
    _client: RekognitionClient
    _staging: Staging | None = None
    _upload: S3Object | None = None
    _s3_client: Any = None
    _notify: SnsSqs | None = None
    _token: str | None = None
    _fresh: bool = False  # started here, with a token of its own: it has not ended before it began
    _video_seconds: float | None = None
    _source: str | None = None
    _clock: Clock = field(factory=system_clock)
    _first: VideoAnalysis | None = field(default=None, init=False)
    _budget: Budget | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._budget = None if "files" in capabilities(self._client) else budget_of(self._client)

    def __repr__(self) -> str:
        upload = f" with upload {shown(s3_uri(self._upload))}" if self._upload else ""
        return f"<VideoJob {self.job_id}{upload}>"

    # --- beginnings ---

    @classmethod
    @spelled_out(StartVideoOptions, defaults=VideoRequest)
    def start(cls, source: VideoSource, **options: Unpack[StartVideoOptions]) -> VideoJob:
        """Start a job; see :func:`rekog_emotion.start_video`.

        Args:
            source: A path, ``s3://bucket/key`` or :class:`S3Object`.
            **options: Those of ``StartVideoOptions``.
        """
        asked = VideoRequest.of(options)
        staging, s3_client, clock = options["staging"], options["s3_client"], options["clock"] or system_clock()
        on_progress, cancel = options["on_progress"], options["cancel"]
        check_listeners(on_progress, cancel)
        video = prepare_video(source)
        if isinstance(staging, str):
            bucket_and_prefix(staging)  # what is wrong with an argument needs no credentials to be found
        rekognition = resolve_client(options["client"])
        starter = Starter(
            client=_able_to_notify(rekognition, asked.notify),
            parameters=asked.parameters(),
            timeout=asked.slot_timeout,
            on_progress=on_progress,
            cancel=cancel,
            clock=clock,
        )
        where, upload = None, None
        with starter.answerable():
            if isinstance(video.place, S3Object):
                job_id = starter.start(video.place)
            else:
                where = resolve_staging(staging, client=rekognition, s3_client=s3_client)
                upload, job_id = starter.stage_and_start(video.place, where)
            job = cls(
                job_id=job_id,
                client=rekognition,
                staging=where,
                upload=upload,
                s3_client=s3_client,
                notify=asked.notify,
                token=asked.client_request_token,
                fresh=asked.client_request_token is None,
                video_seconds=video.seconds if asked.video_length is None else asked.video_length,
                source=video.name,
                clock=clock,
            )
            _log.info("started job %s for %s", job_id, shown(video.name))
            tell(on_progress, Progress(event=ProgressEvent.STARTED, job_id=job_id, state=job.to_dict()))
        return job

    @classmethod
    def resume(
        cls,
        job_id: str,
        *,
        client: RekognitionClient | str | None = None,
        upload: S3Object | None = None,
        staging: Staging | None = None,
        s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
        notify: SnsSqs | None = None,
        clock: Clock | None = None,
    ) -> VideoJob:
        """Take up a job by its id.

        An upload that belongs to it is named here, or comes with :meth:`from_dict`. Where it is not, and the service's
        answer names a video that :class:`S3Staging` has uploaded, that one is deleted when the job has ended; if it
        cannot be, a warning in the log says so.

        Args:
            job_id: What the error or :attr:`job_id` said.
            client: As for :func:`rekog_emotion.analyze_video`, of the account and region that started the job.
            upload: What the job owns in S3, to be deleted when it has ended.
            staging: The object that the job was started with, if it was one of the caller's.
            s3_client: As for :func:`rekog_emotion.start_video`; it deletes the upload.
            notify: What the job was started with, to wait for its message; the job itself is looked at first.
            clock: Where time comes from, for tests.
        """
        if not isinstance(job_id, str) or not job_id:
            msg = f"job_id={job_id!r} is no job id: pass the string that started jobs carry as job_id"
            raise InvalidInputError(msg)
        rekognition = resolve_client(client)
        where = None
        if upload is not None:
            where = resolve_discard(staging, client=rekognition, upload=upload, s3_client=s3_client)
        return cls(
            job_id=job_id,
            client=_able_to_notify(rekognition, notify),
            staging=where,
            upload=upload,
            s3_client=s3_client,
            notify=notify,
            clock=clock or system_clock(),
        )

    @property
    def source(self) -> str | None:
        """Path or address of the video; ``None`` where the job was taken up by its id."""
        return self._source

    @property
    def upload(self) -> S3Object | None:
        """What the job owns in S3 until it has ended, or ``None``."""
        return self._upload

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` takes: plain JSON with the job's id and the bucket, key and version it owns."""
        return write_state(self.job_id, self._upload)

    @classmethod
    def from_dict(
        cls,
        state: Mapping[str, Any],
        *,
        client: RekognitionClient | str | None = None,
        staging: Staging | None = None,
        s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
        notify: SnsSqs | None = None,
        clock: Clock | None = None,
    ) -> VideoJob:
        """Take up a job, and the care for its upload, from :meth:`to_dict` or an error's ``state``.

        Args:
            state: A mapping, by way of JSON too.
            client: As for :meth:`resume`.
            staging: The object that the job was started with, if it was one of the caller's.
            s3_client: As for :func:`rekog_emotion.start_video`; it deletes the upload.
            notify: As for :meth:`resume`.
            clock: Where time comes from, for tests.

        Raises:
            InvalidInputError: ``state`` is of another kind or version.
        """
        job_id, upload = read_state(state)
        return cls.resume(
            job_id, client=client, upload=upload, staging=staging, s3_client=s3_client, notify=notify, clock=clock
        )

    # --- life ---

    def status(self) -> JobStatus:
        """Ask once how the job is; an upload is deleted when it has ended.

        Raises:
            ServiceError: The service refused, with ``JobNotFoundError`` where it knows no such job.
            TransportError: No answer came.
            ResponseError: The answer is broken.
            StagingError: The job has ended, and its upload could not be deleted.
        """
        if self._budget is not None:
            self._budget.spend(self._clock.now())
        page = _paging.look(self._client, self.job_id)
        if page.status == JobStatus.SUCCEEDED:
            self._first = page
        if page.status != JobStatus.IN_PROGRESS:
            self._adopt(page)
            self.discard()
        return JobStatus(str(page.status))

    def wait(
        self,
        *,
        timeout: Seconds = TIMEOUT,
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Return when the job has succeeded.

        Looks at once, then again after about a tenth of the time waited so far, between two seconds and a quarter of an
        hour; where the length of the video is known, not before a twentieth of it. All jobs of a client together look
        no more often than the smallest quota of AWS allows, 5 times a second. A poll that is throttled or gets no
        answer is a longer wait, not an error. With ``notify=`` it waits for the message instead, and looks only now and
        then.

        Args:
            timeout: Seconds or a ``timedelta``; ``None`` for ever.
            on_progress: Called with a :class:`Progress` at every poll and wait.
            cancel: Ends the wait at once when set.

        Raises:
            JobFailedError: The service ended the job as FAILED; the message has its reason.
            JobTimeoutError: The time is over; the job goes on, and ``VideoJob.from_dict(error.state)`` resumes it.
            JobCancelledError: ``cancel`` was set; as above.
            ServiceError: The service refused for good, with ``JobNotFoundError`` where it knows no such job.
            ResponseError: The answer is broken.
            StagingError: The job has ended, and its upload could not be deleted.
        """
        limit = request.seconds(timeout, "timeout")
        with resumable(self._ways_out):
            self._wait(limit, on_progress, cancel)

    def faces(
        self,
        *,
        timeout: Seconds = TIMEOUT,
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[TimedFace]:
        """Wait for the job, then give its faces one by one, in pages of 1000, of which one is fetched ahead.

        Args and errors are those of :meth:`wait`; besides:

        Raises:
            PaginationError: The pages do not fit together.
        """
        # No generator by itself: a wrong argument is an error of this call, not of the first face.
        pages = self._pages(request.seconds(timeout, "timeout"), on_progress, cancel)
        return (face for page in pages for face in page.faces)

    def result(
        self,
        *,
        timeout: Seconds = TIMEOUT,
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> VideoAnalysis:
        """Wait for the job, then give all of it; arguments and errors are those of :meth:`faces`.

        Its ``source`` is what :meth:`start` was given; a job that was taken up by its id knows none.
        """
        limit = request.seconds(timeout, "timeout")
        with resumable(self._ways_out):
            whole = merge(list(self._pages(limit, on_progress, cancel)))
            return evolve(whole, next_token=None, engine=whole.engine or engine_name(self._client), source=self._source)

    def discard(self) -> None:
        """Delete the upload of a job whose result is not wanted; a second time does nothing.

        The service has no call that stops a job.

        Raises:
            StagingError: It could not be deleted.
        """
        if self._upload is not None and self._staging is not None:
            try:
                self._staging.discard(self._upload)
            except StagingError as error:
                error.job_id = self.job_id
                raise
        self._upload = None

    # --- inside ---

    def _wait(
        self, limit: float | None, on_progress: OnProgress | None, cancel: threading.Event | None
    ) -> VideoAnalysis:
        if self._first is not None:
            return self._first
        lookout = Lookout(
            client=self._client,
            job_id=self.job_id,
            notify=self._notify,
            fresh=self._fresh,
            video_seconds=self._video_seconds,
            budget=self._budget,
            clock=self._clock,
            ways_out=self._ways_out,
        )
        page, looks = lookout.until_ended(limit, on_progress, cancel)
        if looks == 1 and self._token is not None:
            _log.warning(
                "job %s was %s at the first look: the token %r may have given back a job that was started before",
                self.job_id,
                page.status,
                self._token,
            )
        self._ended(page)
        return page

    def _ended(self, page: VideoAnalysis) -> None:
        """Take note of the first page, or of the failure, of a job that has ended, and take its upload away."""
        self._adopt(page)
        if page.status != JobStatus.SUCCEEDED:
            about = f"{shown(self._source)}: " if self._source else ""
            message = f"{about}job {self.job_id} failed: {reason_of_failure(page, self._source)}"
            try:
                self.discard()
            except StagingError as error:
                message = f"{message}; {error}"
            raise JobFailedError(message, job_id=self.job_id)
        self._first = page
        try:
            self.discard()
        except StagingError as error:
            error.add_note(f"The analysis is complete: VideoJob.resume({self.job_id!r}).result() gives it.")
            raise

    def _pages(
        self, limit: float | None, on_progress: OnProgress | None, cancel: threading.Event | None
    ) -> Iterator[VideoAnalysis]:
        readout = Readout(
            client=self._client,
            job_id=self.job_id,
            budget=self._budget,
            clock=self._clock,
            cancel=cancel,
            ways_out=self._ways_out,
            begun_again=self._keep,
            failed=self._ended,
        )
        with resumable(self._ways_out):
            yield from readout.pages(self._wait(limit, on_progress, cancel), on_progress)

    def _keep(self, first: VideoAnalysis) -> None:
        self._first = first

    def _adopt(self, page: VideoAnalysis) -> None:
        """Take an upload for the job's own whose job was taken up by its id alone."""
        video = page.video.s3_object if page.video is not None else None
        if self._fresh or self._upload is not None or video is None or not is_upload(video):
            return
        if "files" in capabilities(self._client) or self._token is not None:
            return
        try:
            where = resolve_discard(None, client=self._client, upload=video, s3_client=self._s3_client)
            if isinstance(where, S3Staging):
                where.remove(video)
        except RekogEmotionError as error:
            _log.warning("job %s has ended, and its upload is left: %s", self.job_id, error)

    def _ways_out(self) -> WaysOut:
        # A client that takes files by itself works by itself, too.
        return WaysOut(job_id=self.job_id, upload=self._upload, here="files" in capabilities(self._client))


def _able_to_notify(client: RekognitionClient, notify: SnsSqs | None) -> RekognitionClient:
    if notify is not None and "files" in capabilities(client):
        msg = f"notify= is for AWS: {type(client).__name__} sends no messages, so leave it out"
        raise InvalidInputError(msg)
    return client
