"""No value of a credential comes out of a text or an error, whole, in part or encoded; nor does what opens a door."""

import base64
import gc
import json
import pickle
import traceback
import weakref
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, quote_plus

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ClientError, HTTPClientError

from rekog_emotion import AccessDeniedError, JobFailedError, analyze_video, aws_client, detect_image, redaction
from rekog_emotion.clients import failures
from rekog_emotion.commands.cli import main
from rekog_emotion.errors import InternalServiceError
from rekog_emotion.redaction import redacted, remember, withhold
from rekog_emotion.testing import FakeClient, LocalEndpoint
from tests.http_standin import fault

KEY, SECRET, TOKEN = "AKIDMADEUP0123456789", "MadeUp/Secret+Key/0123456789", "IQoJb3/MADEUP+TOKEN/with==signs"
PARTS = [value[i : i + 8] for value in (KEY, SECRET, TOKEN) for i in range(len(value) - 7)]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch) -> None:
    """Forget the credentials of clients that other tests hold."""
    monkeypatch.setattr(redaction, "_SEEN", {})


@pytest.fixture
def made_up(monkeypatch):
    """Set credentials that open no door."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"the token {TOKEN} is invalid", "the token *** is invalid"),
        (f"{KEY} and {SECRET}", "*** and ***"),
        (f"the token {TOKEN[:12]}... is invalid", "the token ***... is invalid"),
        (f"the token ...{TOKEN[-9:]}", "the token ...***"),
        (f"the token {TOKEN[:9]}\n{TOKEN[9:]}", "the token ***\n***"),
        (quote(TOKEN, safe=""), "***"),
        (quote(TOKEN, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"), "***"),
        (quote_plus(SECRET), "***"),
        (json.dumps(TOKEN).replace("/", "\\/"), '"***"'),
        (repr(TOKEN.encode()), "b'***'"),
        (base64.b64encode(SECRET.encode()).decode(), "***Q=="),  # the last 2 bits say nothing
        (TOKEN.encode().hex(), "***"),
        (TOKEN.encode().hex().upper(), "***"),
        (TOKEN.encode().hex(" "), "***"),
        ("Rate exceeded; see AWS_SESSION_TOKEN", "Rate exceeded; see AWS_SESSION_TOKEN"),
    ],
)
def test_values_of_credentials(text, expected):
    """Whole and in parts of 8 letters, as they are and as headers, addresses, JSON and Python write them."""
    assert redacted(text) == expected


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
def test_values_within_base64(before):
    """Wherever they begin in what was encoded."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = redacted(encode(before + TOKEN.encode() + b":more").decode())

        assert "***" in text
        assert len(text) < 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "see https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123 there",
            "see https://b.s3.amazonaws.com/k?*** there",
        ),
        ("at 'https://b.example/k?sv=1&sig=0123'", "at 'https://b.example/k?***'"),
        (
            "Max retries exceeded with url: /k?AWSAccessKeyId=1&Signature=2 (x)",
            "Max retries exceeded with url: /k?*** (x)",
        ),
        ("https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D0123%26x", "https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D***%26x"),
        ("X-Amz-Security-Token=0123&x=1", "X-Amz-Security-Token=***&x=1"),
        (
            "AWS4-HMAC-SHA256 Credential=AK/2026/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0123",
            "AWS4-HMAC-SHA256 Credential=***, SignedHeaders=host, Signature=***",
        ),
        ("{'Authorization': b'AWS4-HMAC-SHA256 x', 'a': 1}", "{'Authorization': b'***', 'a': 1}"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz\r\nHost: h", "Proxy-Authorization: ***\r\nHost: h"),
        ("Bearer abcdefghijklmnopqrst", "Bearer ***"),
        ("aws_secret_access_key = abc", "aws_secret_access_key = ***"),
        ('{"Version": 1, "SecretAccessKey": "abc"}', '{"Version": 1, "SecretAccessKey": "***"}'),
        ("<Error><Token-0>abc</Token-0><Code>X</Code></Error>", "<Error><Token-0>***</Token-0><Code>X</Code></Error>"),
        ("No match. The String-to-Sign should have been\n'AWS4'", "No match. "),
        ("http://user:pass@proxy:3128/", "http://***@proxy:3128/"),
        ("http://user:p@ss:word@proxy:3128/", "http://***@proxy:3128/"),
        ("the token eyJhbGciOiJSUzI1.eyJzdWIiOiIxMjM0.c2ln-bmF0_dXJl is old", "the token *** is old"),
        ("x-amz-sso_bearer_token: abc", "x-amz-sso_bearer_token: ***"),
        ("http://host/path@2x and mail@host", "http://host/path@2x and mail@host"),
        ("Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",) * 2,
        ("The security token included in the request is invalid.",) * 2,
        ("Basic authentication is not supported",) * 2,
        ("is it right?",) * 2,
    ],
)
def test_what_is_a_secret_by_its_form(text, expected):
    """Also of credentials that are others'."""
    assert redacted(text) == expected


