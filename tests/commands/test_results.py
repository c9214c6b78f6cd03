"""The commands annotate, blur and export, and shell completion."""

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion.commands.cli import main
from rekog_emotion.results import tables
from rekog_emotion.results.arrow import FLAT, NESTED
from rekog_emotion.results.lossless import to_json
from tests.embedded.clips import write_clip

DATA = Path(__file__).parents[1] / "data"
ASTRONAUT, PEOPLE = os.fspath(DATA / "astronaut.jpg"), os.fspath(DATA / "people.mp4")
EMBEDDED = ("--client", "embedded")


@pytest.fixture(scope="module")
def photo():
    """Give the analysis of the portrait."""
    return rekog.detect_image(ASTRONAUT, client="embedded")


@pytest.fixture(scope="module")
def results(photo, tmp_path_factory):
    """Give a file of results: the portrait, and a video of the same face."""
    face = {"Timestamp": 0, "Face": photo.faces[0].to_aws()}
    path = tmp_path_factory.mktemp("results") / "faces.jsonl"
    path.write_text(to_json(photo) + "\n" + json.dumps({"source": PEOPLE, "engine": "embedded", **face}) + "\n")
    return os.fspath(path)


def said(capsys):
    """Return the only line of standard output, as JSON."""
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_annotate_photo(capsys, tmp_path, photo):
    """The copy is the drawing; programs are told where it is."""
    out = os.fspath(tmp_path / "overlay.png")

    code = main(["annotate", ASTRONAUT, out, *EMBEDDED])

    assert (code, said(capsys)) == (0, {"source": ASTRONAUT, "out": out, "engine": "embedded", "faces": 1})
    with Image.open(out) as copy:
        assert copy.tobytes() == photo.draw().tobytes()


def test_annotate_with_less(tmp_path, results, photo):
    """What is not wanted is left out; with results nobody is asked, so that no client is needed."""
    out = tmp_path / "overlay.png"

    code = main(
        ["annotate", ASTRONAUT, os.fspath(out), "--results", results, "--no-labels", "--no-pose", "--no-landmarks"]
    )

    with Image.open(out) as copy:
        assert (code, copy.tobytes()) == (0, photo.draw(labels=False, pose=False, landmarks=False).tobytes())


@pytest.mark.parametrize("command", ["annotate", "blur"])
def test_video(command, tmp_path, results, capsys):
    """A video is told by its content, and gets a copy that plays."""
    clip = tmp_path / "clip.bin"
    shutil.copy(PEOPLE, clip)
    out = tmp_path / "copy.mp4"

    code = main([command, os.fspath(clip), os.fspath(out), "--results", results])

    told, noted = capsys.readouterr()
    assert (code, json.loads(told)["faces"], out.read_bytes()[4:8]) == (0, 1, b"ftyp")
    assert noted == f"{results}: the analysis is of {PEOPLE}, and is taken for that of {clip}\n"


@pytest.mark.parametrize("command", ["annotate", "blur"])
def test_results_of_another_video(command, tmp_path, capsys):
    """Faces of another video would stay visible: no copy is made."""
    source = tmp_path / "people.mp4"
    shutil.copy(PEOPLE, source)
    other = write_clip(tmp_path / "other.mp4", [np.full((128, 128, 3), 128, np.uint8)] * 3)
    assert main(["video", os.fspath(other), *EMBEDDED, "--json"]) == 0
    results = tmp_path / "other.jsonl"
    results.write_text(capsys.readouterr().out)

    code = main([command, os.fspath(source), os.fspath(tmp_path / "copy.mp4"), "--results", os.fspath(results)])

    assert (code, *capsys.readouterr()) == (
        2,
        "",
        (
            f"{results}: the analysis is of {other}, and is taken for that of {source}\n"
            f"rekog-emotion: {source} is not the video that was analysed: it has 640 x 480 pixels and 6.0 s, and the "
            "analysed one had 128 x 128 pixels and 0.1 s; pass that one, or a copy of its shape and length\n"
        ),
    )
    assert not (tmp_path / "copy.mp4").exists()


