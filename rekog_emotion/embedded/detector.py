"""Find faces: YuNet proposes them, CenterFace and BlazeFace look from near at what it is not sure of.

Where only clean networks may be used, BlazeFace does all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Final, Literal, Protocol, TypeAlias

import numpy as np
from attrs import frozen
from PIL import Image

from rekog_emotion.embedded import blaze
from rekog_emotion.embedded.blaze import Blaze
from rekog_emotion.embedded.geometry import overlap, window
from rekog_emotion.embedded.nets import ALONE, ByteArray, FloatArray, Hardware
from rekog_emotion.embedded.proposals import BOX, POINTS, SCORE, CenterFace, Rows, YuNet, distinct
from rekog_emotion.embedded.provenance import Weights, may_use
from rekog_emotion.embedded.tiles import NearBlaze, Tiles

__all__ = ["Detection", "Detector", "Mode"]

Mode: TypeAlias = Literal["fast", "default", "thorough"]

NEAR, NEAR_SIDE = 4, 192  # side of the window from near, in longer sides of the box, and in pixels of the networks
LEVEL: Final = math.radians(45)  # eyes that are turned by less are level: the networks see faces that are tilted so
LOWEST = 0.05  # score from near that is taken note of
SAME_FACE = 0.3  # overlap from which two boxes are one face
CERTAIN = 0.7  # from near, from which the picture is not turned to look for others


@frozen
class _Bars:
    """Scores that what may be a face needs, of the networks that look for it.

    Attributes:
        proposed: From which a face is looked at.
        sure: And from which it is one; ``None`` where it depends on the effort.
        glanced: And, on a small copy, from which it is looked for.
        large: Share of the longer side from which the score from near alone counts; of smaller ones the mean of both.
        small: And below which less is asked for.
        large_score: Of the large ones.
        middle_score: Of those between.
        small_score: Of the small ones.
        turned_score: From near, of what only the turned picture showed, whatever its size.
        believed: From which it is a face whatever the mesh says.
        presence: What the mesh must find in others, 0..1.
    """

    proposed: float
    sure: float | None
    glanced: float
    large: float
    small: float
    large_score: float
    middle_score: float
    small_score: float
    turned_score: float
    believed: float
    presence: float


# Animals are rarely small: a large face needs a mean score of CenterFace and BlazeFace, which was not made for small
# ones.
BARS: Final = _Bars(
    proposed=0.2,
    sure=None,
    glanced=0.5,
    large=0.1,
    small=0.06,
    large_score=0.48,
    middle_score=0.5,
    small_score=0.41,
    turned_score=0.6,
    believed=0.0,
    presence=0.0,
)
# BlazeFace alone is not asked what another one proposed, so the mesh decides on what scores little.
CLEAN_BARS: Final = _Bars(
    proposed=0.35,
    sure=0.85,
    glanced=0.5,
    large=1.0,
    small=0.0,
    large_score=0.5,
    middle_score=0.5,
    small_score=0.5,
    turned_score=0.6,
    believed=0.75,
    presence=0.5,
)


@frozen
class _Effort:
    """How hard a mode looks.

    Attributes:
        side: Pixels to which the longer side of a larger picture is shrunk.
        smallest: Share of the longer side below which a box is no face.
        looks: Boxes at most that are looked at from near, so that clutter takes no longer than a crowd.
        sure: YuNet's score from which a face is one.
    """

    side: int
    smallest: float
    looks: int
    sure: float


# None of 500 pictures of things and animals had a score of .9 where no face is; none of a thousand, shrunk to 320
# pixels, where faces score less, one of .86.
EFFORTS: Final[dict[Mode, _Effort]] = {
    "fast": _Effort(side=320, smallest=1 / 40, looks=8, sure=0.86),
    "default": _Effort(side=1280, smallest=1 / 140, looks=24, sure=0.9),
    "thorough": _Effort(side=1920, smallest=1 / 200, looks=100, sure=0.9),
}
UNSEEN_SCORE: Final = 0.7  # what is beyond the looks is a face from this score on

# A face that fills the picture, or that its edges cut, is seen by the mesh alone, in a square on the middle of the
# picture, half as large again as this share of its longer side; and by BlazeFace in wide margins, with the picture's
# edges drawn out and without: boxes from this share and score on, and smaller ones that the edges cut.
FILLING, FILLING_VIEWS, FILLING_SHARE, FILLING_SCORE = 2 / 3, ((0.5, True), (0.5, False)), 0.4, 0.2
CUT = 0.05  # of a box must lie beyond the picture, for smaller ones that its edges cut
FILLING_PRESENCE = 0.8  # what the mesh must find there


@frozen(eq=False)
class Detection:
    """A face as the detector sees it.

    Attributes:
        box: ``(left, top, right, bottom)``, pixels.
        points: The viewer's left and right eye, nose, left and right corner of the mouth, shape (5, 2), pixels; of
            what the mesh alone decides, the eyes.
        score: 0..1.
        presence: What the mesh must find in it, 0..1; 0 where it is a face whatever the mesh says.
    """

    box: FloatArray
    points: FloatArray
    score: float
    presence: float = 0.0


class _Proposer(Protocol):
    """Looks at whole pictures."""

    def __call__(self, image: Image.Image, side: int, least: float, *, quarter_turns: int = 0) -> Rows: ...


class _Viewer(Protocol):
    """Looks from near."""

    def __call__(self, window: ByteArray, least: float) -> Rows: ...


class Detector:
    """Finds faces in a picture; safe to call from several threads at once.

    Args:
        weights: ``"clean"`` asks BlazeFace alone.
        on: What the networks run on.
    """

    FILES: ClassVar = ("yunet", "centerface")

    def __init__(self, *, weights: Weights = "all", on: Hardware = ALONE) -> None:
        self._blaze = Blaze(on=on)
        self._is_alone = not may_use(weights, *self.FILES)
        self._propose: _Proposer = Tiles(self._blaze) if self._is_alone else YuNet(on=on)
        self._view: _Viewer = NearBlaze(self._blaze) if self._is_alone else CenterFace(on=on)
        self._bars = CLEAN_BARS if self._is_alone else BARS

    def search(self, image: Image.Image, *, mode: Mode = "default") -> Iterator[list[Detection]]:
        """Yield detections to try in turn, until the mesh finds one of them to be a face.

        The first are what was found on the picture and, where no face is sure, on the turned picture; the second take
        the whole picture for a face.

        Args:
            image: RGB picture.
            mode: How hard to look.
        """
        effort, bars = EFFORTS[mode], self._bars
        proposed = self._propose(image, effort.side, bars.proposed)
        found, certain = self._seen(image, proposed, effort)
        if not certain:
            views = [self._propose(image, effort.side, bars.proposed, quarter_turns=turns) for turns in (1, 2, 3)]
            # A tilted face is seen in several turns, and its points are right in the one that sees it best.
            better = _better(distinct(np.concatenate(views)), proposed)
            turned, _ = self._seen(image, better, effort, turned=True)
            found = np.concatenate([turned, _better(found, turned)])
        yield [
            Detection(
                row[BOX],
                row[POINTS].reshape(5, 2),
                float(row[SCORE]),
                0.0 if row[SCORE] >= bars.believed else bars.presence,
            )
            for row in distinct(found)
        ]
        yield self._filling(image)

    def glance(self, image: Image.Image) -> Rows:
        """Return what may be a face on a small copy of a picture, best first: large ones, upright.

        Args:
            image: RGB picture.
        """
        return self._propose(image, EFFORTS["fast"].side, self._bars.glanced)

    def _seen(self, image: Image.Image, rows: Rows, effort: _Effort, *, turned: bool = False) -> tuple[Rows, bool]:
        """Return the rows that are sure, and of the others, best first, those that are seen from near, too.

        Args:
            image: RGB picture.
            rows: What was proposed, best first.
            effort: How hard to look.
            turned: Only the turned picture showed them; then none is sure.

        Returns:
            The faces, and whether one of them is certain, as it lies.
        """
        kept, looks, certain, bars = [], effort.looks, False, self._bars
        smallest = effort.smallest * max(image.size)
        rows = rows[_sides(rows) >= smallest]
        for row, side in zip(rows, _sides(rows) / max(image.size), strict=True):
            if row[SCORE] >= (bars.sure or effort.sure) and not turned:
                kept.append(row)
                certain = True
            elif looks:
                looks -= 1
                large = turned or side >= bars.large
                near, score = self._near(image, row, blazed=large and not self._is_alone)
                if turned:
                    needed = bars.turned_score
                elif large:
                    needed = bars.large_score
                else:
                    needed = bars.middle_score if side >= bars.small else bars.small_score
                if (score if large else (score + row[SCORE]) / 2) >= needed:
                    kept.append(near)
                    certain = certain or score >= CERTAIN
            elif row[SCORE] >= UNSEEN_SCORE and not turned:
                kept.append(row)
        seen = np.array(kept).reshape(-1, SCORE + 1)
        return seen[_sides(seen) >= smallest], certain  # from near, some are smaller

    def _near(self, image: Image.Image, row: Rows, *, blazed: bool) -> tuple[Rows, float]:
        """Return a proposed face as it is placed from near, with its eyes level, and how it scores there.

        Args:
            image: RGB picture.
            row: The proposed one.
            blazed: The score is the mean of that network's and BlazeFace's.
        """
        to_image = _level(row)
        canvas = window(image, to_image, NEAR_SIDE)
        there = _mapped(self._view(canvas, LOWEST), to_image)
        there = there[overlap(row[BOX], there[:, BOX]) > SAME_FACE]
        if not len(there):
            return row, 0.0
        score = float(there[0, SCORE])
        if blazed:
            score = (score + self._blazed(canvas, to_image, row)) / 2
        return np.append(there[0, :SCORE], max(score, row[SCORE])), score

    def _blazed(self, canvas: ByteArray, to_image: FloatArray, row: Rows) -> float:
        """Return BlazeFace's score in the place of a row."""
        view = blaze.View(canvas / np.float32(127.5) - 1, np.ones(2), np.zeros(2))
        seen = self._blaze(view, LOWEST)
        rows = np.concatenate([seen[:, :14], seen[:, blaze.SCORE_COLUMN :]], 1)
        there = _mapped(rows, to_image)
        there = there[overlap(row[BOX], there[:, BOX]) > SAME_FACE]
        return float(there[:, SCORE].max(initial=0.0))

    def _filling(self, image: Image.Image) -> list[Detection]:
        """Return what may be a face that fills the picture, for the mesh to decide."""
        views = [blaze.framed(image, margin, edges=edges) for margin, edges in FILLING_VIEWS]
        rows = blaze.merged(np.concatenate([self._blaze(view, FILLING_SCORE) for view in views]))
        sides = rows[:, 2:4] - rows[:, :2]
        beyond = np.concatenate([-rows[:, :2], rows[:, 2:4] - image.size], 1).max(1)
        cut = beyond > CUT * sides.max(1)
        large = sides.max(1) > FILLING_SHARE * max(image.size)
        return [
            _square(image, FILLING),
            *(
                Detection(row[BOX], row[4:8].reshape(2, 2), float(row[blaze.SCORE_COLUMN]), FILLING_PRESENCE)
                for row in rows[large | cut]
            ),
        ]