@pytest.mark.parametrize("text", ["//" * 50_000, "?" * 100_000, "https://" * 20_000, "authorization" * 10_000])
def test_long_texts_take_no_long_time(text):
    """A page of a proxy is cut before it is looked through."""
    assert len(redacted(text)) <= 8195


def test_short_values_are_words(monkeypatch):
    """What is made up for an emulator is hidden as a word alone, and one of three letters not at all."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abc")

    assert redacted("the key test, in tests/test_1.py: abc") == "the key ***, in tests/***_1.py: abc"


def test_credentials_are_remembered_while_they_are_held():
    """Those of a session of the caller's, too, and those that renew themselves without being asked to."""
    own = Credentials("AKIDOWN00001", "first-secret-of-two", "a-first-token-0001")
    renewing = RefreshableCredentials("ASIANEW00002", "another-hidden-thing", "fresh/token+0002", None, None, "sso")
    for credentials in (own, renewing):
        remember(credentials)

    assert redacted("first-secret-of-two, fresh/token+0002") == "***, ***"
    del own, credentials
    gc.collect()
    assert redacted("first-secret-of-two, fresh/token+0002") == "first-secret-of-two, ***"
    assert [reference() for reference in redaction._SEEN.values() if reference() is renewing] == [renewing]


def test_credentials_that_go_run_nothing():
    """Ctrl-C in a callback would be lost, wherever a client ends; those that are gone are cleared away by the next."""
    held = [Credentials(f"AKIDMANY{number:05}", f"a-secret-of-{number:05}") for number in range(5)]
    for credentials in held * 3:
        remember(credentials)
    references = [reference for credentials in held for reference in weakref.getweakrefs(credentials)]
    assert [reference.__callback__ for reference in references] == [None] * 5
    assert len(redaction._SEEN) == 5

    del held[:4], credentials
    gc.collect()
    remember(held[0])

    assert [reference() for reference in redaction._SEEN.values()] == held


def everything_of(error, seen=()):
    """Return all that an error and those that led to it can show."""
    if error is None or any(error is one for one in seen):
        return ""
    seen = (*seen, error)
    own = f"{error} {error!r} {vars(error)} {pickle.dumps(error.args)!r} {getattr(error, 'object', '')}"
    return own + everything_of(error.__cause__, seen) + everything_of(error.__context__, seen)


def failing(error, before=None):
    """Return an error as it was caught, after others."""
    try:
        try:
            if before is not None:
                raise before
        finally:
            raise error
    except type(error) as caught:
        return caught


SIGNATURE = {
    "Error": {
        "Code": "SignatureDoesNotMatch",
        "Message": f"The request signature we calculated for {KEY} does not match.",
        "AWSAccessKeyId": KEY,
        "StringToSign": f"AWS4-HMAC-SHA256 {KEY}",
        "CanonicalRequest": f"GET\n/\nx-amz-security-token:{TOKEN}",
        "CanonicalRequestBytes": TOKEN.encode().hex(" "),
        "Token-0": TOKEN,
        "BucketName": "my-bucket",
    },
    "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {"X-Amz-Security-Token": TOKEN, "x": f"={SECRET}"}},
}


class PrintsItselfError(Exception):
    """Says what its arguments do not."""

    def __str__(self):
        """Say it."""
        return TOKEN


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    "make",
    [
        lambda: failing(ClientError(SIGNATURE, "DetectFaces")),
        lambda: failing(RuntimeError("x"), ClientError(SIGNATURE, "DetectFaces")),
        lambda: failing(
            HTTPClientError(
                error=ValueError(f"Invalid header value {TOKEN.encode()!r}"),
                request=AWSRequest("POST", "http://x", headers={"X-Amz-Security-Token": TOKEN}).prepare(),
            ),
            ValueError("Connection aborted.", ConnectionError(TOKEN)),
        ),
        lambda: failing(UnicodeEncodeError("latin-1", f"{TOKEN}€", len(TOKEN), len(TOKEN) + 1, "no")),
        lambda: failing(FileNotFoundError(2, "No such file", f"/nowhere/{TOKEN}")),
        lambda: failing(json.JSONDecodeError("Expecting value", f'{{"SecretAccessKey": "{SECRET}"', 0)),
        lambda: failing(ExceptionGroup("several", [ValueError(TOKEN), KeyError({"a": [SECRET]})])),
        lambda: failing(RuntimeError("x"), PrintsItselfError()),
    ],
    ids=["service", "context", "header", "encoding", "file", "json", "group", "stubborn"],
)
def test_errors_tell_nothing(make):
    """In place: message, arguments, members, notes, and whatever led to them, as an uncaught traceback prints it."""
    error = make()
    error.add_note(f"with {KEY}")

    withhold(error)

    shown = everything_of(error) + "".join(traceback.format_exception(error))
    assert [part for part in PARTS if part in shown] == []
    withhold(error)  # a second time changes nothing
    assert everything_of(error) + "".join(traceback.format_exception(error)) == shown