def test_blur_photo(tmp_path, results, photo):
    """The copy is the blurred picture, by the method asked for."""
    out = tmp_path / "blurred.png"

    code = main(["blur", ASTRONAUT, os.fspath(out), "--results", results, "--method", "pixelate"])

    with Image.open(out) as copy:
        assert (code, copy.tobytes()) == (0, photo.blur(method="pixelate").tobytes())


def test_people_get_a_line(capsys, monkeypatch, tmp_path, results):
    """On a terminal the line is for people."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    out = os.fspath(tmp_path / "a.png")
    table = os.fspath(tmp_path / "t.csv")

    assert main(["annotate", ASTRONAUT, out, "--results", results]) == 0
    assert main(["export", results, "--out", table]) == 0

    assert capsys.readouterr().out == f"{out}: 1 face, engine: embedded\n{table}: 2 rows\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["annotate", ASTRONAUT, "copy.xyz"], "copy.xyz: Pillow writes no picture of this suffix; name it copy.png"),
        (
            ["annotate", PEOPLE, "copy.gif"],
            "copy.gif: a video is written as .mp4, .m4v, .mov or .mkv; name it copy.mp4",
        ),
        (["blur", ASTRONAUT, ASTRONAUT], f"{ASTRONAUT} would write over {ASTRONAUT}; name another place"),
        (["blur", ASTRONAUT, "folder.png"], "folder.png is a directory; name a file in it"),
        (
            ["annotate", "gone.mp4", "copy.mp4"],
            ("gone.mp4: there is no such file; check the path, which starts at the current directory"),
        ),
        (["export", "a.jsonl", "--out", "folder.csv"], "--out folder.csv is a directory; name a file in it"),
        (
            ["annotate", PEOPLE, "copy.mp4", "--results", "open.json"],
            (
                "open.json: this answer is of a job that is IN_PROGRESS, which is not 'no faces'; keep one that has "
                "SUCCEEDED"
            ),
        ),
        (["blur", ASTRONAUT, "none/a.png"], "none/a.png: there is no directory none; make it first"),
        (
            ["blur", "s3://bucket/a.jpg", "a.png"],
            "s3://bucket/a.jpg is in S3: download it, and name the file; what was analysed of it is read by --results",
        ),
        (
            ["annotate", "S3://bucket/a.jpg", "a.png"],
            "S3://bucket/a.jpg is in S3: download it, and name the file; what was analysed of it is read by --results",
        ),
        (
            ["annotate", ASTRONAUT, "a.png", "--results", "no.jsonl"],
            "no.jsonl cannot be read: No such file or directory",
        ),
        (
            ["export", "a.jsonl", "--out", "t.xlsx"],
            "--out t.xlsx: the suffix is none of .csv, .parquet, .jsonl, .ndjson; name one, or --format",
        ),
        (["export", "a.jsonl", "--format", "parquet"], "Parquet goes into a file: name --out faces.parquet"),
        (
            ["export", "a.jsonl", "--nested"],
            "--nested goes with Parquet only; the lines of rekog-emotion image are nested JSON",
        ),
        (["export", "a.jsonl", "--out", "none/t.csv"], "--out none/t.csv: there is no directory none; make it first"),
        (["export", "a.jsonl", "--out", "a.jsonl"], "--out a.jsonl would write over a source; name another place"),
    ],
)
def test_bad_arguments(arguments, message, capsys, monkeypatch, tmp_path):
    """What cannot work is said before anything is asked or written."""
    monkeypatch.chdir(tmp_path)
    for name in ("folder.png", "folder.csv"):
        Path(name).mkdir()
    Path("open.json").write_text('{"JobStatus": "IN_PROGRESS", "Faces": []}')
    before = sorted(tmp_path.rglob("*"))

    code = main(arguments)

    assert (code, *capsys.readouterr()) == (2, "", f"rekog-emotion: {message}\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_broken_results_are_named(capsys, tmp_path):
    """A wrong member is told with its file, in whatever form that is."""
    for name, line in (("a.json", ""), ("a.jsonl", "line 1: ")):
        path = tmp_path / name
        path.write_text('{"FaceDetails": [{"Smile": 5}]}')

        code = main(["annotate", ASTRONAUT, os.fspath(tmp_path / "a.png"), "--results", os.fspath(path)])

        expected = f"rekog-emotion: {path}: {line}FaceDetails[0].Smile: expected an object, got int\n"
        assert (code, capsys.readouterr().err) == (1, expected)


def test_results_of_another_photo(capsys, tmp_path, photo):
    """Results that may be of several photos are no guess."""
    path = tmp_path / "two.jsonl"
    path.write_text((to_json(photo) + "\n") * 2)

    code = main(
        ["annotate", os.fspath(DATA / "biden.jpg"), os.fspath(tmp_path / "a.png"), "--results", os.fspath(path)]
    )

    assert code == 2
    assert capsys.readouterr().err.endswith(
        "has 2 analyses that may be of " + os.fspath(DATA / "biden.jpg") + ", and one is needed\n"
    )


@pytest.mark.parametrize("number", [1, 2])
def test_results_of_photos_where_a_video_is_meant(capsys, tmp_path, photo, number):
    """They are counted as what they are, and for a report it is said what there is for photos."""
    path = tmp_path / "photos.jsonl"
    path.write_text((to_json(photo) + "\n") * number)
    has = "1 photo" if number == 1 else "2 photos"
    report = (
        "a report is of one video; of photos, rekog-emotion export writes a table, and rekog-emotion image --draw "
        "copies with the faces drawn on them"
    )
    for arguments, message in (
        (["report", path, "-o", "r.html"], f"{path} has the results of {has} and of no video: {report}"),
        (
            ["report", PEOPLE, "--results", path, "-o", "r"],
            f"{path} has the results of {has} and of no video: {report}",
        ),
        (["report", DATA, "-o", "r.html"], f"{DATA}: {report}"),
        (["report", f"{DATA}/*.jpg", "-o", "r.html"], f"{DATA}/*.jpg: {report}"),
        (
            ["blur", PEOPLE, tmp_path / "copy.mp4", "--results", path],
            f"{path} has the results of {has} and of no video: one is needed",
        ),
    ):
        assert main([os.fspath(one) for one in arguments]) == 2
        assert capsys.readouterr().err == f"rekog-emotion: {message}\n"


def test_results_of_a_video_where_a_photo_is_meant(capsys, tmp_path):
    """They are counted as what they are."""
    path = tmp_path / "clip.json"
    path.write_text('{"JobStatus": "SUCCEEDED", "Faces": []}')

    code = main(["blur", ASTRONAUT, os.fspath(tmp_path / "a.png"), "--results", os.fspath(path)])

    assert code == 2
    expected = f"rekog-emotion: {path} has the results of 1 video and of no photo: one is needed\n"
    assert capsys.readouterr().err == expected


def test_results_are_found_however_the_photo_is_named(tmp_path, photo, monkeypatch):
    """A path is the same one with ``./`` before it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ASTRONAUT, "a.jpg")
    Path("two.jsonl").write_text(
        "".join(f"{to_json(attrs.evolve(photo, source=name))}\n" for name in ("a.jpg", "b.jpg"))
    )

    assert main(["blur", "./a.jpg", "a.png", "--results", "two.jsonl"]) == 0


