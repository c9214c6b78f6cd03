import datetime as dt
import json
import time

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from rekog_emotion.server import create_app
from rekog_emotion.server.protocol import RefusedError
from rekog_emotion.server.signatures import Claim, SignatureCheck
from tests.server.conftest import at_a_port, boto
from tests.server.in_process import InProcess

BODY = b'{"JobId": "job-1"}'
NOW = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)
KEYS = {"AKIDEXAMPLE": "not-a-secret", "other": "another"}
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
UNCOVERED = "'{}' must be a 'SignedHeader' in the AWS Authorization."
UNKNOWN_KEY = "The security token included in the request is invalid."
FORM = (
    "Authorization header requires a Credential of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request and a time of the "
    "form YYYYMMDDThhmmssZ."
)


@pytest.fixture
def endpoint(scripted):
    """Give an endpoint with two keys, at noon."""
    with InProcess(create_app(scripted, keys=KEYS, clock=NOW.timestamp)) as endpoint:
        yield endpoint


def sign(signer, request, at):
    """Have botocore sign a request as of a time; how it looks at the clock by itself depends on its version."""
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    signer._inject_signature_to_request(request, signature)


def signed(
    *, at=NOW, key="AKIDEXAMPLE", secret=KEYS["AKIDEXAMPLE"], region="eu-west-1", service="rekognition", **headers
):
    """Return the headers of a request that botocore signed."""
    request = AWSRequest("POST", "http://localhost:80/", data=BODY)
    named = {"Host": "localhost", "Content-Type": "application/x-amz-json-1.1", **headers}
    for name, value in {**named, "X-Amz-Target": "RekognitionService.GetFaceDetection"}.items():
        request.headers[name] = value
    sign(SigV4Auth(Credentials(key, secret), service, region), request, at)
    return {name.lower(): value for name, value in request.headers.items()}


def outcome(endpoint, headers, body=BODY, query=""):
    """Return the error code and text, if it is one."""
    reply = endpoint.ask("GetFaceDetection", headers={"authorization": None, **headers}, body=body, query=query)
    return (reply.code, reply.message) if reply.status != 200 else None


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"key": "other", "secret": "another"},
        {"region": "us-gov-west-1"},
        {"X-Custom": "  several   spaces "},
    ],
)
def test_lets_in_who_has_a_key(endpoint, options):
    """Any of the keys, any region, and any header that is signed."""
    assert outcome(endpoint, signed(**options)) is None


def test_looks_at_signed_headers_alone(endpoint):
    """What a proxy or a client adds unsigned does not matter; what is signed does, whatever it is."""
    headers = signed()
    assert outcome(endpoint, {**headers, "user-agent": "anything", "x-forwarded-for": "10.0.0.1"}) is None
    assert outcome(endpoint, {**headers, "host": "elsewhere"}) == ("InvalidSignatureException", MISMATCH)


def test_signs_what_botocore_would_leave_out(endpoint, scripted):
    """SDKs that sign headers that botocore does not, such as User-Agent, are understood."""
    request = AWSRequest("POST", "http://localhost/", data=BODY)
    target = "RekognitionService.GetFaceDetection"
    named = {"host": "localhost", "user-agent": "an SDK", "x-amz-date": "20261122T120000Z", "x-amz-target": target}
    for name, value in named.items():
        request.headers[name] = value
    signer = SigV4Auth(Credentials("other", "another"), "rekognition", "eu-west-1")
    signer.headers_to_sign = lambda request: request.headers
    request.context["timestamp"] = "20261122T120000Z"
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders="
        f"host;user-agent;x-amz-date;x-amz-target, Signature={signature}"
    )

    headers = {"authorization": authorization, "user-agent": "an SDK", "x-amz-date": "20261122T120000Z"}
    assert outcome(endpoint, headers) is None
    assert outcome(endpoint, {**headers, "user-agent": "another"}) == ("InvalidSignatureException", MISMATCH)
    assert len(scripted.asked) == 1