@pytest.mark.usefixtures("made_up")
def test_errors_stay_what_they_are():
    """What is no secret is kept: the code, the status, the bucket."""
    error = ClientError(SIGNATURE, "PutObject")

    withhold(error)

    assert str(error) == (
        "An error occurred (SignatureDoesNotMatch) when calling the PutObject operation: "
        "The request signature we calculated for *** does not match."
    )
    assert error.response == {
        "Error": {
            "Code": "SignatureDoesNotMatch",
            "Message": "The request signature we calculated for *** does not match.",
            **dict.fromkeys(("AWSAccessKeyId", "StringToSign", "CanonicalRequest", "CanonicalRequestBytes"), "***"),
            "Token-0": "***",
            "BucketName": "my-bucket",
        },
        "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {"X-Amz-Security-Token": "***", "x": "=***"}},
    }
    assert SIGNATURE["Error"]["Token-0"] == TOKEN  # nobody else's object is changed


def test_errors_without_secrets_are_left_as_they_are():
    """The very objects."""
    response = {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}
    error, cause = ClientError(response, "DetectFaces"), SimpleNamespace()
    error.__cause__ = ValueError("x", cause)
    args = error.args

    withhold(error)

    assert error.response is response
    assert error.args is args
    assert error.__cause__.args[1] is cause


# --- through the library ---

ECHO = f"{KEY} signed https://b/k?X-Amz-Signature=01 with {SECRET}; {TOKEN} is invalid"
PORTRAIT = Path(__file__).parent / "data" / "astronaut.jpg"


@pytest.mark.parametrize("own", [True, False], ids=["ours", "the caller's"])
def test_an_answer_that_echoes_the_request(standin, monkeypatch, own):
    """The cause is kept, and shows no more than the message."""
    session = boto3.Session(KEY, SECRET, TOKEN)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    standin.script("DetectFaces", fault("InvalidSignatureException", ECHO))
    client = aws_client(session=session) if own else session.client("rekognition")

    with pytest.raises(AccessDeniedError) as caught:
        detect_image(PORTRAIT, client=client)

    assert str(caught.value) == (
        "DetectFaces failed with InvalidSignatureException: *** signed https://b/k?*** with ***; *** is invalid "
        "(check the credentials, the clock and that the identity may call rekognition:DetectFaces)"
    )
    assert isinstance(caught.value.__cause__, ClientError)
    assert caught.value.__cause__.response["Error"]["Code"] == "InvalidSignatureException"
    shown = everything_of(caught.value) + "".join(traceback.format_exception(caught.value))
    shown += repr(pickle.dumps(caught.value))
    assert [part for part in PARTS if part in shown] == []


@pytest.mark.parametrize("more", [(), ("--debug",)])
def test_the_command_line(standin, monkeypatch, capsys, more):
    """With its tracebacks."""
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("SESSION_TOKEN", TOKEN)):
        monkeypatch.setenv(f"AWS_{name}", value)
    standin.script("DetectFaces", fault("InvalidSignatureException", ECHO))

    assert main(["image", str(PORTRAIT), "--client", "aws", *more]) == 1

    said = capsys.readouterr().err
    assert "Traceback" in said or not more
    assert [part for part in PARTS if part in said] == []


@pytest.mark.usefixtures("made_up", "clock")
def test_the_reason_of_a_job_that_failed():
    """The service's own words are foreign, too."""
    client = FakeClient(videos={"JobStatus": "FAILED", "StatusMessage": f"no access to https://b/k?sig=1 by {KEY}"})

    with pytest.raises(JobFailedError) as caught:
        analyze_video("s3://bucket/clip.mp4", client=client)

    assert str(caught.value) == "s3://bucket/clip.mp4: job fake-job-1 failed: no access to https://b/k?*** by ***"


@pytest.mark.usefixtures("made_up")
def test_the_log_of_the_server(caplog):
    """Whatever its client raises."""

    class Failing(FakeClient):
        def detect_faces(self, **_):
            raise RuntimeError(ECHO)

    used = boto3.Session(KEY, SECRET, TOKEN).get_credentials()  # by the client behind the server
    redaction.remember(used)
    with LocalEndpoint(Failing()) as endpoint:
        client = aws_client(endpoint_url=endpoint.url, config=Config(connect_timeout=5))
        with pytest.raises(InternalServiceError):
            failures.once(client, "detect_faces", Image={"Bytes": PORTRAIT.read_bytes()})

    assert "DetectFaces failed" in caplog.text
    assert "*** signed https://b/k?*** with ***" in caplog.text
    assert [part for part in PARTS if part in caplog.text] == []
