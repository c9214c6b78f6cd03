"""Tables and JSON of whatever the service might answer."""

import io
import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rekog_emotion import ImageAnalysis, VideoAnalysis
from rekog_emotion.results import rows, tables
from rekog_emotion.results.arrow import FLAT, NESTED
from rekog_emotion.results.lossless import read_json_lines, to_json, write_json_lines
from tests.amounts import amount
from tests.property.strategies import images, unfinished_jobs, videos

ANALYSES = images.map(ImageAnalysis.from_aws) | (videos | unfinished_jobs).map(VideoAnalysis.from_aws)
FINISHED = images.map(ImageAnalysis.from_aws) | videos.map(
    lambda answer: VideoAnalysis.from_aws({**answer, "JobStatus": "SUCCEEDED"})
)


@settings(max_examples=amount(60, whole=300), deadline=None)
@given(ANALYSES)
def test_json_is_lossless(analysis):
    """`from_json` is the inverse of `to_json`, unknown members and all."""
    back = type(analysis).from_json(to_json(analysis))

    assert back == analysis
    assert (back.to_aws(), back.engine) == (analysis.to_aws(), analysis.engine)


@settings(max_examples=amount(30, whole=150), deadline=None)
@given(st.lists(ANALYSES, max_size=3))
def test_lines_are_lossless(analyses):
    """JSON Lines give the analyses back in their order."""
    write_json_lines(file := io.StringIO(), analyses)
    assert list(read_json_lines(io.StringIO(file.getvalue()))) == analyses


@settings(max_examples=amount(60, whole=300), deadline=None)
@given(st.lists(FINISHED, max_size=3))
def test_tables_hold_every_face(analyses):
    """Records, frame, flat and nested Arrow agree."""
    records = list(tables.to_records(*analyses))
    assert len(records) == sum(len(one.faces) for one in analyses)
    integers = [cell for one in records for column in rows.COLUMNS if column.type is int and (cell := one[column.name])]
    assume(all(abs(number) < 2**63 for number in integers))

    frame = tables.to_pandas(*analyses)
    flat, nested = tables.to_arrow(*analyses), tables.to_arrow(*analyses, nested=True)

    assert (flat.schema, nested.schema) == (FLAT, NESTED)
    assert flat.to_pylist() == records
    assert [None if (cell is None or math.isnan(cell)) else cell for cell in frame["confidence"]] == [
        one["confidence"] for one in records
    ]
    assert [row["details"]["confidence"] for row in nested.to_pylist()] == [one["confidence"] for one in records]
