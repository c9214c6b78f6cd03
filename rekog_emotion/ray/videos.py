"""The verb for videos as a dataset: one actor that runs as many jobs as the account may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Unpack
from uuid import uuid4

from rekog_emotion.blocking.video import analyze_video
from rekog_emotion.clients.protocols import capabilities
from rekog_emotion.clients.staging import bucket_and_prefix
from rekog_emotion.errors import needs
from rekog_emotion.flows.options import spelled_out
from rekog_emotion.flows.request import VideoOptions, VideoRequest, WaitOptions
from rekog_emotion.flows.videos import JobOutcome, check_videos
from rekog_emotion.ray.cluster import (
    AnyClient,
    check_client,
    check_pool,
    cpus,
    made,
    pool_of,
    ready,
    several_calls,
    works_by_itself,
)
from rekog_emotion.ray.places import here, packed, reached, unpacked
from rekog_emotion.results.outcome_tables import OutcomeSink
from rekog_emotion.sources.naming import name_of
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.values.s3 import S3Object, is_s3_uri
from rekog_emotion.wire.service import MAX_JOBS

with needs("ray", "Ray Data"):
    import pyarrow as pa
    import ray
    from ray.data import Dataset

__all__ = ["DatasetVideosOptions", "analyze_videos"]


class DatasetVideosOptions(VideoOptions, WaitOptions, total=False):
    """Options of ``ray.analyze_videos``."""


class _AnalyzeVideos:
    """Analyses videos with a client that works by itself; its actor takes one after the other.

    Args:
        client: As for the verb.
        folder: Where relative paths begin.
        options: Those of the verb for one video.
        rows: Those of the sink.
    """

    def __init__(
        self, *, client: AnyClient, folder: str, options: Mapping[str, Any], rows: Mapping[str, bool], workers: int = 1
    ) -> None:
        self._client = made(client)
        self._folder = folder
        self._options = dict(options)
        self._sink = OutcomeSink("videos", **rows)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="rekog-emotion-video")

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the rows of some videos."""
        return self._rows(batch)

    def _rows(self, batch: pa.Table) -> pa.Table:
        each = unpacked(batch)
        return self._sink.rows((name_of(source), self._outcome(source, token)) for source, token in each).table

    def _outcome(self, source: VideoSource, token: str) -> JobOutcome:
        there = reached(source, self._folder)
        # Whoever does it again for a lost process is given the job of before, not a second one; an upload is another.
        in_s3 = isinstance(source, S3Object) or is_s3_uri(name_of(source))
        own = {**self._options, "client": self._client, "client_request_token": token if in_s3 else None}
        try:
            return JobOutcome(source=source, analysis=analyze_video(there, **own))
        except Exception as error:  # noqa: BLE001 -- one that fails stops no other
            return JobOutcome(source=source, error=error)


class _RunJobs(_AnalyzeVideos):
    """Runs jobs at a service, as many at once as it has threads, which wait most of the time."""

    async def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the rows of some videos."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(self._rows, batch))


@spelled_out(DatasetVideosOptions, defaults=VideoRequest)
def analyze_videos(
    sources: Iterable[VideoSource],
    *,
    client: AnyClient = None,
    staging: str | None = None,
    max_jobs: int = MAX_JOBS,
    nested: bool = False,
    landmarks: bool = False,
    faceless: bool = False,
    concurrency: int | tuple[int, int] | None = None,
    num_cpus: float | None = None,
    **options: Unpack[DatasetVideosOptions],
) -> Dataset:
    """Analyse many videos as a dataset, as many at a time as the account may.

    Rekognition itself distributes the work, so a single actor starts its jobs and waits for them. For the embedded
    engine there is an actor a CPU. A video that fails is a row with its ``error``, and stops no other. Where the actor
    is lost, another one takes up the jobs of videos in S3, which are not charged again; local files are uploaded anew.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: Paths, ``s3://bucket/key`` or :class:`S3Object`.
        client: As for :class:`DetectImages`.
        staging: Where a local file is uploaded for AWS: ``"s3://bucket/prefix/"``.
        max_jobs: Jobs that run at once. AWS allows an account 20.
        nested: Give a row a video, with a list of all its faces, and not one a face.
        landmarks: Give the flat columns of the landmarks as well.
        faceless: Give a row for a video without faces, too.
        concurrency: For the embedded engine: actors, or the fewest and the most of them.
        num_cpus: What an actor takes of a CPU. Left out, 0.9, or less where one CPU would not be left for what reads
            and writes.
        **options: Those of ``DatasetVideosOptions``.

    Returns:
        A dataset with the columns of :data:`rekog_emotion.results.tables.COLUMNS` and ``error``.

    Raises:
        InvalidInputError: An argument cannot be used; nothing was uploaded or started.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: ``REKOG_EMOTION_CLIENT`` names no client, or AWS is not configured here. Of a function that
            makes clients, each process tells by itself.
    """
    check_videos(sources, max_jobs)
    check_pool(concurrency, num_cpus)
    asked = VideoRequest.of(options)
    if staging is not None:
        bucket_and_prefix(staging)
    sent = check_client(client)
    alone = works_by_itself(sent)
    able = frozenset({"files", "sample_rate"}) if sent == "embedded" else capabilities(sent)
    asked.check_client(sent, able)
    rows = {"nested": nested, "landmarks": landmarks, "faceless": faceless}
    sink = OutcomeSink("videos", **rows)
    ready()
    pool, cpu = pool_of(concurrency, num_cpus, default=cpus() if alone else 1)
    kind: type[_AnalyzeVideos] = _AnalyzeVideos
    said: dict[str, int] = {}
    made_with: dict[str, Any] = {
        "client": sent,
        "folder": here(),
        "options": {**options, "staging": staging},
        "rows": rows,
    }
    if not alone:
        kind, made_with["workers"] = _RunJobs, max_jobs
        pool, said = several_calls(max_jobs)
    run = uuid4().hex
    videos = [packed([(source, f"{run}-{number}")]) for number, source in enumerate(sources)] or [packed([])]
    analyzed = ray.data.from_arrow(videos).map_batches(
        kind,
        fn_constructor_kwargs=made_with,
        batch_size=None,
        batch_format="pyarrow",
        compute=pool,
        num_cpus=cpu,
        **said,
    )
    return analyzed.union(ray.data.from_arrow(sink.schema.empty_table()))  # so that it always has a schema
