"""Frames as callers have them: cameras, addresses and files at their own speed, and pictures of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import chain
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.addresses import Origin, Position, address_of, camera_of
from rekog_emotion.media.files import is_folder, is_there, where_to_look
from rekog_emotion.sources.naming import Picture, _is_array, _is_file, _is_image, name_of
from rekog_emotion.sources.places import locate
from rekog_emotion.sources.reading import Frame, Frames, Read, Shot, Shots, StalledError, Timer
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3Object

if TYPE_CHECKING:
    from rekog_emotion.media.clips import Display, Orientation

__all__ = ["FrameSource", "Picture", "frames_of"]

FrameSource: TypeAlias = int | str | os.PathLike[str] | Iterable[Picture] | Iterable[tuple[float, Picture]]

_DIMENSIONS: Final = 3  # of a picture: height, width and channels
_CAMERA: Final = "camera:"
_DEVICE: Final = "/dev/video"
_NOTHING: Final = object()


def frames_of(
    source: Any,  # noqa: ANN401 -- whatever a caller passes
    *,
    rate: float,
    clock: Timer,
    cancel: threading.Event | None,
    pull: Callable[[AsyncIterable[Any]], Iterator[Any]] | None = None,
) -> Frames:
    """Return what a caller's frames are read by; nothing is opened.

    Args:
        source: As the caller has them.
        rate: Samples a second.
        clock: Where time comes from.
        cancel: Set when the caller cancels.
        pull: Yields, in a thread, what an asynchronous iterable gives; left out, none can be watched.

    Raises:
        InvalidInputError: There are no frames in it.
    """
    if isinstance(source, (str, int, os.PathLike)) and not isinstance(source, bool):
        return _place(source, clock, cancel)
    if _is_image(source) or (_is_array(source) and source.ndim <= _DIMENSIONS):
        msg = f"{name_of(source)}: this is one picture; pass an iterable of them, or the one to detect_image"
        raise InvalidInputError(msg)
    if _is_file(source) and hasattr(source, "isOpened"):
        msg = (
            "a VideoCapture gives no frames by itself; pass a generator that reads it, and yields RGB: frame[..., ::-1]"
        )
        raise InvalidInputError(msg)
    name = name_of(source)
    if isinstance(source, AsyncIterable):
        if pull is not None:
            return Read(_own_shots(lambda: pull(source), name), name=name, clock=clock, cancel=cancel)
        msg = f"{name}: frames of an asynchronous iterable cannot be watched by a thread; pass an iterable"
        raise InvalidInputError(msg)
    if isinstance(source, (bytes, bytearray, memoryview)) or not isinstance(source, Iterable) or _is_file(source):
        msg = (
            f"{name}: there are no frames in it; pass the number of a camera, an address, the path of a "
            "video, or an iterable of arrays or PIL pictures"
        )
        raise InvalidInputError(msg)
    apart = 1 / rate if isinstance(source, Sequence) or _is_array(source) else None
    return Read(_own_shots(lambda: iter(source), name, apart=apart), name=name, clock=clock, cancel=cancel)


def _place(source: int | str | os.PathLike[str], clock: Timer, cancel: threading.Event | None) -> Frames:
    if isinstance(source, int):
        if source < 0:
            msg = f"{source} is no camera: they are counted from 0"
            raise InvalidInputError(msg)
        source = f"{_CAMERA}{source}"
    text = os.fsdecode(source)
    if text.startswith((_CAMERA, _DEVICE)) or "://" in text:
        origin = camera_of(text.removeprefix(_CAMERA)) if text.startswith((_CAMERA, _DEVICE)) else address_of(text)
        if origin is not None:
            return Read(_stream_shots(origin), name=origin.name, clock=clock, cancel=cancel, again=True)
    path = locate(source)
    if isinstance(path, S3Object):
        msg = f"{text} is in S3, whence nothing is live: use analyze_video"
        raise InvalidInputError(msg)
    if not is_there(path):
        msg = (
            f"{shown(text)}: there is no such file; {where_to_look(text)}, or pass a camera's number or an address "
            "such as rtsp://host/stream"
        )
        raise InvalidInputError(msg)
    if is_folder(path):
        msg = f"{shown(text)}: this is a folder; pass the path of one video"
        raise InvalidInputError(msg)
    return Clip(path, clock=clock, cancel=cancel)


def _stream_shots(origin: Origin) -> Shots:
    position = Position()

    def shots(closed: Callable[[], bool]) -> Generator[Shot]:
        from rekog_emotion.media.streams import LostError, pictures  # in the thread that reads

        @contextmanager
        def told() -> Iterator[None]:
            try:
                yield
            except LostError as error:
                raise StalledError(str(error), lost=True) from None

        with told():
            for seconds, picture in pictures(origin, closed, position):
                yield Shot(seconds, told()(picture))

    return shots


def _own_shots(begin: Callable[[], Iterator[Any]], name: str, *, apart: float | None = None) -> Shots:
    """Yield the caller's pictures; those of a list without times are taken to be a sample apart, not to come live."""

    def shots(_: Callable[[], bool]) -> Generator[Shot]:
        frames = begin()
        first = next(frames, _NOTHING)
        if first is _NOTHING:
            return
        timed = isinstance(first, tuple)
        last = -1.0
        for number, one in enumerate(chain([first], frames)):
            where = f"{name}: frame {number}"
            seconds, picture = _pair(one, where) if timed else (None, one)
            if not (_is_image(picture) or _is_array(picture)):
                msg = f"{where} is of type {type(picture).__name__}: let it be an array or a PIL picture"
                raise InvalidInputError(msg)
            if seconds is not None:
                if not (0 <= seconds < float("inf") and last < seconds):
                    before = f", after one of {last} s" if number else ""
                    msg = f"{where} is of {seconds} s{before}: times have to ascend from 0"
                    raise InvalidInputError(msg)
                last = seconds
            elif apart is not None:
                seconds = number * apart
            yield Shot(seconds, _same(picture))

    return shots


