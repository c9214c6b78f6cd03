"""A video in asyncio: the calls, errors and results of the blocking verbs, and what a cancel leaves."""

import asyncio
import inspect
import json
import re
from contextlib import aclosing
from pathlib import Path

import boto3
import pytest

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.errors import InvalidInputError, JobCancelledError, JobFailedError, JobTimeoutError
from rekog_emotion.testing import FakeClient
from tests.http_standin import Answer
from tests.scripted import IN_PROGRESS, STARTED, ScriptedClient, Shelf, failed, page, refusal
from tests.tasks import Awaited, LoopTime, over, run

CLIP = Path(__file__).parents[1] / "data" / "people.mp4"
VIDEO = "s3://bucket/clip.mp4"
STATE = {"version": 1, "job_id": "j-1", "upload": None}
GOES_ON = "it goes on at the service, and VideoJob.from_dict(error.state) resumes it"


class Both:
    """A staging of coroutine functions."""

    def __init__(self):
        self.shelf = Shelf()
        self.events = self.shelf.events

    async def stage(self, path, **options):
        """Take a file."""
        return self.shelf.stage(path, **options)

    async def discard(self, staged):
        """Take it away."""
        self.shelf.discard(staged)


# --- what is alike ---

VERBS = ["analyze_video", "start_video", "analyze_videos", "wait_for_videos"]
METHODS = [name for name in vars(rekog.VideoJob) if not name.startswith("_")]


def options_of(function):
    """Return the names and defaults of a function's parameters, and their types where no client is meant."""
    known = inspect.signature(function).parameters.values()
    worlds = {"client", "staging", "sources"}  # asyncio takes what is of its own world besides
    return {
        one.name: (one.kind, one.default, None if one.name in worlds else one.annotation)
        for one in known
        if one.name != "cancel"
    }


@pytest.mark.parametrize("name", [*VERBS, *(f"VideoJob.{name}" for name in METHODS)])
def test_has_the_options_of_the_blocking_world(name):
    """The same names, order, defaults and types, but for those of clients, and for ``cancel``."""
    ours, blocking = aio, rekog
    for part in name.split("."):
        ours, blocking = getattr(ours, part), getattr(blocking, part)
    if isinstance(blocking, property):
        ours, blocking = ours.fget, blocking.fget

    assert list(options_of(ours)) == list(options_of(blocking))
    assert options_of(ours) == options_of(blocking)
    assert "cancel" not in inspect.signature(ours).parameters


def test_a_job_has_no_other_methods():
    """What one world can, the other can."""
    assert [name for name in vars(aio.VideoJob) if not name.startswith("_")] == METHODS


@pytest.mark.parametrize("name", VERBS)
def test_documents_every_option(name):
    """In its own world's words where they differ, whichever of the two was loaded first."""
    for world, words in ((aio, "called in the loop with"), (rekog, "(from the threads of the upload)")):
        text = getattr(world, name).__doc__
        assert "**options" not in text
        for option in list(inspect.signature(getattr(world, name)).parameters)[1:]:
            assert re.search(rf"^ *{option}: \S", text, re.MULTILINE)
        assert words in text
        assert inspect.iscoroutinefunction(getattr(world, name)) == (world is aio and name.endswith("video"))


def test_refuses_an_unknown_option():
    """As Python does, by the verb's own name."""
    with pytest.raises(TypeError, match=r"^start_video\(\) got an unexpected keyword argument 'cancel'$"):
        run(aio.start_video(VIDEO, client=Awaited(), cancel=None))


@pytest.mark.parametrize("kind", [Awaited, ScriptedClient])
def test_analyzes_as_the_blocking_verb_does(kind):
    """Calls and faces are the same with a client of either world."""
    scripts = [IN_PROGRESS, page(0, 500, then="t"), page(1000)]
    options = {"attributes": "DEFAULT", "client_request_token": "mine", "job_tag": "tag", "timeout": 60}
    ours, theirs = kind(*scripts), ScriptedClient(*scripts)

    found = run(aio.analyze_video(VIDEO, client=ours, clock=LoopTime(), **options))

    assert found == rekog.analyze_video(VIDEO, client=theirs, clock=rekog.testing.VirtualClock(), **options)
    assert ours.calls == theirs.calls
    assert (len(found.faces), found.source, found.engine) == (3, VIDEO, "scripted")


