"""What the networks learnt from, and which of them may therefore be used.

The manifest of the weight files says of each whether it is clean: it learnt from no pictures that are for research
only, or that nobody gave a licence for.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from rekog_emotion.embedded.nets import told
from rekog_emotion.errors import InvalidInputError

__all__ = ["Weights", "check_weights", "may_use"]

Weights: TypeAlias = Literal["all", "clean"]
_CHOICES: Final = get_args(Weights)


def check_weights(weights: object) -> None:
    """Refuse what is no choice of weights.

    Raises:
        InvalidInputError: It is none.
    """
    if weights not in _CHOICES:
        msg = f"unknown weights {weights!r}: use " + " or ".join(map(repr, _CHOICES))
        raise InvalidInputError(msg)


def may_use(weights: Weights, *names: str) -> bool:
    """Tell whether all of these networks may be used.

    Args:
        weights: ``"all"``, or ``"clean"``.
        names: Stems of weight files.
    """
    return weights == "all" or all(told(f"{name}.onnx", "clean") is True for name in names)
