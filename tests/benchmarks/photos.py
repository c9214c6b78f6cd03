"""How many photos do: ``python tests/benchmarks/photos.py [quota] [cut] [cores] [large] [deadlines]``, or all of them.

``quota``: the share of a quota that is told, with 120 ms a call; ``cut``: how a quota is found again that is cut
half-way; ``cores``: what two workers of the embedded engine gain, beside two bare processes; ``large``: memory over 200
photos of 12 megapixels; ``deadlines``: what a silent endpoint costs. Each prints a line, and fails where it is not good
enough.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from botocore.exceptions import ClientError
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient
from tests.conftest import configure_aws
from tests.http_standin import HttpStandin, silence
from tests.pictures import jpeg

PORTRAIT = Path(__file__).parents[1] / "data/astronaut.jpg"
LATENCY = 0.12
MEGABYTE = 1 << 20


class Service:
    """Answers after 120 ms, or refuses what comes faster than its quota and ten calls."""

    engine = "benchmark"

    def __init__(self, quota) -> None:
        self.meta = SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1}))
        self.calls = []
        self._quota, self._tokens, self._lock = quota, 10.0, threading.Lock()
        self.begin = self._at = time.monotonic()

    def detect_faces(self, **_):
        """Answer DetectFaces."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(10.0, self._tokens + (now - self._at) * self._quota(now - self.begin))
            self._at = now
            lets = self._tokens >= 1
            self._tokens -= lets
            self.calls.append((now - self.begin, lets))
        if not lets:
            time.sleep(LATENCY / 5)
            error = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(error, "DetectFaces")
        time.sleep(LATENCY)
        return {"FaceDetails": []}

    start_face_detection = get_face_detection = detect_faces

    def rates(self, begin, end):
        """Return what was let through a second, and the share that was throttled."""
        between = [lets for at, lets in self.calls if begin <= at < end]
        return sum(between) / (end - begin), 1 - sum(between) / len(between)


def say(text):
    """Print a line."""
    print(text, flush=True)  # noqa: T201 -- it is what it does


def send(service, seconds):
    """Send photos for so long."""
    photo = jpeg()
    outcomes = rekog.detect_images(itertools.repeat(photo), client=service, rate=50)
    for outcome in outcomes:
        assert outcome.error is None, outcome.error
        if time.monotonic() > service.begin + seconds:
            break
    outcomes.close()


def quota():
    """Use a quota of 50 a second."""
    service = Service(lambda _: 50)
    send(service, 30)
    rate, throttled = service.rates(0, 30)
    say(f"quota of 50/s, 120 ms a call: {rate:.1f}/s ({rate / 50:.1%}), {throttled:.2%} throttled")
    assert rate >= 0.95 * 50
    assert throttled <= 0.01


def cut():
    """Find a quota again that is cut to 20 a second."""
    service = Service(lambda at: 50 if at < 20 else 20)
    send(service, 50)
    parts = [(begin, *service.rates(begin, begin + 5)) for begin in range(15, 50, 5)]
    say(
        "quota cut from 50/s to 20/s after 20 s: "
        + ", ".join(f"{begin}-{begin + 5} s {rate:.1f}/s {throttled:.1%} throttled" for begin, rate, throttled in parts)
    )
    rate, throttled = service.rates(30, 50)
    assert 0.8 * 20 <= rate <= 21
    assert throttled <= 0.02


def bare(number):
    """Run the embedded engine over a photo again and again, with nothing around it."""
    client, photo = EmbeddedClient(), PORTRAIT.read_bytes()
    client.detect_faces(Image={"Bytes": photo}, Attributes=["ALL"])
    say("ready")
    sys.stdin.readline()
    begin = time.process_time()
    for _ in range(number):
        client.detect_faces(Image={"Bytes": photo}, Attributes=["ALL"])
    say(time.process_time() - begin)


def processes(count, number):
    """Return the photos a second of so many bare processes, and the seconds of CPU that a photo takes."""
    command = [sys.executable, __file__, "--bare", str(number)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(count)]  # noqa: S603 -- our own program
    for process in running:
        process.stdout.readline()
    begin = time.perf_counter()
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    cpu = sum(float(process.stdout.readline()) for process in running)
    seconds = time.perf_counter() - begin
    for process in running:
        process.wait()
    return count * number / seconds, cpu / (count * number)


def workers(count, number, client):
    """Return the photos a second of so many workers."""
    photo = PORTRAIT.read_bytes()
    begin = time.perf_counter()
    for outcome in rekog.detect_images(itertools.repeat(photo, count * number), client=client, workers=count):
        outcome.result()
    return count * number / (time.perf_counter() - begin)


def cores(number=60, rounds=3):
    """Compare what a second core gains with what it gains two bare processes."""
    client = EmbeddedClient()
    workers(1, 2, client)
    gains, others = [], []
    for _ in range(rounds):  # in turns, as the machine may have other work
        others.append(processes(2, number)[0] / processes(1, number)[0])
        gains.append(workers(2, number, client) / workers(1, number, client))
    gain, other = sorted(gains)[rounds // 2], sorted(others)[rounds // 2]
    say(f"embedded: two workers {gain:.2f} times one, two bare processes {other:.2f}: {gain / other:.2f} of it")
    assert gain / other >= 0.92


def large(number=200):
    """Analyse photos of 12 megapixels in flat memory."""
    with tempfile.TemporaryDirectory() as folder, Image.open(PORTRAIT) as portrait:
        portrait.convert("RGB").resize((4000, 3000)).save(f"{folder}/0.jpg", quality=90)
        for copy in range(1, number):
            os.link(f"{folder}/0.jpg", f"{folder}/{copy}.jpg")
        sizes, begin = [], time.monotonic()
        for outcome in rekog.detect_images(folder, client="embedded", attributes=["DEFAULT", "EMOTIONS"]):
            outcome.result()
            sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE)
    early, late = max(sizes[: number // 4]), max(sizes[number // 4 :])
    seconds = time.monotonic() - begin
    say(
        f"{number} photos of 12 MP in {seconds:.0f} s: at most {early:.0f} MB in the first quarter, {late:.0f} MB after"
    )
    assert late <= early + 20


def deadlines():
    """Meet an endpoint that accepts and is silent."""
    with HttpStandin() as standin:
        standin.script("DetectFaces", silence)
        os.environ["AWS_ENDPOINT_URL_REKOGNITION"] = standin.url
        setting = SimpleNamespace(setenv=os.environ.__setitem__)
        configure_aws(setting)
        begin = time.monotonic()
        try:
            rekog.detect_image(jpeg(), timeout=2)
        except rekog.CallTimeoutError as error:
            after, message = time.monotonic() - begin, str(error)
        cancel = threading.Event()
        threading.Timer(1.0, cancel.set).start()
        begin = time.monotonic()
        try:
            rekog.detect_image(jpeg(), cancel=cancel)
        except rekog.CallCancelledError:
            cancelled = time.monotonic() - begin - 1.0
    say(f"a silent endpoint, timeout=2: {after:.2f} s ({message}); cancelled: after {cancelled:.2f} s")
    assert 2.0 <= after <= 2.3
    assert cancelled <= 0.3


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(int(sys.argv[2]))
    else:
        for name in sys.argv[1:] or ["quota", "cut", "cores", "large", "deadlines"]:
            {"quota": quota, "cut": cut, "cores": cores, "large": large, "deadlines": deadlines}[name]()
