"""What belongs to tasks is refused by the verbs in threads before anything is called; tasks take what is of threads."""

import io

import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import S3Object, S3Staging, SnsSqs, aio
from rekog_emotion.errors import InvalidInputError
from tests.scripted import ScriptedClient
from tests.tasks import Awaited, run

VIDEO = "s3://bucket/clip.mp4"
PHOTO = "s3://bucket/photo.jpg"
STATE = {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1", "version": None}}
CLIENT = (
    "client= got Awaited, whose calls are awaited, as those of aiobotocore's clients are: use rekog_emotion.aio with "
    'it, or pass boto3.client("rekognition"), aws_client(), "aws" or "embedded"'
)
STAGING = (
    "staging= got Both, whose stage() and discard() are awaited: use rekog_emotion.aio with it, or pass "
    '"s3://bucket/prefix/" or an object with plain stage() and discard()'
)
QUEUE = (
    "sqs_client= got Queue, whose calls are awaited, as those of aiobotocore's clients are: use rekog_emotion.aio with "
    "it, or pass a boto3 SQS client, or leave it out"
)
BUCKET = (
    "s3_client= got an aiobotocore client: uploads are boto3's, in threads; pass boto3's S3 client, or leave it out to "
    "have one with what client= has"
)


class Both:
    """A staging, a client of SQS and one of S3, whose methods are coroutine functions."""

    async def stage(self, path, **_):
        """Stage nothing."""

    discard = upload_file = stage
    receive_message = delete_message = change_message_visibility = stage


class Queue(Both):
    """Of another name."""


CHANNEL = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q", sqs_client=Queue())
START = {
    "start_video": lambda **options: rekog.start_video(VIDEO, **options),
    "analyze_video": lambda **options: rekog.analyze_video(VIDEO, **options),
    "analyze_videos": lambda **options: rekog.analyze_videos([VIDEO], **options),
}
JOBS = {
    **START,
    "VideoJob.resume": lambda **options: rekog.VideoJob.resume("j-1", upload=S3Object(bucket="b", name="k"), **options),
    "VideoJob.from_dict": lambda **options: rekog.VideoJob.from_dict(STATE, **options),
}
VERBS = {
    "detect_image": lambda **options: rekog.detect_image(PHOTO, **options),
    "detect_images": lambda **options: rekog.detect_images([PHOTO], **options),
    **JOBS,
    "watch": lambda **options: rekog.watch([np.zeros((80, 80, 3), np.uint8)], **options),
}


def told(call, **options):
    """Return what is said."""
    with pytest.raises(InvalidInputError) as caught:
        call(**options)
    return str(caught.value)


@pytest.mark.parametrize("verb", VERBS)
def test_a_client(verb):
    """Each of the verbs says whose it is, and calls nothing."""
    client = Awaited()

    assert told(VERBS[verb], client=client) == CLIENT
    assert client.calls == []


@pytest.mark.parametrize(
    ("options", "message"),
    [({"staging": Both()}, STAGING), ({"notify": CHANNEL}, QUEUE), ({"s3_client": Both()}, BUCKET)],
    ids=["staging", "queue", "bucket"],
)
@pytest.mark.parametrize("verb", JOBS)
def test_what_stands_beside_it(verb, options, message):
    """Is refused before there is a client."""
    client = ScriptedClient()

    assert told(JOBS[verb], client="nobody", **options) == message
    assert told(JOBS[verb], client=client, **options) == message
    assert client.calls == []


def test_an_upload():
    """A staging by such a client would neither upload nor delete anything."""
    assert told(S3Staging, bucket="shelf", s3_client=Both()) == BUCKET
    S3Staging(bucket="shelf", s3_client=io.BytesIO())


def test_one_of_aiobotocore(standin):
    """It is told by its calls, whoever made it; nothing is sent."""
    pytest.importorskip("aiobotocore")

    async def main():
        async with aio.aws_client() as client:
            return told(VERBS["detect_image"], client=client)

    assert run(main()) == CLIENT.replace("Awaited", "Rekognition")
    assert standin.requests == []
