"""The verbs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from rekog_emotion.blocking.clock import Clock
from rekog_emotion.blocking.job import VideoJob
from rekog_emotion.clients.protocols import RekognitionClient, Staging
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.request import SLOT_TIMEOUT, TIMEOUT, Seconds, seconds
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.values.progress import OnProgress

__all__ = ["analyze_video", "start_video"]


def start_video(
    source: VideoSource,
    *,
    client: RekognitionClient | str | None = None,
    staging: Staging | str | None = None,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
    slot_timeout: Seconds = SLOT_TIMEOUT,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    face_attributes: str = "ALL",
    client_request_token: str | None = None,
    job_tag: str | None = None,
    notify: SnsSqs | None = None,
    notification_channel: Mapping[str, str] | None = None,
    video_length: Seconds = None,
    clock: Clock | None = None,
) -> VideoJob:
    """Start the analysis of a video and return its job, which waits, gives the faces and can be resumed.

    Args:
        source: A path, ``s3://bucket/key`` or :class:`S3Object`.
        client: ``"aws"``, ``"embedded"`` (offline), or an object with boto3's methods; left out, what the environment
            variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.
        staging: Where a local file is uploaded for AWS: ``"s3://bucket/prefix/"``, or an object with ``stage`` and
            ``discard``. The key is random, and the job deletes its upload when it has ended. The embedded engine takes
            local files as they are.
        s3_client: The boto3 S3 client for the upload; left out, one with what ``client`` has: credentials, region,
            proxies, time-outs, certificates.
        slot_timeout: Longest wait for a free slot, where the account runs as many jobs as it may: seconds, a
            ``timedelta``, or ``None`` for ever.
        on_progress: Called with a :class:`Progress` while uploading (from the threads of the upload) and waiting.
        cancel: Ends the upload or the wait at once when set.
        face_attributes: ``"ALL"``, or ``"DEFAULT"``, which leaves out the emotions.
        client_request_token: Left out, a fresh one. A token that was used in the last 7 days gives that job back.
        job_tag: Comes back with the result and in notifications.
        notify: Topic and queue by which the end of the job is learned of, instead of by asking.
        notification_channel: The service's ``{"SNSTopicArn": ..., "RoleArn": ...}``, for a message to somebody else.
        video_length: Seconds or a ``timedelta``, where it is known of a video in S3; of a file it is read. It tells
            when the first look is worth it.
        clock: Where time comes from, for tests.

    Raises:
        InvalidInputError: The source or an argument cannot be used; nothing was uploaded or started.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
        StagingError: The upload failed, or was left when the job could not start.
        IdempotentParameterMismatchError: ``client_request_token`` was used for another video or other parameters, which
            every upload is.
        JobTimeoutError: No slot was free in time.
        JobCancelledError: ``cancel`` was set; nothing was left behind.
        ServiceError: The service refused; its subclasses say why.
        TransportError: No answer came.
        ResponseError: The answer is broken.
    """
    return VideoJob.start(
        source,
        client=client,
        staging=staging,
        s3_client=s3_client,
        slot_timeout=slot_timeout,
        on_progress=on_progress,
        cancel=cancel,
        face_attributes=face_attributes,
        client_request_token=client_request_token,
        job_tag=job_tag,
        notify=notify,
        notification_channel=notification_channel,
        video_length=video_length,
        clock=clock,
    )


def analyze_video(
    source: VideoSource,
    *,
    client: RekognitionClient | str | None = None,
    staging: Staging | str | None = None,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
    slot_timeout: Seconds = SLOT_TIMEOUT,
    timeout: Seconds = TIMEOUT,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    face_attributes: str = "ALL",
    client_request_token: str | None = None,
    job_tag: str | None = None,
    notify: SnsSqs | None = None,
    notification_channel: Mapping[str, str] | None = None,
    video_length: Seconds = None,
    clock: Clock | None = None,
) -> VideoAnalysis:
    """Find the faces of a video over time and describe them: start a job, wait for it, read every page.

    Emotions are how a face looks, not what a person feels.

    Arguments are those of :func:`start_video`, and ``timeout``, the longest wait for the job once it has started; an
    upload takes the time that it takes. ``cancel`` ends all of it. Where one of them ends it after the start, the job
    goes on: ``VideoJob.from_dict(error.state)`` takes it up again.

    Returns:
        Every face, in the order of the service, about two samples a second.

    Raises:
        JobFailedError: The service ended the job as FAILED; the message has its reason.
        JobTimeoutError: The time is over.
        JobCancelledError: ``cancel`` was set.
        PaginationError: The pages do not fit together.
        RekogEmotionError: Whatever :func:`start_video` raises.
    """
    limit = seconds(timeout, "timeout")
    job = VideoJob.start(
        source,
        client=client,
        staging=staging,
        s3_client=s3_client,
        slot_timeout=slot_timeout,
        on_progress=on_progress,
        cancel=cancel,
        face_attributes=face_attributes,
        client_request_token=client_request_token,
        job_tag=job_tag,
        notify=notify,
        notification_channel=notification_channel,
        video_length=video_length,
        clock=clock,
    )
    return job.result(timeout=limit, on_progress=on_progress, cancel=cancel)
