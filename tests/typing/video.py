"""What type checkers make of the verbs for videos; checked with mypy and pyright in strict mode, never run."""

import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from types_boto3_rekognition import RekognitionClient as Boto3Client

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.clients.protocols import OnBytes

# --- what goes in ---

cancel = threading.Event()
s3_client: Any = None  # boto3's clients have no importable type
MINE = "mine"


def on_progress(progress: rekog.Progress) -> None:
    """Every member but the event may be absent."""
    assert_type(progress.event, rekog.ProgressEvent)
    assert_type(progress.job_id, str | None)
    assert_type(progress.seconds, float | None)
    assert_type(progress.next_seconds, float | None)
    assert_type(progress.bytes_done, int | None)
    assert_type(progress.bytes_total, int | None)
    assert_type(progress.status, str | None)
    assert_type(progress.faces, int | None)


class Shelf:
    """A staging of the caller's own."""

    def stage(
        self, path: Path, *, on_bytes: OnBytes | None = None, cancel: threading.Event | None = None
    ) -> rekog.S3Object:
        """Take a file."""
        assert_type(on_bytes, OnBytes | None)
        assert_type(cancel, threading.Event | None)
        return rekog.S3Object(bucket="shelf", name=path.name)

    def discard(self, staged: rekog.S3Object) -> None:
        """Take it away."""


def takes_boto3s_own(client: Boto3Client) -> None:
    """A boto3 client, as its published types describe it, needs no adapter."""
    assert_type(rekog.analyze_video(Path("clip.mp4"), client=client, staging="s3://bucket/in/"), rekog.VideoAnalysis)
    assert_type(rekog.VideoJob.resume("j-1", client=client), rekog.VideoJob)


shelf: rekog.Staging = Shelf()
bucket: rekog.Staging = rekog.S3Staging(bucket="bucket", prefix="in/", s3_client=s3_client)

assert_type(rekog.analyze_video("clip.mp4", client="embedded"), rekog.VideoAnalysis)
assert_type(rekog.analyze_video(rekog.S3Object(bucket="bucket", name="clip.mp4")), rekog.VideoAnalysis)
job = rekog.start_video(
    "clip.mp4",
    client=rekog.aws_client(),
    staging=shelf,
    s3_client=s3_client,
    slot_timeout=timedelta(hours=2),
    video_length=90.5,
    on_progress=on_progress,
    cancel=cancel,
    attributes="DEFAULT",
    client_request_token=MINE,
    job_tag="tag",
    notification_channel={"SNSTopicArn": "arn", "RoleArn": "arn"},
)

# --- many, and by message ---

notify = rekog.SnsSqs(
    "arn:aws:sns:eu-west-1:1:ends", "arn:aws:iam::1:role/rekognition", "https://sqs/1/ends", long_poll=5
)
outcomes = rekog.analyze_videos(["a.mp4", Path("b.mp4")], max_jobs=3, staging=shelf, notify=notify, timeout=60)
assert_type(outcomes, Iterator[rekog.VideoOutcome])
assert_type(next(outcomes).analysis, rekog.VideoAnalysis | None)
assert_type(next(outcomes).result(), rekog.VideoAnalysis)
assert_type(next(outcomes).job, rekog.VideoJob | None)
assert_type(rekog.wait_for_videos([job], timeout=None), Iterator[rekog.VideoOutcome])
rekog.analyze_videos(["a.mp4"], client_request_token=MINE)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- one token is one job

# --- what comes out ---

assert_type(job, rekog.VideoJob)
assert_type(job.job_id, str)
assert_type(job.status(), rekog.JobStatus)
assert_type(job.faces(timeout=None), Iterator[rekog.TimedFace])
assert_type(job.result(timeout=60, on_progress=on_progress, cancel=cancel), rekog.VideoAnalysis)
assert_type(job.to_dict(), dict[str, Any])
assert_type(rekog.VideoJob.from_dict(job.to_dict(), client="aws", staging=shelf), rekog.VideoJob)
job.wait(timeout=2.5)
job.discard()

# --- what a checker refuses ---

rekog.analyze_video(b"bytes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- bytes are no video
rekog.analyze_video("clip.mp4", timeout="1h")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a duration is no text
rekog.analyze_video("clip.mp4", staging=object())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- lacks stage() and discard()
rekog.start_video("clip.mp4", job_tag=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a tag is text
rekog.start_video("clip.mp4", timeout=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- starting waits for no end
rekog.analyze_video("clip.mp4", tiemout=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- no such option
rekog.VideoJob.start("clip.mp4", notify="arn")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- an SnsSqs
rekog.wait_for_videos([job], client="aws")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- jobs have theirs
rekog.start_video("clip.mp4", cancel=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- an Event
rekog.analyze_video("clip.mp4", client="embeded")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- misspelt
rekog.start_video("clip.mp4", client="AWS")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- misspelt
rekog.VideoJob.resume("j-1", client="amazon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- none

assert_type(
    rekog.analyze_video("clip.mp4", client="embedded", sample_rate=5, attributes="emotions"), rekog.VideoAnalysis
)
rekog.analyze_video("clip.mp4", sample_rate="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a number

# --- live ---

moments = rekog.watch(0, client="embedded", rate=5, max_calls=100, cancel=cancel, on_progress=on_progress)
assert_type(moments, Generator[rekog.Moment, None, None])
for moment in moments:
    assert_type(moment.seconds, float)
    assert_type(moment.reason, str | None)
    assert_type(moment.timed_faces, tuple[rekog.TimedFace, ...])
    for person in moment.people:
        assert_type(person.face, rekog.Face)
        assert_type(person.leading, rekog.EmotionType | str | None)
assert_type(rekog.record(moments, "out.mp4", show=lambda moment: moment.blur()), int)


async def pictures() -> AsyncGenerator[tuple[float, np.ndarray[Any, np.dtype[np.uint8]]], None]:
    """Yield pictures with times."""
    yield 0.0, np.zeros((80, 80, 3), np.uint8)


assert_type(aio.watch(pictures(), client="embedded", rate=5), AsyncGenerator[rekog.Moment, None])
aio.watch(pictures(), cancel=cancel)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- the task is cancelled


async def recording() -> None:
    """Record in a task."""
    watched = aio.watch(pictures(), client="embedded")
    assert_type(await aio.record(watched, "out.mp4", show=lambda moment: moment.blur()), int)
    await aio.record(moments, "out.mp4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- of threads


rekog.watch(pictures())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- of a loop
rekog.watch("rtsp://camera/stream", rate="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a number
rekog.watch(b"bytes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- bytes are no frames
rekog.record(moments, "out.mp4", show=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a function
