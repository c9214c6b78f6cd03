"""What ``image`` and ``video`` print on terminals of any width."""

import io
import os
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rekog_emotion as rekog
from rekog_emotion.commands import _tables
from rekog_emotion.commands.cli import main
from rekog_emotion.results.lossless import write_json_lines
from tests.amounts import amount

ASTRONAUT = os.fspath(Path(__file__).parents[1] / "data" / "astronaut.jpg")
FACE = {
    "BoundingBox": {"Width": 0.1, "Height": 0.2, "Left": 0.5, "Top": 0.25},
    "AgeRange": {"Low": 19, "High": 43},
    "Emotions": [{"Type": "SURPRISED", "Confidence": 47.25}],
    "Gender": {"Value": "Female", "Confidence": 93.75},
    "Smile": {"Value": True, "Confidence": 100.0},
    "Eyeglasses": {"Value": True},
    "Beard": {"Value": True},
    "MouthOpen": {"Value": True},
    "EyesOpen": {"Value": False},
}
PHOTO = rekog.ImageAnalysis.from_aws({"FaceDetails": [FACE, FACE]}, size=(6000, 4000), engine="aws", source="a.jpg")
CLIP = rekog.VideoAnalysis.from_aws(
    {
        "JobStatus": "SUCCEEDED",
        "JobId": "7" * 64,
        "Faces": [
            {"Timestamp": 0, "Face": {"Emotions": [{"Type": kind, "Confidence": 90.0}]}}
            for kind in ("CALM", "SURPRISED", "DISGUSTED", "CONFUSED", "HAPPY")
        ],
        "VideoMetadata": {"DurationMillis": 3_723_000, "FrameWidth": 640, "FrameHeight": 480},
    },
    engine="aws",
)
NOBODY = rekog.ImageAnalysis(engine="embedded", source="b.jpg")


@pytest.fixture(params=["rich", "plain"])
def terminal(request, terminal, monkeypatch):
    """Give the terminal with and without rich."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "rich", None)
    return terminal


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Give a file of results in the current folder."""
    monkeypatch.chdir(tmp_path)
    with Path("faces.jsonl").open("w", encoding="utf-8") as file:
        write_json_lines(file, [PHOTO, NOBODY, CLIP])
    return "faces.jsonl"


def lines(text):
    """Return lines without what ends them, and without the rule that rich draws."""
    return [line.rstrip() for line in text.splitlines() if set(line.strip()) != {"─"}]


WIDE = """\
a.jpg: 2 faces, 6000 x 4000 pixels, engine: aws
#  box (pixels)       emotion          gender        age    smile       also
1  3000,1000 600x800  SURPRISED 47.2%  Female 93.8%  19-43  yes 100.0%  mouth open, glasses, beard, eyes closed
2  3000,1000 600x800  SURPRISED 47.2%  Female 93.8%  19-43  yes 100.0%  mouth open, glasses, beard, eyes closed

b.jpg: no faces, engine: embedded

source unknown: 5 faces, 1:02:03, 640 x 480 pixels, engine: aws
time  faces at once  leading emotions
0:00  5              CALM 20%, SURPRISED 20%, DISGUSTED 20%, CONFUSED 20%, HAPPY 20%
"""
NARROW = """\
a.jpg: 2 faces, 6000 x 4000 pixels, engine: aws
#               1
  box (pixels)  3000,1000 600x800
  emotion       SURPRISED 47.2%
  gender        Female 93.8%
  age           19-43
  smile         yes 100.0%
  also          mouth open, glasses,
                beard, eyes closed
#               2
  box (pixels)  3000,1000 600x800
  emotion       SURPRISED 47.2%
  gender        Female 93.8%
  age           19-43
  smile         yes 100.0%
  also          mouth open, glasses,
                beard, eyes closed

b.jpg: no faces, engine: embedded

source unknown: 5 faces, 1:02:03, 640 x 480 pixels, engine: aws
time  faces at once  leading emotions
0:00  5              CALM 20%, SURPRISED
                     20%, DISGUSTED 20%,
                     CONFUSED 20%, HAPPY
                     20%
"""


@pytest.mark.parametrize(("width", "expected"), [(40, NARROW), (120, WIDE), (200, WIDE)])
@pytest.mark.parametrize("command", ["image", "video"])
def test_results_are_shown_again(command, width, expected, terminal, results, monkeypatch):
    """A wide terminal gets columns, a narrow one a block a face; an empty line stands between two pictures."""
    monkeypatch.setenv("COLUMNS", str(width))

    code = main([command, results])

    out, err = terminal.readouterr()
    assert (code, err, lines(out)) == (0, "", expected.splitlines())


def of_one_face(emotion, left):
    """Return the faces of a photo of one."""
    box = {"Left": left, "Top": 0.1, "Width": 0.01, "Height": 0.01}
    return [{"BoundingBox": box, "Emotions": [{"Type": emotion, "Confidence": 9.0}]}]


