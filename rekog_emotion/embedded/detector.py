"""Find faces: the full-range BlazeFace network on the picture, a padded picture and a pyramid of tiles.

What it doubts is looked at again, alone, larger and turned: a face is seen in most such looks, clutter in few.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice, product
from typing import Final, Literal, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image

from rekog_emotion.embedded.geometry import overlap
from rekog_emotion.embedded.nets import MAX_BATCH, FloatArray, Net, sigmoid

__all__ = ["Detection", "Detector", "Mode"]

Mode: TypeAlias = Literal["fast", "default", "thorough"]

Window: TypeAlias = tuple[float, float, float, float]

SIDE = 192  # pixels of the network's input
STRIDE = 4  # pixels between its anchors
# An upright face scores above 0.9. Below DOUBT it is looked at again from near, and turned: it is no face if the mean
# of both upright looks is below CLUTTER and no turned one is TURNED and PLAINLY better; what only the turned picture
# showed needs a mean of TURNED. Chosen on 500 pictures, most of things and animals (32 of 39 faces, 3 of 122 others).
SCORE, DOUBT, CLUTTER, TURNED, PLAINLY = 0.5, 0.85, 0.5, 0.6, 0.1
NEAR, NEAR_LOOKS = 4, 24  # side of the window, in longer sides of the box; how many, so that clutter costs no more
PLAIN = 0.75  # a score of the upright look from near that needs no turned one beside it
LOWEST = 0.05  # score that a second look takes note of
# From SURE on the detector is believed against the mesh, whose presence is near 0 for profiles that are plainly faces;
# below, the mesh must be sure itself.
SURE, UNSURE_PRESENCE = 0.7, 0.8
SAME_FACE, INSIDE = 0.3, 0.7  # overlaps from which two boxes are one face
# The network was made for faces that fill up to half of its input: margins shrink those that fill the picture.
MARGIN = 0.25
# A face that fills the picture, or that its edges cut, is seen by the mesh alone, in a square on the middle of the
# picture, half as large again as this share of its longer side; and by the detector in wide margins, with the picture's
# edges drawn out and without: boxes from this share and score on, and smaller ones that the edges cut.
FILLING, FILLING_VIEWS, FILLING_SHARE, FILLING_SCORE = 2 / 3, ((0.5, True), (0.5, False)), 0.4, 0.2
CUT = 0.05  # of a box must lie beyond the picture, for smaller ones that its edges cut
FILLING_PRESENCE, PRESENCE = 0.8, 0.3  # what the mesh must find there, and elsewhere
# Sides of tiles, in longer sides of the picture.
FINE_SHARE = 1 / 8
TILE_SHARES: Final[dict[Mode, tuple[float, ...]]] = {
    "fast": (),
    "default": (1 / 2, 1 / 4),
    "thorough": (1 / 2, 1 / 4, FINE_SHARE),
}
# Where the default mode is sure of a face that is LARGE, in longer sides of the picture, it looks for small ones beside
# it in tiles that are a little larger: of 0.59 two overlap enough to cover the picture, of a half it takes three.
LARGE, COARSE_SHARES = 1 / 8, (0.59, 1 / 4)
SMALLEST_TILE, SMALLEST_FINE_TILE = 200, 120  # pixels; the network would see little new in smaller ones
TILE_STEP = 0.7  # of a tile's side: a face up to 0.3 of it lies whole in one of two neighbours
EDGE = 4  # pixels; a box that ends this close to a tile's inner edge is cut by it
SCORE_COLUMN = 16


@frozen
class _SecondLook:
    """How detections that score less than :data:`SCORE` are looked at again.

    Chosen on six recorded photos and ten frames of a video: of some ninety pieces of clutter one scored more than the
    second looks at half of the faces, a second box on the same head.

    Attributes:
        above: The first look's score from which it is worth it.
        sides: Sides of the windows, in longer sides of the box.
        brightened: Look with the shadows raised, too.
        confirmed: Mean score from which it is a face.
        presence: What the mesh must find in it otherwise, 0..1; 1 rules it out.
    """

    above: float
    sides: tuple[float, ...]
    brightened: bool
    confirmed: float
    presence: float


_FEW: Final = _SecondLook(above=0.35, sides=(4, 6), brightened=False, confirmed=0.55, presence=1)
SECOND_LOOKS: Final = {
    "fast": _FEW,
    "default": _FEW,
    "thorough": _SecondLook(above=0.25, sides=(3, 4, 6, 8), brightened=True, confirmed=0.65, presence=0.99),
}
# Candidates at most, so that a picture full of clutter takes no longer than one full of faces.
CANDIDATES: Final = {"fast": 4, "default": 4, "thorough": 40}
# Pixels; in what is smaller and was not confirmed the mesh is easily deceived.
SMALLEST_DOUBT = 24
SHADOWS_RAISED = [round(255 * (value / 255) ** 0.5) for value in range(256)] * 3


@frozen(eq=False)
class Detection:
    """A face as the detector sees it.

    Attributes:
        box: ``(left, top, right, bottom)``, pixels.
        eyes: The viewer's left and right eye, shape (2, 2), pixels.
        score: 0..1.
        presence: What the mesh must find in it at least, 0..1.
        confirmed: It was seen again at other sizes: a face, whatever the mesh says.
    """

    box: FloatArray
    eyes: FloatArray
    score: float
    presence: float = 0.0
    confirmed: bool = False


class Detector:
    """Finds faces in a picture; safe to call from several threads at once.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._net = Net("face_detection_full_range", threads=threads)
        rows, columns = np.mgrid[0 : SIDE // STRIDE, 0 : SIDE // STRIDE]
        anchors = (np.stack([columns, rows], -1).reshape(-1, 1, 2) + 0.5) * STRIDE / SIDE
        self._anchors = anchors.astype(np.float32)

    def search(self, image: Image.Image, *, mode: Mode = "default") -> Iterator[tuple[list[Detection], float]]:
        """Yield detections to try in turn, until the mesh confirms one of them as a face.

        The first search is the normal one, with second looks at what it doubts, and with the turned picture where no
        face is sure; the second takes the whole picture for a face.

        Args:
            image: RGB picture.
            mode: ``"fast"`` looks once at the whole picture: it finds faces of a fourteenth of its longer side and
                more. ``"default"`` looks at tiles, too, ``"thorough"`` at smaller ones as well.

        Yields:
            The detections, and the presence (0..1) that the mesh must find in them.
        """
        view = partial(_view, image)
        whole = view(_frame(image))  # to be turned, too
        second = SECOND_LOOKS[mode]
        padded = [] if mode == "fast" else [view(_frame(image, MARGIN))]
        rows = self._look([whole, *padded], second.above)
        coarse = mode == "default" and _has_large(rows, image)
        tiles = _tiles(*image.size, COARSE_SHARES if coarse else TILE_SHARES[mode])
        rows = np.concatenate([rows, self._look(map(view, tiles), second.above)])
        found = self._nearer(image, _merge(rows[rows[:, SCORE_COLUMN] > SCORE]))
        if not (found[:, SCORE_COLUMN] >= SURE).any():
            larger = _tiles(*image.size, TILE_SHARES[mode][:1]) if mode == "thorough" else []
            turned = _merge(self._look(chain([whole], map(view, larger)), SCORE, quarter_turns=(1, 2, 3)))
            found = np.concatenate([found, self._nearer(image, _apart(turned, found), turned_only=True)])
        doubted = _merge(rows[rows[:, SCORE_COLUMN] <= SCORE])
        doubts = self._again(image, _apart(doubted, found)[: CANDIDATES[mode]], second)
        yield [*_detections(found), *doubts], PRESENCE
        yield self._filling(image), FILLING_PRESENCE

    def _nearer(self, image: Image.Image, rows: FloatArray, *, turned_only: bool = False) -> FloatArray:
        """Return rows that are sure, and of the others those that are seen from near, too, turned if need be.

        Args:
            image: RGB picture.
            rows: Detections, best first.
            turned_only: Only the turned picture showed them: boxes and eyes from near are better.
        """
        kept, at_least = [], TURNED if turned_only else CLUTTER
        unsure = (rows[:, SCORE_COLUMN] < DOUBT) | turned_only
        for row, near in zip(rows, unsure & (unsure.cumsum() <= NEAR_LOOKS), strict=True):
            upright = turned = row
            if near:
                view = _view(image, _around(row, NEAR))
                upright = turned = _best(row, self._look([view], LOWEST))
                if upright[SCORE_COLUMN] < PLAIN:
                    turned = _best(row, self._look([view], LOWEST, quarter_turns=(1, 2, 3)))
            if turned[SCORE_COLUMN] > max(upright[SCORE_COLUMN] + PLAINLY, TURNED):
                kept.append(turned)
            elif (row[SCORE_COLUMN] + upright[SCORE_COLUMN]) / 2 >= at_least:
                kept.append(row if _agree(row, upright) and not turned_only else upright)
        return np.array(kept).reshape(-1, SCORE_COLUMN + 1)

    def _filling(self, image: Image.Image) -> list[Detection]:
        """Return what may be a face that fills the picture, for the mesh to decide."""
        padded = [_view(image, _frame(image, margin), edges=edges) for margin, edges in FILLING_VIEWS]
        rows = _merge(self._look(padded, FILLING_SCORE))
        sides = rows[:, 2:4] - rows[:, :2]
        beyond = np.concatenate([-rows[:, :2], rows[:, 2:4] - image.size], 1).max(1)
        cut = beyond > CUT * sides.max(1)
        large = sides.max(1) > FILLING_SHARE * max(image.size)
        return [_square(image, FILLING), *_detections(rows[large | cut])]

    def _again(self, image: Image.Image, rows: FloatArray, how: _SecondLook) -> list[Detection]:
        """Look again at candidates, each in the middle of windows of its own, and return what may be faces."""
        if not len(rows):
            return []
        detections = []
        for row in rows:
            windows = [_around(row, side) for side in how.sides]
            looks, mean, best = list(product((False, True) if how.brightened else (False,), windows)), 0.0, row
            for left, (brightened, window) in zip(reversed(range(len(looks))), looks, strict=True):
                # One view a call: which others share a batch would change the last digits of its scores.
                view = _view(image, window, brightened=brightened)
                seen = _best(row, self._look([view], LOWEST))
                best = max(best, seen, key=lambda one: float(one[SCORE_COLUMN]))
                mean += float(seen[SCORE_COLUMN]) / len(looks)
                if how.presence == 1 and mean + left / len(looks) < how.confirmed:
                    break  # not even certainty in the views left would confirm it, and the mesh is not asked
            score = max(float(row[SCORE_COLUMN]), mean)
            if mean >= how.confirmed:
                detections.append(Detection(best[:4], best[4:8].reshape(2, 2), score, confirmed=True))
            elif how.presence < 1 and max(row[2] - row[0], row[3] - row[1]) >= SMALLEST_DOUBT:
                detections.append(Detection(row[:4], row[4:8].reshape(2, 2), score, how.presence))
        return detections

    def _look(self, views: Iterable[_View], threshold: float, *, quarter_turns: Sequence[int] = (0,)) -> FloatArray:
        """Run the network on every view in every turn.

        Returns:
            Rows of 17: box (left, top, right, bottom), six points (eyes, nose, mouth, ears) and score; picture pixels.
        """
        jobs = ((view, turns) for view in views for turns in quarter_turns)
        found: list[FloatArray] = [np.empty((0, SCORE_COLUMN + 1))]
        while batch := list(islice(jobs, MAX_BATCH)):  # no more pictures at once than the network takes
            regression, logits = self._net(np.stack([np.rot90(view.canvas, turns) for view, turns in batch]))
            scores = sigmoid(logits[:, :, 0])
            found += [self._rows(*one, threshold) for one in zip(batch, regression, scores, strict=True)]
        return np.concatenate(found)

    def _rows(self, job: tuple[_View, int], values: FloatArray, score: FloatArray, threshold: float) -> FloatArray:
        """Return what the network found in one view in one turn, as :meth:`_look` does."""
        view, turns = job
        hit = score > threshold
        points = _turn_back(_points(values[hit].astype(float) / SIDE, self._anchors[hit]), turns)
        points = points * SIDE * view.scale + view.shift
        low, high = points[:, :2].min(1), points[:, :2].max(1)
        rows = np.concatenate([low, high, points[:, 2:].reshape(-1, 12), score[hit][:, None]], 1)
        return np.asarray(rows[~view.cuts(rows)])


@frozen(eq=False)
class _View:
    """What the network sees of a window in a picture.

    Attributes:
        canvas: The window, centred in a square; what lies outside the picture is neutral grey (0 of -1..1).
        scale: Pixels of the picture in one of the canvas, across and down.
        shift: Where the canvas begins in the picture, pixels.
        inner: For left, top, right and bottom edge, where the window ends within the picture, pixels; else infinite.
    """

    canvas: FloatArray
    scale: FloatArray
    shift: FloatArray
    inner: FloatArray

    def cuts(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Tell which boxes an inner edge of the window cuts: they are whole in another one."""
        before, after = rows[:, :2] < self.inner[:2] + EDGE, rows[:, 2:4] > self.inner[2:] - EDGE
        return np.asarray((before | after).any(1))


def _frame(image: Image.Image, margin: float = 0.0) -> Window:
    """Return the whole picture with a margin, a share of its longer side."""
    pad = margin * max(image.size)
    return -pad, -pad, image.width + pad, image.height + pad


def _has_large(rows: FloatArray, image: Image.Image) -> bool:
    """Tell whether one of the detections is a sure and large face."""
    large = (rows[:, 2:4] - rows[:, :2]).max(1) >= LARGE * max(image.size)
    return bool((large & (rows[:, SCORE_COLUMN] >= DOUBT)).any())


def _around(row: FloatArray, sides: float) -> Window:
    """Return a square around a detection, so many of its longer sides wide."""
    left, top, right, bottom = map(float, row[:4])
    half = max(right - left, bottom - top, 1.0) * sides / 2
    return (left + right) / 2 - half, (top + bottom) / 2 - half, (left + right) / 2 + half, (top + bottom) / 2 + half


def _tiles(width: int, height: int, shares: Sequence[float]) -> list[Window]:
    """Return overlapping squares of so many longer sides of the picture."""
    tiles = []
    for share in shares:
        side = max(width, height) * share
        if side >= (SMALLEST_FINE_TILE if share == FINE_SHARE else SMALLEST_TILE):
            tiles += [
                (max(0.0, x), max(0.0, y), min(width, x + side), min(height, y + side))
                for y in _starts(height, side)
                for x in _starts(width, side)
            ]
    return tiles


def _starts(length: int, side: float) -> list[float]:
    """Return where tiles start along a side of the picture, evenly spread."""
    count = max(1, math.ceil((length - side * (1 - TILE_STEP)) / (side * TILE_STEP)))
    return [0.0] if count == 1 else [(length - side) * k / (count - 1) for k in range(count)]


def _view(image: Image.Image, window: Window, *, brightened: bool = False, edges: bool = False) -> _View:
    """Return what the network sees of a window, with raised shadows, or with the picture's edges drawn out."""
    x0, y0, x1, y1 = window
    zoom = SIDE / max(x1 - x0, y1 - y0)
    inside = max(0, x0), max(0, y0), min(image.width, x1), min(image.height, y1)
    left = round((inside[0] - x0) * zoom + (SIDE - (x1 - x0) * zoom) / 2)
    top = round((inside[1] - y0) * zoom + (SIDE - (y1 - y0) * zoom) / 2)
    width = max(1, min(SIDE - left, round((inside[2] - inside[0]) * zoom)))
    height = max(1, min(SIDE - top, round((inside[3] - inside[1]) * zoom)))
    small = image.resize((width, height), Image.Resampling.BILINEAR, box=inside, reducing_gap=2.0)
    if brightened:  # the window alone: a copy of a large picture is large
        small = small.point(SHADOWS_RAISED)
    around = (top, SIDE - top - height), (left, SIDE - left - width), (0, 0)
    canvas = np.pad(np.asarray(small, np.float32) / 127.5 - 1, around, mode="edge" if edges else "constant")
    scale = np.array([(inside[2] - inside[0]) / width, (inside[3] - inside[1]) / height])
    inner = [
        x0 if x0 > 0 else -math.inf,
        y0 if y0 > 0 else -math.inf,
        x1 if x1 < image.width else math.inf,
        y1 if y1 < image.height else math.inf,
    ]
    return _View(canvas, scale, np.array(inside[:2]) - np.array([left, top]) * scale, np.array(inner))


def _points(values: FloatArray, anchors: FloatArray) -> FloatArray:
    """Return eight points a face, as shares of the network's input: two corners of the box, then the six points."""
    centre, half = values[:, None, :2] + anchors, values[:, None, 2:4] / 2
    return np.concatenate([centre - half, centre + half, values[:, 4:].reshape(-1, 6, 2) + anchors], 1)


def _turn_back(points: FloatArray, quarter_turns: int) -> FloatArray:
    """Undo ``numpy.rot90(canvas, quarter_turns)`` for points on the canvas."""
    for _ in range(quarter_turns):
        points = np.stack([1 - points[..., 1], points[..., 0]], -1)
    return points


def _merge(rows: FloatArray) -> FloatArray:
    """Suppress all but the best of overlapping detections, and average the box over them by score."""
    merged, rest = [], rows[np.argsort(-rows[:, SCORE_COLUMN])]
    while len(rest):
        shared = overlap(rest[0], rest)
        shared[0] = 1  # even a box without area is itself
        same = rest[shared > SAME_FACE]
        best = np.average(same, axis=0, weights=same[:, SCORE_COLUMN])
        best[SCORE_COLUMN] = rest[0, SCORE_COLUMN]
        merged.append(best)
        rest = rest[(shared <= SAME_FACE) & (overlap(rest[0], rest, of_smaller=True) < INSIDE)]
    return np.array(merged).reshape(-1, SCORE_COLUMN + 1)


def _apart(rows: FloatArray, found: FloatArray) -> FloatArray:
    """Return the rows that lie on none of the found faces, best first."""
    kept = [row for row in rows if not len(found) or overlap(row, found, of_smaller=True).max() < SAME_FACE]
    return np.array(kept).reshape(-1, SCORE_COLUMN + 1)


def _best(row: FloatArray, seen: FloatArray) -> FloatArray:
    """Return the best of what was seen in the place of a row, or the row with a score of 0."""
    there = seen[overlap(row, seen) > SAME_FACE]
    if len(there):
        return np.asarray(there[there[:, SCORE_COLUMN].argmax()])
    return np.append(row[:SCORE_COLUMN], 0.0)


def _agree(row: FloatArray, other: FloatArray) -> bool:
    """Tell whether the lines of the eyes of two detections differ by less than 30 degrees."""
    one, two = row[6:8] - row[4:6], other[6:8] - other[4:6]
    return bool(one @ two > math.cos(math.radians(30)) * np.linalg.norm(one) * np.linalg.norm(two))


def _square(image: Image.Image, share: float) -> Detection:
    """Return an upright face on the middle of a picture, a share of its longer side wide, with no score."""
    x, y, half = image.width / 2, image.height / 2, share * max(image.size) / 2
    box = np.array([x - half, y - half, x + half, y + half])
    return Detection(box, np.array([[x - half, y], [x + half, y]]), 0.0)


def _detections(rows: FloatArray) -> list[Detection]:
    detections = []
    for row in rows:
        score = float(row[SCORE_COLUMN])
        detections.append(Detection(row[:4], row[4:8].reshape(2, 2), score, 0.0 if score >= SURE else UNSURE_PRESENCE))
    return detections
