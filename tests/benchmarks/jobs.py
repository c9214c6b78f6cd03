"""Measure how video jobs are waited for and read, and write docs/reliability.md: ``python tests/benchmarks/jobs.py``.

The faults run against real servers on this machine (half a minute), polling under a virtual clock, and the pages come
from a server in a process of its own. Needs the ``test`` extra.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import boto3  # noqa: E402 -- the path comes first
from botocore.config import Config  # noqa: E402 -- likewise

from rekog_emotion import VideoAnalysis, VideoJob, accelerate, start_video  # noqa: E402 -- likewise
from rekog_emotion.flows import ending  # noqa: E402 -- likewise
from rekog_emotion.flows.polling import PollSchedule  # noqa: E402 -- likewise
from rekog_emotion.testing import FakeClient, VirtualClock  # noqa: E402 -- likewise
from tests.benchmarks.server import bodies  # noqa: E402 -- likewise
from tests.reliability.attacks import HEADING  # noqa: E402 -- likewise
from tests.reliability.matrix import CASES, World, table  # noqa: E402 -- likewise

DOCS = ROOT / "docs" / "reliability.md"
LENGTHS = (2, 10, 60, 600, 3600, 7200)
PAGES, PAGE_SECONDS = 20, 0.15
ROUNDS = 3
FACES, EVERY = 2_000_000, 100_000


# --- faults ---


def faults() -> Iterator[str]:
    """Run the whole matrix, and give its table and counts."""
    with World.running() as world:
        outcomes = {case: world.run(*case) for case in CASES}
    complaints = {case: outcome.complaints() for case, outcome in outcomes.items() if outcome.complaints()}
    assert not complaints, complaints
    complete = sum(outcome.is_complete for outcome in outcomes.values())
    errors = Counter(type(outcome.error).__name__ for outcome in outcomes.values() if outcome.error is not None)
    left = sum(bool(outcome.left) for outcome in outcomes.values())
    yield from table(outcomes)
    yield ""
    named = ", ".join(f"{count} {name}" for name, count in errors.most_common())
    yield (
        f"{len(outcomes)} cases: {complete} times the whole result, face for face, {len(outcomes) - complete} times a "
        f"named error ({named}). Jobs started at the service: {max(len(o.jobs) for o in outcomes.values())} for one "
        f"call at most. An upload was left in {left} cases, and each time the error named it."
    )


# --- polling ---


def polled(seconds: float, rounds: int) -> tuple[float, float, int]:
    """Return the mean and the largest time lost, and the most looks, for jobs of about a length."""
    lost, looks = [], 0
    for number in range(rounds):
        length, clock = seconds * (1 + 0.1 * number / rounds), VirtualClock()
        client = FakeClient(clock=clock)
        client.script_videos({"JobStatus": "SUCCEEDED", "Faces": []}, seconds=length)
        job = VideoJob.resume(start_video("s3://videos/clip.mp4", client=client).job_id, client=client, clock=clock)
        job.wait(timeout=None)
        lost.append(clock.now() - length)
        looks = max(looks, client.count("GetFaceDetection"))
    return sum(lost) / len(lost), max(lost), looks


def polling() -> Iterator[str]:
    """Give the table of what polling costs."""
    random.seed(1)
    yield "| length of the job | ours | every second | every 5 seconds |"
    yield "|---|---|---|---|"
    every_so_often = [PollSchedule(share=0, floor=every, cap=every, jitter=0) for every in (1.0, 5.0)]
    for seconds in LENGTHS:
        results = [polled(seconds, 400)]
        for schedule in every_so_often:
            with mock.patch.object(ending, "POLLS", schedule):
                results.append(polled(seconds, 10))
        cells = [f"{looks} looks; {mean:.1f} s, {worst:.1f} s" for mean, worst, looks in results]
        yield f"| {seconds} s | {' | '.join(cells)} |"


# --- pages ---


def serve() -> None:
    """Be the server of pages: each takes its time, and is large."""
    bodies = [body_of(number).encode() for number in range(PAGES)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(bodies[int(asked.get("NextToken", 0))])

        def _answer(self, body: bytes) -> None:
            time.sleep(PAGE_SECONDS)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)  # noqa: T201 -- a script prints
    server.serve_forever()


def body_of(number: int) -> str:
    """Return one of the pages: no two have the same faces."""
    page = json.loads(bodies(PAGES)["GetFaceDetection"][number])
    page.pop("NextToken", None)
    return json.dumps(page | ({"NextToken": str(number + 1)} if number + 1 < PAGES else {}))


@contextmanager
def page_server() -> Iterator[str]:
    """Run the server in a process of its own."""
    command = [sys.executable, __file__, "serve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- this very script
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


def pages() -> Iterator[str]:
    """Give how long pages take to come, to be read, and both together."""
    with page_server() as url:
        client = boto3.client(
            "rekognition",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 -- no secret
            config=Config(retries={"total_max_attempts": 1}),
        )
        gc.collect()
        gc.freeze()  # the modules of the servers for the faults are no program's that reads pages
        network, reading, both = [], [], []
        with accelerate(client):
            for _ in range(ROUNDS):
                begin = time.perf_counter()
                token: dict[str, str] = {}
                while token is not None:
                    answer = client.get_face_detection(JobId="job", **token)
                    token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
                    del answer
                network.append(time.perf_counter() - begin)
                content = [json.loads(body_of(number)) for number in range(PAGES)]
                begin = time.perf_counter()
                while content:
                    VideoAnalysis.from_aws(content.pop())
                reading.append(time.perf_counter() - begin)
                begin = time.perf_counter()
                assert sum(1 for _ in VideoJob.resume("job", client=client).faces()) == 1000 * PAGES
                both.append(time.perf_counter() - begin)
        client.close()
    alone = max(min(network), min(reading))
    yield (
        f"{PAGES} pages of 1000 faces, {PAGE_SECONDS * 1000:.0f} ms a page at the server: {min(network):.2f} s for the "
        f"calls alone, {min(reading):.2f} s for reading alone, {min(both):.2f} s for both as `faces()` does it: "
        f"{min(both) / alone:.2f} times the larger one (least of {ROUNDS} rounds, orjson "
        f"{'installed' if 'orjson' in sys.modules else 'not installed'})."
    )


# --- memory ---


class Endless:
    """A client whose job has so many faces, made page by page."""

    engine = "made"

    def __init__(self, faces: int) -> None:
        self._pages = faces // 1000
        # Two in turn: a page with the faces of the one before is an error.
        self._bodies = [json.dumps(json.loads(body)["Faces"]) for body in bodies(2)["GetFaceDetection"]]

    def detect_faces(self, **_: object) -> None:
        """Answer nothing: this is of videos."""
        raise NotImplementedError

    start_face_detection = detect_faces

    def get_face_detection(self, **parameters: str) -> dict[str, object]:
        """Answer GetFaceDetection."""
        here = int(parameters.get("NextToken", "0")) + 1
        answer = {"JobStatus": "SUCCEEDED", "Faces": json.loads(self._bodies[here % 2])}
        return answer | ({"NextToken": str(here)} if here < self._pages else {})


def resident() -> float:
    """Return the resident memory of this process in MB, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory(faces: int = FACES) -> Iterator[str]:
    """Stream faces, and give how resident memory moved."""
    seen, marks = 0, []
    for _ in VideoJob.resume("job", client=Endless(faces)).faces():
        seen += 1
        if seen % EVERY == 0:
            gc.collect()
            marks.append(resident())
    assert seen == faces
    yield (
        f"{faces:,} faces streamed: {marks[0]:.0f} MB resident after {EVERY:,}, {marks[-1]:.0f} MB at the end, "
        f"{max(marks) - min(marks):.1f} MB between the least and the most."
    )


