"""The verbs for what is live, performed in threads: frames in, people out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TypedDict, Unpack

from rekog_emotion.blocking.clock import Clock, system_clock
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.protocols import ClientName, RekognitionClient, of_stream
from rekog_emotion.flows.live import WatchOptions, WatchRequest, asked
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.flows.steps import Flow
from rekog_emotion.results.arguments import Image
from rekog_emotion.results.moments import Moment
from rekog_emotion.sources.frames import FrameSource, frames_of
from rekog_emotion.sources.reading import Frames
from rekog_emotion.values.progress import OnProgress

__all__ = ["record", "watch"]


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: As for :func:`detect_image`. With AWS each sample is a call of DetectFaces, and paid for. Default:
            ``None``.
    """

    client: RekognitionClient | ClientName | None


@described
class _Listeners(TypedDict, total=False):
    """Who is told, who may end it, and by which time.

    Attributes:
        on_progress: Called with a :class:`Progress` when a stream is lost. Default: ``None``.
        cancel: Ends it at once when set, as leaving it does. Default: ``None``.
        clock: Where time comes from, for tests. Default: ``None``, the system.
    """

    on_progress: OnProgress | None
    cancel: threading.Event | None
    clock: Clock | None


class WatchFramesOptions(_Performer, WatchOptions, _Listeners, total=False):
    """Options of ``watch``."""


@spelled_out(WatchFramesOptions, defaults=WatchRequest)
def watch(frames: FrameSource, **options: Unpack[WatchFramesOptions]) -> Generator[Moment]:
    """Say who is there, how they look and since when, while it is filmed: a moment a sample.

    Emotions are how a face looks, not what a person feels. Frames stay in memory, and whoever is filmed has to know:
    the guide on watching says what the law asks for.

    The newest frame wins: however slow the client is, it never works on an old one, and ``skipped`` counts the samples
    that there was no time for. A camera that is unplugged, a stream that stalls, a service that is busy: each is a
    moment without people whose ``reason`` says why; what is lost is opened again, later and later, and a busy service
    is asked half as often until it is not. What is wrong from the beginning, or will not pass, is raised.

    Args:
        frames: A camera (its number, or ``"camera:NAME"``), an address (``rtsp://``, ``http://``, also HLS, ``rtmp://``,
            ``srt://``, ``udp://``), or a file, which is read at its own speed; these need the ``embedded`` extra. Or
            an iterable of RGB arrays or PIL pictures, each taken at the time when it comes, by a thread of its own; or
            of pairs of seconds and a picture, which are read as they are asked for, so that none is missed. Pictures of
            a list are taken to be a sample apart.
        **options: Those of ``WatchFramesOptions``.

    Yields:
        A moment a sample. Whoever stops asking closes the iterator, or lets go of it: camera and threads are then free,
        for what reads is waited for, half a second at most. What nobody can interrupt takes longer, and ends by itself:
        an iterable that waits for its own next frame, a network that is silent.

    Raises:
        InvalidInputError: There are no frames in what was given, the camera or the stream is not there, or an option
            cannot be used.
        MissingExtraError: The ``timeline`` extra is not installed, or ``embedded`` for cameras, addresses and files.
        ConfigurationError: AWS is not configured.
        ServiceError: The service refused for good.
    """
    plan = asked(options)
    from rekog_emotion.flows.watching import watched

    time = options["clock"] or system_clock()
    stop = options["cancel"] or threading.Event()
    source = frames_of(frames, rate=plan.rate, clock=time, cancel=stop)
    driver = Driver(client=of_stream(resolve_client(options["client"])), clock=time)
    flow = watched(source, plan, facts=driver.facts)
    return _moments(driver, flow, source, stop, options["on_progress"])


def record(
    moments: Iterable[Moment], target: str | os.PathLike[str], *, show: Callable[[Moment], Image] | None = None
) -> int:
    """Write moments as a video while they come, with the people drawn on it: how faces look, not what people feel.

    It is the one way in which frames that are watched leave the memory: whoever is filmed has to know, and mostly to
    agree. The file appears when the last moment has come. Where the moments end by an error or by Ctrl-C, what came so
    far is kept, and the error goes on. While there is no frame, or nobody looked at it, the one before stands. A frame
    of another size is fitted into that of the first.

    Args:
        moments: What :func:`watch` gives, or an iterator that hands it on.
        target: H.264, in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``.
        show: What is recorded of a moment; left out, what ``moment.draw()`` gives. ``lambda moment: moment.blur()``
            hides the faces that were found.

    Returns:
        The number of frames that were written; where it is 0, there is no file.

    Raises:
        InvalidInputError: The target cannot be written, or has another suffix.
        MissingExtraError: The ``embedded`` extra is not installed.
        OSError: The disk is full, for instance.
    """
    from rekog_emotion.results.recording import write_moments

    return write_moments(moments, target, show=show)


def _moments(
    driver: Driver, flow: Flow[None], source: Frames, cancel: threading.Event, on_progress: OnProgress | None
) -> Generator[Moment]:
    try:
        yield from driver.iterate(flow, cancel=cancel, on_progress=on_progress)
    finally:
        source.close()
