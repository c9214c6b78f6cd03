"""What a face looks like to one network of our own: evidence of sex, age, smile, beard, glasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import frozen

from rekog_emotion.embedded.expression import chips
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, Hardware, Net

__all__ = ["Appearance", "Look"]

SIDE, PAD = 96, 0.28  # pixels of the network's input, and its margin
FLAGS = ("Male", "Smile", "Mustache", "Beard", "Eyeglasses", "MouthOpen")  # its logits


@frozen
class Look:
    """What the network says of one face.

    Attributes:
        flags: Logits by the names of ``FLAGS``.
        age: Years.
    """

    flags: Mapping[str, float]
    age: float


class Appearance:
    """One network for all of it; safe to call from several threads at once.

    Args:
        on: What the network runs on.
    """

    FILES: ClassVar = ("face_appearance",)

    def __init__(self, *, on: Hardware = ALONE) -> None:
        (self._net,) = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh]) -> list[Look]:
        """Return what each face looks like."""
        flags, ages = self._net(chips(faces, SIDE, PAD))
        told = (dict(zip(FLAGS, row, strict=True)) for row in flags.tolist())
        return [Look(*one) for one in zip(told, ages[:, 0].tolist(), strict=True)]
