"""Measure the endpoint beside a bare application; ``python tests/benchmarks/endpoint.py`` writes docs/how-to/serve.md.

Both run behind the same server, one process each, and take turns; requests are small and signed. Machines differ, and
are busy: compare ratios, and the CPU time of a request.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.server.attacks import KEY, MARKS, PAGE, SECRET, request

SPEED = ("<!-- speed: written by python tests/benchmarks/endpoint.py -->\n", MARKS[1])
BODY = json.dumps({"Image": {"Bytes": "AAAA"}}).encode()
ANSWER = b'{"FaceDetails":[]}'
SECONDS, TURNS = 1.5, 5


def serve(name: str) -> None:
    """Serve the endpoint before a client that does nothing, or a bare application, until a signal."""
    from starlette.requests import Request
    from starlette.responses import Response

    from rekog_emotion.server import create_app, listen
    from rekog_emotion.server import serve as run

    class Client:
        def detect_faces(self, **_: object) -> dict[str, list[object]]:
            return {"FaceDetails": []}

    async def bare(scope, receive, send):
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        json.loads(await Request(scope, receive).body())
        await Response(ANSWER, 200, {"Content-Type": "application/x-amz-json-1.1"})(scope, receive, send)

    apps = {"bare": bare, "keys": create_app(Client(), keys={KEY: SECRET}), "none": create_app(Client())}
    with listen("127.0.0.1", 0, public=False) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 -- scripts print
        run(apps[name], listener)


class Variant:
    """A server in a process of its own, and what was measured of it."""

    def __init__(self, name: str) -> None:
        command = [sys.executable, __file__, "--serve", name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own
        self.port = int(self.process.stdout.readline())
        self.rates: list[float] = []
        self.cpu: list[float] = []
        self.p99: list[float] = []

    def used(self) -> float:
        """Return the seconds of CPU that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def turn(self, connections: int) -> None:
        """Ask by so many connections for a while."""
        data, latencies = request("DetectFaces", body=BODY), []
        began, used = time.monotonic(), self.used()
        threads = [
            threading.Thread(target=ask, args=(self.port, data, began + SECONDS, latencies)) for _ in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.rates.append(len(latencies) / (time.monotonic() - began))
        self.cpu.append((self.used() - used) / len(latencies) * 1e6)
        self.p99.append(statistics.quantiles(latencies, n=100)[98] * 1000)


def ask(port: int, data: bytes, until: float, latencies: list[float]) -> None:
    """Ask one request after the other on a connection; check each answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while (began := time.monotonic()) < until:
            connection.sendall(data)
            received = b""
            while not received.endswith(ANSWER):
                received += connection.recv(65536)
                assert received.startswith(b"HTTP/1.1 200 ")
            latencies.append(time.monotonic() - began)


def measured(connections: int) -> list[str]:
    """Return the rows of a table."""
    titles = {"bare": "a bare Starlette application", "none": "the endpoint, without keys", "keys": "with keys"}
    variants = {name: Variant(name) for name in titles}
    try:
        for _ in range(TURNS):
            for variant in variants.values():
                variant.turn(connections)
    finally:
        for variant in variants.values():
            variant.process.terminate()
            variant.process.communicate()
    first = statistics.median(variants["bare"].rates)
    return [
        f"| {titles[name]} | {connections} | {statistics.median(variant.rates):.0f} | "
        f"{statistics.median(variant.rates) / first:.2f} | {min(variant.cpu):.0f} us | {min(variant.p99):.1f} ms |"
        for name, variant in variants.items()
    ]


def main() -> None:
    """Measure, print the table, and write it into the guide."""
    parser = argparse.ArgumentParser(description="Measure the endpoint beside a bare application.")
    parser.add_argument("--serve", choices=("bare", "keys", "none"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    lines = [
        "A client that does nothing stands behind it; small requests, one process. Median of the rates, least CPU time",
        f"of a request and least 99th percentile of {TURNS} turns, on {os.cpu_count()} cores that others use, too.",
        "",
        "| | connections | requests a second | ratio | CPU a request | 99 % within |",
        "|---|--:|--:|--:|--:|--:|",
        *(row for connections in (1, 16) for row in measured(connections)),
    ]
    table = "\n".join(lines)
    print(table)  # noqa: T201 -- scripts print
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(SPEED[0])
    after = rest.partition(SPEED[1])[2]
    PAGE.write_text(f"{before}{SPEED[0]}\n{table}\n\n{SPEED[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
