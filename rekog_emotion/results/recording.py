"""Record moments as a video: each stands until the next one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rekog_emotion.errors import needs
from rekog_emotion.media.writing import check_output, output_file

with needs("embedded", "Recording"):
    import av
    import numpy as np
    from PIL import Image

    from rekog_emotion.media import pixels
    from rekog_emotion.results.video import check_suffix

if TYPE_CHECKING:
    from rekog_emotion.results.moments import Moment

__all__ = ["Show", "write_moments"]

Show: TypeAlias = "Callable[[Moment], Image.Image]"

_TICK: Final = Fraction(1, 1000)  # seconds; moments have times of whole milliseconds
_LAST: Final = Fraction(1, 2)  # seconds for which the last one stands
_COLORS: Final = pixels.Colors(pixels.BT709, full=False, deep=False)
_OPTIONS: Final = {"preset": "veryfast", "bf": "0", "crf": "18"}


def write_moments(moments: Iterable[Moment], target: str | os.PathLike[str], *, show: Show | None) -> int:
    """Write moments as a video; see `rekog_emotion.record`."""
    path = Path(target)
    check_suffix(path)
    check_output(path, os.fspath(target))
    came = iter(moments)
    first: Moment | None = None
    for one in came:
        if one.analysis is not None:
            first = one
            break
    if first is None:
        return 0
    with output_file(path) as part:
        film = _Film(part, path, first, show)
        failure: BaseException | None = None
        try:
            for one in came:
                film.add(one)
        except BaseException as error:  # noqa: BLE001 -- Ctrl-C, too, is how one ends what has no end
            failure = error
        film.close()
    if failure is not None:
        raise failure
    return film.count


class _Film:
    """A video under way."""

    def __init__(self, part: Path, target: Path, first: Moment, show: Show | None) -> None:
        self.count = 0
        self._target = target
        self._show = show
        self._begin = first.seconds
        self._last = -1
        self._out = av.open(f"file:{part}", "w")
        picture = self._picture(first)
        self._size = picture.size
        width, height = (side + side % 2 for side in picture.size)
        self._track: Any = self._out.add_stream("libx264", rate=30, options=_OPTIONS)
        self._track.width, self._track.height, self._track.pix_fmt = width, height, "yuv420p"
        context = self._track.codec_context
        context.time_base = _TICK
        context.color_range, context.colorspace = pixels.LIMITED_RANGE, pixels.BT709
        self._put(picture, first.seconds)

    def add(self, moment: Moment) -> None:
        """Add a moment, if its frame was looked at: on others nothing is known to be drawn, or to be hidden."""
        if moment.analysis is not None:
            self._put(self._picture(moment), moment.seconds)

    def close(self) -> None:
        """Write the end."""
        try:
            self._mux(None)
        finally:
            self._out.close()

    def _picture(self, moment: Moment) -> Image.Image:
        return moment.draw() if self._show is None else self._show(moment)

    def _put(self, picture: Image.Image, seconds: float) -> None:
        frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
        planes = pixels.planes_of(frame, _COLORS, self._fitted(picture.size))
        shown = pixels.frame_of(planes, _COLORS, (self._track.width, self._track.height))
        shown.time_base = _TICK
        shown.pts = max(round((seconds - self._begin) / _TICK), self._last + 1)
        self._last = shown.pts
        self._mux(shown)
        self.count += 1

    def _fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        if size == self._size:
            return size
        scale = min(Fraction(self._size[0], size[0]), Fraction(self._size[1], size[1]))
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

    def _mux(self, frame: Any) -> None:  # noqa: ANN401 -- a frame of PyAV's, or None for the end
        try:
            for packet in self._track.encode(frame):
                if packet.pts == self._last:
                    packet.duration = round(_LAST / _TICK)
                self._out.mux(packet)
        except av.FFmpegError as error:
            raise OSError(error.errno, error.strerror, os.fspath(self._target)) from error
