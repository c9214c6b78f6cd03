"""Write the table of the service's members and ours out of the code: ``python docs/wire.py``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

import rekog_emotion as rekog
from rekog_emotion.values.base import Value
from rekog_emotion.wire.kinds import Columns, Kind, Leaf, Many, One, members

PAGE: Final = Path(__file__).parent / "reference/wire.md"
BEGINNING: Final = """# The service's members and ours

What DetectFaces and GetFaceDetection answer, and where it is here. `python docs/wire.py` writes this page out of the
table by which answers are read and written. Every member is optional, and `None` where it is absent; members that are
not listed are kept in `extra`, words that are not listed stay plain strings, and `to_aws()` writes back what
`from_aws()` read.
"""


def shapes() -> list[type[Value]]:
    """Return every public class of values that has members on the wire."""
    things = [getattr(rekog, name) for name in rekog.__all__]
    return [thing for thing in things if isinstance(thing, type) and issubclass(thing, Value) and members(thing)]


def held(kind: Kind) -> str:
    """Say what a member holds."""
    if isinstance(kind, Leaf):
        words = kind.words and type(next(iter(kind.words.values())))
        return f"a word of `{words.__name__}`" if words and issubclass(words, StrEnum) else kind.expected
    many = {One: "`{}`", Many: "a tuple of `{}`", Columns: "`Landmarks`, of `{}`"}
    return many[type(kind)].format(kind.shape.__name__)


def page() -> str:
    """Return the whole page."""
    parts = [BEGINNING]
    for shape in shapes():
        rows = [f"| `{one.name}` | `{one.attribute}` | {held(one.kind)} |" for one in members(shape)]
        parts.append(
            "\n".join([f"## {shape.__name__}", "", "| wire | attribute | holds |", "|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
