"""Video jobs in asyncio: the life cycle of :mod:`rekog_emotion.blocking.job`, awaited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Unpack

from attrs import frozen

from rekog_emotion.aio.clock import time_of
from rekog_emotion.aio.driver import Driver, opened
from rekog_emotion.aio.options import FromDictOptions, ResumeOptions, StartVideoOptions, WaitForVideosOptions
from rekog_emotion.clients.staging import check_beside, resolve_discard, staging_for
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
    """A face-detection job at the service; cancelling a task that waits for it ends the wait, not the job.

    Attributes:
        job_id: The service's id; results are kept for 7 days under it.
    """

    _driver: Driver

    # --- beginnings ---

    @classmethod
    @spelled_out(StartVideoOptions, defaults=VideoRequest)
    async def start(cls, source: VideoSource, **options: Unpack[StartVideoOptions]) -> VideoJob:
        """Start a job; see :func:`rekog_emotion.aio.start_video`.

        Args:
            source: A path, ``s3://bucket/key`` or :class:`S3Object`.
            **options: Those of ``StartVideoOptions``.
        """
        begun = starting.opening(source, options, check_beside=check_beside, find=staging_for)
        asked, video, client, staging = await opened(begun)
        driver = Driver(client=client, clock=time_of(options["clock"]), staging=staging, s3_client=options["s3_client"])
        flow = Starter(asked=asked, facts=driver.facts).start(video)
        return cls(job=await driver.run(flow, on_progress=options["on_progress"]), driver=driver)

    @classmethod
    @spelled_out(ResumeOptions, defaults=VideoRequest)
    async def resume(cls, job_id: str, **options: Unpack[ResumeOptions]) -> VideoJob:
        """Take up a job by its id, as :meth:`rekog_emotion.VideoJob.resume` does.

        Args:
            job_id: What the error or :attr:`job_id` said; of a job that was started in either world.
            client: As for :func:`rekog_emotion.aio.analyze_video`, of the account and region that started the job.
            upload: What the job owns in S3, to be deleted when it has ended.
            staging: The object that the job was started with, if it was one of the caller's.
            s3_client: As for :func:`rekog_emotion.aio.start_video`; it deletes the upload.
            notify: What the job was started with, to wait for its message; the job itself is looked at first.
            clock: Where time comes from, for tests.
        """
        begun = resuming.opening(job_id, options, check_beside=check_beside, find=resolve_discard)
        client, staging = await opened(begun)
        driver = Driver(client=client, clock=time_of(options["clock"]), staging=staging, s3_client=options["s3_client"])
        return cls(job=Job.taken_up(job_id, options, driver.facts), driver=driver)

    @classmethod
    @spelled_out(FromDictOptions, defaults=VideoRequest)
    async def from_dict(cls, state: Mapping[str, Any], **options: Unpack[FromDictOptions]) -> VideoJob:
        """Take up a job, and the care for its upload, from :meth:`to_dict` or an error's ``state``, of either world.

        Args:
            state: A mapping, by way of JSON too.
            client: As for :meth:`resume`.
            staging: The object that the job was started with, if it was one of the caller's.
            s3_client: As for :func:`rekog_emotion.aio.start_video`; it deletes the upload.
            notify: As for :meth:`resume`.
            clock: Where time comes from, for tests.

        Raises:
            InvalidInputError: ``state`` is of another kind or version.
        """
        job_id, upload = read_state(state)
        return await cls.resume(job_id, upload=upload, **options)

    # --- life ---

    async def status(self) -> JobStatus:
        """Ask once how the job is; an upload is deleted when it has ended.

        Raises:
            RekogEmotionError: Whatever :meth:`rekog_emotion.VideoJob.status` raises.
        """
        return await self._driver.run(self._job.status())

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    async def wait(self, **options: Unpack[WaitForVideosOptions]) -> None:
        """Return when the job has succeeded; it looks as rarely as :meth:`rekog_emotion.VideoJob.wait`.

        Args:
            **options: Those of ``WaitForVideosOptions``.

        Raises:
            CancelledError: The task was cancelled; the job goes on, and the error's notes say how to resume it.
            RekogEmotionError: Whatever :meth:`rekog_emotion.VideoJob.wait` raises.
        """
        limit = limit_of(options)
        await self._driver.run(self._job.wait(limit), on_progress=options["on_progress"])

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    def faces(self, **options: Unpack[WaitForVideosOptions]) -> AsyncGenerator[TimedFace, None]:
        """Wait for the job, then give its faces one by one, in pages of 1000, of which one is fetched ahead.

        Whoever leaves the loop early closes it (``async with contextlib.aclosing(job.faces()) as faces: ...``), or the
        page that is fetched ahead goes on until the loop collects it.

        Args and errors are those of :meth:`wait`; besides:

        Raises:
            PaginationError: The pages do not fit together.
        """
        # No generator by itself: a wrong argument is an error of this call, not of the first face.
        limit = limit_of(options)
        return self._faces(self._driver.iterate(self._job.pages(limit), on_progress=options["on_progress"]))

    async def _faces(self, pages: AsyncGenerator[Any, None]) -> AsyncGenerator[TimedFace, None]:
        async with aclosing(pages):
            async for page in pages:
                for face in page.faces:
                    yield face

    @spelled_out(WaitForVideosOptions, defaults=VideoRequest)
    async def result(self, **options: Unpack[WaitForVideosOptions]) -> VideoAnalysis:
        """Wait for the job, then give all of it; arguments and errors are those of :meth:`faces`.

        Its ``source`` is what :meth:`start` was given; a job that was taken up by its id knows none.
        """
        limit = limit_of(options)
        return await self._driver.run(self._job.result(limit), on_progress=options["on_progress"])

    async def discard(self) -> None:
        """Delete the upload of a job whose result is not wanted; a second time does nothing.

        The service has no call that stops a job.

        Raises:
            StagingError: It could not be deleted.
        """
        await self._driver.run(self._job.discard())
