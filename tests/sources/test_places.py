from __future__ import annotations

from pathlib import Path

import pytest

from rekog_emotion import InvalidInputError, S3Object
from rekog_emotion.sources.places import locate
from rekog_emotion.values.s3 import parse_s3_uri, s3_uri, s3_wire


@pytest.mark.parametrize(
    "text",
    [
        "photo.jpg",
        "/srv/photo.jpg",
        "C:\\photo.jpg",
        "c:/photo.jpg",
        "C:photo.jpg",
        "a:b.jpg",
        "notes:2024.jpg",
        "?versionId=1",
        "s3/bucket/key",
        "s3:key",
        "émotion 😀.jpg",
        "100%25.jpg",
    ],
)
def test_what_is_no_url_is_a_path(text):
    """Take drives, colons and any signs for parts of a path."""
    assert Path(text) == locate(text)


@pytest.mark.parametrize(
    ("uri", "s3_object"),
    [
        ("s3://photos/me.jpg", S3Object(bucket="photos", name="me.jpg")),
        ("S3://photos/me.jpg", S3Object(bucket="photos", name="me.jpg")),
        ("s3://My_Bucket.1-2/me.jpg", S3Object(bucket="My_Bucket.1-2", name="me.jpg")),
        ("s3://photos//me.jpg", S3Object(bucket="photos", name="/me.jpg")),
        ("s3://photos/2024/../me.jpg", S3Object(bucket="photos", name="2024/../me.jpg")),
        ("s3://photos/a%20b+c.jpg", S3Object(bucket="photos", name="a%20b+c.jpg")),
        ("s3://photos/a b#c?d=e&f.jpg", S3Object(bucket="photos", name="a b#c?d=e&f.jpg")),
        ("s3://photos/me.jpg?versionId=3/L4+k_", S3Object(bucket="photos", name="me.jpg", version="3/L4+k_")),
        ("s3://photos/me.jpg?versionId=null", S3Object(bucket="photos", name="me.jpg", version="null")),
        ("s3://photos/me.jpg?versionid=1", S3Object(bucket="photos", name="me.jpg?versionid=1")),
        ("s3://photos/me.jpg?x=1&versionId=1", S3Object(bucket="photos", name="me.jpg?x=1&versionId=1")),
        ("s3://photos/a?versionId=1?versionId=2", S3Object(bucket="photos", name="a?versionId=1", version="2")),
        ("s3://photos/" + "k" * 1024, S3Object(bucket="photos", name="k" * 1024)),
        ("s3://" + "b" * 255 + "/k", S3Object(bucket="b" * 255, name="k")),
    ],
    ids=range(14),
)
def test_a_uri_is_taken_raw_but_for_its_version(uri, s3_object):
    """Decode nothing; ``?`` and ``#`` belong to the key."""
    assert s3_object == parse_s3_uri(uri)
    assert s3_object == locate(uri)


@pytest.mark.parametrize("uri", ["photos/me.jpg", "https://photos.s3.amazonaws.com/me.jpg?X-Amz-Signature=1", ""])
def test_what_is_no_s3_uri_is_refused(uri):
    """Show nothing of it: it may be signed."""
    with pytest.raises(InvalidInputError) as caught:
        parse_s3_uri(uri)

    assert str(caught.value) == "<str>: this is no S3 URI; write s3://bucket/key"


@pytest.mark.parametrize(
    ("s3_object", "message"),
    [
        (
            S3Object(bucket="b" * 256, name="k"),
            f"s3://{'b' * 195}...: the bucket '{'b' * 200}...' is not possible: it has 3 to 255 of A-Z a-z 0-9 . - _",
        ),
        (
            S3Object(bucket="b" * 2000, name="k"),
            f"s3://{'b' * 195}...: the bucket has 2000 bytes; the service takes 1024",
        ),
        (
            S3Object(bucket="photos\n", name="k"),
            "s3://photos\\n/k: the bucket 'photos\\n' is not possible: it has 3 to 255 of A-Z a-z 0-9 . - _",
        ),
        (S3Object(bucket=3, name="k"), "s3://3/k: the bucket is of type int; pass a str"),
        (S3Object(bucket="photos", name=b"k"), "s3://photos/b'k': the key is of type bytes; pass a str"),
        (
            S3Object(bucket="photos", name="k", version="v" * 1025),
            f"s3://photos/k?versionId={'v' * 176}...: the version has 1025 bytes; the service takes 1024",
        ),
        (
            S3Object(bucket="photos", name="\ud800" * 342),
            "s3://photos/" + ("\\ud800" * 32)[:188] + "...: the key has 1026 bytes; the service takes 1024",
        ),
    ],
    ids=["long bucket", "longer bucket", "line break", "int", "bytes", "version", "surrogates"],
)
def test_members_that_the_service_refuses_are_refused(s3_object, message):
    """Check bucket, key and version as the service model does, and S3's bytes of a key."""
    with pytest.raises(InvalidInputError) as caught:
        s3_wire(s3_object)

    assert message == str(caught.value)


def test_only_members_that_are_set_go_out():
    """Leave the version out where there is none."""
    assert s3_wire(S3Object(bucket="photos", name="k")) == {"Bucket": "photos", "Name": "k"}
    assert s3_uri(S3Object(bucket="photos", name="k")) == "s3://photos/k"


def test_the_limits_are_those_of_the_service_model():
    """Compare with the model that botocore ships."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("rekognition")
    bucket, key = model.shape_for("S3Bucket").metadata, model.shape_for("S3ObjectName").metadata
    version, image = model.shape_for("S3ObjectVersion").metadata, model.shape_for("ImageBlob").metadata

    from rekog_emotion.sources import images
    from rekog_emotion.values import s3

    assert f"[0-9A-Za-z.\\-_]{{{bucket['min']},{bucket['max']}}}" == s3._BUCKET.pattern
    assert bucket["pattern"].replace("\\.", ".") == "[0-9A-Za-z.\\-_]*"
    assert [key["max"], version["max"]] == [s3._LONGEST] * 2
    assert image["max"] == images.MAX_IMAGE_BYTES


@pytest.mark.parametrize(
    "s3_object",
    [
        S3Object(bucket="photos", name="year=2026/" * 90 + "me.jpg"),
        S3Object(bucket="photos", name="two\nlines.jpg", version="3/L4+k_"),
        S3Object(bucket="photos", name="\udcff.jpg"),
    ],
    ids=["long", "control", "undecodable"],
)
def test_an_address_is_whole(s3_object):
    """Write an address for people and programs to copy, never one cut or escaped for a message."""
    assert parse_s3_uri(s3_uri(s3_object)) == s3_object


@pytest.mark.parametrize("begin", ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR"])
def test_text_that_is_longer_than_any_name_may_be_an_image(begin):
    """Base64 of one is told as such; what could be the name of a file is a path."""
    assert locate(begin.ljust(255, "a")) == Path(begin.ljust(255, "a"))
    assert locate("a" * 256) == Path("a" * 256)
    with pytest.raises(InvalidInputError) as caught:
        locate(begin.ljust(256, "a"))
    assert str(caught.value) == "<str>: this is Base64 text, not a path; pass base64.b64decode(text)"
