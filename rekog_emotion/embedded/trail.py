"""Faces of a stream's pictures: searched for now and then, and followed in between.

A search looks at the whole picture, from near at what it doubts, and turned where it finds nobody. Between two searches
each face's mesh is laid anew where it was in the picture before, and a glance at a small copy tells of what may be
somebody new. Where following could find less than a search, there is a search at once: where a mesh is lost or lies on
what looks different, as after a cut, where one face may hide another, and where the glance sees what the last search
has not dismissed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen
from PIL import Image

from rekog_emotion.embedded.age_gender import Apparent
from rekog_emotion.embedded.detector import Detector
from rekog_emotion.embedded.expression import COLOUR_PAD, COLOUR_SIDE, chips
from rekog_emotion.embedded.geometry import overlap
from rekog_emotion.embedded.mesh import FaceMesh, Mesh
from rekog_emotion.embedded.nets import FloatArray
from rekog_emotion.embedded.proposals import BOX, SCORE, Rows

__all__ = ["SEARCHED", "Trail"]

SEARCHED: Final = 0.25
"""Seconds after which faces are searched for again: who is too small or too turned for a glance is found by then."""

_STAYED: Final = 0.3  # overlap of a face with itself in the picture before
_SEEN: Final = 0.3  # overlap of what a glance sees with a face, or with what it saw before
_ALIKE: Final = 0.8  # correlation of a face with itself in the picture before
_COARSE: Final = 4  # pixels of a face's crop that are compared as one
_MORE: Final = 0.1  # score by which what was dismissed has to look more like a face, to be searched for at once


@frozen(eq=False)
class _Known:
    """What is known of a stream.

    Attributes:
        seconds: When its last picture was taken.
        searched: When faces were searched for.
        faces: Those of the last picture.
        looks: What each looks like (see `_looks`).
        dismissed: What a glance took for faces, and the last search did not.
        apparent: Age and gender of each face, as of the last search: they do not change from picture to picture.
    """

    seconds: float
    searched: float
    faces: Sequence[FaceMesh]
    looks: FloatArray
    dismissed: Rows
    apparent: Sequence[Apparent] | None = None


class Trail:
    """Follows the faces of one stream, whose pictures come one after another."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def find(
        self,
        picture: Image.Image,
        seconds: float,
        *,
        search: Callable[[Image.Image], Sequence[FaceMesh]],
        detector: Detector,
        mesh: Mesh,
    ) -> Sequence[FaceMesh]:
        """Return the faces of the next picture.

        Args:
            picture: RGB.
            seconds: When it was taken.
            search: Finds the faces of a picture of which nothing is known.
            detector: Glances.
            mesh: Follows.
        """
        glance, known = detector.glance(picture), self._known
        if known is not None and known.seconds < seconds < known.searched + SEARCHED:
            faces: Sequence[FaceMesh] = mesh.again(picture, known.faces)
            if _are_whole(known.faces, faces) and not _new(_others(glance, faces), known.dismissed):
                looks = _looks(faces)
                if ((known.looks * looks).sum(axis=1) >= _ALIKE).all():
                    self._known = evolve(known, seconds=seconds, faces=faces, looks=looks)
                    return faces
        faces = search(picture)
        self._known = _Known(seconds, seconds, faces, _looks(faces), _others(glance, faces))
        return faces

    def apparent(
        self, faces: Sequence[FaceMesh], look: Callable[[Sequence[FaceMesh]], Sequence[Apparent]]
    ) -> Sequence[Apparent]:
        """Return age and gender of the faces of the last picture.

        Args:
            faces: These.
            look: Looks at them.
        """
        known = self._known
        if known is None or known.faces is not faces:
            return look(faces)
        if known.apparent is None:
            self._known = known = evolve(known, apparent=look(faces))
        return known.apparent or ()


def _are_whole(before: Sequence[FaceMesh], now: Sequence[FaceMesh]) -> bool:
    """Tell whether everybody is where one can have got to, and nobody can hide anybody."""
    extents = _extents(now)
    return len(before) == len(now) and all(
        overlap(old.extent, new[None])[0] >= _STAYED and not overlap(new, extents[k + 1 :]).any()
        for k, (old, new) in enumerate(zip(before, extents, strict=True))
    )


def _looks(faces: Sequence[FaceMesh]) -> FloatArray:
    """Return the brightness of each face's crop, coarsely, so that the product of two rows is their correlation."""
    if not faces:
        return np.empty((0, 1))
    crops = chips(faces, COLOUR_SIDE, COLOUR_PAD)[:, ::_COARSE, ::_COARSE].mean(axis=3).reshape(len(faces), -1)
    crops -= crops.mean(axis=1, keepdims=True)
    return np.asarray(crops / np.maximum(np.linalg.norm(crops, axis=1, keepdims=True), 1e-6))


def _others(glance: Rows, faces: Sequence[FaceMesh]) -> Rows:
    """Return those of the glance that are none of the faces."""
    extents = _extents(faces)
    return np.array(
        [row for row in glance if not (overlap(row[BOX], extents, of_smaller=True) >= _SEEN).any()]
    ).reshape(-1, SCORE + 1)


def _new(others: Rows, dismissed: Rows) -> bool:
    """Tell whether any of what may be faces was not dismissed."""
    return any(
        not ((overlap(row[BOX], dismissed[:, BOX]) >= _SEEN) & (dismissed[:, SCORE] > row[SCORE] - _MORE)).any()
        for row in others
    )


def _extents(faces: Sequence[FaceMesh]) -> FloatArray:
    return np.array([face.extent for face in faces]).reshape(-1, 4)