BELOW = """\
0.jpg: 1 face, 10000 x 1000 pixels, engine: aws
#  box (pixels)     emotion
1  1000,100 100x10  SAD 9.0%

1.jpg: 1 face, 10000 x 1000 pixels, engine: aws
1  100,100 100x10   SAD 9.0%

2.jpg: no faces, 10000 x 1000 pixels, engine: aws

3.jpg: 1 face, 10000 x 1000 pixels, engine: aws
#   box (pixels)         emotion
1   1000,100 100x10      SURPRISED 9.0%

4.jpg: 1 face, 10000 x 1000 pixels, engine: aws
1   7000,100 100x10      DISGUSTED 9.0%
"""


def test_headings_are_not_repeated(terminal, monkeypatch, tmp_path):
    """Photos below each other have them once, and once more where a cell is wider, with room for others."""
    monkeypatch.setenv("COLUMNS", "60")
    photos = [of_one_face("SAD", 0.1), of_one_face("SAD", 0.01), (), of_one_face("SURPRISED", 0.1)]
    photos.append(of_one_face("DISGUSTED", 0.7))
    with (tmp_path / "many.jsonl").open("w") as file:
        for i, faces in enumerate(photos):
            answer = {"FaceDetails": list(faces)}
            write_json_lines(
                file, rekog.ImageAnalysis.from_aws(answer, source=f"{i}.jpg", engine="aws", size=(10_000, 1000))
            )

    assert main(["image", str(tmp_path / "many.jsonl")]) == 0

    assert lines(terminal.readouterr().out) == BELOW.splitlines()


@pytest.mark.parametrize("width", [1, 20, 30, *range(40, 201, 10)])
def test_nothing_is_cut(width, terminal, results, monkeypatch):
    """Every word of every cell is there on a terminal of any width, and no line of a table is too long for it."""
    monkeypatch.setenv("COLUMNS", str(width))

    assert main(["image", results]) == 0

    out = terminal.readouterr().out
    if width >= 30:
        assert [line for line in lines(out) if len(line) > width and ", engine: " not in line] == []
    for cell in ("SURPRISED 47.2%", "Female 93.8%", "3000,1000 600x800", "mouth open, glasses, beard, eyes closed"):
        assert all(word in re.sub(r"\s|─", "", out) for word in cell.split())
    assert "…" not in out


def test_programs_get_results_as_they_are(capsys, results):
    """Elsewhere than on a terminal the same documents come out."""
    assert main(["video", results]) == 0

    assert capsys.readouterr().out == Path(results).read_text()


@pytest.mark.parametrize("option", ["--resume", "--upload", "--staging"])
def test_results_start_no_job(option, capsys, results):
    """An option of a job is a mistake then."""
    assert main(["video", results, option, "s3://bucket/a"]) == 2

    said = f"rekog-emotion: faces.jsonl has results, for which no job is started; leave out {option}\n"
    assert capsys.readouterr().err == said


def width_of(line):
    """Return the places that a line takes on a terminal."""
    return sum(0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF") for sign in line)


WORDS = st.text("ab 日\u0301.", max_size=30).map(lambda text: " ".join(text.split()))


@settings(max_examples=amount(60, whole=400), deadline=None)
@example(
    [["", "", "aaaaaaa日", "a" * 19, ""], ["", "a" * 19, "", "", "aaaaaaaa 日日日"], ["aaaaaaa日日", "", "", "", ""]]
)
@example([[""] * 5, ["", "", "", "a" * 16 + "日日日", "a" * 12 + " 日日日日日 a"], ["a" * 11, "", "", "", ""]])
@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=2, max_size=4)))
@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_any_cells_fit(rich, cells):
    """Whatever stands in a table, its lines fit into 80 places and hold all of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        if not rich:
            patch.setitem(sys.modules, "rich", None)
        out = _Written()
        patch.setattr(sys, "stdout", out)
        _tables.print_table(["#", *(f"column {i}" for i in range(1, len(cells[0])))], cells)

    found = "".join("".join(out.text.split()).split("─"))
    for cell in {cell for row in cells for cell in row}:
        assert all("".join(word) in found for word in cell.split() if len(word) < 10)
    assert "…" not in found
    assert all(width_of(line.rstrip()) <= 80 for line in out.text.splitlines())


class _Written:
    """A stream that keeps what is written."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


def test_a_table_goes_above_a_bar(monkeypatch):
    """As whole lines, through what rich puts in place of standard output while a bar is there."""
    pytest.importorskip("rich")
    from rich.console import Console
    from rich.file_proxy import FileProxy

    terminal, past_the_bar = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", FileProxy(Console(file=terminal, width=80), past_the_bar))

    _tables.print_table(["a", "b"], [["1", "2"]])

    assert [line.split() for line in terminal.getvalue().splitlines() if line.strip(" ─")] == [["a", "b"], ["1", "2"]]
    assert past_the_bar.getvalue() == ""
