"""What asyncio costs: CPU a call beside aiobotocore's own, how fast both worlds are, how long the loop is held up.

``python -m tests.benchmarks.aio`` asks a stand-in in a process of its own, and ends with 1 where a limit is passed. A
turn is wall time, as long as many tasks and a busy machine make it; a step is time of the processor, by which ours are
judged. Python's garbage collector rests meanwhile, whose pauses are those of the whole heap. A call that the stand-in
resets is tried again by us, and lost by a client of one attempt.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import statistics
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Self

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

import rekog_emotion as rekog
from rekog_emotion import aio
from tests.contract.test_detect_faces import FULL
from tests.http_standin import Answer, HttpStandin

DATA = (Path(__file__).parents[1] / "data" / "astronaut.jpg").read_bytes()
FACES = {"FaceDetails": [FULL]}  # what the service says of a face when asked for all
PAGE = {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 500 * k, "Face": FULL} for k in range(1000)]}
ROUNDS, CALLS, AT_ONCE, CANCELS, PHOTOS, JOBS = 40, 25, 1000, 200, 500, 200
MOST_CPU, MOST_BLOCKED = 1.15, 0.020


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")


def serve(pipe) -> None:
    """Answer until the other end hangs up."""
    with HttpStandin() as standin:
        standin.script("DetectFaces", Answer(FACES))
        standin.script("StartFaceDetection", Answer({"JobId": "job"}))
        standin.script("GetFaceDetection", Answer(PAGE))
        pipe.send(standin.url)
        pipe.recv()


class Watch:
    """Sees how long the loop is held up: in a turn, which is as long as many tasks make it, and by a single step.

    Attributes:
        turn: The longest time in which the loop came to nobody else.
        step: The most of the processor that one task or callback used without an ``await`` that waits.
        stack: Where the longest step was last seen.
    """

    def __init__(self) -> None:
        self.turn = self.step = 0.0
        self.stack = ""
        self._begin: float | None = None
        self._thread = threading.get_ident()
        self._done = threading.Event()

    async def __aenter__(self) -> Self:
        """Begin."""
        gc.disable()
        self._run = run = asyncio.Handle._run

        def timed(handle) -> None:
            self._begin, begin = time.perf_counter(), time.thread_time()
            run(handle)
            self._begin = None
            if not self._done.is_set():
                self.step = max(self.step, time.thread_time() - begin)

        asyncio.Handle._run = timed
        self._ticking = asyncio.create_task(self._tick())
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        asyncio.Handle._run = self._run
        self._done.set()
        gc.enable()
        self._looking.join()
        self._ticking.cancel()

    async def _tick(self) -> None:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            self.turn = max(self.turn, time.perf_counter() - begin - 0.001)

    def _look(self) -> None:
        while not self._done.wait(0.001):
            begin = self._begin
            if begin is not None and time.perf_counter() - begin > self.step:
                frame = sys._current_frames()[self._thread]
                self.stack = "".join(traceback.format_stack(frame)[-6:])


async def costs(*calls) -> list[float]:
    """Return the seconds of CPU of a call of each, the lower quartile of rounds that take turns."""
    rounds: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, seconds in zip(calls, rounds, strict=True):
            begin = time.process_time()
            for _ in range(CALLS):
                await call()
            seconds.append((time.process_time() - begin) / CALLS)
    return [statistics.quantiles(seconds)[0] for seconds in rounds]


def say_how_fast(name: str, seconds: float, cpu: float) -> None:
    """Write a line of the comparison of the two worlds."""
    say(f"detect_images, {name}: {PHOTOS / seconds:.0f} a second, {cpu / PHOTOS * 1e3:.2f} ms of CPU each")


async def compare(client) -> None:
    """Send the same photos in both worlds, with the same workers, each world twice, in turn."""
    threads = rekog.aws_client()
    for _ in range(2):
        begin, cpu = time.perf_counter(), time.process_time()
        ends = [one.error for one in rekog.detect_images([DATA] * PHOTOS, client=threads, workers=16, rate=1e6)]
        say_how_fast("threads", time.perf_counter() - begin, time.process_time() - cpu)
        begin, cpu = time.perf_counter(), time.process_time()
        ends += [one.error async for one in aio.detect_images([DATA] * PHOTOS, client=client, workers=16, rate=1e6)]
        say_how_fast("asyncio", time.perf_counter() - begin, time.process_time() - cpu)
        assert ends == [None] * 2 * PHOTOS
    threads.close()


async def at_once(name: str, call, number: int) -> float:
    """Make calls all at once, print what they held up, and return the longest step."""
    async with Watch() as watch:
        begin = time.perf_counter()
        ends = await asyncio.gather(*(call() for _ in range(number)), return_exceptions=True)
        seconds = time.perf_counter() - begin
    lost = sum(isinstance(end, Exception) for end in ends)
    longest = f"{lost} lost, longest turn {watch.turn * 1e3:.0f} ms, longest step {watch.step * 1e3:.1f} ms"
    say(f"{number} at once, {name}: {seconds:.1f} s; {longest}, seen at\n{watch.stack}")
    return watch.step


async def main() -> int:
    """Measure, print, and return whether a limit was passed."""
    image = {"Bytes": DATA}
    one_attempt = AioConfig(retries={"total_max_attempts": 1}, max_pool_connections=256)
    vendor_s = get_session().create_client("rekognition", config=one_attempt)
    async with aio.aws_client() as client, vendor_s as plain:

        async def ours() -> None:
            await aio.detect_image(DATA, client=client)

        async def theirs() -> None:
            await plain.detect_faces(Image=image, Attributes=["ALL"])

        own, vendor = await costs(ours, theirs)
        say(f"CPU a call: {own * 1e3:.2f} ms, aiobotocore's own {vendor * 1e3:.2f} ms: {own / vendor:.2f}")
        await compare(client)

        async def video() -> None:
            result = await aio.analyze_video("s3://clips/clip.mp4", client=client)
            assert len(result.faces) == len(PAGE["Faces"])

        await at_once("aiobotocore's own", theirs, AT_ONCE)
        step = max(await at_once("ours", ours, AT_ONCE), await at_once("videos with a page of 1000 faces", video, JOBS))
        rng, ended = random.Random(0), {"answered": 0, "cancelled": 0}  # noqa: S311 -- no secret
        for _ in range(CANCELS):
            task = asyncio.create_task(ours())
            await asyncio.sleep(rng.uniform(0, 2 * own))
            task.cancel()
            try:
                await task
                ended["answered"] += 1
            except asyncio.CancelledError:
                ended["cancelled"] += 1
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await ours()  # the client is as good as new
        say(f"{CANCELS} cancels: {ended}; tasks left: {len(left)}")
    return int(own / vendor > MOST_CPU or step > MOST_BLOCKED or bool(left))


if __name__ == "__main__":
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    os.environ |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL_REKOGNITION": here.recv()}
    try:
        code = asyncio.run(main())
    finally:
        here.send(None)
        server.join()
    sys.exit(code)
