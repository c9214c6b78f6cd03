"""Flows in asyncio tasks: what is awaited, what runs in threads, and what a cancel leaves."""

import asyncio
import threading

import pytest

from rekog_emotion.aio.driver import Driver
from rekog_emotion.errors import JobCancelledError, ThrottledError
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.steps import Begin, Call, Cancelled, Give, Sleep, Take, Work
from rekog_emotion.sources.images import PreparedImage
from tests.scripted import ScriptedClient, refusal

PHOTO = PreparedImage(wire={"Bytes": b"photo"}, size=(640, 480), name="me.jpg")
GOES_ON = JobCancelledError("it goes on", job_id="j-1")
LOOK = Call("get_face_detection", {"JobId": "j-1"}, "j-1")


class Client:
    """A client of coroutine functions: each call waits for ``go``, then gives or raises."""

    engine = "async"

    def __init__(self, outcome=None):
        self.go, self.calls, self.outcome, self.interrupted = asyncio.Event(), 0, outcome or {"FaceDetails": []}, 0

    async def detect_faces(self, **_):
        """Wait, then answer."""
        self.calls += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.interrupted += 1
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    start_face_detection = get_face_detection = detect_faces


def test_awaits_a_client_of_its_world():
    """An answer is read, a failure mapped."""

    async def main():
        client = Client()
        client.go.set()
        driver = Driver(client=client)
        photo = await driver.run(detect(PHOTO, ["ALL"], facts=driver.facts))
        client.outcome = refusal("ThrottlingException", operation="DetectFaces")
        with pytest.raises(ThrottledError):
            await driver.run(detect(PHOTO, ["ALL"], facts=driver.facts))
        return photo

    photo = asyncio.run(main())

    assert (photo.engine, photo.size, photo.source) == ("async", (640, 480), "me.jpg")


def test_blocking_clients_and_work_hold_up_nobody():
    """They run in other threads than the loop."""
    threads = []

    def answer():
        threads.append(threading.current_thread())
        return {"JobStatus": "SUCCEEDED", "Faces": []}

    def flow():
        yield LOOK
        yield Work(answer)
        return threading.current_thread()

    client = ScriptedClient(answer)

    assert asyncio.run(Driver(client=client).run(flow())) is threading.main_thread()
    assert len(threads) == 2
    assert threading.main_thread() not in threads


def test_a_late_call_is_given_up():
    """Its connection is let go, and the error says what was tried."""

    async def main():
        client = Client()
        driver = Driver(client=client)
        with pytest.raises(ConnectionError, match=r"got no answer after 0\.0 s"):
            await driver.run(detect(PHOTO, ["ALL"], facts=driver.facts, timeout=0.001))
        return client.calls, client.interrupted

    assert asyncio.run(main()) == (1, 1)


def test_a_cancel_in_a_call_is_thrown_in():
    """Nobody knows what became of it; the flow tidies up."""
    seen = []

    def flow():
        try:
            yield Call("detect_faces", {})
        except BaseException as error:
            seen.append(type(error))
            seen.append((yield Cancelled()))
            raise

    async def main():
        task = asyncio.create_task(Driver(client=Client()).run(flow()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert seen == [asyncio.CancelledError, True]


def test_a_cancel_in_a_sleep_is_told():
    """The flow ends by its own decision, and its error is the cause of the task's."""

    def flow():
        yield Sleep(3600)
        if (yield Cancelled()):
            raise GOES_ON

    async def main():
        task = asyncio.create_task(Driver(client=Client()).run(flow()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value

    error = asyncio.run(main())

    assert (type(error.__cause__), error.__cause__.job_id) == (JobCancelledError, "j-1")
    assert error.__notes__ == ["it goes on"]


def test_a_time_out_around_it():
    """``asyncio.timeout`` ends it like a cancel, and is told of."""

    def flow():
        yield Sleep(3600)
        yield Cancelled()

    async def main():
        async with asyncio.timeout(0.001):
            await Driver(client=Client()).run(flow())

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_what_was_begun_ends_with_its_flow():
    """Neither a task nor a call is left, whether the values are read to their end or not."""

    def apart():
        yield Call("detect_faces", {})

    def values():
        yield Begin(apart)
        yield Give(1)
        yield Give(2)

    async def main():
        client = Client()
        driver, seen = Driver(client=client), []
        iterator = driver.iterate(values())
        seen.append(await anext(iterator))
        await asyncio.sleep(0)
        await iterator.aclose()
        seen += [value async for value in driver.iterate(values())]
        return seen, len(asyncio.all_tasks()), client.calls, client.interrupted

    assert asyncio.run(main()) == ([1, 1, 2], 1, 1, 1)


def test_a_cancel_reaches_what_is_waited_for():
    """The flow that was begun decides how it ends, and its error is the flow's."""

    def apart():
        yield Sleep(3600)
        raise GOES_ON if (yield Cancelled()) else AssertionError

    def flow():
        return (yield Take((yield Begin(apart))))

    async def main():
        task = asyncio.create_task(Driver(client=Client()).run(flow()))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value, len(asyncio.all_tasks())

    error, tasks = asyncio.run(main())

    assert (str(error.__cause__), tasks) == ("it goes on", 1)
