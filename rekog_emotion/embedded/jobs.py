"""Video jobs of the embedded engine: the service's states, tokens, slots, pages and expiry."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import closing
from typing import Any, Final, TypeAlias

import numpy as np
from attrs import evolve
from botocore.exceptions import ClientError
from numpy.typing import NDArray

from rekog_emotion import forks
from rekog_emotion.embedded import parameters
from rekog_emotion.embedded.advance import Advance
from rekog_emotion.embedded.ahead import GivenUpError, in_order
from rekog_emotion.embedded.crew import Crew
from rekog_emotion.embedded.detail import DEFAULT_MEMBERS, reduced
from rekog_emotion.embedded.faults import BAD_PARAMETER, UNREADABLE_OBJECT, client_error, is_shortage, response_metadata
from rekog_emotion.embedded.files import Resolver
from rekog_emotion.embedded.outcomes import Outcomes
from rekog_emotion.embedded.stills import Sample, at_each_time, stills
from rekog_emotion.embedded.store import JobRecord, MemoryStore, Store
from rekog_emotion.embedded.tokens import page_token, position
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.logs import logger
from rekog_emotion.wire.service import (
    BAD_PAGE,
    GET_FACE_DETECTION,
    MAX_JOBS,
    MAX_PAGE_FACES,
    MAX_VIDEO_BYTES,
    NO_JOB,
    OTHER_REQUEST,
    RESULTS_LAST,
    START_FACE_DETECTION,
)

__all__ = ["Detect", "Jobs"]

Detect: TypeAlias = Callable[[NDArray[np.uint8]], list[dict[str, Any]]]
"""Takes an RGB array (height, width, 3), gives the service's ``FaceDetails`` with all members."""

NEVER_ON_VIDEO: Final = frozenset({"EyeDirection", "FaceOccluded"})

# The service's codes and texts: recorded from it, or as its developer guide and its service model have them.
TOO_LARGE: Final = (
    "VideoTooLargeException",
    (
        "The file size or duration of the supplied media is too large. The maximum file size is 10GB. "
        "The maximum duration is 6 hours."
    ),
)
NO_SLOT: Final = (
    "LimitExceededException",
    "%d open Jobs for User arn:aws:iam::000000000000:user/embedded Maximum limit: %d",
)
UNSUPPORTED: Final = "Unsupported codec/format."
STOPPED: Final = "The job was stopped: its client was closed."

_LOG: Final = logger(__name__)


