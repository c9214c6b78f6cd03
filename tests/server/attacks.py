"""Attacks on the server, by hand: ``python -m tests.server.attacks``; a row a kind: what honest clients got meanwhile.

Each kind holds as many connections as are asked for (1000), by strangers who at most know the id of the key, while an
honest client asks with new connections, one after the other. Everything stays on the loopback interface.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, frozen
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PAGE = Path(__file__).parents[2] / "docs/how-to/serve.md"
MARKS = ("<!-- attacks: written by python -m tests.server.attacks --write -->\n", "<!-- end -->")
KEY, SECRET = "dev", "not-a-secret"
BODY = json.dumps({"JobId": "a" * 64}).encode()
LARGE = 8 * 1024**2
PIECE = bytes(64 * 1024)

Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def request(
    operation: str = "GetFaceDetection", *, body: bytes = BODY, secret: str | None = SECRET, length: int | None = None
) -> bytes:
    """Return a request that is signed, or is not; of a length that it may not have."""
    signed = AWSRequest("POST", "http://localhost/", data=body)
    signed.headers["Host"] = "localhost"
    signed.headers["Content-Type"] = "application/x-amz-json-1.1"
    signed.headers["X-Amz-Target"] = f"RekognitionService.{operation}"
    if secret is not None:
        SigV4Auth(Credentials(KEY, secret), "rekognition", "eu-west-1").add_auth(signed)
    signed.headers["Content-Length"] = str(len(body) if length is None else length)
    lines = [f"{name}: {value}" for name, value in signed.headers.items()]
    return "\r\n".join(("POST / HTTP/1.1", *lines, "", "")).encode() + body


# What a stranger does on a connection; each ends when the server ends it, and then comes again.


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await reader.read()


async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send half a head."""
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
    await reader.read()


async def trickling_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a head byte by byte."""
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
    while not writer.is_closing():
        await asyncio.sleep(0.5)
        writer.write(b"a")
        await writer.drain()


async def unsigned_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a large body without a signature, all but its end."""
    writer.write(request("DetectFaces", body=b"", secret=None, length=LARGE))
    await _send_large(writer)
    await reader.read()


async def wrongly_signed_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a large body, all but its end, with the id of a key and a signature of another."""
    writer.write(request("DetectFaces", body=b"", secret="another", length=LARGE))  # noqa: S106 -- no secret
    await _send_large(writer)
    await reader.read()


async def trickling_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send such a body byte by byte."""
    writer.write(request(body=b"", secret="another", length=LARGE))  # noqa: S106 -- no secret
    while not writer.is_closing():
        await asyncio.sleep(0.5)
        writer.write(b"a")
        await writer.drain()


async def unread_answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask what needs no key, and take no answer."""
    writer.transport.pause_reading()
    while not writer.is_closing():
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        await writer.drain()
        await asyncio.sleep(0.5)


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send what is no HTTP, read the answer, and come again soon."""
    writer.write(os.urandom(200) + b"\r\n\r\n")
    await reader.read()
    await asyncio.sleep(1)


