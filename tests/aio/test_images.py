"""Many photos in asyncio: every outcome, a file to go on from, and nothing left behind."""

import asyncio
import inspect
import re
import threading
from contextlib import aclosing
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.results.journal import Journal
from tests.scripted import refusal
from tests.tasks import run

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
DATA = PHOTO.read_bytes()
FACES = {"FaceDetails": [{"Confidence": 99.5}]}
DENIED = refusal("AccessDeniedException", operation="DetectFaces")


class Client:
    """A client of coroutine functions that answers in its own time, and counts.

    Args:
        delays: Turns of the loop that each call takes, in order; the last for ever.
    """

    def __init__(self, *delays):
        self.delays, self.calls, self.running, self.most = [*delays] or [1], 0, 0, 0

    async def detect_faces(self, **_):
        """Answer with a face."""
        delay = self.delays.pop(0) if len(self.delays) > 1 else self.delays[0]
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(delay):
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        return FACES

    start_face_detection = get_face_detection = detect_faces


class Denied(Client):
    """A client that may not ask."""

    async def detect_faces(self, **_):
        """Refuse."""
        raise DENIED

    start_face_detection = get_face_detection = detect_faces


@pytest.fixture
def patient(monkeypatch):
    """Let whoever leaves early wait for calls for some minutes, which no machine takes for them; return the seconds."""
    monkeypatch.setattr("rekog_emotion.aio.images.GRACE", 240.0)
    return 240.0


async def every(outcomes):
    """Return all that is given."""
    return [outcome async for outcome in outcomes]


@pytest.fixture
def folder(tmp_path):
    """Give a folder with photos in two folders, and something that is none."""
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "deep/c.jpg"):
        (photos / name).write_bytes(DATA)
    (photos / "notes.txt").write_text("no photo")
    return photos


def test_has_the_options_of_the_blocking_verb():
    """The same names, order and defaults, but for ``cancel``."""
    ours, blocking = (inspect.signature(world.detect_images).parameters for world in (aio, rekog))

    assert [(one.name, one.default) for one in ours.values()] == [
        (one.name, one.default) for one in blocking.values() if one.name != "cancel"
    ]


@pytest.mark.parametrize("kind", [list, iter])
def test_every_photo_once(kind):
    """In order or not, from a list or a generator, and never more at a time than was said."""
    client = Client(9, 1, 5, 1)
    sources = [DATA, PHOTO, f"{PHOTO.parent}/no-such.jpg", "s3://bucket/me.jpg", b"no photo", DATA]

    found = run(every(aio.detect_images(kind(sources), client=client, workers=2, ordered=True)))

    assert [one.source for one in found] == sources
    errors = [None if one.error is None else type(one.error) for one in found]
    assert errors == [None, None, InvalidInputError, None, InvalidInputError, None]
    assert client.calls == 4
    assert client.most <= 2


def test_a_folder_gives_what_the_blocking_verb_gives(folder):
    """Names, sizes, what is left out, and what is told."""
    told, theirs = [], []

    ours = run(every(aio.detect_images(folder, client="embedded", ordered=True, on_progress=told.append)))
    blocking = list(rekog.detect_images(folder, client="embedded", ordered=True, on_progress=theirs.append))

    assert [(one.source, one.analysis) for one in ours] == [(one.source, one.analysis) for one in blocking]
    assert sorted((one.event, one.source or "") for one in told) == sorted(
        (one.event, one.source or "") for one in theirs
    )
    assert told[-1].event == "ENDED"


def test_a_failure_is_an_outcome():
    """The service's error, and a source that is none."""
    found = run(every(aio.detect_images([DATA, DATA], client=Denied())))

    assert [type(one.error) for one in found] == [rekog.AccessDeniedError] * 2


def test_goes_on_from_either_world_s_checkpoint(folder, tmp_path):
    """What is done is not done again; what failed is, where that is asked for."""
    file, client = tmp_path / "done.jsonl", Client()

    assert len(run(every(aio.detect_images(folder, client=client, checkpoint=file)))) == 3
    assert run(every(aio.detect_images(folder, client=client, checkpoint=file))) == []
    assert list(rekog.detect_images(folder, client="embedded", checkpoint=file)) == []
    (folder / "d.jpg").write_bytes(DATA)
    assert [one.error is None for one in rekog.detect_images(folder, client="embedded", checkpoint=file)] == [True]
    (folder / "e.jpg").write_bytes(DATA)
    assert len(run(every(aio.detect_images(folder, client=Denied(), checkpoint=file)))) == 1
    again = run(every(aio.detect_images(folder, client=client, checkpoint=file, retry_errors=True)))
    assert [Path(one.source).name for one in again] == ["e.jpg"]
    assert client.calls == 4


