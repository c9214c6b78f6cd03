import json
import logging
import os
import socket
import threading
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, StubAssertionError, UnStubbedResponseError
from botocore.parsers import ResponseParserError

from rekog_emotion import errors
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.blocking.image import detect_image
from rekog_emotion.clients.aws import aws_client
from rekog_emotion.clients.failures import ERRORS, once
from rekog_emotion.clients.protocols import leaves_retrying_to_us
from rekog_emotion.flows import retrying
from rekog_emotion.flows.steps import Call
from tests.http_standin import Answer, close, fault, reset, silence

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
IMAGE = {"Bytes": b"\xff\xd8\xff\xe0"}

UNREADABLE_OBJECT = (
    "one of three, and the service does not say which: the key is wrong, the bucket is in another region than the "
    "client, or the identity may not read it"
)
# What each class says besides what the service says, and the codes that make it.
TREE = {
    errors.AccessDeniedError: (
        "check the credentials, the clock and that the identity may call rekognition:DetectFaces",
        """AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException IncompleteSignature
        IncompleteSignatureException InvalidClientTokenId InvalidSignatureException MissingAuthenticationToken
        MissingAuthenticationTokenException OptInRequired RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch
        UnrecognizedClientException""",
    ),
    errors.IdempotentParameterMismatchError: (
        "the token was used before with other parameters: take another one",
        "IdempotentParameterMismatchException",
    ),
    errors.InternalServiceError: (
        "the service failed; try again later",
        """InternalFailure InternalServerError InternalServerException RequestTimeout ServiceUnavailable
        ServiceUnavailableException""",
    ),
    errors.InvalidMediaError: (
        "the service takes JPEG and PNG images, and H.264 video in MP4 or MOV, within its limits",
        "ImageTooLargeException InvalidImageFormatException VideoTooLargeException",
    ),
    errors.InvalidPaginationTokenError: (
        "page tokens expire after 24 hours: begin again with the first page",
        "InvalidPaginationTokenException",
    ),
    errors.InvalidParameterError: (
        "the request was refused as a whole; an image must be at least 80 pixels a side",
        "InvalidParameterException ValidationException",
    ),
    errors.InvalidS3ObjectError: (
        UNREADABLE_OBJECT,
        "InvalidS3ObjectException",
    ),
    errors.JobNotFoundError: (
        "results are kept for 7 days, in the account and region that started the job",
        "ResourceNotFoundException",
    ),
    errors.LimitExceededError: (
        "too many jobs run at once (20 by default); a slot is free when one of them ends",
        "LimitExceededException",
    ),
    errors.ThrottledError: (
        "requests come faster than the account's quota; slow down or have the quota raised",
        """ProvisionedThroughputExceededException RequestLimitExceeded SlowDown Throttling ThrottlingException
        TooManyRequestsException""",
    ),
}
HINTS = {kind: hint for kind, (hint, _) in TREE.items()}
KINDS = {code: kind for kind, (_, codes) in TREE.items() for code in codes.split()}

INTERNAL, THROTTLED = HINTS[errors.InternalServiceError], HINTS[errors.ThrottledError]
HTML = b"<html>\n<head><title>403</title></head>\n</html>\n"


def call(client, *, cancel=None, **options):
    """Make one call as flows do, again where it failed for a passing reason."""
    driver = Driver(client=client, **options)
    step = Call("detect_faces", {"Image": IMAGE})
    return driver.run(retrying.called(step, ours=driver.facts.retries), cancel=cancel)


@pytest.fixture(scope="module")
def session():
    """Give a session that has read the service model already."""
    session = boto3.session.Session("AKIDEXAMPLE", "not-a-secret", "not-a-token", region_name="eu-west-1")
    session.client("rekognition").close()
    return session


@pytest.fixture
def client(session, standin):
    """Give our own client, at the stand-in."""
    client = aws_client(session=session, endpoint_url=standin.url)
    yield client
    client.close()


