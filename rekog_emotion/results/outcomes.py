"""What became of one of many: an analysis or an error."""

from __future__ import annotations

import os
from typing import Final, Generic, TypeVar

from attrs import field, frozen, resolve_types

from rekog_emotion.values.base import Value

__all__ = ["Outcome"]

_LONGEST: Final = 200  # signs of a source

S = TypeVar("S")
A = TypeVar("A")


def told(source: object) -> str:
    """Return what an outcome is about as text: never a picture itself, whatever it came as."""
    is_plain = source is None or isinstance(source, (str, os.PathLike, Value))
    text = repr(source) if is_plain else f"<{type(source).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@frozen(kw_only=True)
class Outcome(Generic[S, A]):
    """What became of one of many.

    Attributes:
        source: What it is about, as it was given.
        analysis: What was found; ``None`` where there was an error.
        error: Why there is no analysis.
    """

    source: S = field(repr=told)
    analysis: A | None = None
    error: Exception | None = None

    def _repr_html_(self) -> str:
        """What a notebook shows: what the analysis does, or the error."""
        from rekog_emotion.results.notebook import outcome_html

        return outcome_html(told(self.source), self.analysis, self.error)

    def result(self) -> A:
        """Return the analysis, or raise the error."""
        if self.analysis is None:
            raise self.error or AssertionError
        return self.analysis


resolve_types(Outcome)  # here are the names of its annotations, which subclasses in other rooms inherit
