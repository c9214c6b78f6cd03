import csv
import io
import json
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import rekog_emotion as rekog
from rekog_emotion import Emotion, Face, Gender, ImageAnalysis, TimedFace, VideoAnalysis, VideoMetadata
from rekog_emotion.results import rows as _rows
from rekog_emotion.results import tables
from rekog_emotion.results.arrow import FLAT, FLAT_WITH_LANDMARKS, NESTED

RECORDINGS = os.environ.get("REKOG_EMOTION_RECORDINGS")
PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
CLIP = VideoAnalysis(
    faces=(
        TimedFace(timestamp_ms=500, face=Face(emotions=(Emotion(type="BORED", confidence=80),))),
        TimedFace(timestamp_ms=1000),
    ),
    metadata=VideoMetadata(frame_width=640, frame_height=480),
    engine="aws",
    source="clip.mp4",
)
EMPTY = ImageAnalysis(source="blank.png")
DTYPES = {str: "string", int: "Int64", float: "float64", bool: "boolean"}


@pytest.fixture(scope="module")
def photo():
    """Give the analysis of the portrait."""
    return rekog.detect_image(PORTRAIT, client="embedded")


def test_one_row_a_face(photo):
    """Several analyses make one table; source, timestamp and number say where a face is from."""
    frame = tables.to_pandas(photo, EMPTY, CLIP)

    assert frame[["source", "face", "picture_width"]].to_numpy().tolist() == [
        [str(PORTRAIT), 0, 512],
        ["clip.mp4", 0, 640],
        ["clip.mp4", 1, 640],
    ]
    assert frame["timestamp_ms"].isna().tolist() == [True, False, False]
    assert frame["timestamp_ms"].dropna().tolist() == [500, 1000]


def test_cells_are_the_members(photo):
    """A cell is what the value says; what is absent is None, a word that is not listed is kept."""
    (record,) = photo.to_records()
    face = photo.faces[0]

    assert list(record) == [column.name for column in _rows.COLUMNS]
    assert (record["smile"], record["smile_confidence"]) == (True, face.smile.confidence)
    assert (record["gender"], type(record["gender"])) == ("Female", str)
    assert (record["emotion_happy"], record["emotion_unknown"]) == (face.emotion("HAPPY").confidence, None)
    assert (record["bounding_box_left"], record["age_range_low"]) == (face.bounding_box.left, face.age_range.low)
    unknown, nobody = CLIP.to_records()
    assert (unknown["dominant_emotion"], unknown["dominant_emotion_confidence"]) == ("BORED", 80.0)
    assert {cell for name, cell in nobody.items() if name not in _rows.WHENCE} == {None}


@pytest.mark.parametrize("analyses", [(), (EMPTY,), (CLIP,), (VideoAnalysis(),)])
@pytest.mark.parametrize("landmarks", [False, True])
def test_types_do_not_depend_on_the_content(analyses, landmarks):
    """Empty tables have the columns and types of full ones."""
    frame = tables.to_pandas(*analyses, landmarks=landmarks)

    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        column.name: DTYPES[column.type] for column in _rows.columns(landmarks=landmarks)
    }
    assert tables.to_arrow(*analyses, landmarks=landmarks).schema == (FLAT_WITH_LANDMARKS if landmarks else FLAT)
    assert tables.to_arrow(*analyses, nested=True).schema == NESTED


def test_landmarks_are_two_columns_each(photo):
    """With landmarks, each type has its x and y, in a stable order whatever order they came in."""
    (record,) = photo.to_records(landmarks=True)

    nose = photo.faces[0].landmarks["nose"]
    assert (record["landmark_nose_x"], record["landmark_nose_y"]) == (nose.x, nose.y)
    assert list(record)[len(_rows.COLUMNS) :] == [column.name for column in _rows.LANDMARK_COLUMNS]


def test_methods_are_the_functions(photo, tmp_path):
    """Each analysis turns itself into a table."""
    pd.testing.assert_frame_equal(photo.to_pandas(), tables.to_pandas(photo))
    assert CLIP.to_arrow() == tables.to_arrow(CLIP)
    assert CLIP.write_parquet(tmp_path / "clip.parquet") == 2
    assert pq.read_table(tmp_path / "clip.parquet").equals(CLIP.to_arrow())


def test_nested_has_what_the_wire_has(photo):
    """The nested table has every member, all landmarks and all emotions in their order."""
    (row,) = photo.to_arrow(nested=True).to_pylist()

    face = photo.faces[0]
    assert [(one["type"], one["confidence"]) for one in row["details"]["emotions"]] == [
        (str(one.type), one.confidence) for one in face.emotions
    ]
    assert len(row["details"]["landmarks"]) == len(face.landmarks)
    assert row["details"]["smile"] == {"value": True, "confidence": face.smile.confidence}


