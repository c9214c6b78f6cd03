import contextlib
import json
import logging
import select
import socket
import threading

import pytest

from rekog_emotion.server import connections, create_app
from rekog_emotion.server.connections import Connection, ConnectionTable, _OnceASecond, most_connections, once_a_second
from tests.server.conftest import at_a_port, boto

FULL = "{} connections are open, as many as there may be; the oldest without a signed request are closed"
HALF = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Half: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

CONTENT = b'{"Image": {"Bytes": "AAAA"}}'
ASKED = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: "
    b"RekognitionService.DetectFaces\r\nAuthorization: AWS4-HMAC-SHA256 a\r\nContent-Length: %d\r\n\r\n%s"
    % (len(CONTENT), CONTENT)
)


class Standing:
    """Stands for a connection in a table."""

    def __init__(self, name, gone):
        self.name = name
        self._gone = gone

    def drop(self):
        """Note that it had to go."""
        self._gone.append(self.name)


@pytest.fixture
def gone():
    """Give the names of those that had to go."""
    return []


@pytest.fixture
def table():
    """Give a table with three places."""
    return ConnectionTable(3)


@pytest.fixture
def come(table, gone):
    """Give what makes connections that come."""

    def come(*names):
        there = [Standing(name, gone) for name in names]
        for connection in there:
            table.enter(connection)
        return there

    return come


def test_oldest_stranger_goes_first(come, gone, warnings):
    """Who comes finds a place; one line says why others had to go."""
    come("a", "b", "c", "d", "e")

    assert gone == ["a", "b"]
    assert warnings == [FULL.format(3)]


def test_who_is_trusted_outlasts_strangers(table, come, gone):
    """At work or after it."""
    first, second, _ = come("a", "b", "c")
    table.work(first)
    table.work(second)
    table.rest(second)

    come("d", "e")

    assert gone == ["c", "d"]


def test_who_rests_goes_before_who_works(table, come, gone):
    """The longest first, and when all are at work, the newcomer."""
    there = come("a", "b", "c")
    for connection in there:
        table.work(connection)
    table.rest(there[1])
    table.rest(there[0])

    [last] = come("d")
    table.work(last)
    [last] = come("e")
    table.work(last)
    come("f")

    assert gone == ["b", "a", "f"]


def test_who_leaves_makes_room(table, come, gone):
    """Whatever it was doing, and however often it is said to leave."""
    stranger, working, resting = come("a", "b", "c")
    table.work(working)
    table.work(resting)
    table.rest(resting)
    table.rest(stranger)
    for connection in (stranger, working, resting, resting):
        table.leave(connection)

    come("d", "e", "f")

    assert gone == []


class Loop:
    """Calls when it is told to."""

    def __init__(self):
        self._soon = []

    def call_soon(self, call, *arguments):
        """Note a call for the next turn."""
        self._soon.append((call, arguments))

    def turn(self):
        """Make the calls that were noted before."""
        calls, self._soon = self._soon, []
        for call, arguments in calls:
            call(*arguments)
        return len(calls)


def test_two_strangers_are_heard_in_a_turn(table):
    """In the order in which they came, without those that left, and nothing is done when nobody waits."""

    class Speaker:
        def __init__(self, name):
            self.name = name

        def hear(self):
            heard.append(self.name)
            if self.name == "a":
                table.wait(self, loop)  # more of it has come

    heard, loop = [], Loop()
    speakers = [Speaker(name) for name in "abcdef"]
    for speaker in speakers:
        table.wait(speaker, loop)
    table.leave(speakers[3])

    turns = []
    while loop.turn():
        turns.append("".join(heard))
        speakers[0].name = "A"
    table.wait(speakers[1], loop)
    loop.turn()

    assert (turns, heard[-1]) == (["ab", "abce", "abcefA"], "b")


@pytest.mark.usefixtures("aws")
def test_who_signs_is_heard_before_strangers(scripted, monkeypatch):
    """Heads without a signature wait as long as it takes, and are all answered then."""
    monkeypatch.setattr(connections, "_STRANGERS", 0)
    with at_a_port(create_app(scripted)) as url, boto(url) as client:
        strangers = [opened(url) for _ in range(20)]
        for connection in strangers:
            connection.sendall(WHOLE)
        assert client.detect_faces(Image={"Bytes": b"image"})["FaceDetails"]
        assert select.select(strangers, [], [], 0)[0] == []
        monkeypatch.setattr(connections, "_STRANGERS", 2)
        answers = [rest_of(connection) for connection in strangers]

    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 404 Not Found"}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("size", [8 * 1024, 100_000, 5_000_000])
def test_large_bodies_come_in_whole(scripted, size):
    """However much of them comes with the head, which then is heard in its turn."""
    with at_a_port(create_app(scripted)) as url, boto(url) as client:
        assert client.detect_faces(Image={"Bytes": bytes(size)})["FaceDetails"]

    assert [len(request["Image"]["Bytes"]) for _, request in scripted.asked] == [size]


@pytest.mark.parametrize(
    ("limit", "most"),
    [(64, 32), (256, 128), (1024, 896), (20_000, 2048), (-1, 2048)],
)
def test_connections_leave_descriptors_to_the_process(monkeypatch, limit, most):
    """However few it may have."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))

    assert resource.RLIM_INFINITY == -1
    assert most_connections() == most


def test_says_a_thing_once_a_second():
    """However often it happens."""
    said, now = [], [0.0]
    say = once_a_second(lambda *words: said.append(words), clock=lambda: now[0])

    for moment in (0.0, 0.5, 0.99, 1.0, 1.5, 2.5):
        now[0] = moment
        say("it is %s", moment)

    assert said == [("it is %s", 0.0), ("it is %s", 1.0), ("it is %s", 2.5)]


def test_errors_are_always_said():
    """What strangers cause is a warning."""
    once = _OnceASecond()
    records = [logging.LogRecord("", level, "", 0, "text", (), None) for level in (30, 30, 40, 40)]

    assert [once.filter(record) for record in records] == [True, False, True, True]


def opened(url):
    """Return a connection."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def rest_of(connection):
    """Return all that comes until the end, which a reset may be."""
    came = []
    with connection, contextlib.suppress(ConnectionError):
        came.extend(iter(lambda: connection.recv(65536), b""))
    return b"".join(came)