def test_a_checkpoint_that_is_in_use(tmp_path):
    """It is an error of the first outcome, and the file can be used once nobody does."""
    file = tmp_path / "done.jsonl"

    async def main():
        async with aclosing(aio.detect_images([PHOTO, PHOTO.parent], client=Client(), checkpoint=file)) as outcomes:
            await anext(outcomes)
            with pytest.raises(InvalidInputError):
                await every(aio.detect_images([PHOTO], client=Client(), checkpoint=file))
        return await every(aio.detect_images([PHOTO], client=Client(), checkpoint=file))

    assert run(main()) == []


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ([DATA], {"workers": 0}, "workers=0 is no number of workers: pass 1 or more, or leave it out"),
        ([DATA], {"rate": 0}, "rate=0 is no rate: pass calls a second, your quota for instance, or leave it out"),
        (
            [DATA],
            {"retry_errors": True},
            "retry_errors=True is about the errors in a checkpoint: name it by checkpoint=",
        ),
        (
            [DATA],
            {"timeout": -1},
            "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever",
        ),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, options, message):
    """In the words of the blocking verb."""
    for world in (aio, rekog):
        with pytest.raises(InvalidInputError) as caught:
            world.detect_images(arguments, **options)
        assert str(caught.value) == message


@pytest.mark.usefixtures("patient")
def test_left_early_waits_for_calls_under_way(tmp_path):
    """They are paid for, and written down; nothing else is begun."""
    file, client = tmp_path / "done.jsonl", Client(1, 50)
    sources = [f"s3://bucket/{n}.jpg" for n in range(9)]

    async def main():
        async with aclosing(aio.detect_images(sources, client=client, workers=2, checkpoint=file)) as outcomes:
            await anext(outcomes)
            while client.calls < 3:  # noqa: ASYNC110 -- nothing tells
                await asyncio.sleep(0)

    run(main())
    assert client.running == 0
    assert len(file.read_text().splitlines()) == client.calls


def test_a_cancel_while_an_outcome_is_written_down(tmp_path, monkeypatch):
    """It was paid for: the file is closed when it is in it."""
    file, writing, go = tmp_path / "done.jsonl", threading.Event(), threading.Event()
    append = Journal.append

    def slowly(journal, line):
        writing.set()
        go.wait(60)
        append(journal, line)

    monkeypatch.setattr(Journal, "append", slowly)

    async def main():
        task = asyncio.create_task(every(aio.detect_images(["s3://bucket/1.jpg"], client=Client(1), checkpoint=file)))
        await asyncio.to_thread(writing.wait, 60)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert len(file.read_text().splitlines()) == 1


