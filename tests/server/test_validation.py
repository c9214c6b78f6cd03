import json

import pytest

from rekog_emotion.server.protocol import RefusedError, input_shape
from rekog_emotion.server.validation import parsed

JOB_ID = r"^[a-zA-Z0-9-_]+$"
ENUM = (
    "[DEFAULT, ALL, AGE_RANGE, BEARD, EMOTIONS, EYE_DIRECTION, EYEGLASSES, EYES_OPEN, GENDER, MOUTH_OPEN, MUSTACHE, "
    "FACE_OCCLUDED, SMILE, SUNGLASSES]"
)
NUMBER = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber"
OBJECT = {"Bucket": "bucket", "Name": "clip.mp4"}
START = {"Video": {"S3Object": OBJECT}}
CHANNEL = {"SNSTopicArn": "arn:aws:sns:eu-west-1:123456789012:topic", "RoleArn": "arn:aws:iam::123456789012:role/a"}


def refused(operation, body):
    """Return what is said against a body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RefusedError) as caught:
        parsed(content, input_shape(operation))
    assert caught.value.answer.status == 400
    return json.loads(caught.value.answer.body)


@pytest.mark.parametrize(
    ("operation", "sent", "understood"),
    [
        pytest.param("DetectFaces", {"Image": {"Bytes": "/9j/"}}, {"Image": {"Bytes": b"\xff\xd8\xff"}}, id="blob"),
        pytest.param("DetectFaces", {"Image": {}, "Attributes": []}, {"Image": {}, "Attributes": []}, id="empty"),
        pytest.param("DetectFaces", {"Image": {}, "Attributes": None}, {"Image": {}}, id="null"),
        pytest.param("DetectFaces", {"Image": {"Mood": 1}, "Mood": {"a": [1]}}, {"Image": {}}, id="unknown members"),
        pytest.param("GetFaceDetection", {"JobId": "a", "MaxResults": 2.9}, {"JobId": "a", "MaxResults": 2}, id="cut"),
        pytest.param(
            "GetFaceDetection",
            {"JobId": "a-_9", "MaxResults": 10**30},
            {"JobId": "a-_9", "MaxResults": 10**30},
            id="many",
        ),
        pytest.param("StartFaceDetection", {**START, "NotificationChannel": CHANNEL}, None, id="channel"),
        pytest.param(
            "StartFaceDetection",
            {**START, "ClientRequestToken": "a" * 64, "FaceAttributes": "ALL", "JobTag": "a:/=+.-_"},
            None,
            id="all",
        ),
        pytest.param(
            "StartFaceDetection", {"Video": {"S3Object": {"Bucket": "a.b", "Name": "\U0001f600 é"}}}, None, id="signs"
        ),
    ],
)
def test_understands(operation, sent, understood):
    """Parameters come out as boto3's methods take them; what is unknown or null is dropped, as by the service."""
    assert parsed(json.dumps(sent).encode(), input_shape(operation)) == (understood or sent)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"{", None, id="cut"),
        pytest.param(b"null", None, id="null"),
        pytest.param(b"\xff\xfe{\0}\0", None, id="UTF-16"),
        pytest.param(b'{"Image": NaN}', None, id="NaN"),
        pytest.param(b'{"JobId": -Infinity}', None, id="infinity"),
        pytest.param(b"[" * 100_000, None, id="deep"),
        pytest.param(b"9" * 10_000, None, id="long number"),
        pytest.param(b'{"Image": {"S3Object": {"Name": "\\ud83d"}}}', None, id="half a character"),
        pytest.param([], "Start of list found where not expected", id="list for a structure"),
        pytest.param("text", "Expected null", id="text for a structure"),
        pytest.param({"Image": 1}, "Expected null", id="number for a structure"),
        pytest.param({"Attributes": "ALL"}, "Expected list or null", id="text for a list"),
        pytest.param({"Attributes": {}}, "Start of structure or map found where not expected.", id="map for a list"),
        pytest.param({"Attributes": [["ALL"]]}, "Start of list found where not expected", id="list for a text"),
        pytest.param({"Attributes": [1]}, f"{NUMBER} can not be converted to an String", id="number for a text"),
        pytest.param(
            {"Attributes": [True]}, "class java.lang.Boolean can not be converted to an String", id="truth for a text"
        ),
        pytest.param({"Image": {"Bytes": 1.5}}, f"{NUMBER} can not be converted to a Blob", id="number for a blob"),
        pytest.param(
            {"Image": {"Bytes": {}}}, "Start of structure or map found where not expected.", id="map for a blob"
        ),
        pytest.param(
            {"Image": {"Bytes": "AAA"}}, "The text can not be converted to a Blob: it is not Base64", id="unpadded"
        ),
        pytest.param(
            {"Image": {"Bytes": "AA*="}}, "The text can not be converted to a Blob: it is not Base64", id="no Base64"
        ),
        pytest.param(
            {"Image": {"Bytes": "ÄÖÜß"}}, "The text can not be converted to a Blob: it is not Base64", id="no ASCII"
        ),
    ],
)
def test_refuses_other_types(body, message):
    """What is no JSON, or of another type than the model says, is a SerializationException."""
    expected = {"__type": "SerializationException"} | ({} if message is None else {"Message": message})

    assert refused("DetectFaces", body) == expected


