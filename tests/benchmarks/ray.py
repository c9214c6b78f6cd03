"""How Ray does: ``python tests/benchmarks/ray.py [cores] [overhead] [quota] [loss]``, or all; ``--photos 2000``.

``cores``: what two actors of the embedded engine gain, beside two bare processes that have loaded the networks, from
the time when a tenth of the photos is done, and the seconds of CPU that a photo takes of all processes then;
``overhead``: what it takes beside ``detect_images`` in one process; ``quota``: the share of a quota of 20 calls a
second that three actors use, at an endpoint that counts; ``loss``: the same, while the actor that leases turns is
killed every ten seconds. Ray's start is not counted. Each prints a line of a table.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

# ruff: noqa: E402 -- not this folder, or this file would be Ray
sys.path[0] = str(Path(__file__).parents[2])

import ray

import rekog_emotion as rekog
from tests.benchmarks.photos import LATENCY, PORTRAIT, processes, say
from tests.conftest import configure_aws
from tests.flows.test_rate import Bucket
from tests.http_standin import Answer, HttpStandin, fault

QUOTA = 20
SECONDS = 60


class Endpoint(HttpStandin):
    """Answers DetectFaces after 120 ms, or refuses what comes faster than its quota."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = []
        self._bucket, self._lock = Bucket(lambda _: QUOTA, 10), threading.Lock()
        self._bucket.at = time.monotonic()

    def reply_to(self, request):
        """Return the answer to a call."""
        del request
        with self._lock:
            now = time.monotonic()
            lets = self._bucket.lets(now)
            self.calls.append((now, lets))
        if not lets:
            return fault("ThrottlingException", "Rate exceeded")
        time.sleep(LATENCY)
        return Answer({"FaceDetails": []})


def photos(folder, number):
    """Return a folder with so many photos."""
    for one in range(number):
        shutil.copy(PORTRAIT, folder / f"{one:06}.jpg")
    return folder


def timed(work):
    """Return how long something takes, in seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def cores(folder, number):
    """Compare with bare processes, one and two of them, before and after."""
    one, _ = processes(1, number // 8)
    before, bare = processes(2, number // 8)
    done = [(0, 0.0, 0.0)]
    analyzed = rekog.ray.detect_images(str(folder), client="embedded", concurrency=2)
    begin = time.perf_counter()
    for batch in analyzed.iter_batches(batch_size=None, batch_format="pyarrow"):
        done.append((done[-1][0] + batch.num_rows, time.perf_counter() - begin, everybody()))
    after, later = processes(2, number // 8)
    two, bare = (before + after) / 2, (bare + later) / 2
    early = next(one for one in done if one[0] >= number // 10)
    count, seconds, cpu = (late - soon for late, soon in zip(done[-1], early, strict=True))
    mine = count / seconds
    say(
        f"| two cores | {one:.1f}/s, {two:.1f}/s, {1000 * bare:.1f} ms of CPU | {mine:.1f}/s, {1000 * cpu / count:.1f} "
        f"ms of CPU | {mine / two:.0%} of two bare processes, {bare * count / cpu:.0%} by CPU; "
        f"{number / done[-1][1]:.1f}/s with the start of the actors |"
    )


def everybody():
    """Return the seconds of CPU of this process and of all of Ray's."""
    import psutil  # Ray brings it

    me, used = psutil.Process(), 0.0
    for one in [me, *me.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            used += sum(one.cpu_times()[:2])
    return used


def overhead(folder, number):
    """Compare with the verb of one process."""
    alone = timed(lambda: [None for _ in rekog.detect_images(str(folder), client="embedded")])
    mine = timed(rekog.ray.detect_images(str(folder), client="embedded").materialize)
    say(f"| {number} photos | {alone:.1f} s | {mine:.1f} s | {mine / alone - 1:+.0%} |")


def quota(folder, *, lost=False):
    """Use a quota with three actors."""
    with Endpoint() as endpoint:
        client = partial(rekog.aws_client, endpoint_url=endpoint.url, region_name="eu-west-1")
        faces = rekog.ray.detect_images(str(folder), client=client, rate=QUOTA, concurrency=3, faceless=True)
        stopped = threading.Event()
        killing = threading.Thread(target=kill, args=(stopped,))
        if lost:
            killing.start()
        count = faces.materialize().count()
        if lost:
            stopped.set()
            killing.join()
        times = [at for at, lets in endpoint.calls if lets]
        between = [at for at in times if times[0] + 2 <= at < times[-1] - 2]  # without the first and the last photos
        rate = len(between) / (between[-1] - between[0])
        throttled = 1 - len(times) / len(endpoint.calls)
        gap = max(later - sooner for sooner, later in pairwise(between))
    what = "while the actor of the rate is lost" if lost else "three actors"
    how = f"{rate / QUOTA:.1%}, {throttled:.2%} throttled, at most {gap:.2f} s without a call"
    say(f"| {QUOTA}/s, {what} | {count} photos | {rate:.1f}/s | {how} |")


def kill(stopped):
    """Kill the actor that leases turns, every ten seconds."""
    while not stopped.wait(10):
        for one in ray.util.list_named_actors(all_namespaces=True):
            if one["name"].startswith("rate:"):
                ray.kill(ray.get_actor(one["name"], one["namespace"]))


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", choices=["cores", "overhead", "quota", "loss", []], default=[])
    parser.add_argument("--photos", type=int, default=2000)
    options = parser.parse_args()
    wanted = options.what or ["cores", "overhead", "quota", "loss"]
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    os.environ.setdefault("RAY_worker_niceness", "0")  # as those have that it is compared with; Ray makes it 15
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=500_000_000)
    say("| what | beside | Ray | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder, "few")
        few.mkdir()
        if "cores" in wanted:
            cores(photos(few, options.photos), options.photos)
        if "overhead" in wanted:
            overhead(photos(few, options.photos), options.photos)
        many = Path(folder, "many")
        many.mkdir()
        photos(many, QUOTA * SECONDS)
        if "quota" in wanted:
            quota(many)
        if "loss" in wanted:
            quota(many, lost=True)


if __name__ == "__main__":
    import pytest

    with pytest.MonkeyPatch.context() as patch:
        configure_aws(patch)
        main()
