"""Outcomes of many as Arrow tables: a row a face, or one a picture or video; what failed is a row with its error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from rekog_emotion.errors import needs
from rekog_emotion.results.arrow import FLAT, FLAT_WITH_LANDMARKS, _members, _struct
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.outcomes import Outcome
from rekog_emotion.results.rows import Record, records
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.text import encodable
from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import TimedFace

with needs("arrow", "An Arrow table"):
    import pyarrow as pa

__all__ = ["OutcomeSink", "Rows"]

_ERROR: Final = pa.field("error", pa.string())
_PICTURE: Final = ("source", "engine", "picture_width", "picture_height")


def _nested(shape: type[Face | TimedFace]) -> pa.Schema:
    faces = pa.field("faces", pa.list_(_struct(shape)))
    return pa.schema([*(FLAT.field(name) for name in _PICTURE), faces, _ERROR])


class Rows(NamedTuple):
    """The rows of some outcomes.

    Attributes:
        table: The rows.
        numbers: Of each row, which outcome it is of.
    """

    table: pa.Table
    numbers: list[int]


class OutcomeSink:
    """Makes Arrow tables of one schema, whatever becomes of what is asked.

    Args:
        of: What is analysed.
        nested: A row a picture or video, with all its faces, and not one a face.
        landmarks: Of flat rows: the columns of the landmarks as well.
        faceless: Of flat rows: a row for what has no faces, too.
    """

    def __init__(
        self, of: Literal["images", "videos"], *, nested: bool = False, landmarks: bool = False, faceless: bool = False
    ) -> None:
        self._shape: type[Face | TimedFace] = Face if of == "images" else TimedFace
        self._is_nested, self._landmarks, self._faceless = nested, landmarks, faceless
        flat = FLAT_WITH_LANDMARKS if landmarks else FLAT
        self.schema = _nested(self._shape) if nested else flat.append(_ERROR)

    def rows(self, outcomes: Iterable[tuple[str, Outcome[Any, Any]]]) -> Rows:
        """Return the rows of outcomes, each with the name of what it is about.

        What holds a number that no column takes becomes a row with that as its error.
        """
        each = [list(self._of(name, outcome)) for name, outcome in outcomes]
        numbers = [number for number, rows in enumerate(each) for _ in rows]
        try:
            return Rows(self._table([row for rows in each for row in rows]), numbers)
        except (pa.ArrowInvalid, OverflowError):
            fitting = [self._fitting(rows) for rows in each]
            return Rows(
                self._table([row for rows in fitting for row in rows]),
                [number for number, rows in enumerate(fitting) for _ in rows],
            )

    def _table(self, rows: Sequence[Record]) -> pa.Table:
        return pa.Table.from_pylist(rows, schema=self.schema)

    def _fitting(self, rows: list[Record]) -> list[Record]:
        try:
            self._table(rows)
        except (pa.ArrowInvalid, OverflowError) as error:
            why = f"InvalidInputError: a number does not fit into its column of 64 bits: {error}"
            return [{"source": rows[0]["source"], "error": encodable(why)}]
        return rows

    def _of(self, name: str, outcome: Outcome[Any, Any]) -> Iterator[Record]:
        analysis: ImageAnalysis | VideoAnalysis | None = outcome.analysis
        if analysis is None:
            what = f"{type(outcome.error).__name__}: {outcome.error}"
            yield {"source": encodable(name), "error": encodable(what)}
            return
        if not self._is_nested:
            found = False
            for record in records(analysis, landmarks=self._landmarks):
                found = True
                yield {**record, "source": encodable(name)}
            if found or not self._faceless:
                return
        width, height = analysis.size or (None, None)
        row: Record = {"source": encodable(name), "engine": analysis.engine}
        row |= {"picture_width": width, "picture_height": height}
        if self._is_nested:
            row["faces"] = [_members(one, self._shape) for one in analysis.faces]
        yield row
