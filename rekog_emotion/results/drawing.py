"""Draw the faces of an analysis on its picture: a box, the landmarks, the pose and a label each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.results.arguments import Labels, Paint, Picture
from rekog_emotion.results.at_hand import file_of, has_shape_of, readable
from rekog_emotion.text import given_as, shown
from rekog_emotion.values.wording import age, percent, word

with needs("image", "Drawing"):
    from PIL import Image, ImageDraw

    from rekog_emotion.media import images
    from rekog_emotion.results._labels import Label, draw_label, draw_leader, place_label
    from rekog_emotion.results._marks import (
        Mark,
        Rectangle,
        color_of,
        draw_box,
        draw_landmarks,
        draw_pose,
        outside,
    )
    from rekog_emotion.results._stills import check_still
    from rekog_emotion.results._style import Style

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces
    from rekog_emotion.values.faces import Face
    from rekog_emotion.values.palette import Color

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

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".mkv")
"""Suffixes of file names under which `video` writes a copy; they are here, as it needs PyAV."""

_DETAILED: Final = 200  # faces with more than a box; the service and the engine give 100 at most


def draw(
    analysis: PictureFaces,
    picture: Picture | None = None,
    *,
    landmarks: bool = True,
    pose: bool = True,
    labels: Labels = True,
    min_confidence: float = 0,
    color: Paint | None = None,
    width: float | None = None,
) -> Image.Image:
    """Draw the faces on a copy of their picture.

    Each face gets its box in the colour of its dominant emotion, its landmarks, the axes of its pose, and a label with
    that emotion and its confidence, gender and age range, as far as they were asked for. Lines and letters follow the
    face. A label hides no face where there is room elsewhere; a line leads to one that is further away. Letters that
    the font of Pillow lacks are drawn by one of the system that has them, or lose their accents. Of more than 200
    faces, which the service never gives, the others get the box alone. An emotion is how a face looks, not what a
    person feels.

    Args:
        analysis: The faces.
        picture: The picture that was analysed, or a copy of another size: a path, the bytes of a file, or a PIL image,
            which stays as it is. A file is turned by its EXIF orientation, as it was for the analysis; a PIL image is
            taken as it stands. Left out, the file that was analysed, if it was one.
        landmarks: Draw the landmarks.
        pose: Draw the axes of the pose.
        labels: Write the labels; or a function of a face that gives what its label says, or ``None`` for none.
        min_confidence: Leave out what is less surely a face, 0 to 100.
        color: Of boxes, landmarks and labels, instead of the emotion's: a name as CSS has it, ``"#rrggbb"``, or red,
            green and blue.
        width: Of the lines of boxes, in pixels; left out, they follow the face.

    Returns:
        A new picture in mode RGB, as large as the turned one.

    Raises:
        InvalidInputError: The picture cannot be read or decoded, has not the shape of the one that was analysed, has
            several frames or pages, or is a PIL image with a note to turn it where a file was analysed; or none was
            given, and what was analysed was not a file that is still there. Or an option cannot be used.
    """
    style = Style(
        landmarks=landmarks, pose=pose, labels=labels, min_confidence=min_confidence, color=color, width=width
    )
    canvas = open_picture(analysis, picture)
    check_still(picture if picture is not None else analysis.source or b"")
    draw_faces(canvas, analysis.faces, style)
    return canvas


def draw_faces(canvas: Image.Image, faces: Iterable[Face], style: Style | None = None) -> None:
    """Draw faces on a picture itself, which is in mode RGB."""
    style = style or Style()
    pen = ImageDraw.Draw(canvas)
    marks = list(_marks(filter(style.is_drawn, faces), canvas.size, style.color))
    detailed = marks[:_DETAILED]
    for mark in marks[_DETAILED:]:
        draw_box(pen, mark, style.line(mark.rectangle, canvas.size))
    for mark in detailed:
        draw_box(pen, mark, style.line(mark.rectangle, canvas.size))
        if style.landmarks:
            draw_landmarks(canvas, mark)
        if style.pose:
            draw_pose(canvas, mark)
    # Labels come last, on top of all boxes; the largest face is the first and has the first choice of a place.
    lines = [style.line(mark.rectangle, canvas.size) for mark in detailed]
    boxes = [outside(mark, line) for mark, line in zip(detailed, lines, strict=True)]
    placed: list[tuple[Label, Mark, int]] = []
    without_room: list[tuple[int, int]] = []
    for mark, line, box in zip(detailed, lines, boxes, strict=True):
        if texts := style.texts(mark.face, list(label_lines(mark.face))):
            taken: list[Rectangle] = [label.place for label, _, _ in placed]
            label = place_label(
                texts, box, canvas.size, boxes=boxes, labels=taken, line=line, without_room=without_room
            )
            placed.append((label, mark, line))
    for label, mark, line in placed:
        draw_leader(canvas, label, mark.color, line)
    for label, mark, _ in placed:
        draw_label(canvas, label, mark.color)


def open_picture(analysis: PictureFaces, picture: Picture | None) -> Image.Image:
    """Return the upright picture of an analysis in mode RGB, after a look at its shape.

    Raises:
        InvalidInputError: See :func:`draw`.
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
        name, data = given_as(picture), bytes(picture)
    elif isinstance(picture, (str, os.PathLike)):
        with readable(picture) as file:
            name, data = os.fsdecode(picture), file.read()
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
    if analyzed is not None and not has_shape_of(size, analyzed):
        msg = (
            f"the picture has {size[0]} x {size[1]} pixels, and the analysed one had {analyzed[0]} x {analyzed[1]}; "
            "draw on that one, or on a copy of its shape"
        )
        raise InvalidInputError(msg)


def _marks(faces: Iterable[Face], size: tuple[int, int], color: Color | None) -> Iterator[Mark]:
    for face in faces:
        box = face.bounding_box
        if box is not None and None not in {box.left, box.top, box.width, box.height}:
            yield Mark(face, near(box.to_pixels(size), size), color or color_of(face))


def near(rectangle: Rectangle, size: tuple[int, int]) -> Rectangle:
    """Cut a box at a picture's width and height beside the picture: dots on a larger one would fill the memory."""
    (left, top, right, bottom), (width, height) = rectangle, size
    return (
        min(max(left, -width), 2 * width),
        min(max(top, -height), 2 * height),
        min(max(right, -width), 2 * width),
        min(max(bottom, -height), 2 * height),
    )
