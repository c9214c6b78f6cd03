import csv
import io
import json
import os
import sys
from pathlib import Path

import attrs
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from attrs import frozen

import rekog_emotion as rekog
from rekog_emotion import Emotion, Face, Gender, ImageAnalysis, TimedFace, VideoAnalysis, VideoMetadata
from rekog_emotion.results import rows as _rows
from rekog_emotion.results import tables
from rekog_emotion.results.arrow import FLAT, FLAT_WITH_LANDMARKS, NESTED
from rekog_emotion.results.lossless import write_json_lines
from tests.results.people import at, face, looks, video

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
    assert {cell for name, cell in nobody.items() if name not in {one.name for one in _rows.whence_columns()}} == {None}


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


@pytest.mark.parametrize("name", ["a\r=1+1", "a\n=1+1", "a\r\n=1+1", 'a",\r"=1+1', "\r=1+1"])
def test_csv_has_a_row_a_face(name):
    """A name that ends lines, by CR alone, too, begins no row of its own, in which a spreadsheet would run the rest."""
    tables.write_csv(text := io.StringIO(newline=""), [ImageAnalysis(faces=(Face(),), source=name)])

    (row,) = csv.DictReader(io.StringIO(text.getvalue(), newline=""))
    assert row["source"].removeprefix("'") == name
    assert text.getvalue().count("\r") == name.count("\r")


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


@frozen
class Outcome:
    """What became of one of many, as the verbs for many give it."""

    analysis: object = None
    error: Exception | None = None


@pytest.mark.parametrize(
    "given",
    [
        (EMPTY, CLIP, EMPTY),
        ([EMPTY, CLIP, EMPTY],),
        (iter([EMPTY, CLIP]), EMPTY),
        ((Outcome(one) for one in (EMPTY, CLIP, EMPTY)),),
        ([Outcome(EMPTY), [CLIP]], (EMPTY,)),
        ([CLIP],),
        (Outcome(CLIP),),
    ],
    ids=["several", "list", "iterator", "outcomes", "nested", "one in a list", "one outcome"],
)
def test_every_function_takes_them_in_any_way(given, tmp_path):
    """One analysis, several, or any iterable; of outcomes the analysis counts."""
    given = [one if isinstance(one, (VideoAnalysis, ImageAnalysis)) else again(one) for one in given]
    expected = list(CLIP.to_records())
    written, lines = io.StringIO(), io.StringIO()

    assert list(tables.to_records(*given)) == expected
    assert tables.to_arrow(*given).to_pylist() == expected
    assert tables.to_pandas(*given)["timestamp_ms"].tolist() == [500, 1000]
    assert tables.write_parquet(tmp_path / "a.parquet", given) == 2
    assert tables.write_csv(written, given) == tables.write_records(lines, given) == 2
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == expected


def again(given):
    """Return what may be iterated over more than once, as a generator may not."""
    return given if isinstance(given, Outcome) else list(given)


def test_writers_take_one_analysis(tmp_path):
    """It needs no list around it."""
    assert tables.write_parquet(tmp_path / "a.parquet", CLIP) == tables.write_csv(io.StringIO(), CLIP) == 2


def test_outcomes_that_are_errors(caplog):
    """They have no rows, and the log says how many there were."""
    outcomes = [Outcome(error=ValueError()), Outcome(CLIP), Outcome(error=ValueError())]

    assert len(tables.to_pandas(outcomes)) == 2

    assert caplog.messages == ["2 of the outcomes are errors, and have no rows"]


@pytest.mark.parametrize("wrong", ["photo.jpg", b"", PORTRAIT, None, {"a.jpg": EMPTY}, [Face()], [EMPTY, 5]], ids=repr)
def test_what_is_no_analysis(wrong):
    """A path, say, or the faces themselves, is refused with what to pass."""
    kind = {list: "int" if wrong and isinstance(wrong, list) and 5 in wrong else "Face"}.get(
        type(wrong), type(wrong).__name__
    )
    with pytest.raises(rekog.InvalidInputError) as caught:
        tables.to_pandas(wrong)

    what = "pass what the verbs for photos and videos gave, outcomes, or an iterable of them"
    assert str(caught.value) == f"{kind} is no analysis: {what}"


