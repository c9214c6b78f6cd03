import asyncio
import contextlib
import socket
import threading

import pytest

from rekog_emotion.server import create_app
from rekog_emotion.server.admission import Intake, Lane
from rekog_emotion.server.protocol import Answer, RefusedError
from tests.server.conftest import at_a_port, boto
from tests.server.in_process import InProcess

IMAGE = {"Image": {"Bytes": "AAAA"}}
MEBIBYTE = 1024**2


class Gate:
    """A DetectFaces that is held at work until it is let go."""

    def __init__(self, scripted):
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()
        scripted.answers["DetectFaces"] = self.hold

    def hold(self, **_):
        """Wait to be let go."""
        self.begun.release()
        assert self.released.wait(timeout=60)
        return {"FaceDetails": []}

    async def entered(self):
        """Wait until one more request is at work."""
        assert await asyncio.to_thread(self.begun.acquire, timeout=60)


@pytest.fixture
def gate(scripted):
    """Give the gate before the scripted client."""
    return Gate(scripted)


async def settled():
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_takes_no_more_than_there_is_room_for(scripted, gate):
    """Past workers and queue a request is throttled at once, in the service's words; the others are answered."""

    async def crowd(endpoint):
        asked = [asyncio.create_task(endpoint.asked("DetectFaces", IMAGE)) for _ in range(5)]
        await gate.entered()
        await gate.entered()
        late = await endpoint.asked("DetectFaces", IMAGE)
        at_work = len(scripted.asked)
        gate.released.set()
        return late, at_work, [(await one).status for one in asked]

    with InProcess(create_app(scripted, workers=2, waiting=3)) as endpoint:
        late, at_work, statuses = endpoint.run(crowd(endpoint))
        assert endpoint.ask("DetectFaces", IMAGE).status == 200

    assert (late.status, late.code) == (400, "ThrottlingException")
    assert late.message == "Slow down; sudden increase in rate of requests."
    assert (at_work, statuses) == (2, [200] * 5)


def test_operations_do_not_stand_in_each_others_way(scripted, gate):
    """Jobs are started and looked at while every DetectFaces worker is busy."""

    async def mixed(endpoint):
        busy = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE))
        await gate.entered()
        other = await endpoint.asked("GetFaceDetection", {"JobId": "job-1"})
        gate.released.set()
        return other.status, (await busy).status

    with InProcess(create_app(scripted, workers=1, waiting=0)) as endpoint:
        assert endpoint.run(mixed(endpoint)) == (200, 200)


def test_who_leaves_the_queue_is_not_worked_for(scripted, gate):
    """A request whose client went away while it waited is never begun, and its place is free."""

    async def leaving(endpoint):
        busy = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE))
        await gate.entered()
        leave = asyncio.Event()
        waiting = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE, leave=leave))
        await settled()
        leave.set()
        gone = await waiting
        another = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE))
        await settled()
        gate.released.set()
        return gone.status, (await busy).status, (await another).status

    with InProcess(create_app(scripted, workers=1, waiting=1)) as endpoint:
        assert endpoint.run(leaving(endpoint)) == (0, 200, 200)

    assert len(scripted.asked) == 2


def test_who_leaves_at_work_keeps_the_thread(scripted, gate):
    """What has begun is ended, and nobody is let in for it before that: there are never more threads at work."""

    async def leaving(endpoint):
        leave = asyncio.Event()
        working = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE, leave=leave))
        await gate.entered()
        leave.set()
        gone = await working
        waiting = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE))
        await settled()
        at_work = len(scripted.asked)
        gate.released.set()
        return gone.status, at_work, (await waiting).status

    with InProcess(create_app(scripted, workers=1, waiting=1)) as endpoint:
        assert endpoint.run(leaving(endpoint)) == (0, 1, 200)


def test_body_comes_in_pieces(endpoint):
    """However it is cut."""
    assert endpoint.ask("DetectFaces", body=[b'{"Image": {"By', b"", b'tes": "AAAA"}}']).status == 200


