"""Many photos through the local endpoint: each once, in flat memory, through faults and kills.

``python -m tests.reliability.photos`` makes 10 000 photos, has them analysed by an endpoint in a process of its own
that fails with 5 % of all calls, and again by a process that is killed five times; it prints what it saw, and fails
where it is not what it should be. ``--photos`` takes another number.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import rekog_emotion as rekog
from rekog_emotion.results.lossless import read_json_lines
from rekog_emotion.testing import Fault, FaultPlan, LocalEndpoint
from tests.pictures import jpeg, segment

SHARE = 0.05
# Kinds that are tried again, and kinds whose error is the outcome.
PASSING = [
    Fault.throttled,
    lambda: Fault.throttled(status=500),
    Fault.internal_error,
    Fault.unavailable,
    Fault.connection_reset,
    Fault.lost_answer,
]
LASTING = [Fault.garbage, Fault.empty, Fault.cut_body, lambda: Fault.error("InvalidImageFormatException")]
KILLS = 5
MEGABYTE = 1 << 20


class Engine:
    """Finds on each picture what its bytes say, and writes down how often it was asked."""

    engine = "reliability"

    def __init__(self) -> None:
        self.asked = collections.Counter()
        self._lock = threading.Lock()

    def detect_faces(self, *, Image, Attributes=()):  # noqa: ARG002, N803 -- boto3's form
        """Answer DetectFaces."""
        digest = hashlib.sha256(Image["Bytes"]).hexdigest()
        with self._lock:
            self.asked[digest] += 1
        return {"FaceDetails": [{"Confidence": int(digest[:4], 16) / 700}]}

    def start_face_detection(self, **_):
        """Start nothing."""
        raise NotImplementedError

    get_face_detection = start_face_detection


class Dice(FaultPlan):
    """Lets a share of all calls fail."""

    def __init__(self, kinds) -> None:
        super().__init__()
        self._kinds, self._chance, self._lock = kinds, random.Random(1), threading.Lock()  # noqa: S311 -- no secret

    def take(self, operation):
        """Return what goes wrong with a call."""
        del operation
        with self._lock:
            if self._chance.random() >= SHARE:
                return None
            return self._chance.choice(self._kinds)()


def serve(kinds: str) -> None:
    """Serve until standard input ends; then print how often each picture was asked for."""
    engine = Engine()
    faults = {"all": [*PASSING, *LASTING], "unpaid": PASSING[:-1], "none": []}[kinds]
    with LocalEndpoint(engine, faults=Dice(faults) if faults else None) as endpoint:
        names = ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
        print(json.dumps({name: os.environ[name] for name in names}), flush=True)  # noqa: T201 -- for whoever started it
        sys.stdin.read()
        print(json.dumps({"requests": endpoint.count(), "asked": engine.asked}))  # noqa: T201 -- likewise


def work(folder: str, checkpoint: str, *, again: bool) -> None:
    """Analyse a folder, and print the outcomes and how memory grew."""
    sizes, outcomes = [], collections.Counter()
    for number, outcome in enumerate(rekog.detect_images(folder, checkpoint=checkpoint, retry_errors=again, workers=8)):
        outcomes[type(outcome.error).__name__] += 1
        if number % 1000 == 999:
            sizes.append(resident())
    print(json.dumps({"outcomes": outcomes, "sizes": sizes}))  # noqa: T201 -- likewise


def resident() -> int:
    """Return how much memory this process holds, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Endpoint:
    """An endpoint in a process of its own, and processes that use it."""

    def __init__(self, kinds: str) -> None:
        command = [sys.executable, "-m", "tests.reliability.photos", "--serve", kinds]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own
        self._environment = {**os.environ, **json.loads(self._process.stdout.readline())}

    def begin(self, folder: Path, checkpoint: Path, *, again: bool = False) -> subprocess.Popen[str]:
        """Begin to analyse a folder in a process."""
        command = [sys.executable, "-m", "tests.reliability.photos", "--work", str(folder), str(checkpoint)]
        command += ["--again"] * again
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own

    def run(self, folder: Path, checkpoint: Path, *, again: bool = False) -> dict:
        """Analyse a folder in a process, and return what it printed."""
        out, _ = self.begin(folder, checkpoint, again=again).communicate()
        return json.loads(out)

    def end(self) -> dict:
        """End it, and return what it was asked."""
        out, _ = self._process.communicate("")
        return json.loads(out)