def test_what_comes_one_by_one_in_asyncio():
    """Is to be collected first, and the message says how."""

    async def outcomes():
        yield Outcome(CLIP)

    with pytest.raises(rekog.InvalidInputError) as caught:
        tables.to_pandas(outcomes())

    assert str(caught.value) == (
        "async_generator is no analysis yet: collect it first, as in [outcome async for outcome in outcomes]"
    )


def test_what_is_a_table_by_itself(two):
    """What is said of people is told how it becomes one; a track, whose faces are there, is no analysis either."""
    timeline = two.timeline()
    for table in (timeline, timeline.summary(), timeline.segments()):
        with pytest.raises(rekog.InvalidInputError) as caught:
            tables.to_pandas(table)
        what = "is no analysis, and a table by itself: call its to_pandas(), or its to_arrow()"
        assert str(caught.value) == f"{type(table).__name__} {what}"
    with pytest.raises(rekog.InvalidInputError, match=r"^Track is no analysis: pass what the verbs"):
        tables.to_pandas(two.tracks()[0])


@pytest.fixture(scope="module")
def two():
    """Give a video of two people, one of whom comes later, and its faces out of order."""
    return video(*looks({"HAPPY": 90.0}, {"HAPPY": 90.0}), *looks({"SAD": 80.0}, start=0.5, x=0.1), at(0, None))


def test_people_on_request(two, photo, tmp_path):
    """A column says who is who, as the tracks do; nobody is followed in a photo."""
    frame = tables.to_pandas(two, photo, people=True)

    assert frame.columns.get_loc("person") == 6
    assert str(frame["person"].dtype) == "Int64"
    assert frame["person"].fillna(0).tolist() == [1, 1, 2, 0, 0]
    ids = {id(face): track.id for track in two.tracks() for face in track.faces}
    assert [row["person"] for row in two.to_records(people=True)] == [ids.get(id(face)) for face in two.faces]
    for nested in (False, True):
        table = two.to_arrow(people=True, nested=nested)
        assert (table.column_names[6], table["person"].to_pylist()) == ("person", [1, 1, 2, None])
        two.write_parquet(tmp_path / "a.parquet", people=True, nested=nested)
        assert pq.read_table(tmp_path / "a.parquet").equals(table)
    tables.write_csv(written := io.StringIO(), two, people=True)
    assert [row["person"] for row in csv.DictReader(io.StringIO(written.getvalue()))] == ["1", "1", "2", ""]
    assert EMPTY.to_pandas(people=True)["person"].dtype == frame["person"].dtype


def test_a_timeline_is_a_long_table(two):
    """It has a row a score, by person and time, and its sums have no noise."""
    timeline = two.timeline(smooth=0)

    frame = timeline.to_pandas()

    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "person": "Int64",
        "seconds": "float64",
        "emotion": "string",
        "score": "float64",
    }
    assert frame.to_numpy().tolist() == [
        [1, 0.0, "HAPPY", 90.0],
        [1, 0.0, "SAD", 0.0],
        [1, 0.5, "HAPPY", 90.0],
        [1, 0.5, "SAD", 0.0],
        [2, 0.5, "HAPPY", 0.0],
        [2, 0.5, "SAD", 80.0],
    ]
    assert timeline.to_arrow().to_pylist() == frame.to_dict("records")
    scores = frame[frame["person"] == 1].pivot_table(index="seconds", columns="emotion", values="score")
    assert scores["HAPPY"].to_dict() == {0.0: 90.0, 0.5: 90.0}