def test_export_csv(capsys, results, photo):
    """Without a file the table goes to standard output as CSV."""
    code = main(["export", results])

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (code, [row["source"] for row in rows]) == (0, [ASTRONAUT, PEOPLE])
    assert float(rows[0]["emotion_happy"]) == photo.faces[0].emotion("HAPPY").confidence


def test_export_people(capsys, results):
    """On request a column says who is who in a video; in a photo nobody is followed."""
    code = main(["export", results, "--people"])

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (code, [row["person"] for row in rows]) == (0, ["", "1"])


@pytest.mark.parametrize(("options", "schema"), [([], FLAT), (["--nested"], NESTED)])
def test_export_parquet(capsys, tmp_path, results, options, schema):
    """Parquet has a row a face; the schema is the library's."""
    out = tmp_path / "faces.parquet"

    code = main(["export", results, "--out", os.fspath(out), *options])

    assert (code, said(capsys)) == (0, {"out": os.fspath(out), "format": "parquet", "rows": 2})
    assert (pq.read_table(out).schema.equals(schema), pq.read_table(out).num_rows) == (True, 2)


def test_export_analyses_what_is_no_result(capsys, tmp_path, photo):
    """Photos are analysed; a bad one has its line on standard error and does not stop the others."""
    document = tmp_path / "photo.json"
    document.write_text(photo.to_json(indent=2))
    (broken := tmp_path / "broken.jsonl").write_text("no json\n")

    code = main(
        [
            "export",
            "no.jpg",
            os.fspath(broken),
            ASTRONAUT,
            os.fspath(document),
            "--format",
            "jsonl",
            "--landmarks",
            *EMBEDDED,
        ]
    )

    out, err = capsys.readouterr()
    assert (code, [json.loads(line) for line in out.splitlines()]) == (
        2,
        [*tables.to_records(photo, photo, landmarks=True)],
    )
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == ["no.jpg", os.fspath(broken)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell, capsys):
    """The script names every command."""
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", shell])

    script = capsys.readouterr().out
    assert caught.value.code is None or caught.value.code == 0
    assert all(word in script for word in ("image", "video", "annotate", "blur", "export", "serve"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_completion_completes(capsys, tmp_path):
    """Bash completes a command, an option and a choice with it."""
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)

    def completed(*words):
        program = (
            f"source {shlex.quote(os.fspath(script))}; COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words)}; "
            "COMP_WORDS[COMP_CWORD]=$1; _shtab_rekog_emotion; echo ${COMPREPLY[*]}"
        )
        done = subprocess.run(  # noqa: S603 -- our own script
            [shutil.which("bash"), "-c", program, "bash", prefix], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    prefix = "ann"
    assert completed("rekog-emotion") == ["annotate"]
    prefix = "--met"
    assert completed("rekog-emotion", "blur") == ["--method"]
    prefix = "pix"
    assert completed("rekog-emotion", "blur", "--method") == ["pixelate"]


def test_an_unknown_option_names_the_help_of_its_command(capsys):
    """What is wrong behind a command is explained by the help of that command."""
    with pytest.raises(SystemExit) as caught:
        main(["annotate", "photo.jpg", "out.png", "-o", "more.png"])

    message = "rekog-emotion annotate: unrecognized arguments: -o more.png; see rekog-emotion annotate --help\n"
    assert (caught.value.code, capsys.readouterr().err) == (2, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no photo", "MEDIA: the content is text, not a video; check what was read or downloaded"),
        (b"", "MEDIA: the file is empty; check how it was written"),
        (
            bytes(range(128, 256)),
            "MEDIA: the content is neither a photo nor a video that is read; check what was read or downloaded",
        ),
        (Path(ASTRONAUT).read_bytes(), "MEDIA is a photo, and OUT.mp4 is named like a video; name it OUT.png"),
        (Path(ASTRONAUT).read_bytes()[:2000], "MEDIA is a photo, and OUT.mp4 is named like a video; name it OUT.png"),
    ],
    ids=["text", "empty", "noise", "photo", "half a photo"],
)
@pytest.mark.parametrize("name", ["media.jpg", "media.mp4"])
@pytest.mark.parametrize("command", ["annotate", "blur"])
def test_a_copy_named_like_a_video_needs_a_video(command, name, content, message, tmp_path, capsys):
    """What is wrong with the media is said, and the name of the copy is blamed only where that is all."""
    media, out = tmp_path / name, tmp_path / "out"
    media.write_bytes(content)

    code = main([command, str(media), f"{out}.mp4", "--client", "embedded"])

    message = message.replace("MEDIA", str(media)).replace("OUT", str(out))
    assert (2, f"rekog-emotion: {message}\n") == (code, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("command", "out", "message"),
    [
        ("annotate", "copy.mp4", "MEDIA: this is a directory; pass the path of a file in it"),
        ("annotate", "copy.png", "MEDIA: this is a directory; pass the path of a file in it"),
        ("blur", "copy.mp4", "OUT is named like a file, and MEDIA may be many photos; name a folder"),
        ("blur", "copy.PNG", "OUT is named like a file, and MEDIA may be many photos; name a folder"),
    ],
)
@pytest.mark.parametrize("name", ["media", "media.jpg", "media.mp4"])
def test_a_folder_has_no_copy_that_is_a_file(command, out, message, name, tmp_path, capsys):
    """One command takes no folder, the other makes a folder of one: no folder is made under the name of a file."""
    media, out = tmp_path / name, tmp_path / out
    media.mkdir()

    code = main([command, str(media), str(out), "--client", "embedded"])

    message = message.replace("MEDIA", str(media)).replace("OUT", str(out))
    assert (2, f"rekog-emotion: {message}\n") == (code, capsys.readouterr().err)
    assert not out.exists()


def test_completion_needs_shtab(monkeypatch, capsys):
    """Without the cli extra the error says what to install."""
    monkeypatch.setitem(sys.modules, "shtab", None)

    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", "bash"])

    assert (caught.value.code, capsys.readouterr().err) == (
        2,
        "rekog-emotion: Shell completion needs the 'cli' extra: pip install 'rekog-emotion[cli]'\n",
    )


@pytest.mark.parametrize("name", ["faces.jsonl", "faces.json", "faces.ndjson"])
def test_lines_of_errors_are_counted(name, capsys, tmp_path, photo):
    """They are passed over in a file of any name, and so is the mark that some editors put at the start of a text."""
    path = tmp_path / name
    failed = {"format": "rekog-emotion", "version": 1, "kind": "error", "error": "none"}

    for errors, said in ((1, "1 line is an error, which has"), (2, "2 lines are errors, which have")):
        lines = [json.dumps({**failed, "source": f"{i}.jpg"}) for i in range(errors)] + [
            to_json(photo),
            json.dumps({"Timestamp": 0, "Face": {"Confidence": 9.0}}),
        ]
        path.write_text("\n".join(lines), encoding="utf-8-sig" if name == "faces.jsonl" else "utf-8")

        code = main(["export", os.fspath(path)])

        out, err = capsys.readouterr()
        assert (code, len([*csv.DictReader(io.StringIO(out))]), err) == (0, 2, f"{path}: {said} no faces\n")


def test_a_video_goes_through_its_file(capsys, tmp_path):
    """What `video` printed is what every other command would have found: its size and its frames, too."""
    assert main(["video", PEOPLE, *EMBEDDED]) == 0
    path = tmp_path / "clip.jsonl"
    path.write_text(capsys.readouterr().out)
    clip = rekog.analyze_video(PEOPLE, client="embedded")

    assert main(["export", os.fspath(path)]) == 0

    table = io.StringIO(newline="")
    tables.write_csv(table, [clip])
    assert capsys.readouterr().out == table.getvalue()
    assert rekog.VideoAnalysis.from_json(path.read_text()).metadata == clip.metadata


def test_a_video_without_faces_goes_through_its_file(capsys, tmp_path):
    """It is an analysis like any other for whatever reads it."""
    pixels = [np.full((120, 160, 3), 128, np.uint8)] * 10
    clip = write_clip(tmp_path / "empty.mp4", pixels)
    assert main(["video", os.fspath(clip), *EMBEDDED]) == 0
    path = tmp_path / "clip.jsonl"
    path.write_text(capsys.readouterr().out)
    assert rekog.VideoAnalysis.from_json(path.read_text()).faces == ()

    for arguments in (
        ["export", path, "--out", tmp_path / "faces.parquet"],
        ["annotate", clip, tmp_path / "annotated.mp4", "--results", path],
        ["blur", clip, tmp_path / "blurred.mp4", "--results", path],
        ["report", clip, "-o", tmp_path / "report.html", "--results", path],
        ["report", path, "-o", tmp_path / "alone.html"],
    ):
        assert (main([os.fspath(one) for one in arguments]), capsys.readouterr().err) == (0, "")

    for name in ("faces.parquet", "annotated.mp4", "blurred.mp4", "report.html", "alone.html"):
        assert (tmp_path / name).stat().st_size
