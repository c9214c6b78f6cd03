"""The verb for what is live, in asyncio: frames in, people out."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeAlias, TypedDict, TypeVar, Unpack

from attrs import define, field

from rekog_emotion import workers
from rekog_emotion.aio.clock import Clock, LoopClock, TaskClock, time_of
from rekog_emotion.aio.driver import Driver
from rekog_emotion.aio.gathering import wholly
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.protocols import AnyClient, ClientName, of_stream
from rekog_emotion.flows.live import WatchOptions, WatchRequest, asked
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.flows.steps import Flow
from rekog_emotion.results.arguments import Image
from rekog_emotion.results.moments import Moment
from rekog_emotion.sources.frames import FrameSource, Picture, frames_of
from rekog_emotion.sources.reading import Frames, OneByOne
from rekog_emotion.values.progress import OnProgress

__all__ = ["AnyFrameSource", "record", "watch"]

AnyFrameSource: TypeAlias = FrameSource | AsyncIterable[Picture] | AsyncIterable[tuple[float, Picture]]

T = TypeVar("T")
_END: Final = object()


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: As for :func:`rekog_emotion.aio.detect_image`. Default: ``None``.
    """

    client: AnyClient | ClientName | None


@described
class _Listeners(TypedDict, total=False):
    """Who is told, and by which time.

    Attributes:
        on_progress: A plain function, called in the loop with a :class:`Progress` when a stream is lost. Default:
            ``None``.
        clock: Where time comes from, for tests. Default: ``None``, the loop.
    """

    on_progress: OnProgress | None
    clock: Clock | None


class WatchFramesOptions(_Performer, WatchOptions, _Listeners, total=False):
    """Options of ``watch``."""


@spelled_out(WatchFramesOptions, defaults=WatchRequest)
def watch(frames: AnyFrameSource, **options: Unpack[WatchFramesOptions]) -> AsyncGenerator[Moment, None]:
    """Say who is there, how they look and since when, while it is filmed: a moment a sample.

    Emotions are how a face looks, not what a person feels. Frames stay in memory, and whoever is filmed has to know:
    the guide on watching says what the law asks for.

    What comes is what :func:`rekog_emotion.watch` gives: the newest frame wins, what goes wrong on the way is a moment
    with a ``reason``. Cancelling the task is the cancel: camera and threads are then free, but for what takes longer
    than half a second and nobody can interrupt, a blocking iterable or a silent network, which ends by itself.
    ``async with contextlib.aclosing(watch(...))`` frees them before the next statement where the loop is left early.

    Args:
        frames: As for :func:`rekog_emotion.watch`; or an asynchronous iterable of pictures, or of pairs of seconds and
            a picture, as that of another task. It is asked in the loop, and whatever else there is, read in threads.
        **options: Those of ``WatchFramesOptions``.

    Returns:
        An asynchronous iterator of moments, one a sample.

    Raises:
        InvalidInputError: An option or the frames cannot be used. That a camera or a stream is not there is raised when
            the first moment is asked for.
        RekogEmotionError: Whatever else :func:`rekog_emotion.watch` raises, likewise.
    """
    plan = asked(options)
    time = time_of(options["clock"])
    loop = _Loop(time)
    source = OneByOne(frames_of(frames, rate=plan.rate, clock=loop, cancel=loop.ended, pull=loop.pulled))

    async def moments() -> AsyncGenerator[Moment, None]:
        loop.begin()
        pool = workers.Threads()
        watched = await asyncio.get_running_loop().run_in_executor(pool, _loaded)
        driver = Driver(client=of_stream(await resolve(options["client"])), clock=time, pool=pool)
        flow = watched(source, plan, facts=driver.facts)
        try:
            async with aclosing(driver.iterate(flow, on_progress=options["on_progress"])) as given:
                async for moment in given:
                    yield moment
        finally:
            freeing = asyncio.ensure_future(_freed(loop, source, driver))
            try:
                await wholly([freeing])
            finally:
                freeing.result()

    return moments()