PAGE = """\
# Reliability

What `analyze_video` does when something goes wrong, and what waiting costs. Measured with Python {python}, boto3
{boto3} on {machine}; `python tests/benchmarks/jobs.py` writes this page anew.

## Faults

Each call of a video job against each fault, once, five times and for ever, over real HTTP: an endpoint for
Rekognition, a server for S3 and SQS, and a gateway between them and the library that spoils the answers. *Result* is
the whole result, equal to the undisturbed one face for face; *error* is an error of this library, with the id of the
job if there is one. `tests/reliability` runs half of it with every test run, and all of it with
`REKOG_EMOTION_TESTS=whole`, as `.ci/run` does; it checks besides that no call buys two jobs, that nothing is left in
the bucket that no error names, that the deadline is kept, that no thread is left, and that no message, log line or
chain of errors has a part of the credentials, also where an answer echoes the request.

{faults}

Expired credentials and a wrong clock do not heal by waiting, and are errors at once. An answer of 200 with a foreign
body is never taken for "no faces": it is asked for again up to five times, and then an error. S3 is retried by
botocore, three attempts here. A queue that fails is no error at all: the job is looked at instead.

## Polling

Looks at the job at most, and seconds lost after its end, in the mean and at worst, for jobs of a length and up to a
tenth more, under a virtual clock. A job whose video's length is known is not looked at before a twentieth of it.

{polling}

## Pages

One page is fetched ahead while another is read. {pages}

## Memory

{memory}
"""


def _told(part: Callable[[], Iterator[str]]) -> str:
    text = "\n".join(part())
    print(text, flush=True)  # noqa: T201 -- a script prints
    return text


def main() -> None:
    """Run all, and write the page."""
    if sys.argv[1:] == ["serve"]:
        serve()
        return
    text = PAGE.format(
        python=platform.python_version(),
        boto3=version("boto3"),
        machine=f"{os.cpu_count()} cores of a shared {platform.machine()} server",
        **{part.__name__: _told(part) for part in (pages, polling, faults, memory)},
    )
    rest = DOCS.read_text().partition(HEADING)  # the last parts of the page are other programs'
    DOCS.write_text("".join([text, *rest[1:]]))


if __name__ == "__main__":
    main()
