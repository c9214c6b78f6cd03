"""Calls that nobody waits for any longer: the connections of our own clients are closed, others end by themselves."""

import gc
import re
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from weakref import ref

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session
from urllib3.util import connection as urllib3_connection

import rekog_emotion as rekog
from rekog_emotion import CallCancelledError, CallTimeoutError, workers
from rekog_emotion.clients.connections import Line, line_of
from tests.http_standin import Answer, silence
from tests.pictures import jpeg

PHOTO = jpeg()
MAY = "; the call may have reached the service, and may be charged"


def timeless(error):
    """Return a message without how long was waited, which a busy machine has its say in."""
    return re.sub(r"after \d+\.\d s", "after T s", str(error))


@pytest.fixture
def time_is_over(monkeypatch):
    """Give what ends the time of all calls under way that have a line, however long they took to get there."""
    ahead = []
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(ahead)))
    return lambda: ahead.append(3600.0)


def hold(standin, then=lambda: None):
    """Have the server never answer, and return what is set when a client has closed its connection."""
    closed = threading.Event()

    def reply(handler):
        then()
        handler.connection.recv(1)
        closed.set()
        handler.close_connection = True

    standin.script("DetectFaces", reply)
    return closed


def test_a_silent_endpoint(standin, time_is_over):
    """Holds nobody longer than the time-out; our connection is closed at once."""
    closed = hold(standin, time_is_over)

    with pytest.raises(CallTimeoutError) as caught:
        rekog.detect_image(PHOTO, timeout=600)

    assert closed.wait(60)
    assert timeless(caught.value) == f"DetectFaces got no answer after T s{MAY}"
    assert isinstance(caught.value, TimeoutError)
    assert standin.operations() == ["DetectFaces"]


def test_a_cancel(standin):
    """Ends the call that is under way."""
    closed, cancel = hold(standin), threading.Event()
    canceller = threading.Thread(target=lambda: (standin.wait_for(1), cancel.set()))
    canceller.start()

    with pytest.raises(CallCancelledError) as caught:
        rekog.detect_image(PHOTO, cancel=cancel)

    canceller.join()
    assert closed.wait(60)
    assert timeless(caught.value) == f"DetectFaces was cancelled after T s{MAY}"


def test_a_cancel_before(standin):
    """Sends nothing."""
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(CallCancelledError) as caught:
        rekog.detect_image(PHOTO, cancel=cancel)

    assert str(caught.value) == "DetectFaces was cancelled before it was made: nothing was sent"
    assert standin.operations() == []


@pytest.mark.usefixtures("clock")
def test_a_client_of_the_caller(standin):
    """Cannot be interrupted: its calls are counted and named, and end by themselves."""
    standin.script("DetectFaces", silence)
    client = boto3.client("rekognition", config=Config(read_timeout=30, retries={"total_max_attempts": 1}))
    messages = []
    for _ in range(2):
        with pytest.raises(CallTimeoutError) as caught:
            rekog.detect_image(PHOTO, client=client, timeout=0.5)
        messages.append(timeless(caught.value))
    standin.released.set()

    assert messages == [
        f"DetectFaces got no answer after T s{MAY}; this client's calls cannot be interrupted: it ends at the "
        f"client's own read time-out of 30 s at the latest ({number} such under way)"
        for number in (1, 2)
    ]


def test_a_call_that_is_left_holds_up_no_exit(standin):
    """Its thread is a daemon: a program that has given up ends at once, whatever the client's read time-out."""
    standin.script("DetectFaces", silence)
    program = (
        "import sys, boto3, rekog_emotion as rekog\n"
        "try:\n    rekog.detect_image(bytes.fromhex(sys.argv[1]), client=boto3.client('rekognition'), timeout=2)\n"
        "except rekog.CallTimeoutError:\n    print('given up')\n"
    )

    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program, PHOTO.hex()], capture_output=True, text=True, check=True, timeout=50
    )

    assert (done.stdout, done.stderr) == ("given up\n", "")


def test_a_connection_that_is_used_again(standin):
    """Is not closed by whoever no longer waits for a call before."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    client = rekog.aws_client()
    line = line_of(client)
    with line:
        client.detect_faces(Image={"Bytes": b"1"})

    line.close()

    assert client.detect_faces(Image={"Bytes": b"2"})["FaceDetails"] == []


def test_a_line_that_is_closed_before():
    """Carries nothing."""
    line = Line()
    line.close()

    with pytest.raises(ConnectionAbortedError):
        line.carry(object())


def test_a_line_that_was_left_is_gone():
    """At once: a call leaves nothing to the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        line = Line(60)
        with line:
            pass
        gone = ref(line)
        del line
        assert gone() is None
    finally:
        gc.enable()


def test_a_line_of_what_is_closed(standin):
    """Is closed without a word."""
    assert standin.url
    line, wire = Line(), socket.socket()
    wire.close()
    line.carry(type("Connection", (), {"sock": wire})())

    line.close()


def test_a_line_that_was_never_left(standin):
    """Ctrl-C may come between: later calls of the thread do not go over it."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    client = rekog.aws_client()
    line = line_of(client)
    line.__enter__()
    line.close()
    del line

    assert client.detect_faces(Image={"Bytes": b"1"})["FaceDetails"] == []


@pytest.mark.parametrize("client", [(1, 2), object()])
def test_clients_that_have_none(client):
    """What is no client of ours has no line."""
    assert line_of(client) is None


def test_a_pool_as_large_as_callers_need(standin):
    """Connections of many callers at once are kept, and used again."""
    assert rekog.aws_client().meta.config.max_pool_connections == 256
    assert standin.operations() == []


def threads_of_calls(client):
    """Return a list to which each call of a client adds its thread."""
    threads = []
    client.meta.events.register("before-call.rekognition", lambda **_: threads.append(threading.get_ident()))
    return threads


def test_the_thread_of_the_caller(standin):
    """Makes a call that is limited in time by itself, unless somebody may cancel it, too."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    client = rekog.aws_client()
    threads = threads_of_calls(client)

    rekog.detect_image(PHOTO, client=client, timeout=60)
    rekog.detect_image(PHOTO, client=client, timeout=60, cancel=threading.Event())

    assert threads[0] == threading.get_ident() != threads[1]


