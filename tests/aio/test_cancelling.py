"""Cancels at random moments of a whole life: nothing is left in the bucket that no error names, no task, no socket."""

import asyncio
import gc
import os
import random
import threading

import boto3
import pytest

from rekog_emotion import SnsSqs, aio
from tests.amounts import amount
from tests.http_standin import Answer
from tests.scripted import IN_PROGRESS, STARTED, page
from tests.tasks import LoopTime, run

SMALL, LARGE = 5000, 9 * 1024 * 1024  # boto3 uploads in parts of 8 MiB
TOPIC, ROLE = "arn:aws:sns:eu-west-1:1:ends", "arn:aws:iam::1:role/r"

# When an upload is broken off, s3transfer leaves the parts that it had opened to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <_io.FileIO name='[^']*/clip.mp4':pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def s3(moto, aws):  # noqa: ARG001 -- it configures AWS
    """Give a client for a bucket that is empty."""
    client = boto3.client("s3", endpoint_url=moto)
    client.create_bucket(Bucket="clips", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    client.delete_bucket(Bucket="clips")
    client.close()


@pytest.fixture
def queue(moto, aws):  # noqa: ARG001 -- likewise
    """Give a client, and the address of a queue to which nobody sends."""
    client = boto3.client("sqs", endpoint_url=moto)
    address = client.create_queue(QueueName="ends")["QueueUrl"]
    yield SnsSqs(TOPIC, ROLE, address, sqs_client=client, long_poll=0)
    client.delete_queue(QueueUrl=address)
    client.close()


def left(s3):
    """Return what lies in the bucket, and forget it: objects, and uploads that did not end."""
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="clips").get("Contents", [])]
    for key in keys:
        s3.delete_object(Bucket="clips", Key=key)
    return [*keys, *(one["Key"] for one in s3.list_multipart_uploads(Bucket="clips").get("Uploads", []))]


@pytest.mark.parametrize("told", [False, True], ids=["polled", "told"])
@pytest.mark.parametrize(
    ("size", "cancels"), [(SMALL, amount(8, whole=90)), (LARGE, amount(2, whole=10))], ids=["small", "in parts"]
)
def test_at_random_moments(aws, s3, queue, tmp_path, size, cancels, told):
    """From the first step to the last page; the moments are parts of what a whole life took."""
    clip = tmp_path / "clip.mp4"
    clip.touch()
    os.truncate(clip, size)
    rng, ends = random.Random(0), []  # noqa: S311 -- no secret

    async def live(client, moment=None):
        """Return how many seconds a life took, its error, and what it left."""
        aws.script("StartFaceDetection", Answer(STARTED))
        aws.script("GetFaceDetection", Answer(IN_PROGRESS), Answer(page(0, 500, then="a")), Answer(page(1000)))
        options = {"staging": "s3://clips/in/", "s3_client": s3, "notify": queue if told else None}
        loop = asyncio.get_running_loop()
        begin = loop.time()
        task = asyncio.create_task(aio.analyze_video(clip, client=client, clock=LoopTime(), **options))
        if moment is not None:
            loop.call_later(moment, task.cancel)
        try:
            error = await task
        except asyncio.CancelledError as cancelled:  # of gather(), it would be another one, without the notes
            error = cancelled
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return loop.time() - begin, error, left(s3)

    async def main():
        async with aio.aws_client() as client:
            await live(client)
            whole, result, rest = await live(client)
            assert (len(result.faces), rest) == (3, [])
            # One comes before anything has ended, however fast the next life is.
            for moment in [0.0, *(rng.uniform(0, whole) for _ in range(cancels - 1))]:
                _, error, rest = await live(client, moment)
                notes = " ".join(getattr(error, "__notes__", []))
                assert [key for key in rest if key not in notes] == []
                ends.append(type(error))

    run(main())
    gc.collect()
    assert asyncio.CancelledError in ends
    assert not [one.name for one in threading.enumerate() if one.name.startswith(("asyncio_", "ThreadPool", "rekog"))]