def _sides(rows: Rows) -> FloatArray:
    """Return the longer sides of boxes."""
    return np.asarray((rows[:, 2:4] - rows[:, :2]).max(1))


def _level(row: Rows) -> FloatArray:
    """Return the map from a window around a face, with its eyes level, to the picture."""
    left, top, right, bottom = map(float, row[BOX])
    across, down = (row[6:8] - row[4:6]).tolist()
    angle = math.atan2(down, across)
    angle = angle if abs(angle) > LEVEL else 0.0
    scale = max(right - left, bottom - top, 1.0) * NEAR / NEAR_SIDE
    cos, sin, half = scale * math.cos(angle), scale * math.sin(angle), NEAR_SIDE / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.array([[cos, -sin, x - half * (cos - sin)], [sin, cos, y - half * (sin + cos)]])


def _mapped(rows: Rows, to_image: FloatArray) -> Rows:
    """Return rows of a window as rows of the picture; boxes stay upright and as large."""
    middle = (rows[:, :2] + rows[:, 2:4]) / 2 @ to_image[:, :2].T + to_image[:, 2]
    half = (rows[:, 2:4] - rows[:, :2]) / 2 * math.hypot(to_image[0, 0], to_image[1, 0])
    points = rows[:, POINTS].reshape(-1, 5, 2) @ to_image[:, :2].T + to_image[:, 2]
    return np.concatenate([middle - half, middle + half, points.reshape(-1, 10), rows[:, SCORE:]], 1)


def _better(rows: Rows, others: Rows) -> Rows:
    """Return the rows in whose place none of the others scores more, best first."""
    kept = [
        row
        for row in rows
        if not ((overlap(row, others, of_smaller=True) >= SAME_FACE) & (others[:, SCORE] >= row[SCORE])).any()
    ]
    return np.array(kept).reshape(-1, SCORE + 1)


def _square(image: Image.Image, share: float) -> Detection:
    """Return an upright face on the middle of a picture, a share of its longer side wide, with no score."""
    x, y, half = image.width / 2, image.height / 2, share * max(image.size) / 2
    box = np.array([x - half, y - half, x + half, y + half])
    return Detection(box, np.array([[x - half, y], [x + half, y]]), 0.0, FILLING_PRESENCE)
