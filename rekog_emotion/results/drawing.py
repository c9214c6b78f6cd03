"""Draw the faces of an analysis on its picture: a box, the landmarks, the pose and a label each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.results.at_hand import file_of
from rekog_emotion.text import shown
from rekog_emotion.values.wording import age, percent, word

with needs("image", "Drawing"):
    from PIL import Image, ImageDraw

    from rekog_emotion.media import images
    from rekog_emotion.results._labels import Label, draw_label, place_label
    from rekog_emotion.results._marks import (
        Mark,
        Rectangle,
        color_of,
        draw_box,
        draw_landmarks,
        draw_pose,
    )
    from rekog_emotion.results._stills import check_still

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces
    from rekog_emotion.values.faces import Face

__all__ = [
    "VIDEO_SUFFIXES",
    "Picture",
    "draw",
    "draw_faces",
    "label_lines",
    "near",
    "open_picture",
    "writable_suffixes",
]

Picture: TypeAlias = "Image.Image | str | os.PathLike[str] | bytes"

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".mkv")
"""Suffixes of file names under which `video` writes a copy; they are here, as it needs PyAV."""

_DETAILED: Final = 200  # faces with more than a box; the service and the engine give 100 at most
_TOLERANCE: Final = 0.02  # of width / height: a copy shrunk to whole pixels is that much off


def draw(
    analysis: PictureFaces,
    picture: Picture | None = None,
    *,
    landmarks: bool = True,
    pose: bool = True,
    labels: bool = True,
) -> Image.Image:
    """Draw the faces on a copy of their picture.

    Each face gets its box in the colour of its dominant emotion, its landmarks, the axes of its pose, and a label with
    that emotion and its confidence, gender and age range, as far as they were asked for. Of more than 200 faces, which
    the service never gives, the others get the box alone. An emotion is how a face looks, not what a person feels.

    Args:
        analysis: The faces.
        picture: The picture that was analysed, or a copy of another size: a path, the bytes of a file, or a PIL image,
            which stays as it is. A file is turned by its EXIF orientation, as it was for the analysis; a PIL image is
            taken as it stands. Left out, the file that was analysed, if it was one.
        landmarks: Draw the landmarks.
        pose: Draw the axes of the pose.
        labels: Write the labels.

    Returns:
        A new picture in mode RGB, as large as the turned one.

    Raises:
        InvalidInputError: The picture cannot be decoded, does not have the shape of the one that was analysed, has
            several frames or pages, or is a PIL image with a note to turn it where a file was analysed; or none was
            given, and what was analysed was not a file that is still there.
        OSError: The file cannot be read.
    """
    canvas = open_picture(analysis, picture)
    check_still(picture if picture is not None else analysis.source or b"")
    draw_faces(canvas, analysis.faces, landmarks=landmarks, pose=pose, labels=labels)
    return canvas


def draw_faces(
    canvas: Image.Image, faces: Iterable[Face], *, landmarks: bool = True, pose: bool = True, labels: bool = True
) -> None:
    """Draw faces on a picture itself, which is in mode RGB."""
    pen = ImageDraw.Draw(canvas)
    line = max(1, round(min(canvas.size) / 250))
    marks = list(_marks(faces, canvas.size))
    detailed = marks[:_DETAILED]
    for mark in marks[_DETAILED:]:
        draw_box(pen, mark, line)
    for mark in detailed:
        draw_box(pen, mark, line)
        if landmarks:
            draw_landmarks(canvas, mark)
        if pose:
            draw_pose(canvas, mark)
    # Labels come last, on top of all boxes; the largest face is the first and has the first choice of a place.
    boxes = [mark.rectangle for mark in detailed]
    placed: list[Label] = []
    for mark in detailed if labels else ():
        if lines := list(label_lines(mark.face)):
            # Where there is no room for all of it, the first line alone.
            texts = list(dict.fromkeys(("\n".join(lines), lines[0])))
            taken: list[Rectangle] = [label.place for label in placed]
            placed.append(place_label(texts, mark.rectangle, canvas.size, boxes=boxes, labels=taken))
            draw_label(canvas, placed[-1], mark.color)


def open_picture(analysis: PictureFaces, picture: Picture | None) -> Image.Image:
    """Return the upright picture of an analysis in mode RGB, after a look at its shape.

    Raises:
        InvalidInputError: See :func:`draw`.
        OSError: The file cannot be read.
    """
    if picture is None:
        picture = file_of(analysis, kind="picture", how="analysis.draw(picture)")
    if isinstance(picture, Image.Image):
        _check_upright(picture, analysis)
        canvas = images.to_rgb(picture)
    else:
        canvas = _loaded(picture)
    _check_shape(canvas.size, analysis.size)
    return canvas


def _loaded(picture: str | os.PathLike[str] | bytes) -> Image.Image:
    if isinstance(picture, (bytes, bytearray, memoryview)):
        name, data = f"<{type(picture).__name__}>", bytes(picture)
    elif isinstance(picture, (str, os.PathLike)):
        name, data = os.fsdecode(picture), Path(picture).read_bytes()
    else:
        msg = (
            f"the picture is of type {type(picture).__name__}: pass a path, the bytes of a file or a PIL image; of an "
            "array make one with Image.fromarray"
        )
        raise InvalidInputError(msg)
    try:
        return images.load_rgb(data)
    except InvalidInputError as error:
        msg = f"{shown(name)}: {error.message}"
        raise InvalidInputError(msg) from error.__cause__


def writable_suffixes() -> frozenset[str]:
    """Return the suffixes of file names, ``".png"`` among them, under which Pillow can save a drawing."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in Image.SAVE)


