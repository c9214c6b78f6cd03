"""What tests of asyncio stand on: a loop that must be left tidy, virtual time, and a scripted client of coroutines."""

from __future__ import annotations

import asyncio

from rekog_emotion.testing import VirtualClock
from tests.scripted import ScriptedClient


def run(coroutine):
    """Return what a coroutine gives; a task that it leaves behind is an error."""

    async def whole():
        result = await coroutine
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(whole(), debug=True)


def over(limit):
    """Let the time of an ``asyncio.timeout(None)`` be over now, however long it took to get here."""
    limit.reschedule(asyncio.get_running_loop().time())


class Turning:
    """A virtual clock for tasks: a cancel on the way arrives at its time.

    Args:
        clock: Whose time it is.
    """

    def __init__(self, clock):
        self._clock = clock
        self.now = clock.now

    async def sleep(self, seconds):
        """Let time pass."""
        clock = self._clock
        clock.sleeps.append(seconds)
        end = clock.now() + seconds
        for at in sorted(at for at, _ in clock._events if at <= end):
            clock.advance(max(at - clock.now(), 0.0))
            await asyncio.sleep(0)
        clock.advance(end - clock.now())
        await asyncio.sleep(0)


class LoopTime(VirtualClock):
    """Virtual time for tasks alone."""

    async def sleep(self, seconds):
        """Let time pass."""
        await Turning(self).sleep(seconds)


class Awaited(ScriptedClient):
    """A scripted client whose methods are coroutine functions."""

    async def detect_faces(self, **parameters):
        """Answer nothing: these scripts are of videos."""
        super().detect_faces(**parameters)

    async def start_face_detection(self, **parameters):
        """Answer StartFaceDetection."""
        return super().start_face_detection(**parameters)

    async def get_face_detection(self, **parameters):
        """Answer GetFaceDetection."""
        await asyncio.sleep(0)
        return super().get_face_detection(**parameters)