async def record(
    moments: AsyncIterable[Moment],
    target: str | os.PathLike[str],
    *,
    show: Callable[[Moment], Image] | None = None,
) -> int:
    """Write moments as a video while they come, as :func:`rekog_emotion.record` does.

    Whoever is filmed has to know, and mostly to agree: it is the one way in which frames that are watched leave the
    memory. Drawing and writing are done in a thread. Where the task is cancelled or the moments end by an error, what
    came so far is kept, and that goes on.

    Args:
        moments: What :func:`watch` gives, or an asynchronous iterator that hands it on.
        target: H.264, in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``.
        show: What is recorded of a moment, called in the thread; left out, what ``moment.draw()`` gives. ``lambda
            moment: moment.blur()`` hides the faces that were found.

    Returns:
        The number of frames that were written; where it is 0, there is no file.

    Raises:
        CancelledError: The task was cancelled; the file is whole, and has what came so far.
        RekogEmotionError: Whatever :func:`rekog_emotion.record` raises.
        OSError: The disk is full, for instance.
    """
    loop = _Loop(LoopClock())
    loop.begin()
    write = partial(_written, loop.pulled(moments), target, show)
    writing = asyncio.get_running_loop().run_in_executor(workers.Threads(), write)
    try:
        await asyncio.wait([writing])
    except asyncio.CancelledError as cancel:
        await wholly([asyncio.ensure_future(loop.end()), writing])
        raise cancel from writing.exception()
    return writing.result()


def _loaded() -> Callable[..., Flow[None]]:
    """Load what watches, in a thread: SciPy takes half a second."""
    from rekog_emotion.flows.watching import watched

    return watched


def _written(moments: Iterator[Moment], target: str | os.PathLike[str], show: Callable[[Moment], Image] | None) -> int:
    """Write moments, in a thread."""
    from rekog_emotion.results.recording import write_moments

    return write_moments(moments, target, show=show)


async def _freed(loop: _Loop, source: Frames, driver: Driver) -> None:
    await loop.end()
    await driver.aside(source.close)


@define
class _Loop:
    """What the threads of a watching want of the loop: its time, and the caller's frames.

    Attributes:
        ended: Set when it is over; whoever waits then is let go.
    """

    _clock: TaskClock
    ended: threading.Event = field(factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _tasks: set[asyncio.Task[Any]] = field(factory=set)

    def begin(self) -> None:
        """Serve from the running loop."""
        self._loop = asyncio.get_running_loop()

    async def end(self) -> None:
        """Let go of whoever waits."""
        self.ended.set()
        if tasks := set(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def now(self) -> float:
        """Return the time."""
        if isinstance(self._clock, LoopClock) and self._loop is not None:
            return self._loop.time()  # of any thread; the clock asks for the loop that runs in its own
        return self._clock.now()

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:  # noqa: ARG002 -- it is `ended`
        """Return after so many seconds, or when it is over."""
        self._await(lambda: self._clock.sleep(seconds))

    def pulled(self, frames: AsyncIterable[T]) -> Iterator[T]:
        """Yield, in a thread, what an asynchronous iterable gives in the loop."""
        own = aiter(frames)
        while (one := self._await(lambda: anext(own, _END))) is not _END:
            yield one

    def _await(self, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 -- whatever it gives
        """Wait for something that is done in the loop; at the end for nothing."""

        async def done() -> Any:  # noqa: ANN401 -- likewise
            task = asyncio.current_task()
            if task is None or self.ended.is_set():
                return _END
            self._tasks.add(task)
            try:
                return await work()
            finally:
                self._tasks.discard(task)

        if self._loop is None:
            msg = "frames are taken of what is open"
            raise AssertionError(msg)
        try:
            return asyncio.run_coroutine_threadsafe(done(), self._loop).result()
        except CancelledError:
            return _END