def label_lines(face: Face) -> Iterator[str]:
    """Yield what a label says of a face, a line each."""
    emotion, gender = face.dominant_emotion, face.gender
    if emotion is not None:
        yield f"{word(emotion.type)}{percent(emotion.confidence)}"
    if words := ", ".join(filter(None, (word(gender.value) if gender else "", age(face.age_range)))):
        yield words


def _check_upright(picture: Image.Image, analysis: PictureFaces) -> None:
    """Refuse a PIL image that may lie on its side where the analysed file was turned: faces would be elsewhere."""
    as_it_stands = analysis.source == "<PIL image>" or picture.format == "PNG"
    if not as_it_stands and images.orientation_of(picture) != 1:
        msg = (
            "the picture has a note in its EXIF data to turn it, which may have been followed or not; pass the path of "
            "its file, or the upright picture without that note, as ImageOps.exif_transpose makes it"
        )
        raise InvalidInputError(msg)


def _check_shape(size: tuple[int, int], analyzed: tuple[int, int] | None) -> None:
    if analyzed is None:
        return
    if abs(size[0] * analyzed[1] / (size[1] * analyzed[0]) - 1) > _TOLERANCE:
        msg = (
            f"the picture has {size[0]} x {size[1]} pixels, and the analysed one had {analyzed[0]} x {analyzed[1]}; "
            "draw on that one, or on a copy of its shape"
        )
        raise InvalidInputError(msg)


def _marks(faces: Iterable[Face], size: tuple[int, int]) -> Iterator[Mark]:
    for face in faces:
        box = face.bounding_box
        if box is not None and None not in {box.left, box.top, box.width, box.height}:
            yield Mark(face, near(box.to_pixels(size), size), color_of(face))


def near(rectangle: Rectangle, size: tuple[int, int]) -> Rectangle:
    """Cut a box at a picture's width and height beside the picture: dots on a larger one would fill the memory."""
    (left, top, right, bottom), (width, height) = rectangle, size
    return (
        min(max(left, -width), 2 * width),
        min(max(top, -height), 2 * height),
        min(max(right, -width), 2 * width),
        min(max(bottom, -height), 2 * height),
    )