@pytest.mark.parametrize("nested", [False, True])
def test_parquet_is_written_in_pieces(photo, tmp_path, monkeypatch, nested):
    """Analyses are read one by one into row groups, and come out again as they went in."""
    monkeypatch.setattr(tables, "_ROWS_AT_ONCE", 3)
    path = tmp_path / "faces.parquet"

    number = tables.write_parquet(path, (photo for _ in range(7)), nested=nested)

    assert (number, pq.ParquetFile(path).num_row_groups) == (7, 3)
    assert pq.read_table(path).equals(tables.to_arrow(*[photo] * 7, nested=nested))


def test_parquet_that_fails_leaves_nothing(photo, tmp_path):
    """A file appears when it is whole; what was there stays."""
    path = tmp_path / "faces.parquet"
    path.write_bytes(b"before")

    def broken():
        yield photo
        raise ConnectionError

    with pytest.raises(ConnectionError):
        tables.write_parquet(path, broken())

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"before", [path])


@pytest.mark.parametrize("to_table", [VideoAnalysis.to_arrow, VideoAnalysis.to_pandas])
def test_number_too_large_for_a_column(to_table):
    """An integer that no column holds is told in a sentence."""
    clip = VideoAnalysis(faces=(TimedFace(timestamp_ms=2**64, face=Face()),))

    with pytest.raises(rekog.InvalidInputError, match=r"^a number does not fit into its column of 64 bits: "):
        to_table(clip)


def test_names_that_are_no_text(tmp_path):
    """A file name of other bytes than UTF-8 has escapes in every table."""
    clip = VideoAnalysis(
        faces=(TimedFace(face=Face(gender=Gender(value="\ud800"))),), source=os.fsdecode(b"caf\xe9.mp4")
    )
    clip.write_parquet(tmp_path / "faces.parquet")
    with (tmp_path / "faces.csv").open("w", encoding="utf-8", newline="") as file:
        tables.write_csv(file, [clip])

    cells = [
        *((row["source"], row["gender"]) for row in clip.to_records()),
        *clip.to_pandas()[["source", "gender"]].itertuples(index=False, name=None),
        *((row["source"], row["gender"]) for row in pq.read_table(tmp_path / "faces.parquet").to_pylist()),
        *(
            (row["source"], row["gender"])
            for row in csv.DictReader((tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines())
        ),
        *((row["source"], row["details"]["gender"]["value"]) for row in clip.to_arrow(nested=True).to_pylist()),
    ]

    assert cells == [(r"caf\udce9.mp4", r"\ud800")] * 5


def test_csv_and_lines_hold_the_same(photo):
    """CSV and JSON Lines have a row a face, also when there are none."""
    text, lines = io.StringIO(), io.StringIO()

    assert (tables.write_csv(text, [photo, CLIP]), tables.write_records(lines, [photo, CLIP])) == (3, 3)

    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert records == [*tables.to_records(photo, CLIP)]
    assert [{name: "" if cell is None else str(cell) for name, cell in record.items()} for record in records] == rows
    assert tables.write_csv(heading := io.StringIO(), []) == 0
    assert heading.getvalue().splitlines() == [",".join(column.name for column in _rows.COLUMNS)]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_csv_runs_no_formula(name):
    """A name that a spreadsheet would run is text."""
    tables.write_csv(text := io.StringIO(), [ImageAnalysis(faces=(Face(),), source=name)])

    (row,) = csv.DictReader(io.StringIO(text.getvalue()))
    assert row["source"] == f"'{name}"


@pytest.mark.parametrize(
    ("module", "call", "extra"), [("pandas", "to_pandas", "pandas"), ("pyarrow", "to_arrow", "arrow")]
)
def test_missing_extra(monkeypatch, module, call, extra):
    """Without its extra a table says what to install."""
    monkeypatch.delitem(sys.modules, "rekog_emotion.results.arrow", raising=False)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        getattr(EMPTY, call)()

    assert str(caught.value).endswith(f" needs the '{extra}' extra: pip install 'rekog-emotion[{extra}]'")


@pytest.mark.skipif(RECORDINGS is None, reason="REKOG_EMOTION_RECORDINGS names no folder of recordings")
def test_recorded_answers_have_the_same_columns():
    """Recorded answers of the service, of all years, fit the one schema."""
    found = 0
    for path in sorted(Path(RECORDINGS).rglob("*.json")):
        try:
            answer = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(answer, dict) and "FaceDetails" in answer:
            analysis = ImageAnalysis.from_aws(answer)
            assert analysis.to_arrow().schema == FLAT
            assert analysis.to_arrow(nested=True).num_rows == len(analysis.faces)
            found += 1
    assert found > 0


def test_memory_stays_flat_over_lines(photo):
    """Analyses are asked for one at a time, and none is kept."""
    alive, most = set(), 0

    class Watched:
        def __init__(self, number):
            self.number = number
            alive.add(number)

        def __del__(self):
            alive.discard(self.number)

    def source():
        nonlocal most
        for number in range(50):
            watched = Watched(number)
            one = ImageAnalysis(faces=photo.faces, response_metadata={"watched": watched})
            del watched
            most = max(most, len(alive))
            yield one
            del one

    tables.write_records(io.StringIO(), source())
    assert most <= 2