def test_takes_the_date_header(endpoint):
    """A request may be signed by its Date instead."""
    headers = signed(Date="replaced by botocore")

    assert "x-amz-date" not in headers
    assert outcome(endpoint, headers) is None


@pytest.mark.parametrize(
    ("date", "code"),
    [
        pytest.param("Sun, 22 Nov 2026 14:00:00 +0200", None, id="east"),
        pytest.param("Sun, 22 Nov 2026 04:30:00 -0730", None, id="west"),
        pytest.param("Sun, 22 Nov 2026 12:00:00 -0000", None, id="no zone"),
        pytest.param("Sun, 22 Nov 2026 12:00:00 +0200", "InvalidSignatureException", id="two hours ago"),
        # As email.utils reads them: a year of two digits, and a zone that is not known.
        pytest.param("Mon, 01 Jan 0000 00:00:00 GMT", "InvalidSignatureException", id="year 0"),
        pytest.param("1 Jan 2024 10:10:10 " + "9" * 5000, "InvalidSignatureException", id="zone"),
        *(
            pytest.param(date, "IncompleteSignatureException", id=date[:40])
            for date in (
                "x",
                "Mon, 99 Jan 99999 99:99:99 +9999",
                "Mon, 1 Jan 2024 00:00:00 +99999999999999999999",
                "Thu, 01 Jan 1970 00:00:00 -9999999999",
                "Fri, 31 Dec 9999 23:59:59 -0100",
                "9" * 300,
            )
        ),
    ],
)
def test_a_date_may_be_of_any_zone(endpoint, date, code):
    """It is converted; what is no time, or beyond all years, is refused with a code, before anybody has shown a key."""
    headers = {**signed(Date="replaced by botocore"), "date": date}
    result = outcome(endpoint, resigned(headers))

    assert (result and result[0]) == code


def resigned(headers, key="AKIDEXAMPLE", stamp="20261122T120000Z"):
    """Return headers signed anew as of a time that they need not have, their Date not among what is signed."""
    request = AWSRequest("POST", "http://localhost:80/", data=BODY)
    for name in ("host", "content-type", "x-amz-target"):
        request.headers[name] = headers[name]
    signer = SigV4Auth(Credentials(key, KEYS[key]), "rekognition", "eu-west-1")
    request.context["timestamp"] = stamp
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    text = f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": text}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("authorization", None),
        ("x-amz-target", ("RekognitionService.GetFaceDetection", "RekognitionService.DetectFaces")),
        ("x-amz-date", ("20261122T120000Z", "20261122T120001Z")),
        ("host", ("localhost", "elsewhere")),
        ("content-type", ("application/x-amz-json-1.1", "application/x-amz-json-1.1")),
    ],
)
def test_no_header_means_two_things(endpoint, scripted, name, values):
    """What is there twice is refused, in whichever order, even if both are signed."""
    headers = signed()
    values = values or (headers["authorization"], headers["authorization"][:-1])
    for order in (values, values[::-1]):
        pairs = [(other, value) for other, value in headers.items() if other != name]
        pairs += [(name, value) for value in order]
        reply = endpoint.ask("GetFaceDetection", body=BODY, raw_headers=pairs)
        assert (reply.code, reply.message) == ("InvalidSignatureException", f"'{name.title()}' must be there once.")
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("options", "changed", "code", "message"),
    [
        pytest.param({"secret": "wrong"}, {}, "InvalidSignatureException", MISMATCH, id="secret"),
        pytest.param({"key": "unknown"}, {}, "UnrecognizedClientException", UNKNOWN_KEY, id="key"),
        pytest.param({}, {"x-amz-security-token": "t"}, "UnrecognizedClientException", UNKNOWN_KEY, id="session"),
        pytest.param(
            {}, {"x-amz-target": "RekognitionService.DetectFaces"}, "InvalidSignatureException", MISMATCH, id="target"
        ),
        pytest.param(
            {},
            {"x-amz-content-sha256": "0" * 64},
            "InvalidSignatureException",
            UNCOVERED.format("X-Amz-Content-Sha256"),
            id="unsigned digest",
        ),
        pytest.param(
            {"X-Amz-Content-SHA256": "0" * 64}, {}, "InvalidSignatureException", MISMATCH, id="digest of another body"
        ),
        pytest.param(
            {"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
            {},
            "InvalidSignatureException",
            MISMATCH,
            id="streaming",
        ),
        pytest.param(
            {},
            {"x-amz-tagging": "a"},
            "InvalidSignatureException",
            UNCOVERED.format("X-Amz-Tagging"),
            id="added header",
        ),
        pytest.param(
            {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, {}, "InvalidSignatureException", MISMATCH, id="open"
        ),
        pytest.param(
            {"service": "s3"},
            {},
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'rekognition'. ",
            id="service",
        ),
    ],
)
def test_keeps_out_who_has_none(endpoint, scripted, options, changed, code, message):
    """A wrong key, and whatever was changed after signing, with the service's codes."""
    assert outcome(endpoint, {**signed(**options), **changed}) == (code, message)
    assert scripted.asked == []


def test_body_is_signed(endpoint):
    """An altered body is found out."""
    assert outcome(endpoint, signed(), body=BODY.replace(b"1", b"2")) == ("InvalidSignatureException", MISMATCH)


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        (-5, None),
        (5, None),
        (-6, "Signature expired: 20261122T115400Z is now earlier than 20261122T115500Z (20261122T120000Z - 5 min.)"),
        (
            6,
            (
                "Signature not yet current: 20261122T120600Z is still later than 20261122T120500Z "
                "(20261122T120000Z + 5 min.)"
            ),
        ),
    ],
)
def test_clocks_may_differ_a_little(endpoint, minutes, message):
    """By five minutes."""
    assert outcome(endpoint, signed(at=NOW + dt.timedelta(minutes=minutes))) == (
        message and ("InvalidSignatureException", message)
    )


