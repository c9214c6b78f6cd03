import asyncio
import base64
import contextlib
import gc
import json
import socket
import struct
import threading
import weakref

import pytest
from botocore.exceptions import ClientError

from rekog_emotion.embedded.client import ENOUGH_PIXELS
from rekog_emotion.server import MediaRoot, create_app, running
from rekog_emotion.server.admission import Lane, _Memory, weigh
from rekog_emotion.server.bodies import Intake
from rekog_emotion.server.objects import _ENOUGH_PIXELS
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


def test_who_leaves_at_work_frees_its_place(scripted, gate):
    """At once, though nothing ends its thread; as many such threads as workers are borne, then nobody is let in."""

    async def left(endpoint):
        leave = asyncio.Event()
        working = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE, leave=leave))
        await gate.entered()
        leave.set()
        return (await working).status

    async def leaving(endpoint):
        gone = [await left(endpoint), await left(endpoint)]
        waiting = asyncio.create_task(endpoint.asked("DetectFaces", IMAGE))
        await settled()
        at_work = len(scripted.asked)
        gate.released.set()
        return gone, at_work, (await waiting).status

    with InProcess(create_app(scripted, workers=1, waiting=1)) as endpoint:
        assert endpoint.run(leaving(endpoint)) == ([0, 0], 2, 200)