class Jobs:
    """Face detection in videos, in background threads.

    Safe to use from several threads at once. In a forked child, an open job of the parent is run anew when it is asked
    for. An emotion is how a face looks, not what a person feels.

    Args:
        detect: Finds the faces of a picture; called from the background threads.
        resolver: Where objects in S3 lie on this machine. Without it every object is an ``InvalidS3ObjectException``,
            as is one for which it raises ``OSError`` (but for want of space, memory or descriptors) or ``LookupError``,
            or which is no file.
        store: Keeps the jobs; a new :class:`~rekog_emotion.embedded.store.MemoryStore` if left out.
        clock: Gives the time in seconds: results last seven days, page tokens one.
        max_jobs: Jobs that may be open at once; 20 is the service's default quota.
        workers: Jobs that run at once. The others wait; they, too, are IN_PROGRESS.
        at_once: Pictures of a job that are looked at at once, each in a thread of its own above one.
    """

    def __init__(
        self,
        detect: Detect,
        *,
        resolver: Resolver | None = None,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        max_jobs: int = MAX_JOBS,
        workers: int = 1,
        at_once: int = 1,
    ) -> None:
        self._detect = detect
        self._at_once = at_once
        self._resolver = resolver
        self._store: Store = MemoryStore() if store is None else store
        self._clock = clock
        self._max_jobs = max_jobs
        self._workers = workers
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Future[None]] = {}
        self._advances: dict[str, Advance] = {}
        self._crew: Crew[JobRecord] = Crew(self._run, size=self._workers)
        self._outcomes = Outcomes(self._store, clock=self._clock)

    def start(
        self,
        video: object,
        *,
        client_request_token: object = None,
        notification_channel: object = None,
        face_attributes: object = "DEFAULT",
        job_tag: object = None,
        sample_rate: object = None,
    ) -> dict[str, Any]:
        """Answer StartFaceDetection.

        Args:
            video: ``{"S3Object": {"Bucket": ..., "Name": ...}}``.
            client_request_token: The same token with the same parameters gives the same job, for seven days.
            notification_channel: Checked only: nothing is published.
            face_attributes: ``"ALL"``, or ``"DEFAULT"`` for bounding box, confidence, five landmarks, pose and quality.
            job_tag: Comes back with the result.
            sample_rate: Pictures a second, from one on; two, as the service's, where it is left out.

        Returns:
            The service's answer, with ``JobId`` and ``ResponseMetadata``.

        Raises:
            botocore.exceptions.ClientError: The service's errors.
            InvalidInputError: The resolver gave bytes where it has to give a path.
            MissingExtraError: PyAV is not installed.
        """
        try:
            token = parameters.checked_token(client_request_token)
            request = parameters.checked_start(
                video=video,
                face_attributes=face_attributes,
                job_tag=job_tag,
                notification_channel=notification_channel,
                sample_rate=sample_rate,
            )
        except ValueError as error:
            raise _refusal(START_FACE_DETECTION, BAD_PARAMETER) from error
        with self._lock:
            job = self._admit(token, request)
        if job is None:
            path, metadata = self._inspect(request["Video"]["S3Object"])
            with self._lock:
                # While the video was read, others may have started jobs, even with this token.
                job = self._admit(token, request)
                if job is None:
                    job = JobRecord(
                        job_id=secrets.token_hex(32),
                        request=request,
                        token=token,
                        path=path,
                        started=self._clock(),
                        metadata=metadata,
                    )
                    self._store.put(job)
                    self._submit(job)
        return {"JobId": job.job_id, "ResponseMetadata": response_metadata()}

    def _admit(self, token: str | None, request: Mapping[str, Any]) -> JobRecord | None:
        """Return the job that this request started before, or ``None`` if there is a slot for a new one."""
        now = self._clock()
        self._store.purge(now - RESULTS_LAST)
        known = None if token is None else self._store.with_token(token)
        if known is not None and now - known.started <= RESULTS_LAST:
            if known.request != request:
                raise _refusal(START_FACE_DETECTION, OTHER_REQUEST)
            return known
        if len(self._open) >= self._max_jobs:
            raise _refusal(START_FACE_DETECTION, NO_SLOT, len(self._open), self._max_jobs)
        return None

    def _inspect(self, s3_object: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
        """Return where a video lies, and its ``VideoMetadata`` if it can be decoded."""
        from rekog_emotion.media import samples as video

        try:
            path = self._locate(s3_object)
            if os.path.getsize(path) > MAX_VIDEO_BYTES:  # noqa: PTH202 -- nothing else of a Path is needed
                raise _refusal(START_FACE_DETECTION, TOO_LARGE)
            metadata = video.probe(path)
        except video.UnsupportedVideoError:
            return path, None
        except (OSError, LookupError) as error:
            if is_shortage(error):
                raise
            raise _refusal(START_FACE_DETECTION, UNREADABLE_OBJECT) from error
        if metadata.get("DurationMillis", 0) > video.LONGEST * 1000:
            raise _refusal(START_FACE_DETECTION, TOO_LARGE)
        return path, metadata

    def _locate(self, s3_object: Mapping[str, Any]) -> str:
        if self._resolver is None:
            raise LookupError(s3_object["Name"])
        path = self._resolver(s3_object)
        if isinstance(path, bytes):
            msg = "the resolver gave bytes for a video: have it give the path of a file"
            raise InvalidInputError(msg)
        if not os.path.isfile(path):  # noqa: PTH113 -- nothing else of a Path is needed; a pipe would never end
            raise LookupError(path)
        return os.fspath(path)

    def get(self, job_id: object, *, max_results: object = MAX_PAGE_FACES, next_token: object = None) -> dict[str, Any]:
        """Answer GetFaceDetection.

        Args:
            job_id: What the start returned.
            max_results: Faces on this page, at least one; 1000 at most, and more is no error.
            next_token: ``NextToken`` of the page before; the first page has none.

        Returns:
            The service's answer, with ``JobStatus``, ``VideoMetadata``, ``Faces`` and so on. ``FaceOccluded`` and
            ``EyeDirection`` are always absent, as with the service.

        Raises:
            botocore.exceptions.ClientError: The service's errors.
        """
        try:
            identifier = parameters.checked_job_id(job_id)
            size = parameters.checked_page_size(max_results)
            token = parameters.checked_page_token(next_token)
        except ValueError as error:
            raise _refusal(GET_FACE_DETECTION, BAD_PARAMETER) from error
        job = self._current(identifier)
        now = self._clock()
        if job is None or (job.ended is not None and now - job.ended > RESULTS_LAST):
            raise _refusal(GET_FACE_DETECTION, NO_JOB)
        try:
            begin = 0 if token is None else position(job.job_id, token, now=now)
        except ValueError as error:
            raise _refusal(GET_FACE_DETECTION, BAD_PAGE) from error
        answer: dict[str, Any] = {"JobStatus": job.status}
        if job.status == "FAILED":
            answer["StatusMessage"] = job.message
        elif job.status == "SUCCEEDED":
            answer["VideoMetadata"] = dict(job.metadata or {})
            answer["Faces"] = self._store.faces(job.job_id, begin, begin + size)
            if begin + size < job.face_count:
                answer["NextToken"] = page_token(job.job_id, begin + size, now)
        else:
            answer["Faces"] = []
        answer["JobId"] = job.job_id
        answer["Video"] = {"S3Object": dict(job.request["Video"]["S3Object"])}
        if "JobTag" in job.request:
            answer["JobTag"] = job.request["JobTag"]
        return {**answer, "ResponseMetadata": response_metadata()}

    def _current(self, job_id: str) -> JobRecord | None:
        """Return a job as it is stored; an open one that nobody runs here, as after a fork, is run anew."""
        with self._lock:
            running = job_id in self._open  # asked first: a job that ends is kept or stored first
            kept = self._outcomes.offer(job_id)
            job = self._store.get(job_id)
            if job is not None and job.ended is None and not running and not kept:
                self._submit(job)
            return job

    def join(self, job_id: str, timeout: float | None = None) -> bool:
        """Wait for the end of a job that runs here.

        Args:
            job_id: What the start returned.
            timeout: Seconds; without it, as long as it takes.

        Returns:
            Whether the job has ended.
        """
        ended = self._open.get(job_id)
        return ended is None or not wait([ended], timeout).not_done

    def ended(self, job_id: str) -> Future[None]:
        """Return what is done when a job has ended, stored or not; an open one that nobody runs here is run anew."""
        self._current(job_id)
        ended: Future[None] = Future()
        ended.set_result(None)
        return self._open.get(job_id, ended)

    def progress(self, job_id: str) -> tuple[float, float | None] | None:
        """Return the share of a video that is done, 0 to 1, and the seconds left; ``None`` while it does not run."""
        advance = self._advances.get(job_id)
        return None if advance is None else advance.told()

    def stop(self) -> None:
        """Do what :meth:`close` does, without waiting for it (finalizers may not wait)."""
        self._crew.stopped = True

    def close(self) -> None:
        """End all open jobs and wait for their threads; results stay, and a later start begins anew.

        The jobs are FAILED, unless the store outlives the process: then they stay open, and are run anew when they are
        asked for.
        """
        self._crew.close()
        self._outcomes.close()

    def _submit(self, job: JobRecord) -> None:
        if self._crew.stopped:
            self._crew = Crew(self._run, size=self._workers)
        ended: Future[None] = Future()
        ended.set_running_or_notify_cancel()  # nobody who has it can cancel it
        self._open[job.job_id] = ended
        self._crew.add(job)

    def _run(self, crew: Crew[JobRecord], job: JobRecord) -> None:
        try:
            ended = self._ended(crew, job)
            if ended is not None:
                self._outcomes.put(ended)
        finally:
            self._advances.pop(job.job_id, None)
            self._open.pop(job.job_id).set_result(None)

    def _ended(self, crew: Crew[JobRecord], job: JobRecord) -> JobRecord | None:
        """Find the faces of a video, and return the job as it ended, or ``None`` if it stays open."""
        from rekog_emotion.media.samples import UnsupportedVideoError

        try:
            count = self._find_faces(crew, job)
        except UnsupportedVideoError:
            message = UNSUPPORTED
        except (_StoppedError, GivenUpError):
            if not isinstance(self._store, MemoryStore):
                return None  # the next process with this store takes it up
            message = STOPPED
        except Exception as error:  # noqa: BLE001 -- whatever the engine may raise is this job's failure
            if isinstance(error, RekogEmotionError):  # a full disk of the store, for instance: its message says all
                _LOG.error("video job %s failed: %s", job.job_id, error)
            else:
                _LOG.exception("video job %s failed", job.job_id)
            message = f"Internal error: {type(error).__name__}"
        else:
            return evolve(job, status="SUCCEEDED", face_count=count, ended=self._clock())
        return evolve(job, status="FAILED", message=message, ended=self._clock())

    def _find_faces(self, crew: Crew[JobRecord], job: JobRecord) -> int:
        """Store the faces of a video, sample by sample, and return their number."""
        from rekog_emotion.media import samples as video

        if job.metadata is None:
            raise video.UnsupportedVideoError(job.path)
        self._store.drop_faces(job.job_id)  # of a run that was cut short
        advance = self._advances[job.job_id] = Advance(job.metadata.get("DurationMillis"))
        rate, count = job.request.get("SampleRate", video.SAMPLES_PER_SECOND), 0
        with (
            closing(video.samples(job.path, per_second=rate)) as samples,
            closing(in_order(self._detect, stills(_until_stopped(crew, samples)), at_once=self._at_once)) as results,
        ):
            for times, found in results:
                details = [_on_video(face, job.request["FaceAttributes"]) for face in found]
                for faces in at_each_time(times, details):
                    self._store.add_faces(job.job_id, faces)
                    count += len(faces)
                advance.reached(times[-1])
        return count


class _StoppedError(Exception):
    """The client was closed before the job ended."""


def _until_stopped(crew: Crew[JobRecord], samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples as long as the work may go on."""
    for sample in samples:
        if crew.stopped:
            raise _StoppedError
        yield sample


def _on_video(face: Mapping[str, Any], attributes: str) -> dict[str, Any]:
    """Return the members that the service gives of a face on video."""
    if attributes == "ALL":
        return {name: value for name, value in face.items() if name not in NEVER_ON_VIDEO}
    return reduced(face, DEFAULT_MEMBERS)


def _refusal(operation: str, fault: tuple[str, str], *numbers: int) -> ClientError:
    return client_error(operation, fault[0], fault[1] % numbers)
