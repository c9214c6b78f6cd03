"""Flows in asyncio tasks: what is awaited, what runs in threads, and what a cancel leaves."""

import asyncio
import json
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from rekog_emotion import SnsSqs
from rekog_emotion.aio.driver import Driver
from rekog_emotion.errors import JobCancelledError, ThrottledError
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.steps import Await, Begin, Call, Cancelled, Discard, Give, Sleep, Stage, Take, Work
from rekog_emotion.sources.images import PreparedImage
from tests.scripted import ScriptedClient, Shelf, page, refusal
from tests.tasks import LoopTime

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
        driver = Driver(client=client, clock=LoopTime())  # however long the machine takes for a millisecond
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


class Slow(Shelf):
    """A shelf of coroutine functions, which takes its time."""

    async def stage(self, path, **_):
        """Take a file."""
        return super().stage(path)

    async def discard(self, staged):
        """Take it away, after a while."""
        for _ in range(5):
            await asyncio.sleep(0.001)
        super().discard(staged)


def test_tidying_up_is_not_interrupted():
    """Neither by the cancel that it follows nor by another one."""

    def flow():
        upload = yield Stage(Path("clip.mp4"))
        try:
            yield Call("start_face_detection", {})
        except BaseException:
            yield Discard(upload)
            raise

    async def main():
        shelf = Slow()
        task = asyncio.create_task(Driver(client=Client(), staging=shelf).run(flow()))
        for _ in range(3):
            await asyncio.sleep(0.002)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return shelf.events

    assert asyncio.run(main()) == ["stage clip.mp4", "discard k-1"]


class Lasting(Shelf):
    """A blocking shelf whose uploads last until they are cancelled."""

    def stage(self, _, *, on_bytes, cancel):
        """Tell of a byte, and wait."""
        on_bytes(1, 2)
        cancel.wait()
        self.events.append("withdrawn")
        raise GOES_ON


def test_a_cancel_ends_a_blocking_upload():
    """It takes away by itself what there is of it, before the task ends."""
    reports = []

    def flow():
        yield Stage(Path("clip.mp4"))

    async def main():
        shelf, begun = Lasting(), asyncio.Event()

        def listen(progress):
            reports.append(progress)
            begun.set()

        task = asyncio.create_task(Driver(client=Client(), staging=shelf).run(flow(), on_progress=listen))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return shelf.events, caught.value.__cause__

    assert asyncio.run(main()) == (["withdrawn"], GOES_ON)
    assert [(told.bytes_done, told.bytes_total) for told in reports] == [(1, 2)]


def test_what_a_listener_raises_ends_a_blocking_upload():
    """As it does in threads."""

    def flow():
        yield Stage(Path("clip.mp4"))

    def listen(_):
        raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(Driver(client=Client(), staging=Lasting()).run(flow(), on_progress=listen))


class End(Future):
    """What is done when a job has ended.

    Attributes:
        awaited: Set when the loop has begun to wait for it.
    """

    def __init__(self):
        super().__init__()
        self.awaited = asyncio.Event()

    def add_done_callback(self, callback):
        """Note that somebody waits."""
        super().add_done_callback(callback)
        self.awaited.set()


class Ending(ScriptedClient):
    """A blocking client that tells when its job ends."""

    rekog_capabilities = frozenset({"ends"})

    def __init__(self):
        super().__init__()
        self.end = End()

    def ended(self, _):
        """Give what is done when the job has ended."""
        return self.end


@pytest.mark.parametrize("how", ["heard", "over", "cancelled"])
def test_the_end_of_a_job(how):
    """It is heard at once from another thread, and a cancel is, too."""
    answers = []

    def flow():
        answers.append((yield Await("j-1", 0.001 if how == "over" else 3600)))
        answers.append((yield Cancelled()))

    async def main():
        client = Ending()
        task = asyncio.create_task(Driver(client=client).run(flow()))
        await client.end.awaited.wait()
        if how == "heard":
            await asyncio.to_thread(client.end.set_result, None)
        if how == "cancelled":
            task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert answers == [how == "heard", how == "cancelled"]


def test_one_listens_at_a_time():
    """The others wait, and take what it has heard."""
    calls = []

    class Sqs:
        async def receive_message(self, **parameters):
            calls.append(parameters["WaitTimeSeconds"])
            await asyncio.sleep(0.1)
            return {"Messages": [{"Body": json.dumps({"JobId": f"j-{n}"}), "ReceiptHandle": "r"} for n in range(5)]}

        async def delete_message(self, **_):
            pass

        change_message_visibility = delete_message

    channel = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q", sqs_client=Sqs())

    async def main():
        client = ScriptedClient(page(0))
        driver = Driver(client=client)
        jobs = [Job(job_id=f"j-{n}", facts=driver.facts, notify=channel, fresh=True) for n in range(5)]
        return await asyncio.gather(*(driver.run(job.result(60.0)) for job in jobs))

    assert [len(result.faces) for result in asyncio.run(main())] == [1] * 5
    assert calls == [20]