@pytest.fixture
def impatient(session, standin):
    """Give our own client, at the stand-in, for replies that never come."""
    client = aws_client(session=session, endpoint_url=standin.url, read_timeout=0.05)
    yield client
    client.close()


@pytest.fixture
def theirs(session, standin, monkeypatch):
    """Make boto3 clients as callers do, at the stand-in; botocore's waits take no time."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    made = []

    def make(**options):
        client = session.client("rekognition", endpoint_url=standin.url, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


def failure(method="detect_faces", *, client, job_id=None, **parameters):
    """Return the error of one call."""
    parameters = parameters or {"Image": IMAGE}
    with pytest.raises(errors.RekogEmotionError) as caught:
        once(client, method, job_id=job_id, **parameters)
    return caught.value


# --- errors of the service ---


def test_every_code_is_in_the_table():
    """The table of this test is the one of the library."""
    assert KINDS == ERRORS


def test_every_code_of_the_service_model_is_in_the_table(session):
    """What the installed model names for the three operations is known."""
    model = session.client("rekognition").meta.service_model
    operations = [model.operation_model(name) for name in ("DetectFaces", "StartFaceDetection", "GetFaceDetection")]

    codes = {shape.error_code for operation in operations for shape in operation.error_shapes}

    assert codes - set(ERRORS) == set()


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_codes(standin, client, code, kind):
    """Each code has a class, a message that ends with what to do, and all that AWS support asks for."""
    standin.script("DetectFaces", fault(code, "Some words.", status=418, request_id="7c5d"))

    error = failure(client=client)

    assert type(error) is kind
    assert str(error) == f"DetectFaces failed with {code}: Some words. ({HINTS[kind]})"
    assert (error.operation, error.code, error.request_id) == ("DetectFaces", code, "7c5d")
    assert (error.status, error.job_id) == (418, None)
    assert isinstance(error.__cause__, ClientError)
    assert error.__cause__.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("answer", "kind", "code", "text"),
    [
        (Answer(HTML, status=403), errors.ServiceError, "403", "<html> <head><title>403</title></head> </html>"),
        (Answer(b"<b>too large</b>", status=413), errors.ServiceError, "413", "<b>too large</b>"),
        (
            Answer(HTML, status=503),
            errors.InternalServiceError,
            "503",
            f"Service Unavailable ({INTERNAL})",
        ),
        (Answer(b"", status=502), errors.InternalServiceError, "502", f"Bad Gateway ({INTERNAL})"),
        (Answer(b"", status=400), errors.ServiceError, "400", "no message"),
        (Answer(b"{}", status=400), errors.ServiceError, "400", "no message"),
        (fault("NewException", "What is this?"), errors.ServiceError, "NewException", "What is this?"),
        (fault("NewException", "Why?", status=500), errors.InternalServiceError, "NewException", f"Why? ({INTERNAL})"),
        (fault("NewException", "Hey!", status=429), errors.ThrottledError, "NewException", f"Hey! ({THROTTLED})"),
        (fault("NewException"), errors.ServiceError, "NewException", "no message"),
        (Answer({"__type": "A", "message": None}, status=400), errors.ServiceError, "A", "no message"),
        (Answer({"__type": "A", "message": "one", "Message": "two"}, status=400), errors.ServiceError, "A", "one"),
        (Answer({"__type": "com.amazon#A", "Message": "two"}, status=400), errors.ServiceError, "A", "two"),
        (fault("A", "x" * 400), errors.ServiceError, "A", "x" * 300 + "..."),
        (
            fault("ThrottlingException", "Service Unavailable", status=500),
            errors.ThrottledError,
            "ThrottlingException",
            f"Service Unavailable ({THROTTLED})",
        ),
    ],
)
def test_odd_errors(standin, client, answer, kind, code, text):
    """Unknown codes go by their status; foreign pages and missing messages are made readable."""
    standin.script("DetectFaces", answer)

    error = failure(client=client)

    assert type(error) is kind
    assert str(error) == f"DetectFaces failed with {code}: {text}"
    assert (error.code, error.status) == (code, answer.status)


@pytest.mark.parametrize(
    ("key", "decoded"),
    [
        ("my+photo%281%29.jpg", "my photo(1).jpg"),
        ("a+b.jpg", "a b.jpg"),
        ("caf%C3%A9.jpg", "café.jpg"),
        ("two%0Alines.jpg", "two\\nlines.jpg"),
        ("100%.jpg", None),
        ("photo.jpg", None),
    ],
)
@pytest.mark.parametrize(
    ("method", "operation", "member"),
    [("detect_faces", "DetectFaces", "Image"), ("start_face_detection", "StartFaceDetection", "Video")],
)
def test_a_key_that_looks_url_encoded(standin, client, key, decoded, method, operation, member):
    """As events of S3 have it: a fourth cause of an object that cannot be read."""
    standin.script(operation, fault("InvalidS3ObjectException", "Unable to get object metadata from S3."))

    with pytest.raises(errors.InvalidS3ObjectError) as caught:
        once(client, method, **{member: {"S3Object": {"Bucket": "photos", "Name": key}}})

    encoded = (
        "one of four, and the service does not say which: the key is URL-encoded, as events of S3 have it, and "
        f"urllib.parse.unquote_plus(key) gives '{decoded}'; the key is wrong, the bucket is in another region than the "
        "client, or the identity may not read it"
    )
    assert str(caught.value) == (
        f"{operation} failed with InvalidS3ObjectException: Unable to get object metadata from S3. "
        f"({UNREADABLE_OBJECT if decoded is None else encoded})"
    )


def test_errors_of_a_job_name_the_job(standin, client):
    """So that it can be looked for."""
    standin.script("GetFaceDetection", fault("ResourceNotFoundException", "No job."))

    error = failure("get_face_detection", client=client, job_id="j-1", JobId="j-1")

    assert str(error) == (
        f"GetFaceDetection of job j-1 failed with ResourceNotFoundException: No job. ({HINTS[errors.JobNotFoundError]})"
    )
    assert (error.operation, error.job_id) == ("GetFaceDetection", "j-1")


def recorded_errors():
    """Return the recorded errors of the real service, where there are recordings."""
    folder = os.environ.get("REKOG_EMOTION_RECORDINGS")
    path = Path(folder or "", "errors_real.json")
    if not (folder and path.exists()):
        return [pytest.param(None, marks=pytest.mark.skip(reason="REKOG_EMOTION_RECORDINGS names no folder with them"))]
    recordings = json.loads(path.read_text(encoding="utf-8"))
    return [pytest.param(one, id=one["where"]) for one in recordings if one["status"] >= 400]


@pytest.mark.parametrize("recorded", recorded_errors())
def test_recorded_errors(standin, client, recorded):
    """What the real service said has a class, and its text is in the message."""
    body = recorded["body"]
    standin.script("DetectFaces", Answer(body, status=recorded["status"]))

    error = failure(client=client)

    kind = KINDS[body["__type"]]
    assert type(error) is kind
    text = body.get("message") or body.get("Message")
    assert str(error) == f"DetectFaces failed with {body['__type']}: {text} ({HINTS[kind]})"


# --- no answer ---


@pytest.mark.parametrize("reply", [reset, close])
def test_broken_connections(standin, client, reply):
    """No answer came: it says from where, and to which question."""
    standin.script("GetFaceDetection", reply)

    error = failure("get_face_detection", client=client, job_id="j-1", JobId="j-1")

    assert type(error) is errors.TransportError
    assert str(error) == (
        "GetFaceDetection got no answer: "
        f'Connection was closed before we received a valid response from endpoint URL: "{standin.url}/".'
    )
    assert (error.operation, error.job_id) == ("GetFaceDetection", "j-1")


def test_read_timeout(standin, impatient):
    """A server that accepts and never answers."""
    standin.script("DetectFaces", silence)

    error = failure(client=impatient)

    assert type(error) is errors.TransportError
    assert str(error) == f'DetectFaces got no answer: Read timeout on endpoint URL: "{standin.url}/"'


def test_connection_refused(session):
    """Nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = failure(client=aws_client(session=session, endpoint_url=url))

    assert type(error) is errors.TransportError
    assert str(error) == f'DetectFaces got no answer: Could not connect to the endpoint URL: "{url}/"'
    assert error.job_id is None


