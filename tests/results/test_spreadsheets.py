"""CSV that spreadsheets open, read back by those who read it."""

import csv

import attrs
import pandas as pd
import pyarrow.csv
import pytest

import rekog_emotion as rekog
from rekog_emotion import ImageAnalysis
from rekog_emotion.results import tables
from tests.pictures import PORTRAIT
from tests.results.people import at, face, video


def test_excel_knows_its_letters(tmp_path):
    """The file begins with the mark of UTF-8, a name of other letters stays what it is, and no cell is a formula."""
    photo = rekog.detect_image(PORTRAIT, client="embedded")
    for source in ("사진,“1”.jpg", '=HYPERLINK("x")'):
        told = ImageAnalysis(faces=photo.faces, size=photo.size, source=source)

        assert told.write_csv(tmp_path / "faces.csv") == 1

        assert (tmp_path / "faces.csv").read_bytes().startswith(b"\xef\xbb\xbfsource,engine,face,")
        with (tmp_path / "faces.csv").open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert row == {
            name: "" if cell is None else f"'{cell}" if cell == '=HYPERLINK("x")' else str(cell)
            for name, cell in next(told.to_records()).items()
        }


def test_others_read_the_same(tmp_path):
    """Both pandas and Arrow take the mark for what it is, and have the numbers as they were."""
    clip = video(*(at(k / 2, face(0.2 + k / 10, emotions={"HAPPY": 90.1, "SAD": 1 / 3})) for k in range(3)))

    assert clip.write_csv(tmp_path / "faces.csv", landmarks=True) == 3

    expected = clip.to_pandas(landmarks=True)
    frame = pd.read_csv(tmp_path / "faces.csv")
    assert list(frame.columns) == list(expected.columns)
    assert frame["emotion_sad"].tolist() == [1 / 3] * 3
    lefts = expected["bounding_box_left"].tolist()  # whose last digits pandas before 3.0 rounds by itself
    assert frame["bounding_box_left"].tolist() == pytest.approx(lefts, rel=1e-14)
    table = pyarrow.csv.read_csv(tmp_path / "faces.csv")
    assert table.column_names == list(expected.columns)
    assert table["timestamp_ms"].to_pylist() == [0, 500, 1000]
    assert list(tmp_path.iterdir()) == [tmp_path / "faces.csv"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_european_spreadsheets(tmp_path, delimiter):
    """They want a comma in numbers and another sign between cells; of texts and whole numbers nothing changes."""
    clip = video(*(at(k / 2, face(0.2 + k / 10, emotions={"HAPPY": 90.1, "SAD": 1 / 3})) for k in range(3)))
    named = attrs.evolve(clip, source="a;b,c|d.e\t.mp4")

    assert named.write_csv(tmp_path / "faces.csv", people=True, delimiter=delimiter, decimal=",") == 3

    frame = pd.read_csv(tmp_path / "faces.csv", sep=delimiter, decimal=",")
    assert frame["emotion_sad"].tolist() == [1 / 3] * 3
    assert frame["timestamp_ms"].tolist() == [0, 500, 1000]
    assert frame["source"].tolist() == ["a;b,c|d.e\t.mp4"] * 3
    assert frame["person"].tolist() == [1, 1, 1]
    assert "90,1" in (tmp_path / "faces.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("path", [str, lambda path: path], ids=["text", "Path"])
def test_the_function_takes_a_path_as_the_method_does(path, tmp_path):
    """Both write the same file, of which nothing is there before it is whole."""
    clip = video(*(at(k / 2, face(0.2 + k / 10, emotions={"HAPPY": 90.1})) for k in range(3)))

    assert tables.write_csv(path(tmp_path / "one.csv"), clip, delimiter=";") == 3
    assert clip.write_csv(tmp_path / "same.csv", delimiter=";") == 3

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "same.csv").read_bytes()


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(",", ","), ("", "."), (";;", ","), (";", ";"), ("\n", "."), (None, ".")]
)
def test_signs_that_make_no_table(tmp_path, delimiter, decimal):
    """They are refused before anything is written."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        ImageAnalysis().write_csv(tmp_path / "faces.csv", delimiter=delimiter, decimal=decimal)

    assert str(caught.value) == (
        f"delimiter={delimiter!r} and decimal={decimal!r} make no CSV: the first is one of ',', ';', '\\t', '|', the "
        "second '.' or ',', and they differ"
    )
    assert list(tmp_path.iterdir()) == []