def test_a_time_before_all_that_a_system_knows(endpoint, monkeypatch):
    """It is long over, also where a system has no time before 1970."""

    def gmtime(seconds):
        if seconds < 0:
            raise OSError(22, "Invalid argument")
        return unpatched(seconds)

    unpatched = time.gmtime
    monkeypatch.setattr(time, "gmtime", gmtime)
    presigned = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/00010101/eu-west-1/rekognition/aws4_request"
        "&X-Amz-Date=00010101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    )

    reply = endpoint.ask("DetectFaces", {}, query=presigned, headers={"authorization": None})

    assert (reply.status, reply.code) == (400, "InvalidSignatureException")
    assert reply.message.startswith("Signature expired: ")
    assert reply.message.endswith("0101T000100Z is now earlier than 20261122T120000Z")


def changed(old, new):
    """Return a change of the Authorization header."""
    return lambda headers: {**headers, "authorization": headers["authorization"].replace(old, new)}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param(
            changed("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            "IncompleteSignatureException",
            "Authorization header requires AWS4-HMAC-SHA256.",
            id="algorithm",
        ),
        pytest.param(
            lambda headers: {**headers, "authorization": "AWS4-HMAC-SHA256 Credential=", "x-amz-date": ""},
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter."
            " Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of "
            "either a 'X-Amz-Date' or a 'Date' header.",
            id="everything",
        ),
        pytest.param(changed("/20261122/", "/today/"), "IncompleteSignatureException", FORM, id="scope"),
        pytest.param(
            lambda headers: {**changed("/20261122/", "/20261322/")(headers), "x-amz-date": "20261322T120000Z"},
            "IncompleteSignatureException",
            FORM,
            id="no such day",
        ),
        pytest.param(
            lambda headers: {**headers, "x-amz-date": "2026-11-22"}, "IncompleteSignatureException", FORM, id="date"
        ),
        pytest.param(
            changed("aws4_request", "aws5_request"),
            "InvalidSignatureException",
            "Credential should be scoped with a valid terminator: 'aws4_request'. ",
            id="terminator",
        ),
        pytest.param(
            changed("/20261122/", "/20261121/"),
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            "'20261121' != '20261122', from '20261122T120000Z'.",
            id="day",
        ),
        pytest.param(
            changed("host;", ""),
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            id="host",
        ),
        pytest.param(changed("Signature=", "Signature=é"), "InvalidSignatureException", MISMATCH, id="no hexadecimal"),
        pytest.param(
            lambda headers: {**headers, "authorization": "Bearer token"},
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
            id="another scheme",
        ),
        pytest.param(
            lambda headers: {**headers, "authorization": None},
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
            id="unsigned",
        ),
    ],
)
def test_says_what_is_missing(endpoint, change, code, message):
    """What is no whole signature is refused with the service's codes; nothing of it is repeated."""
    assert outcome(endpoint, change(signed())) == (code, message)