NOWHERE = "; botocore lists no Rekognition in xx-nowhere-9, is that the right region?"


@pytest.mark.parametrize(
    ("options", "url", "hint"),
    [
        ({"region_name": "eu-west-1"}, "https://rekognition.eu-west-1.amazonaws.com/", ""),
        ({"region_name": "us-gov-west-1"}, "https://rekognition.us-gov-west-1.amazonaws.com/", ""),
        ({"region_name": "xx-nowhere-9"}, "https://rekognition.xx-nowhere-9.amazonaws.com/", NOWHERE),
        ({"region_name": "xx-nowhere-9", "endpoint_url": "http://rekognition.test"}, "http://rekognition.test/", ""),
        (
            {"region_name": "xx-nowhere-9", "endpoint_url": "http://user:hunter2@rekognition.test"},
            "http://***@rekognition.test/",
            "",
        ),
    ],
)
def test_no_such_host(session, monkeypatch, options, url, hint):
    """A region where botocore lists no Rekognition is a hint, unless the caller said where to go."""

    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    error = failure(client=aws_client(session=session, **options))

    assert type(error) is errors.TransportError
    assert str(error) == f'DetectFaces got no answer: Could not connect to the endpoint URL: "{url}"{hint}'


# --- answers that cannot be read ---

NO_FACES = "FaceDetails: missing from the answer, which is broken: this is not 'no faces'"
NO_SHAPE = "the answer of DetectFaces is not in the service's shape"
TOO_DEEP = "the answer of DetectFaces is nested too deep to be read"
EMOTIONS = "FaceDetails[0].Emotions"