async def _send_large(writer: asyncio.StreamWriter) -> None:
    for _ in range(LARGE // len(PIECE) - 1):
        writer.write(PIECE)
        await writer.drain()


KINDS: dict[str, Attack] = {
    "connections on which nothing comes": silent,
    "half a head": half_a_head,
    "heads byte by byte": trickling_head,
    "8 MiB unsigned, all but the end": unsigned_body,
    "8 MiB with a key's id, wrongly signed, all but the end": wrongly_signed_body,
    "such bodies byte by byte": trickling_body,
    "answers that nobody takes": unread_answers,
    "what is no HTTP": no_http,
}


@define
class Outcome:
    """What came of an attack.

    Attributes:
        kind: What it was.
        connections: How many were held at once.
        opened: How many were opened in all.
        asked: Requests of honest clients.
        right: Those that got the right answer.
        seconds: How long each took.
        work: How much of that the server worked, whoever else had the processor meanwhile.
        memory: The server's memory at most, in MB.
        logged: Lines that the server wrote.
    """

    kind: str
    connections: int
    opened: int
    asked: int
    right: int
    seconds: list[float]
    work: list[float]
    memory: int
    logged: int

    @property
    def held(self) -> bool:
        """Whether every honest request was answered, within a second."""
        return self.right == self.asked and max(self.seconds, default=2.0) <= 1

    def row(self) -> str:
        """Return a row of the table."""
        return (
            f"| {self.connections} x {self.kind} | {self.opened} | {self.right} of {self.asked} | "
            f"{statistics.median(self.seconds) * 1000:.0f} ms | {max(self.seconds) * 1000:.0f} ms | "
            f"{max(self.work) * 1000:.0f} ms | {self.memory} MB | "
            f"{self.logged} |"
        )


@frozen
class Server:
    """A server in a process of its own.

    Attributes:
        port: Where it listens.
        pid: Its process.
        log: What it writes.
    """

    port: int
    pid: int
    log: Path

    def worked(self) -> float:
        """Return the seconds of processor that it has had, on Linux."""
        stats = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9

    def memory(self) -> int:
        """Return the memory that it takes now, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1000


@contextmanager
def serving(*, keys: bool = True) -> Iterator[Server]:
    """Run ``rekog-emotion serve`` with a key, or without one."""
    with tempfile.TemporaryDirectory() as folder:
        secret, log = Path(folder, "secret"), Path(folder, "log")
        secret.write_text(SECRET)
        command = [sys.executable, "-m", "rekog_emotion", "serve", "--port", "0", "--json"]
        if keys:
            command += ["--access-key", KEY, "--secret-key-file", str(secret)]
        with (
            log.open("wb") as written,
            subprocess.Popen(  # noqa: S603 -- our own command
                command, stdout=subprocess.PIPE, stderr=written
            ) as process,
        ):
            try:
                assert process.stdout is not None
                url = json.loads(process.stdout.readline())["AWS_ENDPOINT_URL_REKOGNITION"]
                yield Server(int(url.rpartition(":")[2]), process.pid, log)
            finally:
                process.terminate()


def attack(server: Server, kind: str, *, connections: int = 1000, seconds: float = 10) -> Outcome:
    """Attack a server for a while from another process, and ask honestly meanwhile."""
    before = server.log.read_text().count("\n")
    command = [sys.executable, "-m", "tests.server.attacks", "--strangers", kind, "--port", str(server.port)]
    with subprocess.Popen(  # noqa: S603 -- our own command
        [*command, "--connections", str(connections)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as strangers:
        assert strangers.stdin is not None
        assert strangers.stdout is not None
        strangers.stdout.readline()
        outcome = Outcome(kind, connections, 0, 0, 0, [], [], 0, 0)
        asyncio.run(_ask_for(server, outcome, seconds))
        strangers.stdin.close()
        outcome.opened = int(strangers.stdout.readline())
    outcome.logged = server.log.read_text().count("\n") - before
    return outcome


async def _ask_for(server: Server, outcome: Outcome, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began, worked = time.monotonic(), server.worked()
        outcome.asked += 1
        outcome.right += await _ask(server)
        outcome.seconds.append(time.monotonic() - began)
        outcome.work.append(server.worked() - worked)
        outcome.memory = max(outcome.memory, server.memory())
        await asyncio.sleep(0.05)


async def be_strangers(port: int, kind: str, connections: int) -> None:
    """Attack until the input ends: say when all connections have been opened, at last how many it were in all."""
    opened = 0
    there = asyncio.Event()

    async def stranger() -> None:
        nonlocal opened
        while True:
            with contextlib.suppress(OSError):
                async with _connected(port) as (reader, writer):
                    opened += 1
                    if opened >= connections:
                        there.set()
                    await KINDS[kind](reader, writer)
            await asyncio.sleep(0.05)

    strangers = [asyncio.create_task(stranger()) for _ in range(connections)]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(there.wait(), 20)
    sys.stdout.write("there\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for task in strangers:
        task.cancel()
    await asyncio.wait(strangers)
    sys.stdout.write(f"{opened}\n")


async def _ask(server: Server) -> bool:
    """Ask for a job that there is not, and tell whether the answer is right."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(30), _connected(server.port) as (reader, writer):
            writer.write(request())
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
            return b"ResourceNotFoundException" in body
    return False


@contextlib.asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def table(outcomes: list[Outcome]) -> str:
    """Return the table of some attacks."""
    head = (
        "| attack | connections opened | honest requests answered | median | longest | work of the server | memory "
        "| lines logged |\n|---|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    return head + "".join(f"{outcome.row()}\n" for outcome in outcomes)


def run(*, connections: int = 1000, seconds: float = 10) -> list[Outcome]:
    """Try each kind on a server, for so many seconds each."""
    outcomes = []
    with serving() as server:
        for kind in KINDS:
            outcomes.append(attack(server, kind, connections=connections, seconds=seconds))
            sys.stderr.write(f"{outcomes[-1].row()}\n")
    return outcomes


def main() -> None:
    """Try all kinds, print the table, write it into the guide where that is asked for."""
    parser = argparse.ArgumentParser(description="Attack a server, and see what honest clients get meanwhile.")
    parser.add_argument("--connections", type=int, default=1000, help="connections of each kind (default: 1000)")
    parser.add_argument("--seconds", type=float, default=10, help="how long each kind lasts (default: 10)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/how-to/serve.md")
    parser.add_argument("--strangers", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.strangers is not None:
        asyncio.run(be_strangers(options.port, options.strangers, options.connections))
        return
    outcomes = run(connections=options.connections, seconds=options.seconds)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        PAGE.write_text(f"{before}{MARKS[0]}\n{table(outcomes)}\n{MARKS[1]}{after}", encoding="utf-8")
    else:
        sys.stdout.write(table(outcomes))
    sys.exit(not all(outcome.held for outcome in outcomes))


if __name__ == "__main__":
    main()