@pytest.mark.parametrize("sent", [b"", HALF], ids=["silent", "half"])
def test_heads_come_in_time(scripted, monkeypatch, sent):
    """A connection on which nothing comes, or half a head, is closed."""
    monkeypatch.setattr(connections, "_HEAD", 0.05)
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(sent)

        assert rest_of(connection) == b""


@pytest.mark.parametrize("sent", [ASKED + HALF, WHOLE + HALF], ids=["signed", "unsigned"])
def test_second_heads_come_in_time(scripted, monkeypatch, sent):
    """The head of a second request no less, once the first is answered."""
    complete = Connection.on_response_complete

    def completed(connection):
        monkeypatch.setattr(connections, "_HEAD", 0.05)
        complete(connection)

    monkeypatch.setattr(Connection, "on_response_complete", completed)
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(sent)
        answer = rest_of(connection)

    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(("sent", "heads"), [(ASKED, 1), (ASKED + HALF, 2)], ids=["one", "one and a half"])
def test_who_rests_awaits_no_head(scripted, monkeypatch, sent, heads):
    """After an answer nothing has to come for a while, unless a part of the next request is there already."""
    awaited, await_head = [], Connection._await_head
    monkeypatch.setattr(Connection, "_await_head", lambda self: (awaited.append(1), await_head(self)))
    with at_a_port(create_app(scripted)) as url, opened(url) as connection:
        connection.sendall(sent)
        assert connection.recv(12) == b"HTTP/1.1 200"

    assert len(awaited) == heads


def test_a_trickle_wins_no_time(scripted, monkeypatch):
    """The limit is for the head as a whole, however many bytes of it come."""
    monkeypatch.setattr(connections, "_HEAD", 0.2)
    with at_a_port(create_app(scripted)) as url, opened(url) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(HALF)
        while True:  # until the server closes: it takes bytes at any rate
            connection.sendall(b"a")
            connection.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                assert connection.recv(1) == b""
                break


def test_answers_are_taken_in_time(scripted, monkeypatch):
    """Who asks and takes no answer is disconnected."""
    monkeypatch.setattr(connections, "_UNREAD", 0.05)
    scripted.answers["DetectFaces"] = {"FaceDetails": [], "Padding": "a" * 16_000_000}
    with at_a_port(create_app(scripted)) as url, opened(url) as connection:
        connection.sendall(ASKED)
        poll = select.poll()
        poll.register(connection, 0)
        [(_, happened)] = poll.poll(60_000)

    assert happened & select.POLLHUP


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("sent", [b"", HALF], ids=["silent", "half"])
def test_who_signs_is_answered_beside_strangers(scripted, warnings, sent):
    """Many more strangers than places hold their connections, and boto3 is answered at once."""
    with at_a_port(create_app(scripted), most=8) as url, boto(url) as client:
        strangers = [opened(url) for _ in range(40)]
        for connection in strangers:
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
        assert client.detect_faces(Image={"Bytes": b"image"})["FaceDetails"]
        more = [opened(url) for _ in range(40)]
        assert client.detect_faces(Image={"Bytes": b"image"})["FaceDetails"]
        for connection in (*strangers, *more):
            connection.close()

    assert set(warnings) == {FULL.format(8)}


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000,
    ],
    ids=["garbage", "TLS", "no host", "two lengths", "endless head"],
)
def test_what_is_no_http_is_told_so(scripted, warnings, sent):
    """In the service's form, and the connection ends."""
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(sent)
        head, _, body = rest_of(connection).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nconnection: close" in head.lower()
    assert json.loads(body) == {
        "__type": "MalformedHttpRequestException",
        "message": "Invalid HTTP request received.",
    }
    assert len(warnings) <= 1


def test_a_length_and_chunks_are_one_too_many(scripted):
    """A proxy may believe the other."""
    request = WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(request)
        answer = rest_of(connection)

    assert answer.endswith(
        b'{"__type":"MalformedHttpRequestException","message":"A request has a Transfer-Encoding or a Content-Length, '
        b'not both."}'
    )


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nabcdeXX"], ids=["size", "end"])
def test_a_body_may_break_after_its_answer(scripted, caplog, broken):
    """The answer to a stranger goes out before the body, which may turn out to be no HTTP: nothing fails inside."""
    head = WHOLE.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(head)
        begun = connection.recv(65536)
        connection.sendall(broken)
        rest_of(connection)

    assert begun.startswith(b"HTTP/1.1 404 ")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_no_descriptor_left_is_one_line(scripted, warnings, monkeypatch):
    """Whatever else of the process has taken them; when there are some again, clients are answered."""
    accept, failed = socket.socket.accept, threading.Event()

    def failing(listener):
        if not failed.is_set():
            failed.set()
            raise OSError(24, "Too many open files")
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", failing)
    with at_a_port(create_app(scripted)) as url:
        connection = opened(url)
        connection.sendall(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = rest_of(connection)

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert warnings == ["no connection can be taken in for a second: [Errno 24] Too many open files"]