@pytest.mark.parametrize(
    ("answer", "message", "path"),
    [
        (Answer(b""), NO_FACES, "FaceDetails"),
        (Answer(b"garbage"), NO_FACES, "FaceDetails"),
        (Answer(HTML), NO_FACES, "FaceDetails"),
        (Answer({}), NO_FACES, "FaceDetails"),
        (Answer({"FaceDetails": None}), NO_FACES, "FaceDetails"),
        (Answer({"Faces": []}), NO_FACES, "FaceDetails"),
        (Answer(None), NO_SHAPE, ""),
        (Answer([]), NO_SHAPE, ""),
        (Answer("words"), NO_SHAPE, ""),
        (Answer(7), NO_SHAPE, ""),
        (Answer({"FaceDetails": [7]}), "FaceDetails[0]: expected an object, got int", "FaceDetails[0]"),
        *(
            (Answer({"FaceDetails": broken}), f"FaceDetails: expected a list, got {kind}", "FaceDetails")
            for broken, kind in (("words", "str"), ("", "str"), ({}, "dict"), (0, "int"), (False, "bool"))
        ),
        (Answer({"FaceDetails": [{"Emotions": {}}]}), f"{EMOTIONS}: expected a list, got dict", EMOTIONS),
        (Answer(b'{"FaceDetails":%s' % (b"[" * 100_000)), TOO_DEEP, ""),
        (Answer(b"[" * 100_000, status=400), TOO_DEEP, ""),
        (
            Answer(b'{"FaceDetails":[{"New":%s%s}]}' % (b"[" * 200, b"]" * 200)),
            "FaceDetails[0].New: nested more than 100 levels deep",
            "FaceDetails[0].New",
        ),
        (Answer(b"\xff\xfe\x00"), NO_SHAPE, ""),
        (Answer({"__type": 5}, status=400), NO_SHAPE, ""),
        (
            Answer({"FaceDetails": [{"Confidence": "high"}]}),
            "FaceDetails[0].Confidence: expected a number, got str",
            "FaceDetails[0].Confidence",
        ),
    ],
)
def test_broken_answers(standin, client, theirs, answer, message, path):
    """A broken answer is an error of its own, tried once, and never "no faces", whoever made the client."""
    standin.script("DetectFaces", answer)

    for used in (client, theirs()):
        with pytest.raises(errors.ResponseError) as caught:
            detect_image(PHOTO, client=used)

        assert str(caught.value) == message
        assert (caught.value.path, caught.value.job_id) == (path, None)
    assert len(standin.requests) == 2