def analyses(checkpoint: Path) -> dict:
    """Return the confidences in a file of results by their sources, each of which may be there once."""
    with checkpoint.open(encoding="utf-8") as lines:
        found = [(one.source, one.faces[0].confidence) for one in read_json_lines(lines)]
    assert len(found) == len(dict(found)), "a photo is in the checkpoint twice"
    return dict(found)


def say(text: str) -> None:
    """Print a line of the report."""
    print(text, flush=True)  # noqa: T201 -- it is what it does


def through_faults(folder: Path, place: Path, number: int) -> None:
    """Check that each photo has one outcome, and what it should have, in flat memory."""
    endpoint, checkpoint = Endpoint("all"), place / "faults.jsonl"
    begin = time.monotonic()
    seen = endpoint.run(folder, checkpoint)
    seconds = time.monotonic() - begin
    sizes = [size / MEGABYTE for size in seen["sizes"]]
    assert sum(seen["outcomes"].values()) == number, seen
    lines = checkpoint.read_text().splitlines()
    assert len(lines) == number, f"{len(lines)} lines"
    say(
        f"{number} photos in {seconds:.0f} s: {seen['outcomes']}, memory after each thousand: {sizes[0]:.0f} to "
        f"{max(sizes):.0f} MB"
    )
    assert max(sizes) - sizes[0] <= 20, sizes
    rounds = 0
    while (more := endpoint.run(folder, checkpoint, again=True)["outcomes"]) and rounds < 20:
        rounds += 1
        say(f"errors tried again: {more}")
    endpoint.end()
    with rekog.testing.LocalEndpoint(Engine()):
        client = rekog.aws_client()
        sequential = {
            str(photo): rekog.detect_image(photo, client=client).faces[0].confidence
            for photo in sorted(folder.iterdir())
        }
    assert analyses(checkpoint) == sequential
    say(f"after {rounds} rounds equal to a sequential run without faults, photo by photo")


def through_kills(folder: Path, place: Path, number: int) -> None:
    """Check that a process that is killed goes on, and pays twice for what was under way alone."""
    endpoint, checkpoint, chance = Endpoint("unpaid"), place / "kills.jsonl", random.Random(2)  # noqa: S311 -- no secret
    at = sorted(chance.sample(range(number // 20, number * 9 // 10), KILLS))
    for lines in at:
        process = endpoint.begin(folder, checkpoint)
        while process.poll() is None and counted(checkpoint) < lines:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    seen = endpoint.run(folder, checkpoint)
    asked = endpoint.end()["asked"]
    found = analyses(checkpoint)
    assert sorted(found) == sorted(map(str, folder.iterdir())), "photos are missing"
    twice = sum(count - 1 for count in asked.values())
    say(
        f"killed after {at} lines: the last run did {seen['outcomes']}; {len(found)} photos once each, {twice} calls "
        f"made twice, of at most {KILLS * 8} under way at the kills"
    )
    assert len(asked) == number
    assert twice <= KILLS * 8


def counted(checkpoint: Path) -> int:
    """Return how many lines there are."""
    return checkpoint.read_bytes().count(b"\n") if checkpoint.exists() else 0


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--serve")
    parser.add_argument("--work", nargs=2)
    parser.add_argument("--again", action="store_true")
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    if args.work:
        work(*args.work, again=args.again)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        folder.mkdir()
        for number in range(args.photos):
            (folder / f"{number:06}.jpg").write_bytes(jpeg(segment(0xFE, b"%d" % number)))
        through_faults(folder, Path(place), args.photos)
        through_kills(folder, Path(place), args.photos)


if __name__ == "__main__":
    main()