@pytest.mark.parametrize("mebibytes", [9, 70])
def test_body_is_limited(endpoint, scripted, mebibytes):
    """More than eight mebibytes are refused; a client that sends is listened to for a while, so that it hears that."""
    reply = endpoint.ask("DetectFaces", body=[bytes(MEBIBYTE)] * mebibytes)

    assert (reply.status, reply.code, reply.message) == (
        413,
        "RequestEntityTooLargeException",
        "Request Entity Too Large",
    )
    assert scripted.asked == []


def test_bodies_are_limited_together():
    """What all requests in hand may hold is bounded; the place of an answered one is free again."""
    intake = Intake(timeout=10, largest=10, held=15)

    class Request:
        def __init__(self, *pieces):
            self.pieces = pieces

        async def stream(self):
            for piece in self.pieces:
                yield piece

    async def several():
        async with intake.body(Request(b"12345", b"12345")) as first, intake.body(Request(b"12345")) as second:
            with pytest.raises(RefusedError) as caught:
                await intake.body(Request(b"1", b"2")).__aenter__()
            assert b"ThrottlingException" in caught.value.answer.body
        async with intake.body(Request(b"1234567890")) as third:
            return first, second, third

    assert asyncio.run(several()) == (b"1234512345", b"12345", b"1234567890")


HEAD = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 1000\r\n"
    b"X-Amz-Target: RekognitionService.DetectFaces\r\nAuthorization: AWS4-HMAC-SHA256 a\r\n\r\n{"
)


def connected(url):
    """Return a connection on which a request has begun."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    try:
        connection.sendall(HEAD)
    except OSError:  # reset by a server that has just stopped listening
        connection.close()
        raise
    return connection


def test_body_that_never_comes(scripted):
    """A slow client is told so, and is disconnected."""
    with at_a_port(create_app(scripted, body_timeout=0.01)) as url, connected(url) as connection:
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(
        b'{"__type":"RequestTimeout","message":"Your socket connection to the server was not read from or written to '
        b'within the timeout period."}'
    )
    assert scripted.asked == []


@pytest.mark.usefixtures("aws")
def test_slow_and_vanished_clients_hold_nobody_up(scripted):
    """More slow clients than workers and queue, and some that hang up, and boto3 is answered at once."""
    with at_a_port(create_app(scripted, workers=1, waiting=1)) as url, boto(url) as client:
        slow = [connected(url) for _ in range(10)]
        for connection in slow[:5]:
            connection.close()
        assert client.detect_faces(Image={"Bytes": b"image"})["FaceDetails"]
        for connection in slow[5:]:
            connection.close()


def refused_at(url):
    """Return when nobody listens there any more."""
    with contextlib.suppress(OSError):
        while True:
            connected(url).close()


@pytest.mark.usefixtures("aws")
def test_stops_when_the_work_is_done(scripted, gate):
    """An answer under way goes out before the server ends."""
    answers = []
    with at_a_port(create_app(scripted)) as url, boto(url) as client:
        asking = threading.Thread(target=lambda: answers.append(client.detect_faces(Image={"Bytes": b"image"})))
        asking.start()
        assert gate.begun.acquire(timeout=60)
        releasing = threading.Thread(target=lambda: (refused_at(url), gate.released.set()))
        releasing.start()
    asking.join()
    releasing.join()

    assert [answer["FaceDetails"] for answer in answers] == [[]]


def test_lane_gives_its_places_back():
    """Whether the work is done, or was never begun."""

    async def many():
        lane = Lane("lane", workers=1, waiting=1)
        for _ in range(5):
            waiting = asyncio.create_task(lane.run(lambda: Answer(body=b"")))
            await settled()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        answer = await lane.run(lambda: Answer(body=b"done"))
        lane.close()
        return answer.body

    assert asyncio.run(many()) == b"done"