@pytest.mark.usefixtures("clock")
def test_a_truncated_answer(standin, client):
    """It is broken, whether this version of botocore sees that by its length or not; "no faces" it never is."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}, cut=5))

    with pytest.raises(errors.ResponseError) as caught:
        detect_image(PHOTO, client=client)

    assert str(caught.value) in {NO_FACES, "the answer of DetectFaces cannot be read: it was cut off"}


def test_an_answer_that_botocore_refuses():
    """Its parser has an error of its own, for other protocols."""

    class Client:
        def detect_faces(self, **_):
            message = "Unable to parse response"
            raise ResponseParserError(message)

    error = failure(client=Client(), job_id="j-1")

    assert type(error) is errors.ResponseError
    assert str(error) == "the answer of DetectFaces cannot be read: Unable to parse response"
    assert error.job_id == "j-1"


# --- what is no failure of the service ---


def test_parameters_that_botocore_refuses(standin, client):
    """Nothing is sent."""
    error = failure("get_face_detection", client=client, JobId="")

    assert type(error) is errors.InvalidInputError
    assert str(error) == (
        "GetFaceDetection was not called: Parameter validation failed: "
        "Invalid length for parameter JobId, value: 0, valid min length: 1"
    )
    assert standin.requests == []


def test_credentials_that_are_missing_only_now(standin, monkeypatch):
    """A caller's own client finds out when it signs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    error = failure(client=boto3.client("rekognition", endpoint_url=standin.url))

    assert type(error) is errors.ConfigurationError
    assert str(error) == (
        "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE "
        "or run 'aws configure', or stay offline with client=\"embedded\""
    )
    assert standin.requests == []


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("a bug"),
        TypeError("a bug"),
        KeyError("a bug"),
        errors.InvalidInputError("ours already"),
        KeyboardInterrupt(),
        StubAssertionError(operation_name="DetectFaces", reason="Expected parameters"),
        UnStubbedResponseError(operation_name="DetectFaces", reason="Unexpected API Call"),
    ],
)
def test_what_is_not_ours_to_map(error):
    """Bugs of a caller's client, what its Stubber says, our own errors and interrupts go through as they are."""

    class Client:
        def detect_faces(self, **_):
            raise error

    with pytest.raises(type(error)) as caught:
        call(Client())

    assert caught.value is error
    assert caught.value.__cause__ is None


# --- secrets ---


@pytest.mark.parametrize(
    "reply",
    [
        Answer({"FaceDetails": []}),
        Answer(b"garbage"),
        Answer(HTML, status=403),
        Answer(None),
        fault(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.\n\n"
            "The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:not-a-token\n'",
        ),
        fault("ThrottlingException", "Slow down"),
        reset,
        silence,
    ],
)
def test_secrets_stay_secret(standin, client, impatient, clock, caplog, reply):
    """No credential and no byte of the image is in a message, a repr or a log line, whatever happens."""
    caplog.set_level(logging.DEBUG, logger="rekog_emotion")
    standin.script("DetectFaces", reply)
    data = PHOTO.read_bytes()

    try:
        outcome = detect_image(data, client=impatient if reply is silence else client)
    except errors.RekogEmotionError as error:
        outcome = error

    standin.wait_for(len(clock.sleeps) + 1)
    told = f"{outcome} {outcome!r} {vars(outcome) if isinstance(outcome, Exception) else ''} {caplog.text}"
    wire = standin.requests[0].body["Image"]["Bytes"]
    secrets = ["AKIDEXAMPLE", "not-a-secret", "not-a-token", "Credential=", wire[:16], repr(data[:8])[2:-1]]
    assert [secret for secret in secrets if secret in told] == []
    assert "not-a-token" in str(standin.requests[0].headers)
    assert len(clock.sleeps) == len(standin.requests) - 1


