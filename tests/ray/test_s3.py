import logging
from functools import partial

import boto3
import pytest
from moto.server import ThreadedMotoServer

import rekog_emotion as rekog
from tests.conftest import configure_aws
from tests.http_standin import Answer, HttpStandin
from tests.ray.test_images import HEAD, in_order
from tests.ray.workers import face

pytest.importorskip("ray")


@pytest.fixture(autouse=True)
def no_thread_left():
    """Let threads of the servers serve processes of Ray that live longer than a test."""


@pytest.fixture(scope="module")
def bucket(ray):
    """Give a bucket of a stand-in for S3 that the processes of Ray know, too, and an endpoint of Rekognition."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch, HttpStandin() as standin:
        configure_aws(patch)
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
            patch.setenv(name, address)
        s3 = boto3.session.Session().client("s3")
        s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for key in ("2024/a.jpg", "2024/b/c.jpg", "2023/z.jpg"):
            s3.put_object(Bucket="photos", Key=key, Body=HEAD)
        s3.put_object(Bucket="photos", Key="2024/notes.txt", Body=b"no picture")
        standin.script("DetectFaces", Answer({"FaceDetails": [face(1)]}))
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        yield standin
        ray.shutdown()
    server.stop()


def test_a_prefix_is_listed_and_read_by_the_service(bucket):
    """No object is downloaded; what is no picture by its name is left out."""
    client = partial(rekog.aws_client, endpoint_url=bucket.url)

    rows = in_order(rekog.ray.detect_images("s3://photos/2024/", client=client, columns=["source", "error"]).take_all())

    names = ["2024/a.jpg", "2024/b/c.jpg"]
    assert rows == [{"source": f"s3://photos/{name}", "error": None} for name in names]
    sent = sorted(request.body["Image"]["S3Object"]["Name"] for request in bucket.requests)
    assert sent == names


def test_a_bucket_that_is_not_there_is_a_row(bucket):
    """With the reason, and its name."""
    client = partial(rekog.aws_client, endpoint_url=bucket.url)

    [row] = rekog.ray.detect_images("s3://none-of-mine/", client=client, columns=["source", "error"]).take_all()

    assert row["source"] == "s3://none-of-mine/"
    assert "none-of-mine" in row["error"]


def test_a_prefix_is_read_for_the_embedded_engine(bucket):
    """By Ray, as the engine knows no S3; the names are the same."""
    del bucket
    columns = ["source", "dominant_emotion", "error"]

    rows = in_order(rekog.ray.detect_images("s3://photos/2023/", client="embedded", columns=columns).take_all())

    assert rows == [{"source": "s3://photos/2023/z.jpg", "dominant_emotion": "HAPPY", "error": None}]
