"""Work for threads: done once, in order, by as many of them as there are places."""

import asyncio
import gc
import random
import threading

import pytest

from rekog_emotion.server.threads import Threads


class Gates:
    """Works that begin when they are given to a thread, and end when they are let through."""

    def __init__(self):
        self.begun = []
        self.over = []
        self._begun = {}
        self._open = {}

    def work(self, name):
        """Return a work."""
        self._begun[name], self._open[name] = threading.Event(), threading.Event()

        def call():
            self.begun.append(name)
            self._begun[name].set()
            assert self._open[name].wait(60)
            return name

        return call

    def run(self, threads, name):
        """Begin to run a work in a task."""
        return asyncio.create_task(threads.run(self.work(name), lambda: self.over.append(name)))

    async def until_begun(self, *names):
        """Wait until works are at work."""
        for name in names:
            assert await asyncio.to_thread(self._begun[name].wait, 60)

    def let(self, *names):
        """Let works end."""
        for name in names:
            self._open[name].set()


async def closed(threads):
    """Close threads, as the server does."""
    await asyncio.to_thread(threads.close)


async def settled():
    """Let the loop turn a few times."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def gates():
    """Give what makes works."""
    return Gates()


def test_results_and_errors():
    """Each comes to whoever waits for it."""

    async def run():
        threads = Threads(2, name="work")
        results = await asyncio.gather(
            *(threads.run(lambda number=number: 6 // number) for number in (1, 2, 0, 3)), return_exceptions=True
        )
        await closed(threads)
        return results

    first, second, error, third = asyncio.run(run())
    assert (first, second, third, type(error)) == (6, 3, 2, ZeroDivisionError)


def test_many_short_works():
    """All are done, each once and in order by one thread, however many come at once."""
    done = []

    async def run():
        threads = Threads(1, name="work")
        await asyncio.gather(*(threads.run(lambda number=number: done.append(number)) for number in range(1000)))
        await closed(threads)

    asyncio.run(run())
    assert done == list(range(1000))


def test_alone_it_costs_no_turn_of_the_loop(gates):
    """A thread is woken at once, and nobody looks after it; what comes beside it waits for the end of the turn."""

    async def run():
        threads = Threads(2, name="work")
        works, seen = [], []
        for name in ("first", "second"):
            works.append(gates.run(threads, name))
            await asyncio.sleep(0)
            seen.append((threads._is_ringing, threads._is_looking))
            await gates.until_begun(name)
        gates.let("first", "second")
        await asyncio.gather(*works)
        await closed(threads)
        return seen

    assert asyncio.run(run()) == [(False, False), (True, False)]


def test_as_many_as_there_are_places(gates):
    """A work that takes long holds up nothing that another thread can do; what is beyond waits."""

    async def run():
        threads = Threads(2, name="work")
        tasks = [gates.run(threads, name) for name in "abc"]
        await gates.until_begun("a", "b")
        await settled()
        assert sorted(gates.begun) == ["a", "b"]
        gates.let("b")
        await gates.until_begun("c")
        gates.let("a", "c")
        assert await asyncio.gather(*tasks) == ["a", "b", "c"]
        await closed(threads)

    asyncio.run(run())
    assert sorted(gates.over) == ["a", "b", "c"]


def test_given_up_while_it_waits(gates):
    """It is never begun, and is over at once."""

    async def run():
        threads = Threads(1, name="work", spare=1)
        tasks = [gates.run(threads, name) for name in "abc"]
        await gates.until_begun("a")
        tasks[1].cancel()
        await settled()
        assert gates.over == ["b"]
        gates.let("a", "b", "c")
        assert await asyncio.gather(*tasks[::2]) == ["a", "c"]
        await closed(threads)

    asyncio.run(run())
    assert (gates.begun, gates.over) == (["a", "c"], ["b", "a", "c"])


def test_given_up_at_work(gates):
    """A spare thread takes the place, as long as there is one; the work is over when it has ended."""

    async def run():
        threads = Threads(1, name="work", spare=1)
        tasks = [gates.run(threads, name) for name in "abcd"]
        await gates.until_begun("a")
        tasks[0].cancel()
        await gates.until_begun("b")
        tasks[1].cancel()
        await settled()
        assert (gates.begun, gates.over) == (["a", "b"], [])
        gates.let("a")
        await settled_until(lambda: gates.over == ["a"])
        assert gates.begun == ["a", "b"]  # the thread of a had given its place away
        gates.let("b")
        await gates.until_begun("c")
        tasks[2].cancel()  # the spare one is there again
        await gates.until_begun("d")
        gates.let("c", "d")
        assert await tasks[3] == "d"
        await closed(threads)

    asyncio.run(run())
    assert sorted(gates.over) == ["a", "b", "c", "d"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("work")]


async def settled_until(is_so):
    """Let the loop turn until something is so."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 -- threads bring it about
            await asyncio.sleep(0)


def test_given_up_when_it_is_done():
    """An error that nobody waits for any more is not logged, and the place is free."""

    async def run():
        threads = Threads(1, name="work", spare=1)
        logged, tasks = [], []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: logged.append(context))
        cancel = asyncio.Task.cancel

        def fail():
            raise ValueError

        for over in (lambda: cancel(tasks[-1]), lambda: loop.call_soon(cancel, tasks[-1])):
            tasks.append(asyncio.create_task(threads.run(fail, over)))
            with pytest.raises(asyncio.CancelledError):
                await tasks[-1]
        assert await threads.run(lambda: 1) == 1
        await closed(threads)
        tasks.clear()
        gc.collect()
        return logged

    assert asyncio.run(run()) == []


def test_closing_waits_for_what_waits(gates):
    """What has come in by then is done."""

    async def run():
        threads = Threads(1, name="work")
        tasks = [gates.run(threads, name) for name in "abc"]
        await gates.until_begun("a")
        closing = asyncio.create_task(closed(threads))
        gates.let("a", "b", "c")
        await closing
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["a", "b", "c"]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_given_up(seed):
    """Every work is begun once at most and over once; those that are waited for have their results."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    begun, over = [], []

    async def run():
        threads = Threads(2, name="work", spare=2)
        tasks = {}
        for number in range(300):
            work = threads.run(
                lambda number=number: begun.append(number) or number, lambda number=number: over.append(number)
            )
            tasks[number] = asyncio.create_task(work)
            if chance.random() < 0.3:
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                tasks[chance.choice(list(tasks))].cancel()
        results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        await closed(threads)
        await settled()
        return [(number, result) for number, result in enumerate(results) if isinstance(result, int)]

    results = asyncio.run(run())
    assert all(number == result for number, result in results)
    assert len(begun) == len(set(begun)) >= len(results)
    assert set(begun) <= set(over)
    assert len(over) == len(set(over))