# --- retries ---

PASSING = {
    "throttled": fault("ThrottlingException", "Slow down"),
    "throttled as 500": fault("ThrottlingException", "Service Unavailable", status=500),
    "over the quota": fault("ProvisionedThroughputExceededException", "Provisioned Rate exceeded."),
    "failed": fault("InternalServerError", "Internal server error", status=500),
    "bad gateway": Answer(b"", status=502),
    "unavailable": Answer(HTML, status=503),
    "gateway time-out": Answer(b"<html>", status=504),
    "too many": fault("WhoKnows", "Too many", status=429),
    "reset": reset,
    "closed": close,
}
LASTING = {
    "denied": fault("AccessDeniedException", "No."),
    "expired": fault("ExpiredTokenException", "Too late."),
    "format": fault("InvalidImageFormatException", "Request has invalid image format"),
    "parameter": fault("InvalidParameterException", "Request has Invalid Parameters"),
    "no slot": fault("LimitExceededException", "20 open Jobs"),
    "unknown": fault("WhoKnows", "Something"),
    "HTML": Answer(HTML, status=403),
}


@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
def test_passing_failures_are_tried_five_times(standin, client, clock, reply):
    """As counted by the server, with growing waits between."""
    standin.script("DetectFaces", reply)

    with pytest.raises((errors.ServiceError, errors.TransportError)):
        detect_image(PHOTO, client=client)

    assert (len(standin.requests), len(clock.sleeps)) == (5, 4)
    assert len({request.headers["amz-sdk-invocation-id"] for request in standin.requests}) == 5


def test_a_read_timeout_is_tried_five_times(standin, impatient, clock):
    """The server may be at work on all of them."""
    standin.script("DetectFaces", silence)

    with pytest.raises(errors.TransportError):
        detect_image(PHOTO, client=impatient)

    standin.wait_for(5)
    assert (len(standin.requests), len(clock.sleeps)) == (5, 4)


@pytest.mark.parametrize("reply", LASTING.values(), ids=LASTING)
def test_other_failures_are_tried_once(standin, client, clock, reply):
    """What would fail again is not paid for again."""
    standin.script("DetectFaces", reply)

    with pytest.raises(errors.ServiceError):
        detect_image(PHOTO, client=client)

    assert (len(standin.requests), clock.sleeps) == (1, [])


@pytest.mark.parametrize("mode", [None, "legacy", "standard", "adaptive"])
@pytest.mark.parametrize("attempts", [None, "1", "7"])
def test_the_environment_does_not_change_our_policy(standin, clock, monkeypatch, mode, attempts):
    """It makes one attempt whatever AWS_RETRY_MODE and AWS_MAX_ATTEMPTS say."""
    for name, value in (("AWS_RETRY_MODE", mode), ("AWS_MAX_ATTEMPTS", attempts)):
        if value is not None:
            monkeypatch.setenv(name, value)
    client = aws_client(endpoint_url=standin.url)
    standin.script("DetectFaces", PASSING["throttled"], PASSING["failed"])

    with pytest.raises(errors.InternalServiceError):
        detect_image(PHOTO, client=client)

    assert (len(standin.requests), len(clock.sleeps)) == (5, 4)
    client.close()


def test_the_answer_after_failures_is_the_answer(standin, client, clock):
    """Three attempts, one analysis."""
    standin.script("DetectFaces", PASSING["throttled"], reset, Answer({"FaceDetails": []}))

    assert detect_image(PHOTO, client=client).faces == ()
    assert (len(standin.requests), len(clock.sleeps)) == (3, 2)