def presigned(at, expires=60, key="other", secret=KEYS["other"]):
    """Return the query of a request that botocore presigned."""
    headers = {"Host": "localhost", "X-Amz-Target": "RekognitionService.GetFaceDetection"}
    request = AWSRequest("POST", "http://localhost/?a=b", data=b"", headers=headers)
    signer = SigV4QueryAuth(Credentials(key, secret), "rekognition", "eu-west-1", expires=expires)
    sign(signer, request, at)
    return request.url.partition("?")[2]


@pytest.mark.parametrize(
    ("options", "seconds", "code", "message"),
    [
        pytest.param({}, 60, "SerializationException", None, id="good"),
        pytest.param({}, -300, "SerializationException", None, id="ahead"),
        pytest.param(
            {},
            61,
            "InvalidSignatureException",
            "Signature expired: 20261122T115959Z is now earlier than 20261122T120000Z",
            id="expired",
        ),
        pytest.param({"secret": "wrong"}, 0, "InvalidSignatureException", MISMATCH, id="secret"),
        pytest.param({"key": "unknown"}, 0, "UnrecognizedClientException", UNKNOWN_KEY, id="key"),
        pytest.param(
            {"expires": 604_801},
            0,
            "IncompleteSignatureException",
            "Authorization header requires AWS4-HMAC-SHA256. Authorization header requires an 'X-Amz-Expires' of at "
            "most 604800.",
            id="life",
        ),
    ],
)
def test_signature_may_be_in_the_query(endpoint, options, seconds, code, message):
    """A presigned request passes as long as it says; the body, here an empty one, is signed with it."""
    query = presigned(NOW - dt.timedelta(seconds=seconds), **options)

    assert outcome(endpoint, {}, body=b"", query=query) == (code, message)


def test_query_signs_the_operation(endpoint, scripted):
    """A presigned request is for one operation: with another, or with none that is signed, it is refused."""
    query = presigned(NOW)
    unsigned = query.replace("host%3Bx-amz-target", "host")

    assert unsigned != query
    assert outcome(endpoint, {"x-amz-target": "RekognitionService.DetectFaces"}, body=b"", query=query) == (
        "InvalidSignatureException",
        MISMATCH,
    )
    assert outcome(endpoint, {}, body=b"", query=unsigned) == (
        "InvalidSignatureException",
        UNCOVERED.format("X-Amz-Target"),
    )
    assert scripted.asked == []


def test_query_is_bounded(endpoint):
    """Thousands of parameters are not looked through for somebody who has shown no key."""
    assert outcome(endpoint, {}, query=f"{'a&' * 5000}X-Amz-Signature=0") == (
        "MalformedQueryStringException",
        "The query string has too many parameters.",
    )


def test_query_says_what_is_missing(endpoint):
    """Half a presigned request is incomplete."""
    code, message = outcome(endpoint, {}, query="X-Amz-Signature=0&X-Amz-Date=20261122T120000Z&X-Amz-Expires=60")

    missing = ("Algorithm", "Credential", "SignedHeaders")
    assert code == "IncompleteSignatureException"
    assert message == " ".join(f"Authorization header requires 'X-Amz-{name}' query parameter." for name in missing)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "AWS4-HMAC-SHA256 anything"}, ""),
        ({"authorization": "AWS4-ECDSA-P256-SHA256 anything"}, ""),
        ({}, "X-Amz-Signature=anything"),
    ],
)
def test_without_keys_any_signature_passes(scripted, headers, query):
    """It has to be there, and nobody looks at it."""
    with InProcess(create_app(scripted)) as endpoint:
        assert outcome(endpoint, headers, query=query) is None
        assert outcome(endpoint, {}) == ("MissingAuthenticationTokenException", "Missing Authentication Token")


