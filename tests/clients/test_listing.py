"""Listings of buckets, by a client of S3 that stands beside the one of Rekognition."""

import boto3
import pytest

import rekog_emotion as rekog
from rekog_emotion import AccessDeniedError, InvalidInputError, ServiceError, TransportError
from rekog_emotion.clients.listing import list_page
from rekog_emotion.embedded import EmbeddedClient
from tests.conftest import configure_aws
from tests.http_standin import Answer

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture(scope="module")
def bucket(moto):
    """Give a stand-in for S3 that has ten photos, of which it lists three at a time, and something else."""
    with pytest.MonkeyPatch.context() as patch:
        configure_aws(patch)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
        s3 = boto3.session.Session().client("s3", endpoint_url=moto)
        s3.create_bucket(Bucket="photos")
        for number in range(10):
            s3.put_object(Bucket="photos", Key=f"2024/ü {number:04}.jpg", Body=b"photo")
        for key in ("2024/notes.txt", "2023/a.jpg"):
            s3.put_object(Bucket="photos", Key=key, Body=b"photo")
        s3.close()
        yield moto


@pytest.fixture
def client(verbs, standin, bucket, monkeypatch):
    """Give a client of Rekognition beside which S3 has the bucket."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    return verbs.aws_client()


def test_a_prefix_page_by_page(verbs, client, standin):
    """Every photo under it is one outcome, by the whole address; other objects are left out."""
    told = []

    outcomes = list(verbs.detect_images("s3://photos/2024/", client=client, on_progress=told.append))

    assert sorted(outcome.analysis.source for outcome in outcomes) == [
        f"s3://photos/2024/ü {number:04}.jpg" for number in range(10)
    ]
    assert len(standin.operations()) == 10
    assert [progress.source for progress in told if progress.event == "LEFT_OUT"] == ["s3://photos/2024/notes.txt"]


def test_a_bucket_that_is_not_there(verbs, client):
    """Is an outcome with its error, that says what to look at."""
    (outcome,) = verbs.detect_images("s3://nothing/", client=client)

    assert outcome.source == "s3://nothing/"
    assert type(outcome.error) is ServiceError
    assert (outcome.error.operation, outcome.error.code) == ("ListObjectsV2", "NoSuchBucket")
    assert str(outcome.error) == (
        "s3://nothing/ cannot be listed, NoSuchBucket: The specified bucket does not exist (check the name of the "
        "bucket, and that it is in the client's region)"
    )


def test_a_bucket_that_may_not_be_listed(standin, monkeypatch):
    """The permission is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", standin.url)
    standin.script("GET", Answer(DENIED, status=403, headers={"Content-Type": "application/xml"}))

    with pytest.raises(AccessDeniedError) as caught:
        list_page(rekog.aws_client(), "photos", "2024/", None)

    assert str(caught.value) == (
        "s3://photos/2024/ cannot be listed, AccessDenied: Access Denied (check the credentials and that the identity "
        "may call s3:ListBucket)"
    )


@pytest.mark.usefixtures("credentials")
def test_no_answer(monkeypatch):
    """Is told as for any call."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)

    with pytest.raises(TransportError, match="ListObjectsV2 got no answer"):
        list_page(rekog.aws_client(), "photos", "", None)


def test_the_embedded_engine_lists_no_bucket():
    """Nothing leaves the machine."""
    with pytest.raises(InvalidInputError) as caught:
        list_page(EmbeddedClient(), "photos", "2024/", None)

    assert str(caught.value) == (
        "s3://photos/2024/: this client lists no bucket; download the objects, and pass their folder"
    )