def png(width, height):
    """Return a PNG whose header says so; what follows is no picture."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + bytes(4) for kind, data in chunks
    )


def picture(width, height):
    """Return a request with such a PNG."""
    return {"Image": {"Bytes": base64.b64encode(png(width, height)).decode()}}


SMALL, HEAVY, WORST = picture(600, 400), picture(9_500, 10_500), picture(10_000, 13_000)


class Pictures:
    """A DetectFaces that holds pictures wider than 1000 pixels at work until it is let go, and answers others."""

    def __init__(self, scripted):
        self.at_work = []
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        scripted.answers["DetectFaces"] = self.hold

    def hold(self, *, Image, **_):  # noqa: N803 -- boto3's signature
        """Wait to be let go, if it is large."""
        width = int.from_bytes(Image["Bytes"][16:20], "big")
        if width > 1000:
            self.at_work.append(width)
            self.begun.release()
            assert self.go_on.acquire(timeout=60)
        return {"FaceDetails": []}

    async def entered(self):
        """Wait until one more is at work."""
        assert await asyncio.to_thread(self.begun.acquire, timeout=60)


def test_worst_pictures_wait_their_turn(scripted):
    """One is at work, however many threads there are; the lighter come first, and small ones do not wait at all."""
    pictures = Pictures(scripted)

    async def crowd(endpoint):
        worst = [asyncio.create_task(endpoint.asked("DetectFaces", WORST)) for _ in range(4)]
        await pictures.entered()
        await settled_threads(endpoint)
        heavy = asyncio.create_task(endpoint.asked("DetectFaces", HEAVY))
        small = [(await endpoint.asked("DetectFaces", SMALL)).status for _ in range(8)]
        before = list(pictures.at_work)
        for _ in range(5):
            pictures.go_on.release()
        return small, before, [(await one).status for one in (*worst, heavy)]

    with InProcess(create_app(scripted, workers=2, waiting=10)) as endpoint:
        small, before, statuses = endpoint.run(crowd(endpoint))

    assert (small, before, statuses) == ([200] * 8, [10_000], [200] * 5)
    assert pictures.at_work == [10_000, 9_500, 10_000, 10_000, 10_000]


def test_worst_pictures_take_no_places_of_others(scripted):
    """As many of them wait as of others; more are throttled, and however many come, small ones are answered."""
    pictures = Pictures(scripted)

    async def crowd(endpoint):
        worst = [asyncio.create_task(endpoint.asked("DetectFaces", WORST)) for _ in range(3)]
        await pictures.entered()
        await settled_threads(endpoint)
        more = [(await endpoint.asked("DetectFaces", WORST)).code for _ in range(3)]
        small = [(await endpoint.asked("DetectFaces", SMALL)).status for _ in range(3)]
        for _ in worst:
            pictures.go_on.release()
        return more, small, [(await one).status for one in worst]

    with InProcess(create_app(scripted, workers=1, waiting=2)) as endpoint:
        more, small, statuses = endpoint.run(crowd(endpoint))

    assert (more, small, statuses) == (["ThrottlingException"] * 3, [200] * 3, [200] * 3)
    assert pictures.at_work == [10_000] * 3


async def settled_threads(endpoint):
    """Wait until what was asked before has been weighed."""
    for _ in range(8):
        assert (await endpoint.asked("DetectFaces", SMALL)).status == 200


def test_worst_pictures_that_are_given_up_leave_the_queue(scripted):
    """A client that hangs up while its picture waits for memory is never worked for; its place is free at once."""
    pictures = Pictures(scripted)

    async def leaving(endpoint):
        first = asyncio.create_task(endpoint.asked("DetectFaces", WORST))
        await pictures.entered()
        leave = asyncio.Event()
        waiting = [asyncio.create_task(endpoint.asked("DetectFaces", WORST, leave=leave)) for _ in range(3)]
        await settled_threads(endpoint)
        leave.set()
        gone = [(await one).status for one in waiting]
        last = asyncio.create_task(endpoint.asked("DetectFaces", HEAVY))
        for _ in range(2):
            pictures.go_on.release()
        return gone, [(await one).status for one in (first, last)]

    with InProcess(create_app(scripted, workers=2, waiting=3)) as endpoint:
        assert endpoint.run(leaving(endpoint)) == ([0] * 3, [200] * 2)

    assert pictures.at_work == [10_000, 9_500]


def test_objects_are_weighed_too(tmp_path, monkeypatch):
    """What an address leads to is read for that once more, when there is memory for it."""
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket/worst.png").write_bytes(png(10_000, 13_000))
    (tmp_path / "bucket/small.png").write_bytes(png(600, 400))
    resolver, allowed = MediaRoot(tmp_path), []
    monkeypatch.setattr("rekog_emotion.server.objects.weigh", allowed.append)

    for name in ("worst.png", "small.png"):
        resolver({"Bucket": "bucket", "Name": name})

    assert allowed[0] > 500_000_000
    assert allowed[1] < 10_000_000
    assert _ENOUGH_PIXELS == ENOUGH_PIXELS


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


def pieces(*contents, end=True):
    """Return what gives a body in pieces, and at its end, or in place of it, nothing more for ever."""
    incoming = iter(contents)

    async def receive():
        piece = next(incoming, b"" if end else None)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": not end or piece != b""}

    return receive


async def code(taking):
    """Return the code of the error that a body that is taken in ends with."""
    with pytest.raises(RefusedError) as caught:
        await taking
    return json.loads(caught.value.answer.body)["__type"]


def taking(intake, *contents, end=True, **options):
    """Return a task that takes in a body."""
    return asyncio.create_task(intake.take(pieces(*contents, end=end), **options))


def test_bodies_wait_for_room():
    """What all requests in hand may hold is bounded; whoever came last is the next when one of them is answered."""

    async def several():
        intake = Intake(timeout=10, largest=10, held=20, modest=0, small=0)
        bodies = [await taking(intake, b"12345", b"12345") for _ in range(2)]
        kept = [bytes(body.content) for body in bodies]
        for body in bodies:
            body.verified()
        waiting = [taking(intake, b"123456", b"7890") for _ in range(2)]
        await settled()
        at_first = [task.done() for task in waiting]
        bodies[0].release()
        last = await waiting[1]
        then = waiting[0].done()
        last.release()
        return kept, at_first, bytes(last.content), then, bytes((await waiting[0]).content)

    assert asyncio.run(several()) == ([b"1234512345"] * 2, [False] * 2, b"", False, b"1234567890")


def test_who_gives_up_waiting_takes_no_room():
    """Whether its turn had come or not."""

    async def several():
        intake = Intake(timeout=10, largest=10, held=10, modest=0, small=0)
        first = await taking(intake, b"1")
        waiting = [taking(intake, b"1") for _ in range(3)]
        await settled()
        waiting[0].cancel()
        first.release()
        waiting[2].cancel()
        return (await waiting[1]).content

    assert asyncio.run(several()) == b"1"


def test_no_room_in_time_is_throttled():
    """An SDK tries that again."""

    async def several():
        intake = Intake(timeout=0.01, largest=10, held=10, modest=0, small=0)
        (await taking(intake, b"1234567890")).verified()
        return await code(intake.take(pieces(b"1234567890")))

    assert asyncio.run(several()) == "ThrottlingException"


def test_each_key_has_room_of_its_own():
    """Whoever knows the id of one key cannot take the room of another's bodies."""

    async def several():
        intake = Intake(timeout=10, keys=("one", "two"), largest=10, held=20, modest=0, small=0)
        (await taking(intake, b"1234567890", key="one")).verified()
        waiting = taking(intake, b"1", key="one")
        other = await taking(intake, b"1", key="two")
        done = waiting.done()
        waiting.cancel()
        return done, other.content

    assert asyncio.run(several()) == (False, b"1")


