"""What is drawn on a face itself: its box, its landmarks, the axes of its pose."""

from __future__ import annotations

import math
from itertools import islice
from typing import Final, TypeAlias

from attrs import frozen
from PIL import Image, ImageDraw

from rekog_emotion.values.faces import Face, Pose
from rekog_emotion.values.palette import COLORS, OTHER_COLOR, Color

__all__ = [
    "DARK",
    "Mark",
    "Rectangle",
    "axes",
    "color_of",
    "draw_box",
    "draw_landmarks",
    "draw_pose",
    "outside",
]

Rectangle: TypeAlias = tuple[int, int, int, int]
DARK: Final[Color] = (20, 20, 20)

_SMOOTH: Final = 8  # a dot is drawn so many times larger, then shrunk, for a smooth edge
_SMOOTH_LINE: Final = 4  # likewise a line, which is longer, and there are six of them a face
_AXIS_COLORS: Final[tuple[Color, ...]] = ((255, 70, 70), (70, 230, 70), (80, 140, 255))
_AXIS_LENGTH: Final = 0.4  # of the box's width
_LARGEST_ANGLE: Final = 360.0  # degrees; one that is no number, or beyond any turn, is none
_MOST_LANDMARKS: Final = 500  # of a face; the service has 30
_SMALLEST_AXES: Final = 48  # pixels of the box's width, below which axes would hide the face


@frozen
class Mark:
    """A face with what its parts of the drawing share."""

    face: Face
    rectangle: Rectangle
    color: Color

    @property
    def width(self) -> int:
        """Pixels."""
        return self.rectangle[2] - self.rectangle[0]


def color_of(face: Face) -> Color:
    """Return the colour of the dominant emotion."""
    emotion = face.dominant_emotion
    return COLORS.get(emotion.type or "", OTHER_COLOR) if emotion else OTHER_COLOR


def outside(mark: Mark, line: int) -> Rectangle:
    """Return the box with the rim of its line."""
    left, top, right, bottom = mark.rectangle
    rim = max(1, line // 2)
    return left - rim, top - rim, right + rim, bottom + rim


def draw_box(pen: ImageDraw.ImageDraw, mark: Mark, line: int) -> None:
    """Draw the box with a dark rim on both sides, which shows it on any background."""
    left, top, right, bottom = mark.rectangle
    # Pillow counts the last pixel in, the box does not; a box may be thinner than a line.
    right, bottom = max(right - 1, left), max(bottom - 1, top)
    rim = max(1, line // 2)
    pen.rectangle((left - rim, top - rim, right + rim, bottom + rim), outline=DARK, width=line + 2 * rim)
    pen.rectangle((left, top, right, bottom), outline=mark.color, width=line)


def draw_landmarks(canvas: Image.Image, mark: Mark) -> None:
    """Draw a dot a landmark that has a place."""
    diameter = max(1, round(mark.width / 30))
    for landmark in islice(mark.face.landmarks or (), _MOST_LANDMARKS):
        if landmark.x is not None and landmark.y is not None:
            x, y = landmark.to_pixels(canvas.size)
            if not _is_near((x, y), canvas.size):
                continue
            if diameter > 1:  # on a small face thirty rims would leave nothing of it
                _draw_dot(canvas, (x, y), diameter + 2, DARK)
            _draw_dot(canvas, (x, y), diameter, mark.color)


def _is_near(point: tuple[float, float], size: tuple[int, int]) -> bool:
    """Tell whether a point is on the picture or not far from it; one that is not a number is nowhere."""
    return all(-side <= one <= 2 * side for one, side in zip(point, size, strict=True))


def _draw_dot(canvas: Image.Image, center: tuple[float, float], diameter: int, color: Color) -> None:
    mask = Image.new("L", (diameter * _SMOOTH, diameter * _SMOOTH))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
    corner = round(center[0] - diameter / 2), round(center[1] - diameter / 2)
    canvas.paste(color, corner, mask.resize((diameter, diameter), Image.Resampling.BOX))


def draw_pose(canvas: Image.Image, mark: Mark) -> None:
    """Draw the axes of a face from the tip of its nose, where the pose is known and the face large enough."""
    pose = mark.face.pose
    if pose is None or None in {pose.roll, pose.yaw, pose.pitch} or mark.width < _SMALLEST_AXES:
        return
    if not all(abs(angle or 0) <= _LARGEST_ANGLE for angle in (pose.roll, pose.yaw, pose.pitch)):
        return
    nose = mark.face.landmarks.get("nose") if mark.face.landmarks else None
    if nose is not None and nose.x is not None and nose.y is not None:
        x, y = nose.to_pixels(canvas.size)
    else:
        left, top, right, bottom = mark.rectangle
        x, y = (left + right) / 2, (top + bottom) / 2
    if not _is_near((x, y), canvas.size):
        return
    length, line = _AXIS_LENGTH * mark.width, max(2, round(mark.width / 40))
    ends = [(x + length * dx, y + length * dy) for dx, dy in axes(pose)]
    for end in ends:
        _draw_line(canvas, (x, y), end, line + 2 * max(1, line // 2), DARK)
    for end, color in zip(ends, _AXIS_COLORS, strict=True):
        _draw_line(canvas, (x, y), end, line, color)


def _draw_line(
    canvas: Image.Image, start: tuple[float, float], end: tuple[float, float], width: int, color: Color
) -> None:
    """Draw a line with round ends."""
    left, top = (math.floor(min(pair) - width / 2) for pair in zip(start, end, strict=True))
    across, down = (math.ceil(abs(a - b)) + width + 2 for a, b in zip(start, end, strict=True))
    mask = Image.new("L", (across * _SMOOTH_LINE, down * _SMOOTH_LINE))
    pen, radius = ImageDraw.Draw(mask), width * _SMOOTH_LINE / 2
    points = [((x - left) * _SMOOTH_LINE, (y - top) * _SMOOTH_LINE) for x, y in (start, end)]
    pen.line(points, fill=255, width=width * _SMOOTH_LINE)
    for x, y in points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    canvas.paste(color, (left, top), mask.resize((across, down), Image.Resampling.BOX))


def axes(pose: Pose) -> tuple[tuple[float, float], ...]:
    """Return where the axes of a face point in the picture: to the viewer's right, down, and out of the face.

    The head nods (pitch), then turns (yaw), then is tilted in the plane of the picture (roll), seen from so far that
    nothing is foreshortened by its distance.

    Args:
        pose: With all three angles.

    Returns:
        Three pairs of x (to the right) and y (down), each of a length of at most 1.
    """
    roll, yaw, pitch = (math.radians(angle or 0.0) for angle in (pose.roll, pose.yaw, pose.pitch))
    flat = (
        (math.cos(yaw), 0.0),
        (math.sin(yaw) * math.sin(pitch), math.cos(pitch)),
        (math.sin(yaw) * math.cos(pitch), -math.sin(pitch)),
    )
    return tuple((x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)) for x, y in flat)