def test_the_embedded_engine():
    """It takes a file as it is, tells how far it is, and the loop turns meanwhile."""
    events, turns = [], 0

    async def main():
        nonlocal turns
        task = asyncio.ensure_future(aio.analyze_video(CLIP, client="embedded", on_progress=events.append))
        while not task.done():
            turns += 1
            await asyncio.sleep(0.001)
        return await task

    found = run(main())

    assert found.faces == rekog.analyze_video(CLIP, client="embedded").faces
    assert "STARTED" in {event.event for event in events}
    assert turns > 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": -1}, "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"),
        ({"sample_rate": 0}, "sample_rate=0 is no number of pictures a second: pass 1 or more"),
        ({"on_progress": 7}, "on_progress= got int: pass a function that takes a Progress"),
        (
            {"on_progress": asyncio.sleep},
            "on_progress= got a coroutine function, which nobody would await: pass a plain function",
        ),
        ({"staging": "bucket"}, "staging='bucket' is no S3 address: pass \"s3://bucket/prefix/\""),
        (
            {"s3_client": Both()},
            (
                "s3_client= got an aiobotocore client: uploads are boto3's, in threads; pass boto3's S3 client, or "
                "leave it out to have one with what client= has"
            ),
        ),
    ],
)
def test_wrong_arguments_are_refused_before_any_call(options, message):
    """In the words of the blocking verb."""
    Both.upload_file = Both.stage
    client = Awaited()

    with pytest.raises(InvalidInputError) as caught:
        run(aio.analyze_video(VIDEO, client=client, **options))

    assert str(caught.value) == message
    assert client.calls == []


def test_wrong_arguments_of_jobs():
    """A job's methods refuse them as the verbs do; `faces` does at once, before anything is awaited."""

    async def main():
        job = await aio.VideoJob.resume("j-1", client=Awaited(page()))
        for method in (job.wait, job.result):
            with pytest.raises(InvalidInputError, match="timeout=-1 is no duration"):
                await method(timeout=-1)
        with pytest.raises(InvalidInputError, match="timeout=-1 is no duration"):
            job.faces(timeout=-1)
        for job_id in ("", None):
            with pytest.raises(InvalidInputError, match=f"^job_id={job_id!r} is no job id"):
                await aio.VideoJob.resume(job_id, client=Awaited())
        channel = rekog.SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")
        with pytest.raises(InvalidInputError, match=r"^notify= is for AWS: EmbeddedClient sends no messages"):
            await aio.VideoJob.resume("j-1", client="embedded", notify=channel)

    run(main())


# --- the life of a job ---


def test_a_job_s_life():
    """It is started, asked, taken up by what it says of itself, waited for and read; its upload goes when it ended."""

    async def main():
        shelf, client = Both(), Awaited(IN_PROGRESS, IN_PROGRESS, page(0, 500, then="t"), page(1000))
        clock, reports = LoopTime(), []
        job = await aio.start_video(CLIP, client=client, staging=shelf, clock=clock, on_progress=reports.append)
        assert (job.job_id, job.source, repr(job)) == (
            "j-1",
            str(CLIP),
            "<VideoJob j-1 with upload s3://shelf/k-1?versionId=v-1>",
        )
        assert await job.status() == "IN_PROGRESS"
        state = json.loads(json.dumps(job.to_dict()))
        again = await aio.VideoJob.from_dict(state, client=client, staging=shelf, clock=clock)
        assert (again.upload, again.source) == (job.upload, None)
        await again.wait(timeout=60)
        assert shelf.events == ["stage people.mp4", "discard k-1"]
        assert [face.timestamp_ms async for face in again.faces()] == [0, 500, 1000]
        assert again.upload is None
        return [report.event for report in reports]

    assert run(main())[-1] == "STARTED"


def test_a_job_of_the_blocking_world():
    """Its state takes it up here, and the other way."""
    state = rekog.start_video(VIDEO, client=ScriptedClient()).to_dict()

    async def main():
        job = await aio.VideoJob.from_dict(state, client=Awaited(page(0)))
        return job.to_dict(), await job.result()

    assert run(main())[0] == state == STATE
    assert len(rekog.VideoJob.from_dict(state, client=ScriptedClient(page(0))).result().faces) == 1


def test_discards():
    """The upload of a job that nobody wants goes, once."""

    async def main():
        shelf = Shelf()
        job = await aio.start_video(CLIP, client=Awaited(), staging=shelf)
        await job.discard()
        await job.discard()
        return shelf.events

    assert run(main()) == ["stage people.mp4", "discard k-1"]


def test_ends_by_errors_of_the_blocking_world():
    """A failure and a time-out, in its words; the upload of the one goes, the other's job can be taken up."""

    async def main():
        shelf = Both()
        with pytest.raises(JobFailedError, match=r"job j-1 failed: No sound\."):
            await aio.analyze_video(CLIP, client=Awaited(failed("No sound.")), staging=shelf)
        with pytest.raises(JobTimeoutError) as late:
            await aio.analyze_video(VIDEO, client=Awaited(IN_PROGRESS), clock=LoopTime(), timeout=3)
        return shelf.events, late.value

    events, late = run(main())
    assert events == ["stage people.mp4", "discard k-1"]
    assert (str(late), late.state) == (f"job j-1 was not finished after 3 s; {GOES_ON}", STATE)


