"""Write a copy of a video: sound passes by, pictures are decoded, drawn on in some places, and encoded."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import av
import numpy as np
from av.codec.context import Flags
from PIL import Image

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media import clips, pixels

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["Copy", "Edit", "OnFraction"]

OnFraction: TypeAlias = Callable[[float], None]
Edit: TypeAlias = Callable[[float, float], Callable[[Image.Image], None] | None]
"""Tells what is drawn on the picture that is on display from one millisecond until another."""

_EVEN: Final = 2  # H.264 shares colour between two neighbours
# Colours stay within two of 255. Without frames out of order, each is as long as it says, however rarely frames come.
_QUALITY: Final = {"preset": "veryfast", "bf": "0"}
_PARAMETERS: Final = {
    "libx264": {"crf": "12", "x264-params": "chroma-qp-offset=-8"},
    # By itself it writes to the terminal.
    "libx265": {"crf": "9", "x265-params": "log-level=none:cbqpoffs=-8:crqpoffs=-8"},
}
_INTERLACED: Final = Flags.interlaced_dct | Flags.interlaced_me
_BOTTOM_FIRST: Final = (3, 4)  # AV_FIELD_BB and AV_FIELD_TB: which of two fields is displayed first
_HEVC_LEAST: Final = 64  # pixels a side: its largest block, below which libx265 writes beside its memory
_TICK: Final = Fraction(1, 10_000)  # seconds; of a clock that lets frames lie between those of a coarse one


class Copy:
    """One run through a video."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        *,
        source: Path,
        target: Path,
        edit: Edit,
        on_progress: OnFraction | None,
    ) -> None:
        self._in, self._stream = container, stream
        self._source, self._target = source, target
        self._edit, self._on_progress = edit, on_progress
        self._told = -1.0
        duration = stream.duration
        self._length = float(clips.seconds_of(stream, duration)) if duration else (container.duration or 0) / 1e6
        self._sounds = [one for one in container.streams.audio if one.codec_context is not None]
        self._early: list[Packet[Stream]] = []
        self._tracks: dict[int, Stream] = {}  # of sound, in the copy, by their index in the source
        # What the first picture decides is set by `_start`.
        self._encoder: Any = None
        self._origin = Fraction(0)
        self._last: int | None = None
        self._lengths: dict[int, int] = {}  # of pictures that are being encoded, in ticks, by their time

    def write(self, part: Path) -> None:
        """Write the whole copy; a frame or a packet each is let go before the next."""
        options = {"movflags": "faststart"} if part.suffix.lower() != ".mkv" else {}
        written = False
        try:
            with av.open(f"file:{part}", "w", options=options) as out:
                self._pass(out)
                if self._encoder is None:
                    raise clips.UnsupportedVideoError(self._source)
                self._mux_pictures(out, None)
                written = True
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            if written and self._sounds:  # MP4 looks at the channels of raw sound when it is closed
                raise self._unfit_any() from error
            raise
        if self._on_progress is not None:
            self._on_progress(1.0)

    def _pass(self, out: OutputContainer) -> None:
        frames = clips.decoded(self._in, self._stream, self._sounds, lambda packet: self._take_sound(packet, out))
        for frame, since, until in clips.shown(self._in, self._stream, frames):
            if self._encoder is None:
                self._start(frame, out)
            self._mux_pictures(out, self._edited(frame, since, until))
            if self._on_progress is not None and self._length and since - self._told >= 1:
                self._told = float(since)
                self._on_progress(min(self._told / self._length, 1.0))

    def _take_sound(self, packet: Packet[Stream], out: OutputContainer) -> None:
        if packet.dts is None:
            return
        # The first packet writes the head of the file, and that has the size of the pictures.
        if self._encoder is None:
            self._early.append(packet)
            return
        packet.stream = self._tracks[packet.stream_index]
        self._mux(out, packet)

    def _start(self, frame: VideoFrame, out: OutputContainer) -> None:
        """Make the tracks of the copy, by the first picture."""
        # One for all: in PyAV a frame and its side data hold each other until the next collection.
        self._orientation = clips.orientation_of(frame, self._stream)
        self._colors = pixels.colors_of(frame)
        self._size = frame.width, frame.height
        if frame.pts is not None:
            self._origin = clips.seconds_of(frame, frame.pts)
        track = self._track(frame, out)
        for sound in self._sounds:
            try:
                self._tracks[sound.index] = out.add_stream_from_template(sound)
            except (ValueError, av.FFmpegError) as error:
                raise self._unfit(sound.codec_context.name) from error
        try:
            out.start_encoding()
        except (ValueError, av.FFmpegError) as error:
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise self._unfit_any() from error
        self._encoder = track
        for packet in self._early:
            self._take_sound(packet, out)
        self._early.clear()

    def _track(self, frame: VideoFrame, out: OutputContainer) -> VideoStream:
        """Add the track of the pictures, which says of its colours, its pixels and its clock what the source does."""
        colors, (width, height), aspect = self._colors, self._size, self._orientation.aspect
        name = "libx264"
        # What shows ten bits shows them of HEVC.
        if colors.deep and min(self._size) >= _HEVC_LEAST and "libx265" in av.codecs_available:
            name = "libx265"
        options = _QUALITY | _PARAMETERS[name]
        interlaced = frame.interlaced_frame and name == "libx264" and not self._orientation.turned
        if interlaced:
            told = getattr(self._stream.codec_context, "field_order", None)  # PyAV 18 and later
            order = "bff" if told in _BOTTOM_FIRST else "tff"
            options["x264-params"] += f":{order}=1"
        rate = self._stream.average_rate or 30
        track = cast("VideoStream", out.add_stream(name, rate=rate, options=options))
        context = track.codec_context
        if name == "libx265" and self._target.suffix.lower() != ".mkv":
            context.codec_tag = "hvc1"  # the only one that Apple plays
        if interlaced:
            context.flags |= _INTERLACED
        if self._orientation.turned:
            width, height, aspect = height, width, 1 / aspect
        track.width, track.height = width + width % _EVEN, height + height % _EVEN
        track.pix_fmt = "yuv420p10le" if colors.deep else "yuv420p"
        context.sample_aspect_ratio = aspect
        context.color_range = pixels.FULL_RANGE if colors.full else pixels.LIMITED_RANGE
        # What the source does not say the copy has to say where players would guess something else of its size.
        guessed = frame.colorspace == pixels.UNSPECIFIED and pixels.guessed_matrix(width, height) != colors.matrix
        context.colorspace = colors.matrix if guessed or pixels.is_rgb(frame) else frame.colorspace
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
        tick = cast("Fraction", frame.time_base)  # a decoded frame has one
        context.time_base = tick / math.ceil(tick / _TICK)
        context.thread_count = 0
        return track

    def _edited(self, frame: VideoFrame, since: Fraction, until: Fraction) -> VideoFrame:
        """Return the picture of the copy: the planes of the source, but where something is drawn."""
        size, turn = self._fitted(frame), self._orientation.turn
        luma, blue, red = map(turn, pixels.planes_of(frame, self._colors, size))
        planes: pixels.Planes = luma, blue, red
        if (draw := self._edit(float(since * 1000), float(until * 1000))) is not None:
            before = np.ascontiguousarray(turn(pixels.rgb(frame, size)))
            canvas = Image.fromarray(before)
            draw(canvas)
            planes = pixels.blend(planes, before, np.asarray(canvas), self._colors)
        edited = pixels.frame_of(planes, self._colors, (self._encoder.width, self._encoder.height))
        edited.time_base = self._encoder.codec_context.time_base
        begin = round((self._origin + since) / edited.time_base)
        edited.pts = begin if self._last is None else max(begin, self._last + 1)
        self._last = edited.pts
        self._lengths[edited.pts] = max(round((self._origin + until) / edited.time_base) - edited.pts, 1)
        return edited

    def _fitted(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the size of a picture in the copy: as large as the first one has room for, where it has another."""
        if (frame.width, frame.height) == self._size:
            return self._size
        scale = min(Fraction(self._size[0], frame.width), Fraction(self._size[1], frame.height))
        return max(1, round(frame.width * scale)), max(1, round(frame.height * scale))

    def _mux_pictures(self, out: OutputContainer, frame: VideoFrame | None) -> None:
        for packet in self._encoder.encode(frame):
            # PyAV takes all pictures to be as long as the mean one.
            packet.duration = self._lengths.pop(packet.pts, packet.duration)
            self._mux(out, packet)

    def _mux(self, out: OutputContainer, packet: Any) -> None:  # noqa: ANN401 -- of pictures or of sound
        try:
            out.mux(packet)
        except av.FFmpegError as error:
            # What fails in writing is not the fault of the source.
            raise self._unwritable(error) from error

    def _unfit(self, sound: str) -> InvalidInputError:
        name = self._target.with_suffix(".mkv").name
        msg = f"{self._target}: this container cannot hold the sound of {self._source} ({sound}); name the copy {name}"
        return InvalidInputError(msg)

    def _unfit_any(self) -> InvalidInputError:
        return self._unfit(", ".join(sound.codec_context.name for sound in self._sounds))

    def _unwritable(self, error: Any) -> OSError:  # noqa: ANN401 -- of PyAV, which has an errno
        return OSError(error.errno, error.strerror, os.fspath(self._target))
