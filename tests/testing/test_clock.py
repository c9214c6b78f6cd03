import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rekog_emotion import JobTimeoutError, ThrottledError, aio, analyze_video
from rekog_emotion.blocking import clock as _clock
from rekog_emotion.flows import clock as _of_tasks
from rekog_emotion.testing import FakeClient, Fault, VirtualClock, virtual_time
from tests.tasks import run
from tests.testing.recordings import PHOTO, VIDEO, image, video


def test_sleeping_takes_no_time():
    """Sleeps pass the time and are written down; what is advanced is not."""
    clock = VirtualClock()
    clock.sleep(2.5)
    clock.advance(10)

    assert (clock.now(), clock.sleeps) == (12.5, [2.5])


def test_events_come_in_order():
    """Events happen on the way, at their time, the earlier first; one that is late happens at the next step."""
    clock, seen = VirtualClock(), []
    for time in (7.0, 3.0, 3.0, 20.0):
        clock.at(time, lambda: seen.append(clock.now()))
    clock.sleep(10)
    clock.at(1.0, lambda: seen.append("late"))
    clock.advance(0)

    assert (seen, clock.now()) == ([3.0, 3.0, 7.0, "late"], 10.0)


def test_events_may_let_time_pass():
    """An event that takes time itself never makes the clock go back."""
    clock = VirtualClock()
    clock.at(1.0, lambda: clock.advance(60))
    clock.sleep(2)

    assert clock.now() == 61.0


def test_cancelled():
    """An event that cancels ends the sleep at its time, and nothing later happens."""
    clock, cancel = VirtualClock(), threading.Event()
    clock.at(4.0, cancel.set)
    clock.at(5.0, lambda: pytest.fail("too late"))
    clock.sleep(10, cancel)

    assert clock.now() == 4.0


def test_shared_by_threads():
    """Sleeps of several threads add up."""
    clock = VirtualClock()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.sleep, [1.0] * 400))

    assert (clock.now(), len(clock.sleeps)) == (400.0, 400)


def test_virtual_time():
    """The library lives by the virtual clock until the block ends, however it ends."""
    before = _clock.SYSTEM_CLOCK, _of_tasks.OF_TESTS

    def fail():
        with virtual_time() as clock:
            assert _clock.SYSTEM_CLOCK is clock
            assert _of_tasks.OF_TESTS is clock
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert before == (_clock.SYSTEM_CLOCK, _of_tasks.OF_TESTS)


def test_reaches_every_wait():
    """Each block has a clock of its own, which waits for jobs and between attempts go by, however often."""
    passed = []
    for _ in range(2):
        with virtual_time() as clock:
            client = FakeClient()
            client.script_videos({"JobStatus": "SUCCEEDED", "Faces": []}, seconds=20)
            assert analyze_video("s3://bucket/clip.mp4", client=client).faces == ()
        passed.append(clock.now())

    assert all(20 <= seconds < 30 for seconds in passed)


@pytest.fixture
def _no_real_time(monkeypatch):
    async def sleep(_, seconds):
        pytest.fail(f"{seconds} s of real time")

    monkeypatch.setattr("rekog_emotion.aio.clock.LoopClock.sleep", sleep)


def test_tasks_wake_in_order():
    """Tasks that sleep at once wake when it is their time, whoever asked first, and the sleeps do not add up."""
    clock, seen = VirtualClock(), []

    async def sleeper(*sleeps):
        for seconds in sleeps:
            await clock.in_tasks.sleep(seconds)
            seen.append((sleeps, clock.now()))

    async def all_of_them():
        await asyncio.gather(sleeper(7.0), sleeper(2.0, 2.0, 4.0), sleeper(3.0), sleeper(3.0, 0.0))

    run(all_of_them())

    two, three = (2.0, 2.0, 4.0), (3.0, 0.0)
    assert sorted(seen, key=lambda one: one[1]) == seen
    assert sorted(seen) == sorted(
        [(two, 2.0), ((3.0,), 3.0), (three, 3.0), (three, 3.0), (two, 4.0), ((7.0,), 7.0), (two, 8.0)]
    )
    assert (clock.now(), sorted(clock.sleeps)) == (8.0, [0.0, 2.0, 2.0, 3.0, 3.0, 4.0, 7.0])


