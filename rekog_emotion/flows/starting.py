"""How a video job begins: the parameters, the upload, and the wait for a slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import define, evolve, field

from rekog_emotion.errors import (
    ConfigurationError,
    InternalServiceError,
    InvalidInputError,
    JobCancelledError,
    JobTimeoutError,
    LimitExceededError,
    MissingExtraError,
    RekogEmotionError,
    ServiceError,
    StagingError,
    ThrottledError,
    TransportError,
)
from rekog_emotion.flows import polling, retrying
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.request import CheckBeside, VideoRequest, asked_for
from rekog_emotion.flows.resuming import WaysOut, remind
from rekog_emotion.flows.steps import (
    Call,
    Cancelled,
    Discard,
    Facts,
    Flow,
    Open,
    Opening,
    Resolve,
    Sleep,
    Stage,
    Tell,
    Work,
)
from rekog_emotion.logs import logger
from rekog_emotion.media.containers import refusal_of_the_service
from rekog_emotion.sources.videos import PreparedVideo, VideoSource, prepare_video
from rekog_emotion.text import shown
from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.s3 import S3Object, s3_uri, s3_wire
from rekog_emotion.values.videos import StartedJob

__all__ = ["Starter", "opening"]

_log: Final = logger("rekog_emotion")
# A slot is free when another job ends: minutes, never back-off seconds.
_SLOTS: Final = polling.PollSchedule(floor=10.0)


def opening(
    source: VideoSource, options: Mapping[str, Any], *, check_beside: CheckBeside, find: Callable[..., Any]
) -> Opening[tuple[VideoRequest, PreparedVideo, Any, Any]]:
    """Return what is asked for, the video that has been read, the client, and where a local file goes.

    What is wrong with the options is told before anything is read, what is wrong with the video before a client is
    made, and what the client cannot do before anything is uploaded.

    Args:
        source: The video.
        options: Those of a start.
        check_beside: Of the world.
        find: Finds where a file goes, by where it is.
    """
    asked, s3_client = asked_for(options, check_beside), options["s3_client"]
    video = yield Work(partial(prepare_video, source))
    client, can = yield Resolve(options["client"])
    asked.check_client(client, can)
    staging = yield Work(partial(find, video.place, options["staging"], client=client, s3_client=s3_client))
    return asked, video, client, staging


@define(kw_only=True)
class Starter:
    """Starts one job.

    Attributes:
        asked: What the caller asks for.
        facts: Of the client.
    """

    asked: VideoRequest
    facts: Facts
    _parameters: dict[str, Any] = field(init=False)
    _job_id: str | None = field(default=None, init=False)
    _upload: S3Object | None = field(default=None, init=False)
    _asked_for: S3Object | None = field(default=None, init=False)  # a start of which nobody knows what became

    @_parameters.default
    def _of_the_call(self) -> dict[str, Any]:
        return self.asked.parameters(self.facts.can)

    def start(self, video: PreparedVideo) -> Flow[Job]:
        """Start a job, upload and all, and return it."""
        # A queue that cannot be asked is found before a job that it is to tell the end of.
        mailbox = None if self.asked.notify is None else (yield Open(self.asked.notify))
        with self._answerable():
            if isinstance(video.place, S3Object):
                job_id = yield from self._start(video.place)
            else:
                job_id = yield from self._stage_and_start(video.place)
            job = Job(
                job_id=job_id,
                facts=self.facts,
                upload=self._upload,
                notify=self.asked.notify,
                mailbox=mailbox,
                token=self.asked.client_request_token,
                fresh=self.asked.client_request_token is None,
                video_seconds=video.seconds if self.asked.video_length is None else self.asked.video_length,
                source=video.name,
            )
            _log.info("started job %s for %s", shown(job_id), shown(video.name))
            yield Tell(Progress(event=ProgressEvent.STARTED, job_id=job_id, state=job.state))
        return job

    @contextmanager
    def _answerable(self) -> Iterator[None]:
        """Say on every way out of the block what was started or may have been, and how to have it back."""
        try:
            yield
        except BaseException as error:
            if self._job_id is not None:
                remind(error, WaysOut(job_id=self._job_id, upload=self._upload, here=self.facts.files))
            elif self._asked_for is not None:
                call = f"{s3_uri(self._asked_for)!r}, client_request_token={self._parameters['ClientRequestToken']!r}"
                error.add_note(f"A job may have been started: start_video({call}) with the same options gives it back.")
            raise

    def _start(self, video: S3Object) -> Flow[str]:
        """Start the job and return its id, waiting for a slot where too many jobs run."""
        call = Call("start_face_detection", {**self._parameters, "Video": {"S3Object": s3_wire(video)}})
        return polling.poll(
            partial(self._attempt, call, video),
            tolerate=lambda error: isinstance(error, LimitExceededError),
            schedule=_SLOTS,
            timeout=self.asked.slot_timeout,
            pause=_wait_for_slot,
            timed_out=lambda waited, failure: JobTimeoutError(
                f"no job could be started within {waited:.0f} s: {failure}"
            ),
            cancelled=lambda waited: JobCancelledError(
                f"the start was cancelled after {waited:.0f} s; no job was started"
            ),
        )

    def _attempt(self, call: Call, video: S3Object) -> Flow[str]:
        try:
            # Behind a broken answer there is a job, mostly, which the same token gives back.
            return (yield from retrying.retried(partial(self._ask, call, video), passing=retrying.is_broken))
        except RekogEmotionError as error:
            if retrying.is_transient(error) and (yield Cancelled()):
                # After a call without answer there may be a job.
                msg = f"the start was cancelled after a failure: {error}"
                raise JobCancelledError(msg) from error
            raise

    def _ask(self, call: Call, video: S3Object) -> Flow[str]:
        once = partial(self._once, call, video)
        answer = yield from (retrying.retried(once) if self.facts.retries else once())
        self._job_id = StartedJob.from_aws(answer).job_id or ""
        return self._job_id

    def _once(self, call: Call, video: S3Object) -> Flow[Mapping[str, Any]]:
        before, self._asked_for = self._asked_for, video
        try:
            answer: Mapping[str, Any] = yield call
        except Exception as error:
            if _is_refusal(error):
                self._asked_for = before if isinstance(error, ThrottledError) else None
            raise
        return answer

    def _stage_and_start(self, path: Path) -> Flow[str]:
        """Upload a file and start the job on it; return the job's id.

        The upload is taken away when no job is known to have started, for whatever reason.
        """
        if (yield Cancelled()):
            msg = f"the upload of {shown(str(path))} was cancelled before it began; no job was started"
            raise JobCancelledError(msg)
        if not self.facts.files and (what := (yield Work(partial(refusal_of_the_service, path)))):
            msg = f"{shown(str(path))}: {what}"
            raise InvalidInputError(msg)
        try:
            self._upload = upload = yield Stage(path)
            # By key alone, which is random: to read a version takes a permission of its own.
            return (yield from self._start(evolve(upload, version=None)))
        except GeneratorExit:
            raise
        except BaseException as error:
            if self._upload is None or self._job_id is not None:
                raise
            try:
                yield Discard(self._upload)
            except StagingError as left:
                if not isinstance(error, Exception):
                    # An interrupt stays one.
                    error.add_note(str(left))
                    raise error from left
                msg = f"{left}; it was uploaded for a job that could not start: {error}"
                raise StagingError(msg, bucket=left.bucket, key=left.key) from error
            raise


def _wait_for_slot(waited: float, seconds: float) -> Flow[None]:
    yield Tell(Progress(event=ProgressEvent.WAITING_FOR_SLOT, seconds=waited, next_seconds=seconds))
    yield Sleep(seconds)


def _is_refusal(error: Exception) -> bool:
    """Tell whether a call has started nothing for sure: the service said no, or it never got there."""
    if isinstance(error, (ConfigurationError, InvalidInputError, MissingExtraError)):
        return True
    if isinstance(error, ServiceError):
        return not isinstance(error, InternalServiceError)
    return isinstance(error, TransportError) and not error.sent
