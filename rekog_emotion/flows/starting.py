"""How a video job begins: the parameters, the upload, and the wait for a slot."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import define, evolve, field

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.clients import failures
from rekog_emotion.clients.protocols import capabilities, leaves_retrying_to_us
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
)
from rekog_emotion.flows import polling, retrying
from rekog_emotion.flows.resuming import WaysOut, remind
from rekog_emotion.media.containers import refusal_of_the_service
from rekog_emotion.text import shown
from rekog_emotion.values.progress import OnProgress, Progress, ProgressEvent, tell
from rekog_emotion.values.s3 import S3Object, s3_uri, s3_wire
from rekog_emotion.values.videos import StartedJob

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient, Staging

__all__ = ["Starter"]

# A slot is free when another job ends: minutes, never back-off seconds.
_SLOTS: Final = polling.PollSchedule(floor=10.0)


@define(kw_only=True)
class Starter:
    """Starts one job."""

    client: RekognitionClient
    parameters: Mapping[str, Any]
    timeout: float | None
    on_progress: OnProgress | None
    cancel: threading.Event | None
    clock: _clock.Clock
    _job_id: str | None = field(default=None, init=False)
    _upload: S3Object | None = field(default=None, init=False)
    _asked_for: S3Object | None = field(default=None, init=False)  # a start of which nobody knows what became

    @contextmanager
    def answerable(self) -> Iterator[None]:
        """Say on every way out of the block what was started or may have been, and how to have it back."""
        try:
            yield
        except BaseException as error:
            if self._job_id is not None:
                here = "files" in capabilities(self.client)
                remind(error, WaysOut(job_id=self._job_id, upload=self._upload, here=here))
            elif self._asked_for is not None:
                call = f"{s3_uri(self._asked_for)!r}, client_request_token={self.parameters['ClientRequestToken']!r}"
                error.add_note(f"A job may have been started: start_video({call}) with the same options gives it back.")
            raise

    def start(self, video: S3Object) -> str:
        """Start the job and return its id, waiting for a slot where too many jobs run."""
        request = {**self.parameters, "Video": {"S3Object": s3_wire(video)}}

        def on_wait(waited: float, interval: float) -> None:
            tell(
                self.on_progress, Progress(event=ProgressEvent.WAITING_FOR_SLOT, seconds=waited, next_seconds=interval)
            )

        def once() -> Mapping[str, Any]:
            before, self._asked_for = self._asked_for, video
            try:
                return failures.once(self.client, "start_face_detection", **request)
            except Exception as error:
                if _is_refusal(error):
                    self._asked_for = before if isinstance(error, ThrottledError) else None
                raise

        def ask() -> str:
            ours = leaves_retrying_to_us(self.client)
            answer = retrying.retry(once, clock=self.clock, cancel=self.cancel) if ours else once()
            self._job_id = StartedJob.from_aws(answer).job_id or ""
            return self._job_id

        def attempt() -> str:
            try:
                # Behind a broken answer there is a job, mostly, which the same token gives back.
                return retrying.retry(ask, clock=self.clock, cancel=self.cancel, passing=retrying.is_broken)
            except RekogEmotionError as error:
                if self._is_cancelled() and retrying.is_transient(error):
                    # After a call without answer there may be a job.
                    msg = f"the start was cancelled after a failure: {error}"
                    raise JobCancelledError(msg) from error
                raise

        return polling.poll(
            attempt,
            unfinished=lambda _: False,
            tolerate=lambda error: isinstance(error, LimitExceededError),
            schedule=_SLOTS,
            timeout=self.timeout,
            clock=self.clock,
            cancel=self.cancel,
            on_wait=on_wait,
            timed_out=lambda waited, failure: JobTimeoutError(
                f"no job could be started within {waited:.0f} s: {failure}"
            ),
            cancelled=lambda waited: JobCancelledError(
                f"the start was cancelled after {waited:.0f} s; no job was started"
            ),
        )

    def stage_and_start(self, path: Path, staging: Staging) -> tuple[S3Object, str]:
        """Upload a file and start the job on it; return the upload and the job's id.

        The upload is deleted when no job is known to have started, for whatever reason.
        """
        if self._is_cancelled():
            msg = f"the upload of {shown(str(path))} was cancelled before it began; no job was started"
            raise JobCancelledError(msg)
        if "files" not in capabilities(self.client) and (what := refusal_of_the_service(path)):
            msg = f"{shown(str(path))}: {what}"
            raise InvalidInputError(msg)

        def on_bytes(done: int, total: int) -> None:
            tell(self.on_progress, Progress(event=ProgressEvent.UPLOADING, bytes_done=done, bytes_total=total))

        try:
            self._upload = upload = staging.stage(path, on_bytes=on_bytes, cancel=self.cancel)
            # By key alone, which is random: to read a version takes a permission of its own.
            return upload, self.start(evolve(upload, version=None))
        except BaseException as error:
            if self._upload is None or self._job_id is not None:
                raise
            try:
                staging.discard(self._upload)
            except StagingError as left:
                if not isinstance(error, Exception):
                    # An interrupt stays one.
                    error.add_note(str(left))
                    raise error from left
                msg = f"{left}; it was uploaded for a job that could not start: {error}"
                raise StagingError(msg, bucket=left.bucket, key=left.key) from error
            raise

    def _is_cancelled(self) -> bool:
        return self.cancel is not None and self.cancel.is_set()


def _is_refusal(error: Exception) -> bool:
    """Tell whether a call has started nothing for sure: the service said no, or it never got there."""
    if isinstance(error, (ConfigurationError, InvalidInputError, MissingExtraError)):
        return True
    if isinstance(error, ServiceError):
        return not isinstance(error, InternalServiceError)
    from botocore import exceptions  # noqa: PLC0415 -- not needed where all goes well

    unsent = (exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError, exceptions.ProxyConnectionError)
    return isinstance(error.__cause__, unsent)