def _pair(one: Any, where: str) -> tuple[float, Any]:  # noqa: ANN401 -- whatever a caller passes
    if not isinstance(one, tuple) or len(one) != 2 or isinstance(one[0], bool) or not isinstance(one[0], Real):  # noqa: PLR2004 -- a pair
        msg = f"{where} is no pair of seconds and a picture; give all of them a time, or none"
        raise InvalidInputError(msg)
    return float(one[0]), one[1]


def _same(picture: Any) -> Callable[[], Any]:  # noqa: ANN401 -- an array or a PIL picture
    return lambda: picture


class Clip:
    """A local video at its own speed; it is read as it is asked for."""

    def __init__(self, path: Path, *, clock: Timer, cancel: threading.Event | None) -> None:
        self.name = str(path)
        self._path, self._clock, self._cancel = path, clock, cancel
        self._stack = ExitStack()
        self._begin = 0.0
        self._target, self._told = Fraction(0), -1
        self._slack = Fraction(0)
        self._clips: Any = None
        self._stream: Any = None
        self._orientation: Orientation | None = None
        self._shown: Iterator[Display] | None = None
        self._display: Display | None = None

    def open(self) -> None:
        """Open the file.

        Raises:
            InvalidInputError: No video can be decoded from it.
            MissingExtraError: It needs the ``embedded`` extra.
            OSError: It cannot be read.
        """
        from rekog_emotion.media import clips

        self._clips = clips
        container, stream = self._stack.enter_context(clips.opened(self._path))
        self._stream, self._orientation = stream, None
        self._slack = min(clips.ROUNDING, 1 / clips.frame_rate(stream) / 2)
        wanted = clips.spared(container, stream, lambda _, until: until - self._slack > self._target)
        self._shown = clips.shown(container, stream, wanted)
        self._begin = self._clock.now()

    def now(self) -> float:
        """Return the seconds since it was opened."""
        return self._clock.now() - self._begin

    def take(self, due: float) -> Frame | None:
        """Return the frame that is on display when one is due, or now where that is past."""
        if self._shown is None:
            return None
        self._target = Fraction(max(due, self.now() if due else 0.0))
        while self._display is None or self._display.until - self._slack <= self._target:
            self._display = next(self._shown, None)
            if self._cancel is not None and self._cancel.is_set():
                return None
            if self._display is None:
                if self._told < 0:  # what could be opened, and has no picture, is no video
                    raise self._clips.UnsupportedVideoError(self._path)
                return None
        frame = self._display.frame
        # One for all: in PyAV a frame and its side data hold each other until the next collection.
        self._orientation = self._orientation or self._clips.orientation_of(frame, self._stream)
        picture = self._clips.upright(frame, self._orientation)
        if (wait := float(self._target) - self.now()) > 0:
            self._clock.sleep(wait, self._cancel)
        # One that stays long is seen again, at a later time.
        since, target = int(self._display.since * 1000), int(self._target * 1000)
        self._told = since if since > self._told else max(target, self._told + 1)
        return None if self._cancel is not None and self._cancel.is_set() else Frame(self._told / 1000, picture)

    def close(self) -> None:
        """Close the file."""
        self._shown = self._display = None
        self._stack.close()