@pytest.mark.usefixtures("clock")
def test_a_connection_that_is_never_made(standin, monkeypatch):
    """The search for a host's address, say, nobody can end: it goes on in another thread, and nothing is sent by it."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    rekog.detect_image(PHOTO)  # what is loaded by a first call takes of its time
    client = rekog.aws_client()
    go, made = threading.Event(), []
    make = urllib3_connection.create_connection

    def slow(*args, **options):
        go.wait(60)
        made.append(make(*args, **options))
        return made[0]

    monkeypatch.setattr(urllib3_connection, "create_connection", slow)

    with pytest.raises(CallTimeoutError) as caught:
        rekog.detect_image(PHOTO, client=client, timeout=1)

    go.set()
    for thread in threading.enumerate():
        if thread.name == "rekog-emotion-call":
            thread.join(60)
    assert timeless(caught.value) == f"DetectFaces got no answer after T s{MAY}"
    assert [wire.fileno() for wire in made] == [-1]
    assert standin.operations() == ["DetectFaces"]


def test_a_connection_that_cannot_be_made():
    """Has the network's error, as it is."""

    def refuse():
        raise ConnectionRefusedError

    line = Line(60)

    with pytest.raises(ConnectionRefusedError):
        line.connect(object(), refuse)

    assert not line.is_closed


def test_ctrl_c_while_a_connection_is_made(monkeypatch):
    """Ends the call, and the connection as soon as there is one."""
    jobs, closed = [], []

    class Waiting:
        """Is interrupted."""

        def exception(self, timeout):
            """Wait."""
            assert 0 < timeout <= 60
            raise KeyboardInterrupt

    monkeypatch.setattr(workers, "submit", lambda make: jobs.append(make) or Waiting())
    connection = type("Connection", (), {"sock": None, "close": lambda _: closed.append(True)})()
    line = Line(60)

    with pytest.raises(KeyboardInterrupt):
        line.connect(connection, lambda: None)

    jobs[0]()
    assert (line.is_closed, closed) == (True, [True])


def test_credentials_that_have_to_be_renewed(standin):
    """Are renewed in another thread, for that nobody can end."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    go, renewing = threading.Event(), []

    def renew():
        renewing.append(threading.get_ident())
        go.wait(60)
        return known(timedelta(hours=1))

    def known(lasting):
        return {
            "access_key": "AKIDEXAMPLE",
            "secret_key": "not-a-secret",
            "token": "not-a-token",
            "expiry_time": (datetime.now(UTC) + lasting).isoformat(),
        }

    session = get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(known(timedelta(minutes=1)), renew, "test")
    client = rekog.aws_client(session=boto3.Session(botocore_session=session))

    with pytest.raises(CallTimeoutError):
        rekog.detect_image(PHOTO, client=client, timeout=0.5)
    go.set()
    rekog.detect_image(PHOTO, client=client, timeout=60)
    threads = threads_of_calls(client)
    rekog.detect_image(PHOTO, client=client, timeout=60)

    assert threading.get_ident() not in renewing
    assert threads == [threading.get_ident()]


def test_a_call_within_a_call(standin, time_is_over):
    """Leaves the outer one its connection: it is ended in time, too."""
    answer = Answer({"FaceDetails": []})
    standin.script("DetectFaces", answer, answer, lambda handler: (time_is_over(), silence(handler)))
    outer, inner = rekog.aws_client(), rekog.aws_client()
    rekog.detect_image(PHOTO, client=outer)
    outer.meta.events.register(
        "request-created.rekognition", lambda **_: rekog.detect_image(PHOTO, client=inner, timeout=60)
    )

    with pytest.raises(CallTimeoutError):
        rekog.detect_image(PHOTO, client=outer, timeout=600)

    assert standin.operations() == ["DetectFaces"] * 3


def test_the_context_of_the_caller(standin):
    """Handlers of boto3's events find it in the thread of the call."""
    from contextvars import ContextVar

    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    client, found = rekog.aws_client(), []
    trace = ContextVar("trace", default="none")
    client.meta.events.register("before-call.rekognition", lambda **_: found.append(trace.get()))
    trace.set("mine")

    rekog.detect_image(PHOTO, client=client)

    assert found == ["mine"]


@pytest.mark.parametrize("can", ["files", "pixels"])
def test_a_client_that_works_in_this_process(can):
    """Charges for nothing, and reaches nobody: its work goes on until it ends."""
    released, begun, cancel = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        rekog_capabilities = frozenset({can})

        def detect_faces(self, **_):
            begun.set()
            released.wait(60)

        start_face_detection = get_face_detection = detect_faces

    canceller = threading.Thread(target=lambda: (begun.wait(60), cancel.set()))
    with pytest.raises(CallTimeoutError) as late:
        rekog.detect_image(PHOTO, client=Slow(), timeout=0.02)
    begun.clear()
    canceller.start()
    with pytest.raises(CallCancelledError) as cancelled:
        rekog.detect_image(PHOTO, client=Slow(), cancel=cancel)
    canceller.join()
    released.set()

    goes_on = "; the work goes on in its thread until it ends"
    assert timeless(late.value) == f"DetectFaces got no answer after T s{goes_on}"
    assert timeless(cancelled.value) == f"DetectFaces was cancelled after T s{goes_on}"
