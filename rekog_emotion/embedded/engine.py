"""One picture in, the service's ``FaceDetails`` out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from rekog_emotion import forks
from rekog_emotion.embedded.age_gender import AgeGender, Apparent, ageless
from rekog_emotion.embedded.appearance import Appearance
from rekog_emotion.embedded.attributes import Attributes
from rekog_emotion.embedded.detail import Observation, Told, basics, detail
from rekog_emotion.embedded.detector import Detector, Mode
from rekog_emotion.embedded.expression import Blendshapes, Emotions
from rekog_emotion.embedded.gender import Gender
from rekog_emotion.embedded.geometry import overlap
from rekog_emotion.embedded.landmarks import landmarks
from rekog_emotion.embedded.mesh import FaceMesh, Mesh
from rekog_emotion.embedded.nets import ALONE, ByteArray, Hardware
from rekog_emotion.embedded.pose import HeadModel
from rekog_emotion.embedded.provenance import Weights, check_weights, may_use
from rekog_emotion.embedded.trail import Trail
from rekog_emotion.wire.service import MAX_IMAGE_FACES

__all__ = ["Engine", "Mode"]

SAME_FACE = 0.4  # overlap of two meshes that lie on one face


class _Heads:
    """What looks at a face's crop, but for dlib's network of gender: none of it learnt from clean data alone."""

    FILES: ClassVar = (*Appearance.FILES, *Emotions.FILES, *AgeGender.FILES, *Attributes.FILES)

    def __init__(self, gender: Gender, on: Hardware) -> None:
        self.appearance = Appearance(on=on)
        self.emotions = Emotions(on=on)
        self.age_gender = AgeGender(gender, on=on)
        self.attributes = Attributes(on=on)


class _Networks:
    """Everything that is loaded from weight files, ``None`` where it may not be used."""

    def __init__(self, weights: Weights, on: Hardware) -> None:
        self.head = HeadModel()
        self.detector = Detector(weights=weights, on=on)
        self.mesh = Mesh(self.head, on=on)
        self.blendshapes = Blendshapes(on=on)
        self.gender = Gender(on=on)
        self.heads = _Heads(self.gender, on) if may_use(weights, *_Heads.FILES) else None


class Engine:
    """The offline engine: safe to call from several threads at once.

    The networks are loaded when they are first needed and are shared by all threads.

    Args:
        weights: ``"clean"`` uses no network that learnt from pictures for research only, or without a licence.
        on: What the networks run on.

    Raises:
        InvalidInputError: There are no such weights.
    """

    def __init__(self, *, weights: Weights = "all", on: Hardware = ALONE) -> None:
        check_weights(weights)
        self._weights = weights
        self._on = on
        self._loaded: _Networks | None = None
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        """Leave the networks of a parent to it: their threads do not go on here, and their locks may be held."""
        self._lock = threading.Lock()
        if self._loaded is not None:  # pragma: no cover -- tested in forked children, where nothing is measured
            forks.abandon(self._loaded)
            self._loaded = None

    def _networks(self) -> _Networks:
        with self._lock:
            if self._loaded is None:
                self._loaded = _Networks(self._weights, self._on)
            return self._loaded

    def close(self) -> None:
        """Free the networks; calls under way keep theirs, and a later one loads them anew."""
        with self._lock:
            self._loaded = None

    def analyze(
        self,
        image: Image.Image | ByteArray,
        *,
        mode: Mode = "default",
        whole: bool = True,
        trail: Trail | None = None,
        seconds: float = 0.0,
    ) -> list[dict[str, Any]]:
        """Return the service's ``FaceDetails``, largest face first, at most 100.

        Args:
            image: Picture, or RGB array of shape (height, width, 3), as a viewer shows it.
            mode: How hard to look for faces (see :class:`~rekog_emotion.embedded.EmbeddedClient`).
            whole: All members; else those that need no look at the face but the mesh's (``DEFAULT_MEMBERS``).
            trail: What is known from pictures before, where it is one of a stream.
            seconds: When it was taken, then.
        """
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        if picture.mode != "RGB":  # convert() would copy even what is
            picture = picture.convert("RGB")
        nets = self._networks()
        faces: Sequence[FaceMesh]
        if trail is None:
            faces = _find(nets, picture, mode)
        else:
            search = partial(_find, nets, mode=mode)
            faces = trail.find(picture, seconds, search=search, detector=nets.detector, mesh=nets.mesh)
        if not faces:
            return []
        poses = [nets.head.pose(face.points) for face in faces]
        marks = [landmarks(face, nets.head, pose) for face, pose in zip(faces, poses, strict=True)]
        if whole:
            details = [
                detail(picture, Observation(face, pose, points, *look))
                for face, pose, points, look in zip(faces, poses, marks, _looks(nets, faces, trail), strict=True)
            ]
        else:
            details = [basics(picture, *seen) for seen in zip(faces, poses, marks, strict=True)]
        return sorted(details, key=lambda one: -one["BoundingBox"]["Width"] * one["BoundingBox"]["Height"])


def _looks(
    nets: _Networks, faces: Sequence[FaceMesh], trail: Trail | None
) -> Iterator[tuple[Mapping[str, float], Told | None, Apparent]]:
    """Yield of each face its muscles, what is told of its crop, where networks may, and its age and gender."""
    muscles = nets.blendshapes(faces)
    told: Iterable[Told | None] = [None] * len(faces)
    look: Callable[[Sequence[FaceMesh]], Sequence[Apparent]]
    if nets.heads is None:
        look = partial(ageless, nets.gender)
    else:
        seen = nets.heads.appearance(faces)
        emotions = nets.heads.emotions(faces, muscles)
        told = map(Told, emotions, nets.heads.attributes(faces), (one.flags for one in seen))
        look = partial(nets.heads.age_gender, looks=seen)
    return zip(muscles, told, look(faces) if trail is None else trail.apparent(faces, look), strict=True)


def _find(nets: _Networks, image: Image.Image, mode: Mode) -> list[FaceMesh]:
    """Return the faces of the first search that yields any, each once, at most 100."""
    faces: list[FaceMesh] = []
    for detections in nets.detector.search(image, mode=mode):
        faces = nets.mesh(image, detections)
        if faces:
            break
    kept: list[FaceMesh] = []
    for face in sorted(faces, key=lambda face: -(face.presence + face.score)):
        if not kept or overlap(face.extent, np.array([other.extent for other in kept])).max() < SAME_FACE:
            kept.append(face)
    return sorted(kept, key=lambda face: -float(np.prod(face.extent[2:] - face.extent[:2])))[:MAX_IMAGE_FACES]
