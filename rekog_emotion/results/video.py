"""Copies of videos with their faces drawn on or made unrecognisable, and single frames."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from rekog_emotion import _clips
from rekog_emotion._writing import identity, output_file
from rekog_emotion.errors import InvalidInputError, MissingExtraError
from rekog_emotion.models import BoundingBox
from rekog_emotion.results._motion import Motion
from rekog_emotion.results.drawing import VIDEO_SUFFIXES, draw_faces
from rekog_emotion.results.privacy import Method, check_method, conceal

try:
    import av
    from PIL import Image
except ModuleNotFoundError as error:
    what = "Drawing on videos"
    raise MissingExtraError(what, extra="embedded") from error

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from rekog_emotion.analyses import VideoAnalysis

__all__ = ["annotate_video", "blur_video", "check_suffix", "frames_at"]

OnFraction: TypeAlias = Callable[[float], None]

_FLOORED: Final = Fraction(999, 1_000_000)  # seconds; the service rounds times down to milliseconds
_EVEN: Final = 2  # H.264 shares colour between two neighbours
_QUALITY: Final = {"crf": "20", "preset": "veryfast"}


def annotate_video(
    analysis: VideoAnalysis,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    landmarks: bool = False,
    pose: bool = True,
    labels: bool = True,
    on_progress: OnFraction | None = None,
) -> None:
    """Write a copy of a video with the faces drawn on it; emotions are how a face looks, not what a person feels.

    Sound is copied as it is. Frames keep their times, also where the rate varies, and are upright whatever the file
    said of its rotation. The service looks twice a second: in between, a box moves between faces that are plausibly
    the same, and others stay for a quarter of a second. Memory does not grow with the length of the video.

    Args:
        analysis: The faces.
        source: The video that was analysed, a local file.
        target: The copy, H.264 in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``. It appears when it is whole.
        landmarks: Draw the landmarks of the nearest sample; between two of them they move with the box.
        pose: Draw the axes of the pose.
        labels: Write dominant emotion, gender and age range.
        on_progress: Called with the share that is done, 0 to 1, now and then.

    Raises:
        InvalidInputError: The source is no video or is the target itself, the target has another suffix, or its
            container cannot hold the sound of the source.
        MissingExtraError: The ``embedded`` extra, which brings PyAV, is not installed.
        OSError: The source cannot be read, or the target cannot be written.
    """
    motion = Motion(analysis.faces)

    def edit(canvas: Image.Image, milliseconds: float) -> bool:
        faces = motion.at(milliseconds)
        draw_faces(canvas, faces, landmarks=landmarks, pose=pose, labels=labels)
        return bool(faces)

    _copy(Path(source), Path(target), edit, on_progress)


def blur_video(
    analysis: VideoAnalysis,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    method: Method = "blur",
    on_progress: OnFraction | None = None,
) -> None:
    """Write a copy of a video on which the faces that were found cannot be recognised.

    Between two samples a face is hidden wherever it may be: within the frame around both its boxes where it is
    plausibly the same, else for half a second before and after it was seen. A face that the analysis missed, or that
    crosses the picture between two samples, is not hidden: look at the result. The sound is copied as it is.

    Args:
        analysis: The faces.
        source: As for :func:`annotate_video`.
        target: As for :func:`annotate_video`.
        method: ``"blur"``, ``"pixelate"`` or ``"fill"``; see `privacy.blur`.
        on_progress: As for :func:`annotate_video`.

    Raises:
        InvalidInputError: There is no such method; or as for :func:`annotate_video`.
        MissingExtraError: The ``embedded`` extra, which brings PyAV, is not installed.
        OSError: The source cannot be read, or the target cannot be written.
    """
    check_method(method)
    motion = Motion(analysis.faces)

    def edit(canvas: Image.Image, milliseconds: float) -> bool:
        boxes = motion.around(milliseconds)
        for left, top, width, height in boxes:
            box = BoundingBox(left=left, top=top, width=width, height=height)
            conceal(canvas, box.to_pixels(canvas.size), method=method)
        return bool(boxes)

    _copy(Path(source), Path(target), edit, on_progress)


def frames_at(source: str | os.PathLike[str], milliseconds: Iterable[float]) -> Iterator[tuple[float, Image.Image]]:
    """Yield the frames that are on display at given times, upright, in mode RGB.

    Args:
        source: A local video.
        milliseconds: Times from the first frame, in ascending order, for example the ``timestamp_ms`` of faces. What is
            after the end of the video is passed over.

    Yields:
        The time as it was given, and the frame.

    Raises:
        InvalidInputError: The source is no video, or the times do not ascend or are none.
        OSError: The source cannot be read.
    """
    wanted = map(_checked_time, milliseconds)
    time = next(wanted, None)
    if time is None:
        return
    with _clips.opened(source) as (container, stream):
        slack = Fraction(1, 2) / _clips.frame_rate(stream)
        orientation: _clips.Orientation | None = None
        for frame, until in _clips.displayed(_clips.decoded(container, stream), at_least=2 * slack):
            picture: Image.Image | None = None
            while time is not None and Fraction(time) / 1000 + _FLOORED < until:
                if picture is None:
                    orientation = orientation or _clips.orientation_of(frame)
                    picture = Image.fromarray(_clips.upright(frame, orientation))
                yield time, picture.copy()
                following = next(wanted, None)
                if following is not None and following < time:
                    msg = f"times have to ascend, and {following} comes after {time}: sort them"
                    raise InvalidInputError(msg)
                time = following
            if time is None:
                return


def _checked_time(milliseconds: float) -> float:
    if not math.isfinite(milliseconds):
        msg = f"a time is {milliseconds}, and has to be a number of milliseconds"
        raise InvalidInputError(msg)
    return milliseconds


def check_suffix(target: Path) -> None:
    """Refuse a name that no copy of a video can have."""
    if target.suffix.lower() not in VIDEO_SUFFIXES:
        known = f"{', '.join(VIDEO_SUFFIXES[:-1])} or {VIDEO_SUFFIXES[-1]}"
        msg = f"{target}: a video is written as {known}; name it {target.with_suffix('.mp4')}"
        raise InvalidInputError(msg)


# The copy


def _copy(
    source: Path, target: Path, edit: Callable[[Image.Image, float], bool], on_progress: OnFraction | None
) -> None:
    check_suffix(target)
    if identity(target) == identity(source):
        msg = f"{target} is the video itself; name another place for the copy"
        raise InvalidInputError(msg)
    with output_file(target) as part, _clips.opened(source, threads=0) as (container, stream):
        _Copy(container, stream, source=source, target=target, edit=edit, on_progress=on_progress).write(part)


class _Copy:
    """One run through a video: packets of sound pass by, pictures are decoded, edited and encoded."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        *,
        source: Path,
        target: Path,
        edit: Callable[[Image.Image, float], bool],
        on_progress: OnFraction | None,
    ) -> None:
        self._in, self._stream = container, stream
        self._source, self._target = source, target
        self._edit, self._on_progress = edit, on_progress
        self._orientation: _clips.Orientation | None = None
        self._origin = Fraction(0)
        self._last: int | None = None
        self._encoder: Any = None
        self._told = -1.0
        duration = stream.duration
        self._length = float(_clips.seconds_of(stream, duration)) if duration else (container.duration or 0) / 1e6

    def write(self, part: Path) -> None:
        """Write the whole copy; a frame or a packet each is let go before the next."""
        options = {"movflags": "faststart"} if part.suffix.lower() != ".mkv" else {}
        written = False
        try:
            with av.open(f"file:{part}", "w", options=options) as out:
                sounds = self._sounds(out)
                self._pass(sounds, out)
                if self._encoder is None:
                    raise _clips.UnsupportedVideoError(self._source)
                self._mux(out, self._encoder.encode())
                written = True
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            if written and self._in.streams.audio:  # MP4 looks at the channels of raw sound when it is closed
                raise self._unfit_any() from error
            raise
        if self._on_progress is not None:
            self._on_progress(1.0)

    def _pass(self, sounds: dict[Stream, Stream], out: OutputContainer) -> None:
        early: list[Any] = []
        for packet in self._in.demux([self._stream, *sounds]):
            if packet.stream.index == self._stream.index:
                for frame in self._decoded(packet):
                    self._take(frame, out)
            elif packet.dts is not None:
                packet.stream = sounds[packet.stream]
                early.append(packet)
            # The first packet writes the head of the file, and that has the size of the pictures.
            if self._encoder is not None:
                for sound in early:
                    self._mux(out, sound)
                early.clear()

    def _sounds(self, out: OutputContainer) -> dict[Stream, Stream]:
        # The track of pictures comes first in the copy; its size is known with the first frame.
        self._encoder = None
        self._track = out.add_stream("libx264", rate=self._stream.average_rate or 30, options=dict(_QUALITY))
        sounds: dict[Stream, Stream] = {}
        for sound in self._in.streams.audio:
            if sound.codec_context is None:
                continue
            try:
                sounds[sound] = out.add_stream_from_template(sound)
            except (ValueError, av.FFmpegError) as error:
                raise self._unfit(sound.codec_context.name) from error
        return sounds

    def _decoded(self, packet: Any) -> Iterator[VideoFrame]:  # noqa: ANN401 -- a packet of pictures
        try:
            yield from packet.decode()
        except av.FFmpegError:
            return  # damaged parts are passed over, as players do

    def _take(self, frame: VideoFrame, out: OutputContainer) -> None:
        if frame.pts is None:
            return
        at = _clips.seconds_of(frame, frame.pts)
        if self._orientation is None:
            # One for all: in PyAV a frame and its side data hold each other until the next collection.
            self._orientation = _clips.orientation_of(frame)
            self._origin = at
            self._start(frame, out)
        if self._last is not None and frame.pts <= self._last:
            return  # an encoder wants times that ascend
        self._last = frame.pts
        seconds = float(at - self._origin)
        self._mux(out, self._encoder.encode(self._edited(frame, seconds * 1000)))
        if self._on_progress is not None and self._length and seconds - self._told >= 1:
            self._told = seconds
            self._on_progress(min(seconds / self._length, 1.0))

    def _start(self, frame: VideoFrame, out: OutputContainer) -> None:
        width, height = frame.width, frame.height
        if self._orientation is not None and self._orientation.turned:
            width, height = height, width
        self._track.width, self._track.height = width + width % _EVEN, height + height % _EVEN
        self._track.pix_fmt = "yuv420p"
        self._track.codec_context.time_base = cast("Fraction", frame.time_base)  # a decoded frame has one
        self._track.codec_context.thread_count = 0
        try:
            out.start_encoding()
        except (ValueError, av.FFmpegError) as error:
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise self._unfit_any() from error
        self._encoder = self._track

    def _unfit(self, sound: str) -> InvalidInputError:
        name = self._target.with_suffix(".mkv").name
        msg = f"{self._target}: this container cannot hold the sound of {self._source} ({sound}); name the copy {name}"
        return InvalidInputError(msg)

    def _unfit_any(self) -> InvalidInputError:
        return self._unfit(", ".join(sound.codec_context.name for sound in self._in.streams.audio))

    def _mux(self, out: OutputContainer, packets: Any) -> None:  # noqa: ANN401 -- a packet or several
        try:
            out.mux(packets)
        except av.FFmpegError as error:
            # What fails in writing is not the fault of the source.
            raise self._unwritable(error) from error

    def _unwritable(self, error: Any) -> OSError:  # noqa: ANN401 -- of PyAV, which has an errno
        return OSError(error.errno, error.strerror, os.fspath(self._target))

    def _edited(self, frame: VideoFrame, milliseconds: float) -> VideoFrame:
        assert self._orientation is not None, "read with the first frame"  # noqa: S101 -- for the type checker
        canvas = Image.fromarray(_clips.upright(frame, self._orientation))
        self._edit(canvas, milliseconds)
        if canvas.size != (self._track.width, self._track.height):
            padded = Image.new("RGB", (self._track.width, self._track.height))
            padded.paste(canvas)
            canvas = padded
        edited: VideoFrame = av.VideoFrame.from_image(canvas)  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
        edited.pts, edited.time_base = frame.pts, frame.time_base
        return edited