def test_segments_and_summaries_are_tables(two):
    """A row a stretch, and a row a person."""
    timeline = two.timeline(smooth=0)

    assert timeline.segments(min_seconds=0).to_pandas().to_dict("records") == [
        {"person": 1, "emotion": "HAPPY", "start": 0.0, "end": 1.0, "seconds": 1.0, "score": 90.0},
        {"person": 2, "emotion": "SAD", "start": 0.5, "end": 1.0, "seconds": 0.5, "score": 80.0},
    ]
    assert timeline.people[1].segments(min_seconds=0).to_arrow()["emotion"].to_pylist() == ["SAD"]
    frame = timeline.summary().to_pandas()
    assert frame[
        ["person", "start", "end", "screen_seconds", "faces", "dominant", "undecided"]
    ].to_numpy().tolist() == [
        [1, 0.0, 1.0, 1.0, 2, "HAPPY", 10.0],
        [2, 0.5, 1.0, 0.5, 1, "SAD", 20.0],
    ]
    assert frame[["share_happy", "share_sad"]].to_numpy().tolist() == [[90.0, 0.0], [0.0, 80.0]]
    assert frame["share_angry"].isna().all()


@pytest.mark.parametrize("faces", [(), (at(0, face(0.5, bare=True)),)], ids=["nobody", "without emotions"])
def test_tables_over_time_have_their_types(faces, two):
    """Also when there is nobody, or nothing is known of how they look."""
    for make in (
        lambda clip: clip.timeline(),
        lambda clip: clip.timeline().segments(),
        lambda clip: clip.timeline().summary(),
    ):
        empty, full = make(video(*faces)), make(two)
        assert empty.to_pandas().dtypes.equals(full.to_pandas().dtypes)
        assert empty.to_arrow().schema == full.to_arrow().schema


def test_unknown_scores_are_no_values():
    """Of somebody whose emotions are known at one time only, they are absent at the others."""
    clip = video(at(0, face(emotions={"HAPPY": 90.0})), at(0.5, face(bare=True)))
    timeline = clip.timeline(smooth=0)

    assert timeline.to_pandas()["score"].isna().tolist() == [False, True]
    assert timeline.to_arrow()["score"].to_pylist() == [90.0, None]


def test_no_float_noise():
    """Times are whole milliseconds, scores have four decimals: 4.96 is no 4.960000000000001."""
    milliseconds = [0, 333, 667, 1001, 1334, 1668, 4460, 4793]
    clip = video(*(at(one / 1000, face(emotions={"HAPPY": 47.3, "SAD": 12.7})) for one in milliseconds))
    timeline = clip.timeline()

    for table, longest in ((timeline.segments(), 4), (timeline.summary(), 4), (timeline, 4)):
        numbers = table.to_pandas().select_dtypes("float").to_numpy().ravel()
        assert [number for number in numbers if len(repr(float(number)).partition(".")[2]) > longest] == []
    (segment, *_), summary = timeline.segments(), timeline.summary()
    assert (segment.score, summary.people[0].shares["HAPPY"]) == (47.3, 47.3)
    for number in (segment.start, segment.end, segment.seconds, summary.people[0].screen_seconds):
        assert len(repr(number).partition(".")[2]) <= 3


@pytest.mark.parametrize(
    ("module", "call", "extra"), [("pandas", "to_pandas", "pandas"), ("pyarrow", "to_arrow", "arrow")]
)
def test_missing_extra_of_tables_over_time(monkeypatch, two, module, call, extra):
    """The message says what to install."""
    timeline = two.timeline()
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        getattr(timeline, call)()

    what = "A data frame" if module == "pandas" else "An Arrow table"
    assert str(caught.value) == f"{what} needs the {extra!r} extra: pip install 'rekog-emotion[{extra}]'"


def test_whatever_reads_arrow_reads_them(two, photo):
    """By Arrow's capsule interface, of which pyarrow is one reader."""
    timeline = two.timeline()
    none = timeline.segments(min_seconds=100)
    for table in (two, photo, EMPTY, timeline, timeline.segments(), none, timeline.summary()):
        assert pa.table(table).equals(table.to_arrow())
        assert pa.RecordBatchReader.from_stream(table).read_all().equals(table.to_arrow())


def test_polars_reads_them(two):
    """A frame of polars is made of an analysis, of many, and of what is said of people."""
    polars = pytest.importorskip("polars")
    timeline = two.timeline(smooth=0)

    assert polars.DataFrame(two).to_dicts() == list(two.to_records())
    assert polars.from_arrow(tables.to_arrow([two, EMPTY])).to_dicts() == list(two.to_records())
    assert polars.DataFrame(timeline).to_dicts() == timeline.to_arrow().to_pylist()
    assert polars.DataFrame(timeline.summary())["person"].to_list() == [1, 2]
    assert polars.DataFrame(timeline.segments(min_seconds=0))["emotion"].to_list() == ["HAPPY", "SAD"]


