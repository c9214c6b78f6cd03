"""Video jobs: start one, wait for it, read every face of it, and take it up again in another process.

The service has no waiter and no paginator for them. The life cycle here follows three rules. An unfinished job is
never "no faces". A wait that ends early loses nothing: the job goes on at the service, and the error says how to resume
it. An upload belongs to its job: it is deleted when the job has ended or could not start, and by whoever resumes or
discards it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Unpack

from attrs import frozen

from rekog_emotion.blocking.clock import system_clock
from rekog_emotion.blocking.driver import Driver, opened
from rekog_emotion.blocking.options import FromDictOptions, ResumeOptions, StartVideoOptions, WaitForVideosOptions
from rekog_emotion.clients.staging import check_beside_in_threads, resolve_discard, staging_for
from rekog_emotion.flows import resuming, starting
from rekog_emotion.flows.job import Job, JobHandle
from rekog_emotion.flows.options import spelled_out
from rekog_emotion.flows.request import VideoRequest, limit_of
from rekog_emotion.flows.resuming import read_state
from rekog_emotion.flows.starting import Starter
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.words import JobStatus

__all__ = ["VideoJob"]


@frozen(kw_only=True, eq=False, repr=False)
class VideoJob(JobHandle):
    """A face-detection job at the service.

    Attributes:
        job_id: The service's id; results are kept for 7 days under it.
    """

    _driver: Driver

    # --- beginnings ---

    @classmethod
    @spelled_out(StartVideoOptions, defaults=VideoRequest)
    def start(cls, source: VideoSource, **options: Unpack[StartVideoOptions]) -> VideoJob:
        """Start a job; see :func:`rekog_emotion.start_video`.

        Args:
            source: A path, ``s3://bucket/key`` or :class:`S3Object`.
            **options: Those of ``StartVideoOptions``.
        """
        begun = starting.opening(source, options, check_beside=check_beside_in_threads, find=staging_for)
        asked, video, client, staging = opened(begun)
        clock = options["clock"] or system_clock()
        driver = Driver(client=client, clock=clock, staging=staging, s3_client=options["s3_client"])
        flow = Starter(asked=asked, facts=driver.facts).start(video)
        return cls(job=driver.run(flow, cancel=options["cancel"], on_progress=options["on_progress"]), driver=driver)

    @classmethod
    @spelled_out(ResumeOptions, defaults=VideoRequest)
    def resume(cls, job_id: str, **options: Unpack[ResumeOptions]) -> VideoJob:
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
        begun = resuming.opening(job_id, options, check_beside=check_beside_in_threads, find=resolve_discard)
        client, staging = opened(begun)
        clock = options["clock"] or system_clock()
        driver = Driver(client=client, clock=clock, staging=staging, s3_client=options["s3_client"])
        return cls(job=Job.taken_up(job_id, options, driver.facts), driver=driver)

    @classmethod
    @spelled_out(FromDictOptions, defaults=VideoRequest)
    def from_dict(cls, state: Mapping[str, Any], **options: Unpack[FromDictOptions]) -> VideoJob:
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
        return cls.resume(job_id, upload=upload, **options)

    # --- life ---

    def status(self) -> JobStatus:
        """Ask once how the job is; an upload is deleted when it has ended.

        Raises:
            ServiceError: The service refused, with ``JobNotFoundError`` where it knows no such job.
            TransportError: No answer came.
            ResponseError: The answer is broken, or its status is none of the three.
            StagingError: The job has ended, and its upload could not be deleted.
        """
        return self._driver.run(self._job.status())

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    def wait(self, **options: Unpack[WaitForVideosOptions]) -> None:
        """Return when the job has succeeded.

        Looks at once, then again after about a tenth of the time waited so far, between two seconds and a quarter of an
        hour; where the length of the video is known, not before a twentieth of it. All jobs of a client together look
        no more often than the smallest quota of AWS allows, 5 times a second. A poll that is throttled or gets no
        answer is a longer wait, not an error. With ``notify=`` it waits for the message instead, and looks only now and
        then.

        Args:
            **options: Those of ``WaitForVideosOptions``.

        Raises:
            InvalidInputError: An argument cannot be used; nothing was asked.
            JobFailedError: The service ended the job as FAILED; the message has its reason.
            JobTimeoutError: The time is over; the job goes on, and ``VideoJob.from_dict(error.state)`` resumes it.
            JobCancelledError: ``cancel`` was set; as above.
            ServiceError: The service refused for good, with ``JobNotFoundError`` where it knows no such job.
            ResponseError: Five looks one after another had a broken answer, or a status that is none of the three.
            StagingError: The job has ended, and its upload could not be deleted.
        """
        limit = limit_of(options)
        self._driver.run(self._job.wait(limit), cancel=options["cancel"], on_progress=options["on_progress"])

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    def faces(self, **options: Unpack[WaitForVideosOptions]) -> Iterator[TimedFace]:
        """Wait for the job, then give its faces one by one, in pages of 1000, of which one is fetched ahead.

        Args and errors are those of :meth:`wait`; besides:

        Raises:
            PaginationError: The pages do not fit together.
        """
        # No generator by itself: a wrong argument is an error of this call, not of the first face.
        limit = limit_of(options)
        pages = self._driver.iterate(
            self._job.pages(limit), cancel=options["cancel"], on_progress=options["on_progress"]
        )
        return (face for page in pages for face in page.faces)

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    def result(self, **options: Unpack[WaitForVideosOptions]) -> VideoAnalysis:
        """Wait for the job, then give all of it; arguments and errors are those of :meth:`faces`.

        Its ``source`` is what :meth:`start` was given; a job that was taken up by its id knows none.
        """
        limit = limit_of(options)
        return self._driver.run(self._job.result(limit), cancel=options["cancel"], on_progress=options["on_progress"])

    def discard(self) -> None:
        """Delete the upload of a job whose result is not wanted; a second time does nothing.

        The service has no call that stops a job.

        Raises:
            StagingError: It could not be deleted.
        """
        self._driver.run(self._job.discard())