def test_a_cancel_while_the_checkpoint_is_opened(tmp_path, monkeypatch):
    """Nobody has the file when the thread is done that opens it."""
    file, opening, go = tmp_path / "done.jsonl", threading.Event(), threading.Event()

    class Slow(Journal):
        def __init__(self, path):
            opening.set()
            go.wait(60)
            super().__init__(path)

    monkeypatch.setattr("rekog_emotion.flows.ledger.Journal", Slow)
    told = []

    async def main():
        outcomes = aio.detect_images([PHOTO], client=Client(), checkpoint=file, on_progress=told.append)
        task = asyncio.create_task(anext(outcomes))
        await asyncio.to_thread(opening.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()

    run(main())
    assert told == []
    Journal(file).close()


@pytest.mark.usefixtures("aws")
def test_a_client_of_few_connections(caplog):
    """Is told of in other words than in threads: whoever finds none of them free waits for one."""
    from aiobotocore.config import AioConfig

    async def main():
        async with aio.aws_client(config=AioConfig(max_pool_connections=2)) as client:
            return await every(aio.detect_images([], client=client, workers=3))

    assert run(main()) == []
    (message,) = [one.getMessage() for one in caplog.records if one.name == "rekog_emotion"]
    assert message == (
        "3 workers share a client that keeps 2 connections, and the others wait for one: pass a client with "
        "max_pool_connections=3, or fewer workers"
    )


def test_nothing_is_taken_from_an_asynchronous_source_after_a_fault(tmp_path, monkeypatch):
    """However slow the caller is to learn of it."""
    taken = []

    def full(*_):
        raise RekogEmotionError("no room")  # noqa: EM101, TRY003 -- of a test

    monkeypatch.setattr(Journal, "append", full)

    async def endless():
        while True:
            await asyncio.sleep(0)
            taken.append(PHOTO)
            yield PHOTO.with_name(f"{len(taken)}.jpg")

    async def main():
        outcomes = aio.detect_images(endless(), client=Client(), workers=2, checkpoint=tmp_path / "done.jsonl")
        async with aclosing(outcomes):
            await anext(outcomes)
            before = len(taken)
            for _ in range(1000):
                await asyncio.sleep(0)
            assert len(taken) <= before + 2
            with pytest.raises(RekogEmotionError, match="no room"):
                await anext(outcomes)

    run(main())


def test_a_cancel_ends_the_calls():
    """Nothing is at work when the task has ended."""
    client = Client(10**9)

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await every(aio.detect_images([DATA] * 9, client=client, workers=3))
        return client.running

    assert run(main()) == 0


def test_sources_without_end_are_taken_in_a_thread():
    """As many as there are workers for."""
    threads = set()

    def endless():
        while True:
            threads.add(threading.current_thread() is threading.main_thread())
            yield DATA

    async def main():
        given = 0
        async with aclosing(aio.detect_images(endless(), client=Client(), workers=3)) as outcomes:
            async for _ in outcomes:
                given += 1
                if given == 10:
                    break
        return given

    assert run(main()) == 10
    assert threads == {False}


def test_a_thousand_photos_at_once():
    """One loop does them all, each has its face, and none waits for the answers of others."""

    class Patient(Client):
        everybody = asyncio.Event()

        async def detect_faces(self, **_):
            self.calls += 1
            if self.calls == 1000:
                self.everybody.set()
            await self.everybody.wait()
            return FACES

    async def main():
        client = Patient()
        found = await asyncio.gather(*(aio.detect_image(DATA, client=client) for _ in range(1000)))
        return {len(one.faces) for one in found}, client.calls

    assert run(main()) == ({1}, 1000)


# --- asynchronous sources ---


async def given(*sources):
    """Yield sources as they come."""
    for source in sources:
        await asyncio.sleep(0)
        yield source


def test_an_asynchronous_source(tmp_path):
    """Each photo once, folders among them too, in order where that is wanted; a second run goes on from the file."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(DATA)
    file = tmp_path / "done.jsonl"

    async def main():
        found = await every(aio.detect_images(given(PHOTO, DATA, tmp_path), client=Client(3, 2, 1), ordered=True))
        await every(aio.detect_images(given(PHOTO), client=Client(), checkpoint=file))
        more = await every(aio.detect_images(given(tmp_path / "a.jpg", PHOTO), client=Client(), checkpoint=file))
        return found, more

    found, more = run(main())
    assert [one.source for one in found] == [PHOTO, DATA, str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]
    assert [one.source for one in more] == [tmp_path / "a.jpg"]


def test_an_asynchronous_source_that_fails():
    """Its error is raised when what came before has been given."""

    async def broken():
        yield DATA
        while not found:  # noqa: ASYNC110 -- the simplest way
            await asyncio.sleep(0)
        raise OSError("the camera is off")  # noqa: EM101, TRY003 -- of a test

    found = []

    async def main():
        async for one in aio.detect_images(broken(), client=Client()):
            found.append(one)  # noqa: PERF401 -- one by one

    with pytest.raises(OSError, match="the camera is off"):
        run(main())
    assert len(found) == 1


def test_leaving_a_source_that_gives_nothing_more(patient):
    """Nobody waits for what would be the next item, not even as long as for calls."""

    async def slow():
        yield DATA
        await asyncio.Event().wait()

    async def main():
        async with asyncio.timeout(patient / 2), aclosing(aio.detect_images(slow(), client=Client())) as outcomes:
            await anext(outcomes)

    run(main())


CHARGED = "DetectFaces was under way: the call may have reached the service, and may be charged"


@pytest.mark.parametrize(
    ("can", "told"),
    [
        ((), f"this client's calls cannot be interrupted: it ends by itself (N such under way); {CHARGED}"),
        (("files",), "the work goes on in its thread until it ends"),
    ],
)
def test_what_is_logged_of_a_cancel(caplog, can, told):
    """Which photo was under way, and what goes on of it: of an engine in this process no word of charges."""
    begun, released = threading.Event(), threading.Event()

    class Silent:
        rekog_capabilities = frozenset(can)

        def detect_faces(self, **_):
            begun.set()
            released.wait(60)

        start_face_detection = get_face_detection = detect_faces

    async def main():
        task = asyncio.create_task(every(aio.detect_images([PHOTO], client=Silent(), workers=1)))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        released.set()

    run(main())

    (message,) = [one.getMessage() for one in caplog.records if one.name == "rekog_emotion"]
    assert re.sub(r"\d+ such", "N such", message) == f"{PHOTO}: CancelledError ({told})"