@pytest.mark.parametrize(
    ("value", "what"),
    [("7", "class java.lang.String"), (True, "class java.lang.Boolean"), (float("inf"), NUMBER)],
)
def test_refuses_what_is_no_number(value, what):
    """A number is neither text nor truth, and is finite."""
    body = json.dumps({"JobId": "a", "MaxResults": value}).replace("Infinity", "1e999").encode()

    assert refused("GetFaceDetection", body)["Message"] == f"{what} can not be converted to an Integer"


@pytest.mark.parametrize(
    ("operation", "sent", "broken"),
    [
        pytest.param("DetectFaces", {}, [("null", "image", "not be null")], id="required"),
        pytest.param(
            "DetectFaces",
            {"Image": {"Bytes": "A" * 6_990_512}},
            [
                (
                    "'java.nio.HeapByteBuffer[pos=0 lim=5242884 cap=5242884]'",
                    "image.bytes",
                    "have length less than or equal to 5242880",
                )
            ],
            id="too many bytes",
        ),
        pytest.param(
            "DetectFaces",
            {"Image": {}, "Attributes": ["ALL", "MOOD"]},
            [("'[ALL, MOOD]'", "attributes", f"satisfy constraint: [Member must satisfy enum value set: {ENUM}]")],
            id="word in a list",
        ),
        pytest.param(
            "DetectFaces",
            {"Image": {}, "Attributes": [None]},
            [("'[None]'", "attributes", "satisfy constraint: [Member must not be null]")],
            id="null in a list",
        ),
        pytest.param(
            "DetectFaces",
            {"Image": {"S3Object": {"Bucket": "a", "Name": ""}}},
            [
                ("'a'", "image.s3Object.bucket", "have length greater than or equal to 3"),
                ("''", "image.s3Object.name", "have length greater than or equal to 1"),
            ],
            id="two",
        ),
        pytest.param(
            "GetFaceDetection",
            {"JobId": "a\n", "MaxResults": 0},
            [
                ("'a\n'", "jobId", f"satisfy regular expression pattern: {JOB_ID}"),
                ("'0'", "maxResults", "have value greater than or equal to 1"),
            ],
            id="pattern and bound",
        ),
        pytest.param(
            "GetFaceDetection",
            {"JobId": "é" * 65},
            [
                (f"'{'é' * 65}'", "jobId", "have length less than or equal to 64"),
                (f"'{'é' * 65}'", "jobId", f"satisfy regular expression pattern: {JOB_ID}"),
            ],
            id="two of one",
        ),
        pytest.param(
            "GetFaceDetection",
            {"JobId": "a", "NextToken": "a" * 2000},
            [(f"'{'a' * 1024}...'", "nextToken", "have length less than or equal to 255")],
            id="long",
        ),
        pytest.param(
            "StartFaceDetection",
            {**START, "FaceAttributes": "all", "NotificationChannel": {"SNSTopicArn": CHANNEL["SNSTopicArn"]}},
            [
                ("null", "notificationChannel.roleArn", "not be null"),
                ("'all'", "faceAttributes", "satisfy enum value set: [DEFAULT, ALL]"),
            ],
            id="word",
        ),
    ],
)
def test_lists_broken_constraints(operation, sent, broken):
    """Bounds, patterns, words and required members are a ValidationException in the service's words."""
    count = f"{len(broken)} validation error{'' if len(broken) == 1 else 's'} detected: "
    violations = (
        f"Value {value} at '{path}' failed to satisfy constraint: Member must {must}" for value, path, must in broken
    )

    assert refused(operation, sent) == {"__type": "ValidationException", "message": count + "; ".join(violations)}


def test_speaks_as_recorded():
    """The text is that of the service, word for word."""
    assert refused("DetectFaces", {"Image": {"Bytes": ""}})["message"] == (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'image.bytes' failed to "
        "satisfy constraint: Member must have length greater than or equal to 1"
    )


def test_members_are_counted_before_they_are_made(endpoint, scripted):
    """Millions of them, which would hold up everybody for seconds, are no request; ten thousand are looked at."""
    many, some = [["x"] * number for number in (10_002, 9_000)]

    too_many = endpoint.ask("DetectFaces", {"Image": {"Bytes": "AAAA"}, "Attributes": many})
    looked_at = endpoint.ask("DetectFaces", {"Image": {"Bytes": "AAAA"}, "Attributes": some})

    assert (too_many.code, too_many.message) == ("SerializationException", None)
    assert looked_at.code == "ValidationException"
    assert scripted.asked == []
