"""What asyncio costs: CPU a call beside aiobotocore's own, how long the loop is held up, and what cancels leave.

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
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Self

from rekog_emotion import aio
from tests.http_standin import Answer, HttpStandin

DATA = (Path(__file__).parents[1] / "data" / "astronaut.jpg").read_bytes()
FACES = {"FaceDetails": [{"Confidence": 99.5, "Emotions": [{"Type": "HAPPY", "Confidence": 98.0}]}]}
CALLS, AT_ONCE, CANCELS = 400, 1000, 200
MOST_CPU, MOST_BLOCKED = 1.15, 0.020


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")


def serve(pipe) -> None:
    """Answer until the other end hangs up."""
    with HttpStandin() as standin:
        standin.script("DetectFaces", Answer(FACES))
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


async def cost(call, calls: int) -> float:
    """Return the seconds of CPU of one call, the best of five rounds."""
    rounds = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(calls):
            await call()
        rounds.append((time.process_time() - begin) / calls)
    return min(rounds)


async def main() -> int:
    """Measure, print, and return whether a limit was passed."""
    image = {"Bytes": DATA}
    async with aio.aws_client() as client:

        async def ours() -> None:
            await aio.detect_image(DATA, client=client)

        async def theirs() -> None:
            await client.detect_faces(Image=image, Attributes=["ALL"])

        await ours()
        own, vendor = await cost(ours, CALLS), await cost(theirs, CALLS)
        say(f"CPU a call: {own * 1e3:.2f} ms, aiobotocore's own {vendor * 1e3:.2f} ms: {own / vendor:.2f}")
        for name, call in (("aiobotocore's own", theirs), ("ours", ours)):
            async with Watch() as watch:
                begin = time.perf_counter()
                ends = await asyncio.gather(*(call() for _ in range(AT_ONCE)), return_exceptions=True)
                seconds = time.perf_counter() - begin
            lost = sum(isinstance(end, Exception) for end in ends)
            longest = f"{lost} lost, longest turn {watch.turn * 1e3:.0f} ms, longest step {watch.step * 1e3:.1f} ms"
            say(f"{AT_ONCE} at once, {name}: {seconds:.1f} s; {longest}, seen at\n{watch.stack}")
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
    return int(own / vendor > MOST_CPU or watch.step > MOST_BLOCKED or bool(left))


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