@pytest.mark.parametrize(
    ("secret", "code"), [("not-a-secret", None), ("wrong", "InvalidSignatureException")], ids=["right", "wrong"]
)
def test_boto3_signs(scripted, monkeypatch, secret, code):
    """An unmodified boto3 client gets in over HTTP, or does not."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-2")
    with at_a_port(create_app(scripted, keys=KEYS)) as url, boto(url) as client:
        if code is None:
            assert client.get_face_detection(JobId="job-1")["JobStatus"] == "SUCCEEDED"
        else:
            with pytest.raises(ClientError) as caught:
                client.get_face_detection(JobId="job-1")
            assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationTokenException"),
        (signed(key="unknown"), "UnrecognizedClientException"),
        (signed(at=NOW - dt.timedelta(hours=1)), "InvalidSignatureException"),
        ({**signed(), "x-amz-target": "RekognitionService.Nothing"}, "UnknownOperationException"),
        ({**signed(), "content-length": str(9 * 1024**2)}, "RequestEntityTooLargeException"),
        # The digest in the header tells that the key is wrong without the body.
        (signed(secret="wrong", **{"X-Amz-Content-SHA256": "0" * 64}), "InvalidSignatureException"),  # noqa: S106 -- no secret
    ],
    ids=["unsigned", "key", "time", "operation", "length", "digest"],
)
def test_strangers_are_answered_before_their_body_comes(endpoint, headers, code):
    """Nothing is read for who shows no known key and right time; the answer ends the connection."""
    body = Unending()
    named = {"authorization": None, "content-length": "1000", **headers}

    reply = endpoint.ask("GetFaceDetection", body=body, headers=named)

    assert (reply.code, reply.headers["connection"]) == (code, "close")
    assert body.read_before_answer == 0


class Unending:
    """A body that comes in pieces for ever; it knows how many were read before the answer."""

    def __init__(self):
        self.read_before_answer = None
        self._read = 0

    def __iter__(self):
        while True:
            self._read += 1
            yield bytes(1024**2)

    def answered(self):
        """Note what has been read until now."""
        self.read_before_answer = self._read


def test_refuses_before_it_reads(endpoint, scripted):
    """Who has no key learns nothing of what is wrong with the request."""
    assert outcome(endpoint, {}, body=json.dumps({"JobId": 1}).encode())[0] == "MissingAuthenticationTokenException"
    assert scripted.asked == []


def test_a_claim_shows_no_key():
    """What is logged of it does not help to sign anything."""
    claim = SignatureCheck(KEYS, clock=NOW.timestamp).claimed(list(signed().items()), "")

    assert (claim.key, claim.digest) == ("AKIDEXAMPLE", None)
    assert repr(claim._signing_key) not in repr(claim)
    assert "signing_key" not in repr(claim)


@pytest.mark.parametrize(("seconds", "passes"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_five_minutes_are_three_hundred_seconds(seconds, passes):
    """To the second, before and after."""
    check = SignatureCheck(KEYS, clock=(NOW + dt.timedelta(seconds=seconds)).timestamp)
    asked = list(signed().items()), ""

    if passes:
        assert check.claimed(*asked).key == "AKIDEXAMPLE"
    else:
        with pytest.raises(RefusedError):
            check.claimed(*asked)


def test_a_claim_is_made_by_name():
    """No member of it is taken by position."""
    with pytest.raises(TypeError, match="takes 1 positional argument but"):
        Claim("a", None)


def test_an_empty_token_is_a_token(endpoint):
    """A presigned request that names one, whatever it is, is signed by credentials that nobody here has given out."""
    query = presigned(NOW) + "&X-Amz-Security-Token="

    assert outcome(endpoint, {}, body=b"", query=query) == ("UnrecognizedClientException", UNKNOWN_KEY)
