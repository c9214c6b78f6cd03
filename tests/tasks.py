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


class LoopTime(VirtualClock):
    """Virtual time for tasks alone."""

    async def sleep(self, seconds):
        """Let time pass."""
        await self.in_tasks.sleep(seconds)


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
