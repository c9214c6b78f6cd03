import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.server import create_app
from tests.server.in_process import JSON, SIGNED, InProcess

IMAGE = {"Image": {"Bytes": "AAAA"}}
PAGE = "http://localhost:3000"
OTHER_HOST = (
    403,
    "AccessDeniedException",
    (
        "Without a key this endpoint answers to the host localhost, 127.0.0.1 or [::1] only; start it with "
        "--access-key to be reached by another name."
    ),
)
OTHER_PAGE = (
    403,
    "AccessDeniedException",
    (
        "Without a key this endpoint answers to pages of its own origin only; start it with --allow-origin to let "
        "pages of another one in."
    ),
)


def refused(reply):
    """Return what a refusal says, or nothing."""
    return None if reply.status == 200 else (reply.status, reply.code, reply.message)


@pytest.fixture
def page_endpoint(scripted):
    """Give an endpoint without keys where pages of one origin may ask."""
    with InProcess(create_app(scripted, allow_origins=[PAGE])) as endpoint:
        yield endpoint


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8765", "LOCALHOST", "127.0.0.1", "127.8.9.10:1", "[::1]", "[::1]:8765"]
)
def test_this_machine_is_answered(endpoint, host):
    """By any name that it has for itself."""
    assert refused(endpoint.ask("DetectFaces", IMAGE, headers={"host": host})) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "evillocalhost",
        "a@localhost",
        "localhost:8765:evil.example",
        "[::1].evil.example",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104 -- no binding
        "[::]",
        "127.1",
        "2130706433",
        "",
        None,
    ],
)
def test_no_other_host_is(endpoint, scripted, host):
    """A name that was made to lead here shows in it (DNS rebinding); none, or an odd form of one, is not believed."""
    assert refused(endpoint.ask("DetectFaces", IMAGE, headers={"host": host})) == OTHER_HOST
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, None),
        ("http://localhost:8765", None),
        (PAGE, OTHER_PAGE),
        ("https://localhost:8765", OTHER_PAGE),
        ("http://evil.example", OTHER_PAGE),
        ("http://localhost:8765.evil.example", OTHER_PAGE),
        ("null", OTHER_PAGE),
        ("", OTHER_PAGE),
    ],
)
def test_pages_from_elsewhere_are_kept_out(endpoint, origin, expected):
    """A browser says where a page is from; a program says nothing. Nobody may read an answer from elsewhere."""
    reply = endpoint.ask("DetectFaces", IMAGE, headers={"host": "localhost:8765", "origin": origin})

    assert refused(reply) == expected
    assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("origin", ("http://evil.example", "http://localhost"), OTHER_PAGE),
        ("origin", ("http://localhost", "http://evil.example"), OTHER_PAGE),
        ("origin", ("http://localhost", "http://localhost"), None),
        ("host", ("evil.example", "localhost"), OTHER_HOST),
        ("host", ("localhost", "evil.example"), OTHER_HOST),
    ],
)
def test_each_of_several_has_to_pass(endpoint, name, values, expected):
    """Whichever of them somebody before the endpoint has looked at."""
    others = {"host": "localhost", "content-type": JSON, "x-amz-target": "RekognitionService.DetectFaces"}
    raw = [(key, value) for key, value in {**others, "authorization": SIGNED}.items() if key != name]
    raw += [(name, value) for value in values]

    assert refused(endpoint.ask("DetectFaces", IMAGE, raw_headers=raw)) == expected


def test_a_browser_is_not_told_to_ask(endpoint):
    """What a browser asks before a request is refused, too."""
    asked = {"origin": PAGE, "access-control-request-method": "POST"}

    reply = endpoint.ask("DetectFaces", IMAGE, method="OPTIONS", headers={**asked, "authorization": None})

    assert refused(reply) == OTHER_PAGE
    assert "access-control-allow-origin" not in reply.headers


def test_pages_of_an_allowed_origin_may_ask(page_endpoint):
    """The SDK in a browser asks before, with all its headers, then asks and reads the answer; without cookies."""
    wanted = "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-date,x-amz-target,x-amz-user-agent"
    before = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": wanted,
        "access-control-request-private-network": "true",
        "authorization": None,
    }
    asked = page_endpoint.ask("DetectFaces", method="OPTIONS", headers=before, body=b"")
    reply = page_endpoint.ask("DetectFaces", IMAGE, headers={"origin": PAGE})
    wrong = page_endpoint.ask("DetectFaces", {"Image": 1}, headers={"origin": PAGE})

    assert asked.status == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert asked.headers["access-control-allow-headers"] == wanted
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert asked.headers["vary"].startswith("Origin")
    for answer in (reply, wrong):
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-expose-headers"] == "x-amzn-RequestId, x-rekog-emotion-engine, Date"
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
    assert (reply.status, wrong.code) == (200, "SerializationException")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3001", "https://localhost:3000"])
def test_pages_of_others_may_not(page_endpoint, origin):
    """Neither is a browser told so, nor is the request answered."""
    before = {"origin": origin, "access-control-request-method": "POST"}

    asked = page_endpoint.ask("DetectFaces", method="OPTIONS", headers=before, body=b"")
    reply = page_endpoint.ask("DetectFaces", IMAGE, headers={"origin": origin})

    assert asked.status == 400
    assert refused(reply) == OTHER_PAGE
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in reply.headers


def test_an_allowed_origin_opens_no_other_host(page_endpoint):
    """The host is looked at as before."""
    assert (
        refused(page_endpoint.ask("DetectFaces", IMAGE, headers={"origin": PAGE, "host": "evil.example"})) == OTHER_HOST
    )


def test_with_keys_any_host_will_do(scripted):
    """The signature covers it; whether a browser lets its page read the answer is a matter of the allowed origins."""
    elsewhere = {"host": "faces.example", "origin": "http://evil.example", "authorization": None}
    with InProcess(create_app(scripted, keys={"AKID": "secret"}, allow_origins=[PAGE])) as endpoint:
        reply = endpoint.ask("DetectFaces", IMAGE, headers=elsewhere)
        allowed = endpoint.ask("DetectFaces", IMAGE, headers={**elsewhere, "origin": PAGE})

    assert (reply.code, allowed.code) == ("MissingAuthenticationTokenException",) * 2
    assert "access-control-allow-origin" not in reply.headers
    assert allowed.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("HTTP://LocalHost:3000", "http://localhost:3000"),
        ("https://app.example:443", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_origins_are_read_as_browsers_write_them(scripted, text, origin):
    """In lower case, without a port that goes without saying."""
    with InProcess(create_app(scripted, allow_origins=[text])) as endpoint:
        reply = endpoint.ask("DetectFaces", IMAGE, headers={"origin": origin})

    assert reply.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "text", ["*", "null", "", "localhost:3000", "http://", "http://a/b", "http://a/", "http://*.example", "http://a b"]
)
def test_what_is_no_origin_is_refused(scripted, text):
    """Any page at all is none: there would be no bar left without keys."""
    with pytest.raises(InvalidInputError) as caught:
        create_app(scripted, allow_origins=[PAGE, text])

    assert str(caught.value) == (
        f"the origin {text!r} is no single origin: name scheme, host and port alone, such as http://localhost:3000"
    )
