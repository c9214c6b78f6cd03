"""Pictures of a video at given times, and the best one of each person."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import needs
from rekog_emotion.results.at_hand import check_readable, check_same_video
from rekog_emotion.values.numbers import as_float

if TYPE_CHECKING:
    from PIL import Image

    from rekog_emotion.people.person import Person
    from rekog_emotion.results.protocols import VideoFaces
    from rekog_emotion.values.faces import Face
    from rekog_emotion.values.videos import TimedFace

__all__ = ["best_face", "frames", "jpeg", "portraits"]

_MARGIN: Final = 0.3  # of the face's larger side, around it
_NEAR: Final = 300  # milliseconds; the samples of a clip are half a second apart


def frames(path: str | os.PathLike[str], milliseconds: Iterable[int]) -> Iterator[tuple[int, Image.Image]]:
    """Yield the pictures of a local video at the samples next to some times, in order of time.

    Args:
        path: A local file.
        milliseconds: Times from the first picture, such as those of faces. One with no sample near it has no picture.

    Raises:
        InvalidInputError: The file is not there, or no video can be decoded from it.
        MissingExtraError: The ``embedded`` extra is not installed.
    """
    with needs("embedded", "Taking pictures from a video"):
        from PIL import Image

        from rekog_emotion.media.samples import samples

    wanted = sorted(set(milliseconds))
    before: tuple[int, Image.Image] | None = None
    if not wanted:
        return
    check_readable(path)
    for time, pixels in samples(path):
        here = time, Image.fromarray(pixels)
        while wanted and wanted[0] <= time:
            one = wanted.pop(0)
            nearest = here if before is None or time - one <= one - before[0] else before
            if abs(nearest[0] - one) <= _NEAR:
                yield one, nearest[1]
        before = here
        if not wanted:
            return
    for one in wanted:
        if before is not None and one - before[0] <= _NEAR:
            yield one, before[1]


def best_face(faces: Sequence[TimedFace]) -> TimedFace | None:
    """Return the face that shows a person best: large, sharp, bright, turned to the camera, whole in the frame."""
    usable = [timed for timed in faces if timed.face is not None and timed.face.bounding_box is not None]
    return max(usable, key=lambda timed: _worth(timed.face), default=None)


def _worth(face: Face | None) -> float:
    if face is None or (box := face.bounding_box) is None:
        return 0.0
    left, top, width, height = (as_float(side or 0.0) for side in (box.left, box.top, box.width, box.height))
    inside = max(0.0, min(left + width, 1.0) - max(left, 0.0)) * max(0.0, min(top + height, 1.0) - max(top, 0.0))
    worth: float = math.sqrt(inside) * (inside / (width * height) if width * height > 0 else 0.0)
    if face.quality is not None:
        worth *= 0.5 + (face.quality.sharpness or 0.0) / 200
        worth *= 0.5 + min(face.quality.brightness or 0.0, 50.0) / 100
    if face.pose is not None:
        turned = abs(face.pose.yaw or 0.0) + abs(face.pose.pitch or 0.0) / 2
        worth *= max(0.1, 1 - turned / 90)
    return worth * (face.confidence or 50.0) / 100


def portraits(
    video: str | os.PathLike[str], analysis: VideoFaces, people: Iterable[Person], *, side: int = 128
) -> dict[int, Image.Image]:
    """Return a square picture of the best face of each person, by id; people without one are left out.

    Raises:
        InvalidInputError: The video cannot be read, or is another one than the one that was analysed.
        MissingExtraError: The ``embedded`` extra is not installed.
    """
    with needs("embedded", "Taking pictures from a video"):
        check_same_video(analysis, video)
    best: dict[int, TimedFace] = {}
    for person in people:
        found = best_face([analysis.faces[position] for position in person.positions.tolist()])
        if found is not None:
            best[person.id] = found
    pictures: dict[int, Image.Image] = {}
    for time, frame in frames(video, (timed.timestamp_ms or 0 for timed in best.values())):
        for number, timed in best.items():
            if timed.timestamp_ms == time and timed.face is not None:
                pictures[number] = _cut(frame, timed.face, side)
    return pictures


def _cut(frame: Image.Image, face: Face, side: int) -> Image.Image:
    from PIL import Image

    from rekog_emotion.results.drawing import near

    if face.bounding_box is None:
        return frame.resize((side, side))
    left, top, right, bottom = near(face.bounding_box.to_pixels(frame.size), frame.size)
    half = max(1.0, max(right - left, bottom - top) * (0.5 + _MARGIN))
    x, y = (left + right) / 2, (top + bottom) / 2
    # Pillow fills what lies outside of the frame with black.
    cut = frame.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
    return cut.resize((side, side), Image.Resampling.LANCZOS)


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as a small JPEG."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=80)
    return data.getvalue()
