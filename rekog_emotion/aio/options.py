"""The options of the verbs for videos that are performed in tasks: those of threads but for ``cancel``."""

from __future__ import annotations

from typing import Any, TypedDict

from rekog_emotion.aio.clock import Clock
from rekog_emotion.clients.protocols import AnyClient, AsyncStaging, ClientName, Staging
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.options import described
from rekog_emotion.flows.request import StartOptions, VideoOptions, WaitOptions
from rekog_emotion.values.progress import OnProgress
from rekog_emotion.values.s3 import S3Object

__all__ = [
    "AnalyzeVideoOptions",
    "AnalyzeVideosOptions",
    "FromDictOptions",
    "ResumeOptions",
    "StartVideoOptions",
    "WaitForVideosOptions",
]


@described
class _Performers(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: As for :func:`rekog_emotion.aio.detect_image`. Default: ``None``.
        staging: Where a local file is uploaded for AWS: ``"s3://bucket/prefix/"``, or an object with ``stage`` and
            ``discard``, coroutine functions or not. The key is random, and the job deletes its upload when it has
            ended. The embedded engine takes local files as they are. Default: ``None``, no uploads.
        s3_client: The boto3 S3 client for the upload, which is made in threads. Default: ``None``, one with what
            ``client`` has: credentials, region, proxies, time-outs, certificates.
        clock: Where time comes from, for tests. Default: ``None``, the loop, or what ``virtual_time`` has set.
    """

    client: AnyClient | ClientName | None
    staging: Staging | AsyncStaging | str | None
    s3_client: Any
    clock: Clock | None


@described
class _Listeners(TypedDict, total=False):
    """Who is told.

    Attributes:
        on_progress: A plain function, called in the loop with a :class:`Progress` while uploading and waiting. Of
            several videos ``source`` or ``job_id`` says which it is about. Default: ``None``.
    """

    on_progress: OnProgress | None


class _Client(TypedDict, total=False):
    client: AnyClient | ClientName | None


class _Upload(TypedDict, total=False):
    upload: S3Object | None


class _Belongings(TypedDict, total=False):
    staging: Staging | AsyncStaging | None
    s3_client: Any
    notify: SnsSqs | None
    clock: Clock | None


class FromDictOptions(_Client, _Belongings, total=False):
    """Options of ``VideoJob.from_dict``, which say other things than those of a start."""


class ResumeOptions(_Client, _Upload, _Belongings, total=False):
    """Options of ``VideoJob.resume``."""


class StartVideoOptions(_Performers, StartOptions, _Listeners, total=False):
    """Options of ``start_video``."""


class AnalyzeVideoOptions(_Performers, StartOptions, WaitOptions, _Listeners, total=False):
    """Options of ``analyze_video``."""


class AnalyzeVideosOptions(_Performers, VideoOptions, WaitOptions, _Listeners, total=False):
    """Options of ``analyze_videos``."""


class WaitForVideosOptions(WaitOptions, _Listeners, total=False):
    """Options of ``wait_for_videos``."""