@pytest.mark.parametrize("mode", [None, "legacy", "standard"])
@pytest.mark.parametrize("reply", PASSING.values(), ids=PASSING)
def test_the_retries_of_a_callers_client_are_its_own(standin, theirs, clock, mode, reply):
    """Exactly as many requests as botocore makes without us."""
    config = Config(retries={"mode": mode}) if mode else None
    standin.script("DetectFaces", reply)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- botocore's errors have no common parent
        theirs(config=config).detect_faces(Image=IMAGE)
    own = len(standin.requests)

    with pytest.raises((errors.ServiceError, errors.TransportError)):
        detect_image(PHOTO, client=theirs(config=config))

    assert (len(standin.requests) - own, clock.sleeps) == (own, [])


@pytest.mark.parametrize(
    ("retries", "variable", "expected"),
    [
        ({"total_max_attempts": 2}, None, 2),
        ({"max_attempts": 2, "mode": "standard"}, None, 3),
        (None, "4", 4),
        ({"total_max_attempts": 1}, None, 5),
        ({"max_attempts": 0}, None, 5),
        (None, "1", 5),
    ],
)
def test_a_client_that_makes_one_attempt_leaves_retrying_to_us(
    standin, theirs, clock, monkeypatch, retries, variable, expected
):
    """Any other count is the caller's wish."""
    if variable is not None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", variable)
    client = theirs(config=Config(retries=retries) if retries else None)
    standin.script("DetectFaces", PASSING["failed"])

    with pytest.raises(errors.InternalServiceError):
        detect_image(PHOTO, client=client)

    assert len(standin.requests) == expected
    assert len(clock.sleeps) == (4 if expected == 5 else 0)


@pytest.mark.usefixtures("clock")
def test_a_callers_client_is_left_as_it_was(standin, theirs):
    """Its retries and its handlers are nobody else's."""
    client = theirs()
    retries, before = dict(client.meta.config.retries), _handlers(client)
    standin.script("DetectFaces", Answer({"FaceDetails": []}))

    detect_image(PHOTO, client=client)

    assert client.meta.config.retries == retries
    assert "needs-retry.rekognition" in before
    assert _handlers(client) == before


def _handlers(client):
    """Return the handlers of a client by the names of their events."""
    found, nodes = {}, [("", client.meta.events._emitter._handlers._root)]
    while nodes:
        name, node = nodes.pop()
        if any(node["values"] or ()):
            found[name] = tuple(tuple(values) for values in node["values"])
        nodes += [(f"{name}.{part}".lstrip("."), inner) for part, inner in node["children"].items()]
    return found


def test_slow_failures_end_with_the_minute(standin, client, clock):
    """Two attempts of half a minute leave no time for a third."""

    def slowly(handler):
        clock.advance(31)
        PASSING["failed"](handler)

    standin.script("DetectFaces", slowly)

    with pytest.raises(errors.InternalServiceError):
        detect_image(PHOTO, client=client)

    assert (len(standin.requests), len(clock.sleeps)) == (2, 1)


def test_a_cancelled_call_is_not_made_again(standin, client, clock):
    """The error that there is, is raised."""
    cancel = threading.Event()
    clock.at(0, cancel.set)
    standin.script("DetectFaces", PASSING["failed"])

    with pytest.raises(errors.InternalServiceError):
        call(client, cancel=cancel)

    assert len(standin.requests) == 1


def test_a_clock_may_be_given(standin, client):
    """As jobs do."""
    sleeps = []

    class Clock:
        def now(self):
            return 0.0

        def sleep(self, seconds, cancel=None):
            assert cancel is None
            sleeps.append(seconds)

    standin.script("DetectFaces", PASSING["failed"], Answer({"FaceDetails": []}))

    assert call(client, clock=Clock())["FaceDetails"] == []
    assert len(sleeps) == 1


def test_only_what_looks_like_a_boto3_client_leaves_retrying_to_us():
    """A fake without configuration is called once."""
    assert leaves_retrying_to_us(object()) is False
