"""Any bytes whatsoever on a connection: an answer in the service's form, or its end, and no failure."""

import asyncio
import contextlib
import json
import logging
import os
import random

import pytest

from rekog_emotion.server import connections, create_app
from tests.server.attacks import BODY, KEY, SECRET, request
from tests.server.conftest import at_a_port

# 20 000 by hand: REKOG_EMOTION_EXAMPLES=20000.
EXAMPLES = int(os.environ.get("REKOG_EMOTION_EXAMPLES", "400"))
AT_ONCE = 40
CODES = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidParameterException",
    "InvalidSignatureException",
    "MalformedHttpRequestException",
    "MalformedQueryStringException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "RequestTimeout",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
PIECES = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b": ",
    b" ",
    b"\xff",
    b"\xc3\xa9",
    b"9" * 30,
    b"a" * 3000,
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"X-Amz-Date: 20261122T120000Z\r\n",
    b"Date: Sun, 22 Nov 2026 14:00:00 +9999\r\n",
    b"X-Amz-Content-SHA256: UNSIGNED-PAYLOAD\r\n",
    b"X-Amz-Security-Token: t\r\n",
    b"?X-Amz-Signature=0&X-Amz-Expires=1",
    b"%00",
    b"[" * 500,
    b"5\r\nabcde\r\n0\r\n\r\n",
)


def mutated(dice, valid):
    """Return a request of which something is wrong, or several, or none."""
    data = bytearray(dice.choice(valid))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice((1, 1, 4, 40)))
        match dice.randrange(6):
            case 0:
                data[at:to] = b""
            case 1:
                data[at:at] = dice.choice(PIECES)
            case 2:
                data[at:to] = dice.randbytes(to - at)
            case 3:
                data[at:at] = data[at:to]
            case 4:
                line = data.rfind(b"\r\n", 0, at) + 2
                data[line:line] = dice.choice(PIECES)
            case _:
                del data[max(at, 1) :]
    return bytes(data)


def answers(received):
    """Give status and code of each answer, whose body is JSON and as long as it says."""
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        received = rest
        if status == "100":
            continue
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers["content-length"])
        body, received = rest[:length], rest[length:]
        # An answer to HEAD has none.
        yield int(status), json.loads(body).get("__type") if body else None


@pytest.mark.parametrize("keys", [{KEY: SECRET}, None], ids=["keys", "none"])
def test_any_bytes_are_answered_or_disconnected(scripted, caplog, monkeypatch, keys):
    """Nothing hangs or fails inside, and what changed a signed request is not let in."""
    monkeypatch.setattr(connections, "_HEAD", 0.3)
    monkeypatch.setattr("rekog_emotion.server.app._LINGER_IDLE", 0.02)
    dice = random.Random(f"{EXAMPLES}")  # noqa: S311 -- no secret
    valid = [
        request(),
        request(secret=None),
        request(body=BODY * 3),
        request("DetectFaces", body=b'{"Image": {"Bytes": "AAAA"}}'),
    ]
    seen = []

    async def one(port, data):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        received = b""
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            while piece := await asyncio.wait_for(reader.read(65536), 60):
                received += piece
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        seen.extend(answers(received))

    async def all_of_them(port):
        for _ in range(0, EXAMPLES // 2, AT_ONCE):
            await asyncio.gather(*(one(port, mutated(dice, valid)) for _ in range(AT_ONCE)))

    # Connections that may rest are ended soon, so that each comes to its end.
    monkeypatch.setattr("rekog_emotion.server.running._IDLE", 0.3)
    with at_a_port(create_app(scripted, keys=keys, body_timeout=0.3)) as url:
        asyncio.run(all_of_them(int(url.rpartition(":")[2])))

    assert {code for status, code in seen if status >= 400} <= CODES
    assert {status for status, _ in seen} <= {200, 400, 403, 404, 408, 413}
    assert len(seen) > EXAMPLES // 4
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
