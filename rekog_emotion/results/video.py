"""Copies of videos with their faces drawn on or made unrecognisable, and single frames."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.media import clips
from rekog_emotion.media.writing import identity, output_file
from rekog_emotion.people.motion import Motion
from rekog_emotion.results.arguments import Labels, Paint
from rekog_emotion.results.at_hand import check_readable, check_same_video
from rekog_emotion.results.drawing import VIDEO_SUFFIXES, draw_faces
from rekog_emotion.results.privacy import Method, check_method, conceal
from rekog_emotion.results.protocols import VideoFaces, check_succeeded
from rekog_emotion.values.faces import BoundingBox
from rekog_emotion.values.numbers import as_float

with needs("embedded", "Drawing on videos"):
    import av  # noqa: F401 -- what copies videos needs it, and this is the place that says so
    import numpy as np
    from PIL import Image

    from rekog_emotion.people.sampling import interval_of, step_of
    from rekog_emotion.results._copying import Copy, Edit, OnFraction
    from rekog_emotion.results._style import Style

__all__ = ["annotate_video", "blur_video", "check_suffix", "frames_at"]

_FLOORED: Final = Fraction(999, 1_000_000)  # seconds; the service rounds times down to milliseconds


def annotate_video(
    analysis: VideoFaces,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    landmarks: bool = False,
    pose: bool = True,
    labels: Labels = True,
    min_confidence: float = 0,
    color: Paint | None = None,
    width: float | None = None,
    on_progress: OnFraction | None = None,
) -> None:
    """Write a copy of a video with the faces drawn on it; emotions are how a face looks, not what a person feels.

    Sound is copied as it is. Frames keep their times, also where the rate varies, their colours, within two of 255, and
    the shape of their pixels; they are upright whatever the file said of its rotation. A frame that was looked at shows
    what was found on it. In between, a box moves between faces that are plausibly the same, and others stay for half a
    second, or for a quarter where somebody new is found next. Memory does not grow with the length of the video.

    Args:
        analysis: The faces.
        source: The video that was analysed, a local file.
        target: The copy, H.264, or HEVC of more than eight bits, in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``. It
            appears when it is whole.
        landmarks: Draw the landmarks of the nearest sample; between two of them they move with the box.
        pose: Draw the axes of the pose.
        labels: Write dominant emotion, gender and age range; or a function of a face that gives what its label says.
        min_confidence: Leave out what is less surely a face, 0 to 100.
        color: Of boxes, landmarks and labels, instead of the emotion's; as for `drawing.draw`.
        width: Of the lines of boxes, in pixels; left out, they follow the face.
        on_progress: Called with the share that is done, 0 to 1, now and then.

    Raises:
        InvalidInputError: The source is not there, is no video, has another shape or length than what was analysed, or
            is the target itself; the target cannot be written, has another suffix, or its container cannot hold the
            sound of the source; or an option cannot be used.
        MissingExtraError: The ``embedded`` extra, which brings PyAV, is not installed.
        OSError: The disk is full, for instance.
    """
    check_succeeded(analysis)
    style = Style(
        landmarks=landmarks, pose=pose, labels=labels, min_confidence=min_confidence, color=color, width=width
    )

    def edit_of(rate: Fraction) -> Edit:
        motion = Motion(analysis.faces, step=_step(analysis, rate))

        def edit(since: float, until: float) -> Callable[[Image.Image], None] | None:
            if not (faces := motion.at(since, until)):
                return None
            return lambda canvas: draw_faces(canvas, faces, style)

        return edit

    _copy(analysis, Path(source), Path(target), edit_of, on_progress)


def blur_video(
    analysis: VideoFaces,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    method: Method = "blur",
    on_progress: OnFraction | None = None,
) -> None:
    """Write a copy of a video on which the faces that were found cannot be recognised.

    Between two samples, however far apart they are, a face is hidden wherever it may be: within the frame around both
    its boxes where it may be the same, else back to the sample before and up to the next, in a box that grows. A face
    that the analysis missed is not hidden: look at the result. The sound is copied as it is.

    Args:
        analysis: The faces.
        source: As for :func:`annotate_video`.
        target: As for :func:`annotate_video`.
        method: ``"blur"``, ``"pixelate"`` or ``"fill"``; see `privacy.blur`.
        on_progress: As for :func:`annotate_video`.

    Raises:
        InvalidInputError: There is no such method; the job runs or has failed; or as for :func:`annotate_video`.
        MissingExtraError: The ``embedded`` extra, which brings PyAV, is not installed.
        OSError: The disk is full, for instance.
    """
    check_method(method)
    check_succeeded(analysis)

    def edit_of(rate: Fraction) -> Edit:
        motion = Motion(analysis.faces, step=_step(analysis, rate))

        def edit(since: float, until: float) -> Callable[[Image.Image], None] | None:
            if not (boxes := motion.around(since, until)):
                return None

            def hide(canvas: Image.Image) -> None:
                for left, top, width, height in boxes:
                    box = BoundingBox(left=left, top=top, width=width, height=height)
                    conceal(canvas, box.to_pixels(canvas.size), method=method)

            return hide

        return edit

    _copy(analysis, Path(source), Path(target), edit_of, on_progress)


def frames_at(source: str | os.PathLike[str], milliseconds: Iterable[float]) -> Iterator[tuple[float, Image.Image]]:
    """Yield the frames that are on display at given times as players show them: upright, of square pixels, in mode RGB.

    Args:
        source: A local video.
        milliseconds: Times from the first frame, in ascending order, for example the ``timestamp_ms`` of faces. What is
            after the end of the video is passed over.

    Yields:
        The time as it was given, and the frame.

    Raises:
        InvalidInputError: The source is not there, is no video or has no picture that can be decoded, or the times do
            not ascend or are none.
    """
    wanted = map(_checked_time, milliseconds)
    time = next(wanted, None)
    if time is None:
        return
    check_readable(source)
    with clips.opened(source) as (container, stream):
        orientation: clips.Orientation | None = None
        until: Fraction | None = None
        for frame, _, until in clips.shown(container, stream, clips.decoded(container, stream)):
            picture: Image.Image | None = None
            while time is not None and Fraction(time) / 1000 + _FLOORED < until:
                if picture is None:
                    orientation = orientation or clips.orientation_of(frame, stream)
                    picture = Image.fromarray(clips.upright(frame, orientation))
                yield time, picture.copy()
                following = next(wanted, None)
                if following is not None and following < time:
                    msg = f"times have to ascend, and {following} comes after {time}: sort them"
                    raise InvalidInputError(msg)
                time = following
            if time is None:
                return
        if until is None:
            raise clips.UnsupportedVideoError(source)


def _checked_time(milliseconds: float) -> float:
    if not math.isfinite(as_float(milliseconds)):
        msg = f"a time is {as_float(milliseconds):g}, and has to be a number of milliseconds"
        raise InvalidInputError(msg)
    return milliseconds


def check_suffix(target: Path) -> None:
    """Refuse a name that no copy of a video can have."""
    if target.suffix.lower() not in VIDEO_SUFFIXES:
        known = f"{', '.join(VIDEO_SUFFIXES[:-1])} or {VIDEO_SUFFIXES[-1]}"
        msg = f"{target}: a video is written as {known}; name it {target.with_suffix('.mp4')}"
        raise InvalidInputError(msg)


# The copy


def _step(analysis: VideoFaces, rate: Fraction) -> float:
    """Return the milliseconds that two samples are apart at most."""
    times = np.array([one.timestamp_ms for one in analysis.faces if one.timestamp_ms is not None], np.int64)
    told = analysis.metadata.frame_rate if analysis.metadata else None
    if told is not None and 0 < told < math.inf:
        return 1000 * max(step_of(float(rate)), step_of(told), interval_of(times, frame_rate=told))
    # Whoever looked may have looked as rarely as this.
    steps = np.diff(np.unique(times))
    return max(1000 * step_of(float(rate)), float(steps.min()) if len(steps) else 0.0)


def _copy(
    analysis: VideoFaces,
    source: Path,
    target: Path,
    edit_of: Callable[[Fraction], Edit],
    on_progress: OnFraction | None,
) -> None:
    check_suffix(target)
    if identity(target) == identity(source):
        msg = f"{target} is the video itself; name another place for the copy"
        raise InvalidInputError(msg)
    check_same_video(analysis, source)
    with output_file(target) as part, clips.opened(source, threads=0) as (container, stream):
        edit = edit_of(clips.frame_rate(stream))
        Copy(container, stream, source=source, target=target, edit=edit, on_progress=on_progress).write(part)