def test_small_bodies_need_no_room():
    """They are taken in however much large ones hold."""

    async def several():
        intake = Intake(timeout=0.01, largest=10, held=10, modest=0, small=3)
        (await taking(intake, b"1234567890")).verified()
        return (await taking(intake, b"12", b"3")).content, await code(intake.take(pieces(b"12", b"34")))

    assert asyncio.run(several()) == (b"123", "ThrottlingException")


@pytest.mark.parametrize(("length", "is_taken"), [("4", True), ("5", False), (None, False)])
def test_modest_bodies_do_not_wait_for_large_ones(length, is_taken):
    """What says that it is brief has room of its own, as much as all of that kind."""

    async def several():
        intake = Intake(timeout=0.05, largest=10, held=10, modest=4, modest_held=8, small=0)
        (await taking(intake, b"1234567890")).verified()
        done, _ = await asyncio.wait([taking(intake, b"1234", length=length)])
        return [task.exception() is None for task in done]

    assert asyncio.run(several()) == [is_taken]


def test_modest_bodies_wait_for_each_other():
    """Their room is bounded, too."""

    async def several():
        intake = Intake(timeout=0.01, largest=10, held=10, modest=4, modest_held=8, small=0)
        for _ in range(2):
            (await taking(intake, b"1234", length="4")).verified()
        return await code(intake.take(pieces(b"1234"), length="4"))

    assert asyncio.run(several()) == "ThrottlingException"


def test_who_stalls_gives_way():
    """A body that does not come to its end, and may be a stranger's, loses its room to one that comes later."""

    async def several():
        intake = Intake(timeout=10, largest=10, held=20, modest=0, small=0, patience=0.01)
        stalled = [asyncio.create_task(code(intake.take(pieces(b"123456", end=False)))) for _ in range(4)]
        await settled()
        honest = await taking(intake, b"12345", b"67890")
        turned_out = await asyncio.gather(*stalled[:2])  # the second by those that wait after it
        for task in stalled[2:]:  # which have the room now
            task.cancel()
        return turned_out, bytes(honest.content)

    assert asyncio.run(several()) == (["ThrottlingException"] * 2, b"1234567890")


def test_who_is_turned_out_reads_no_further():
    """Even where a piece comes in the same moment."""

    async def several():
        intake = Intake(timeout=10, largest=10, held=10, modest=0, small=0)
        read = []

        async def receive():
            read.append(1)
            for body in list(intake._rooms[None].unverified):
                body.turn_out()
            return {"type": "http.request", "body": b"1", "more_body": True}

        return await code(intake.take(receive)), len(read), (await taking(intake, b"1234567890")).content

    assert asyncio.run(several()) == ("ThrottlingException", 2, b"1234567890")