def test_duckdb_reads_them(two):
    """A query names the variable, or what was registered."""
    duckdb = pytest.importorskip("duckdb")
    timeline = two.timeline(smooth=0)
    segments = timeline.segments(min_seconds=0)

    found = duckdb.sql("select emotion from segments where seconds < 1").fetchall()
    assert (len(segments), found) == (2, [("SAD",)])
    with duckdb.connect() as connection:
        connection.register("clip", two.to_arrow(people=True))
        query = "select person, count(*) from clip group by 1 order by 1"
        assert connection.sql(query).fetchall() == [(1, 2), (2, 1), (None, 1)]
    assert duckdb.sql("select max(timestamp_ms) from two").fetchall() == [(500,)]
    assert duckdb.sql("select emotion, max(score) from timeline group by 1 order by 1").fetchall() == [
        ("HAPPY", 90.0),
        ("SAD", 80.0),
    ]


def test_a_missing_pandas_is_said_before_the_first_call(monkeypatch):
    """A generator of analyses is not begun: each of its calls may be paid for."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    asked = []

    with pytest.raises(rekog.MissingExtraError, match=r"rekog-emotion\[pandas\]"):
        tables.to_pandas(asked.append(k) for k in range(3))
    assert asked == []


WRITERS = [tables.write_csv, tables.write_records, write_json_lines]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("path", [str, lambda path: path], ids=["text", "Path"])
def test_paths_are_files(write, path, tmp_path):
    """A path gets what an open file gets, in UTF-8, and its file is there when it is whole."""
    named = attrs.evolve(CLIP, source="\u00fc.mp4")
    text = io.StringIO()

    assert write(path(tmp_path / "faces"), [named]) == write(text, [named])

    assert (tmp_path / "faces").read_text(encoding="utf-8-sig") == text.getvalue()
    assert [one.name for one in tmp_path.iterdir()] == ["faces"]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_what_breaks_off_leaves_what_was_there(write, tmp_path):
    """Half a table is none."""
    (tmp_path / "faces").write_text("before")

    def analyses():
        yield CLIP
        raise KeyError

    with pytest.raises(KeyError):
        write(tmp_path / "faces", analyses())

    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_what_is_no_text_file(write, tmp_path):
    """It is refused before anything is written, with what to pass."""
    for wrong, message in (
        (io.BytesIO(), "the file object is open for bytes; open it in mode 'w', or pass the path"),
        (b"faces.csv", "bytes is no place to write to; pass a path, or an open text file"),
        (None, "NoneType is no place to write to; pass a path, or an open text file"),
        (
            tmp_path / "none" / "faces",
            f"{tmp_path}/none/faces: there is no directory {tmp_path}/none; make it first",
        ),
    ):
        with pytest.raises(rekog.InvalidInputError) as caught:
            write(wrong, CLIP)
        assert str(caught.value) == message


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FAILED"])
@pytest.mark.parametrize(
    "write",
    [
        lambda clip, _: list(tables.to_records(clip)),
        lambda clip, _: tables.to_pandas([EMPTY, clip]),
        lambda clip, _: tables.to_arrow(clip),
        lambda clip, _: tables.to_arrow(clip, nested=True),
        lambda clip, path: tables.write_parquet(path, clip),
        lambda clip, _: tables.write_csv(io.StringIO(), clip),
        lambda clip, _: tables.write_records(io.StringIO(), clip),
    ],
    ids=["records", "pandas", "Arrow", "nested", "Parquet", "CSV", "JSON Lines"],
)
def test_no_rows_of_a_job_that_has_no_faces_yet(write, status, tmp_path):
    """An empty table would say that nobody is there."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        write(VideoAnalysis(status=status), tmp_path / "faces")

    assert str(caught.value) == (
        f"this answer is of a job that is {status}, which is not 'no faces'; keep one that has SUCCEEDED"
    )
    assert list(tmp_path.iterdir()) == []