def test_faces_left_early_leave_nothing():
    """Neither a task nor a call of the page that is fetched ahead."""
    begun = asyncio.Event()

    class Stuck(Awaited):
        interrupted = 0

        async def get_face_detection(self, **parameters):
            if "NextToken" in parameters:
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    self.interrupted += 1
            return await super().get_face_detection(**parameters)

    async def main():
        client = Stuck(page(0, 500, then="t"))
        job = await aio.VideoJob.resume("j-1", client=client)
        async with aclosing(job.faces()) as faces:
            first = await anext(faces)
            await begun.wait()
        return first.timestamp_ms, client.interrupted

    assert run(main()) == (0, 1)


# --- cancelling ---


def test_a_cancel_while_a_job_runs():
    """The job goes on, and the cause of the task's end can be taken up again."""

    async def main():
        waits = asyncio.Event()

        class Sleepless(LoopTime):
            async def sleep(self, _):
                waits.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(aio.analyze_video(VIDEO, client=Awaited(IN_PROGRESS), clock=Sleepless()))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value

    error = run(main())
    assert (type(error.__cause__), error.__cause__.state) == (JobCancelledError, STATE)
    assert error.__notes__ == [f"the wait for job j-1 was cancelled after 0 s; {GOES_ON}"]


def test_a_time_out_around_a_start_without_slots():
    """``asyncio.timeout`` ends the wait for a slot, and the upload goes."""

    async def main():
        shelf = Both()
        full = Awaited(start=[refusal("LimitExceededException", operation="StartFaceDetection")])
        limit = asyncio.timeout(None)

        def listen(progress):
            if progress.event == "WAITING_FOR_SLOT":
                over(limit)

        with pytest.raises(TimeoutError):
            async with limit:
                await aio.start_video(CLIP, client=full, staging=shelf, on_progress=listen)
        return shelf.events

    assert run(main()) == ["stage people.mp4", "discard k-1"]


# --- aiobotocore's clients ---


def test_aiobotocore_s_client_and_an_upload(aws, moto, monkeypatch):
    """The file goes to S3 by boto3, with what the client has; calls are aiobotocore's, and the upload is taken away."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="clips", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.script("StartFaceDetection", Answer(STARTED))
    aws.script("GetFaceDetection", Answer(page(0, 500)))
    kept, reports = [], []

    def listen(progress):
        reports.append(progress)
        if progress.event == "STARTED":
            kept.extend(one["Key"] for one in s3.list_objects_v2(Bucket="clips")["Contents"])

    async def main():
        async with aio.aws_client() as client:
            return await aio.analyze_video(CLIP, client=client, staging="s3://clips/in/", on_progress=listen)

    found = run(main())

    assert [face.timestamp_ms for face in found.faces] == [0, 500]
    [start, *_] = aws.requests
    assert start.body["Video"]["S3Object"]["Name"] == kept[0]
    assert kept[0].startswith("in/rekog-emotion-")
    uploading = [report for report in reports if report.event == "UPLOADING"]
    assert uploading[-1].bytes_done == CLIP.stat().st_size
    assert "Contents" not in s3.list_objects_v2(Bucket="clips")
    s3.delete_bucket(Bucket="clips")
    s3.close()


def test_aiobotocore_s_client_and_messages(aws, moto, monkeypatch):
    """The queue is asked by boto3, with what the client has, and the job is looked at when its message has come."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto)
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"JobId": "j-1", "Status": "SUCCEEDED"}))
    channel = rekog.SnsSqs("arn:aws:sns:eu-west-1:1:ends", "arn:aws:iam::1:role/r", queue)
    aws.script("StartFaceDetection", Answer(STARTED))
    aws.script("GetFaceDetection", Answer(page(0)))

    async def main():
        async with aio.aws_client() as client:
            job = await aio.start_video(VIDEO, client=client, notify=channel)
            return await job.result(timeout=60)

    assert len(run(main()).faces) == 1
    assert [one.operation for one in aws.requests] == ["StartFaceDetection", "GetFaceDetection"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.delete_queue(QueueUrl=queue)
    sqs.close()


def test_many_jobs_at_once():
    """Two hundred of them, with pages of a thousand faces, end on one loop, each with its own faces."""
    faces = [{"Timestamp": at, "Face": {}} for at in range(1000)]
    client = FakeClient(videos={"JobStatus": "SUCCEEDED", "Faces": faces}, max_jobs=200)

    async def main():
        clock = LoopTime()
        return await asyncio.gather(
            *(aio.analyze_video(f"s3://bucket/{n}.mp4", client=client, clock=clock) for n in range(200))
        )

    found = run(main())
    assert [one.source for one in found] == [f"s3://bucket/{n}.mp4" for n in range(200)]
    assert {len(one.faces) for one in found} == {1000}