@pytest.mark.parametrize("limits", [{"timeout": 0.01}, {"timeout": 10, "grace": 0.01}], ids=["time", "rate"])
def test_bodies_come_in_time(limits):
    """Within so many seconds, and after some at a least rate; the room of who does not keep to that is free again."""

    async def late():
        intake = Intake(largest=10, held=10, modest=0, small=0, **limits)
        refused = await code(intake.take(pieces(b"1234567890", end=False)))
        return refused, (await intake.take(pieces(b"1234567890"))).content

    assert asyncio.run(late()) == ("RequestTimeout", b"1234567890")


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


@pytest.mark.usefixtures("aws")
def test_stops_in_the_end(scripted, gate, monkeypatch, caplog):
    """What is not done in the time that a stop may take is given up: SDKs ask again, and nothing is logged of it."""
    monkeypatch.setattr(running, "_GRACE", 0)
    ends = []

    def ask():
        try:
            ends.append(client.detect_faces(Image={"Bytes": b"image"}))
        except ClientError as error:
            ends.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))
        gate.released.set()  # nothing ends the thread at work, and the server waits for it

    with at_a_port(create_app(scripted)) as url, boto(url) as client:
        unfinished = connected(url)
        asking = threading.Thread(target=ask)
        asking.start()
        assert gate.begun.acquire(timeout=60)
    asking.join()
    with unfinished:
        answer = b"".join(iter(lambda: unfinished.recv(65536), b""))

    assert ends == [("InternalServerError", 500)]
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["__type"] == "InternalServerError"
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


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


def test_a_picture_that_waits_is_kept_once():
    """What was decoded of its request to weigh it is gone at once, not when Python next looks for circles."""
    seen = []

    def work():
        request = Request()
        seen.append(weakref.ref(request))
        weigh(100 * MEBIBYTE)
        return Answer(body=str(seen[0]()).encode())

    async def run():
        lane = Lane("lane", workers=1, waiting=1)
        answer = await lane.run(work)
        lane.close()
        return answer.body

    gc.disable()
    try:
        assert asyncio.run(run()) == b"None"
    finally:
        gc.enable()
    assert len(seen) > 1


class Request:
    """The parameters of a request."""


def test_the_lightest_picture_is_the_next():
    """Of those that wait for memory, in the order in which they came where they are as heavy."""

    async def several():
        memory, order = _Memory(10), []

        async def take(name, weight):
            await memory.take(weight)
            order.append(name)

        await memory.take(10)
        tasks = [asyncio.create_task(take(*one)) for one in (("c", 7), ("a", 3), ("d", 12), ("b", 3))]
        await settled()
        steps = ["".join(order)]
        for given in (2, 1, 3, 4, 3, 7, 3):
            memory.give(given)
            await settled()
            steps.append("".join(order))
        await asyncio.gather(*tasks)
        return steps

    assert asyncio.run(several()) == ["", "", "a", "ab", "ab", "abc", "abc", "abcd"]


def test_a_picture_that_takes_more_than_all():
    """It has all of the memory, and gives back as much as it had."""

    async def alone():
        memory = _Memory(10)
        await memory.take(25)
        first = memory._free
        memory.give(25)
        return first, memory._free

    assert asyncio.run(alone()) == (0, 10)


@pytest.mark.parametrize("granted", [False, True])
def test_who_gives_up_waiting_for_memory_has_none(granted):
    """Whether it had been its turn or not, and whoever is next goes on."""

    async def leaving():
        memory = _Memory(10)
        await memory.take(10)
        first, second = (asyncio.create_task(memory.take(weight)) for weight in (4, 9))
        await settled()
        if granted:
            memory.give(10)
        first.cancel()
        if not granted:
            memory.give(10)
        await second
        return first.cancelled(), memory._free

    assert asyncio.run(leaving()) == (True, 1)