def test_other_tasks_have_their_turn():
    """What a task does between two sleeps is done before time passes that another one sleeps through."""
    clock, seen = VirtualClock(), []

    async def working():
        seen.append(clock.now())
        await asyncio.sleep(0)
        seen.append(clock.now())

    async def both():
        sleeping = asyncio.create_task(clock.in_tasks.sleep(60.0))
        await working()
        await sleeping

    run(both())

    assert (seen, clock.now()) == ([0.0, 0.0], 60.0)


@pytest.mark.parametrize("own", [True, False])
def test_task_cancelled_on_the_way(own):
    """An event that cancels a task ends its sleep at its time, and nobody else waits for what was left of it."""
    clock, woken = VirtualClock(), []

    async def sleeper(seconds):
        try:
            await clock.in_tasks.sleep(seconds)
        finally:
            woken.append(clock.now())

    async def both():
        tasks = [asyncio.create_task(sleeper(10.0)), asyncio.create_task(sleeper(60.0))]
        clock.at(4.0, tasks[0 if own else 1].cancel)
        return await asyncio.gather(*tasks, return_exceptions=True)

    ends = run(both())

    assert (woken, clock.now()) == (([4.0, 60.0], 60.0) if own else ([4.0, 10.0], 10.0))
    assert [type(end) for end in ends].count(asyncio.CancelledError) == 1


async def _photo(client):
    return [await aio.detect_image(PHOTO, client=client)]


async def _photos(client):
    return [one.analysis async for one in aio.detect_images([PHOTO], client=client)]


async def _video(client):
    return [await aio.analyze_video(VIDEO, client=client)]


async def _started(client):
    job = await aio.start_video(VIDEO, client=client)
    await job.wait()
    return [await job.result()]


async def _resumed(client):
    job = await aio.start_video(VIDEO, client=client)
    job = await aio.VideoJob.from_dict(job.to_dict(), client=client)
    return [await job.result()]


async def _videos(client):
    return [one.analysis async for one in aio.analyze_videos([VIDEO, VIDEO], client=client)]


async def _jobs(client):
    jobs = [await aio.start_video(VIDEO, client=client) for _ in range(2)]
    return [one.analysis async for one in aio.wait_for_videos(jobs)]


@pytest.mark.usefixtures("_no_real_time")
@pytest.mark.parametrize("verb", [_photo, _photos, _video, _started, _resumed, _videos, _jobs])
def test_reaches_every_verb_of_asyncio(verb):
    """Waits for jobs and between attempts go by in tasks as they do in threads."""
    with virtual_time() as clock:
        client = FakeClient(images=image(1.0))
        client.script_videos(video(1), seconds=600)
        client.faults.add(Fault.throttled(), times=2)

        assert [len(one.faces) for one in run(verb(client))] in ([1], [1, 1])
        if client.count("StartFaceDetection"):
            assert clock.now() >= 600
        else:
            assert 0 < clock.now() == pytest.approx(sum(clock.sleeps))


@pytest.mark.usefixtures("_no_real_time")
def test_throttled_for_ever():
    """What never goes well ends by the virtual clock."""
    with virtual_time() as clock:
        client = FakeClient()
        client.faults.add(Fault.throttled(), times=None)

        with pytest.raises(ThrottledError):
            run(aio.detect_image(PHOTO, client=client))
        assert 0 < clock.now() == pytest.approx(sum(clock.sleeps))


@pytest.mark.usefixtures("_no_real_time")
def test_jobs_wait_at_once():
    """Jobs that are waited for at once take as long as one, but for when they are looked at."""

    class Awaited(FakeClient):
        async def get_face_detection(self, **parameters):
            return super().get_face_detection(**parameters)

    with virtual_time() as clock:
        client = Awaited()
        client.script_videos(video(1), seconds=600)

        async def all_of_them():
            jobs = [await aio.start_video(VIDEO, client=client) for _ in range(10)]
            await asyncio.gather(*(job.wait() for job in jobs))

        run(all_of_them())
        assert 600 <= clock.now() < 1200  # one after the other they would take 6000


@pytest.mark.usefixtures("_no_real_time")
def test_a_clock_that_is_given():
    """A clock of their own, of threads as it is or of tasks, goes before that of the block."""
    with virtual_time() as outer:
        for form in (lambda clock: clock, lambda clock: clock.in_tasks):
            clock = VirtualClock()
            client = FakeClient(videos={"JobStatus": "IN_PROGRESS"}, clock=clock)

            with pytest.raises(JobTimeoutError):
                run(aio.analyze_video(VIDEO, client=client, clock=form(clock), timeout=60))
            assert clock.now() == pytest.approx(60)
        assert (outer.now(), outer.sleeps) == (0.0, [])
