"""Calls that nobody waits for any longer: the connections of our own clients are closed, others end by themselves."""

import re
import socket
import subprocess
import sys
import threading
import time

import boto3
import pytest
from botocore.config import Config

import rekog_emotion as rekog
from rekog_emotion import CallCancelledError, CallTimeoutError
from rekog_emotion.clients.connections import Line, line_of
from tests.http_standin import Answer, silence
from tests.pictures import jpeg

PHOTO = jpeg()
MAY = "; the call may have reached the service, and may be charged"


def timeless(error):
    """Return a message without how long was waited, which a busy machine has its say in."""
    return re.sub(r"after \d+\.\d s", "after T s", str(error))


def hold(standin):
    """Have the server never answer, and return what is set when a client has closed its connection."""
    closed = threading.Event()

    def reply(handler):
        handler.connection.recv(1)
        closed.set()
        handler.close_connection = True

    standin.script("DetectFaces", reply)
    return closed


def test_a_silent_endpoint(standin):
    """Holds nobody longer than the time-out; our connection is closed at once."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))
    rekog.detect_image(PHOTO)  # what is loaded and made by a first call takes of its time
    closed = hold(standin)
    begin = time.monotonic()

    with pytest.raises(CallTimeoutError) as caught:
        rekog.detect_image(PHOTO, timeout=0.5)

    assert time.monotonic() - begin < 10
    assert closed.wait(10)
    assert timeless(caught.value) == f"DetectFaces got no answer after T s{MAY}"
    assert isinstance(caught.value, TimeoutError)
    assert standin.operations() == ["DetectFaces"] * 2


def test_a_cancel(standin):
    """Ends the call that is under way."""
    closed, cancel = hold(standin), threading.Event()
    canceller = threading.Thread(target=lambda: (standin.wait_for(1), cancel.set()))
    canceller.start()

    with pytest.raises(CallCancelledError) as caught:
        rekog.detect_image(PHOTO, cancel=cancel)

    canceller.join()
    assert closed.wait(10)
    assert timeless(caught.value) == f"DetectFaces was cancelled after T s{MAY}"


def test_a_cancel_before(standin):
    """Sends nothing."""
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(CallCancelledError) as caught:
        rekog.detect_image(PHOTO, cancel=cancel)

    assert str(caught.value) == "DetectFaces was cancelled before it was made: nothing was sent"
    assert standin.operations() == []


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


def test_a_line_of_what_is_closed(standin):
    """Is closed without a word."""
    assert standin.url
    line, wire = Line(), socket.socket()
    wire.close()
    line.carry(type("Connection", (), {"sock": wire})())

    line.close()


@pytest.mark.parametrize("client", [(1, 2), object()])
def test_clients_that_have_none(client):
    """What is no client of ours has no line."""
    assert line_of(client) is None


def test_a_pool_as_large_as_callers_need(standin):
    """Connections of many callers at once are kept, and used again."""
    assert rekog.aws_client().meta.config.max_pool_connections == 256
    assert standin.operations() == []


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
