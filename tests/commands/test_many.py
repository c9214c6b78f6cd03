"""Many photos and clips on the command line: places, a file to go on from, a summary, and what is left out."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rekog_emotion.commands.cli import main
from rekog_emotion.media.headers import read_header
from rekog_emotion.results.lossless import read_json_lines
from rekog_emotion.testing import FakeClient
from tests.pictures import jpeg

DATA = Path(__file__).parents[1] / "data"
EMBEDDED = ("--client", "embedded")
FACE = {"Confidence": 99.0, "BoundingBox": {"Left": 0.2, "Top": 0.2, "Width": 0.5, "Height": 0.5}}


@pytest.fixture
def client(monkeypatch):
    """Let a client that finds a face on every picture be the one of the commands."""
    client = FakeClient(images={"FaceDetails": [FACE]})
    monkeypatch.setattr("rekog_emotion.clients.names._FACTORIES", {"aws": lambda: client, "embedded": lambda: client})
    monkeypatch.setattr("rekog_emotion.clients.names._CACHE._clients", {})
    return client


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Make a folder of three pictures in two folders and a text, beside nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "May").mkdir(parents=True)
    for name in ("a.jpg", "b.png", "May/a.jpg"):
        Image.new("RGB", (100, 90), "white").save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path / "photos"


NAMES = ["photos/May/a.jpg", "photos/a.jpg", "photos/b.png"]
LEFT_OUT = "left out: photos/notes.txt: text, not an image\n"


def saved(path="done.jsonl"):
    """Return the sources in a file of results."""
    with Path(path).open(encoding="utf-8") as lines:
        return sorted(analysis.source for analysis in read_json_lines(lines))


@pytest.mark.usefixtures("photos", "client")
@pytest.mark.parametrize("place", ["photos", "photos/", "photos/**/*", "photos/**"])
def test_places(capsys, place):
    """A folder or a quoted glob prints a line a photo, in order, and says at the end how many there were."""
    code = main(["image", place])

    out, err = capsys.readouterr()
    assert code == 0
    assert sorted(json.loads(line)["source"] for line in out.splitlines()) == NAMES
    assert err == f"{LEFT_OUT}3 done, 1 left out, as they are no pictures\n"


@pytest.mark.usefixtures("client")
def test_everything_that_a_folder_may_have(photos, capsys, monkeypatch):
    """No traceback: each is told, and the exit code is that of the worst."""
    (photos / "empty.jpg").touch()
    (photos / "cut.jpg").write_bytes(jpeg()[:30])
    (photos / "new.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    (photos / "clip.jpg").write_bytes((DATA / "people.mp4").read_bytes()[:4096])
    (photos / "circle").symlink_to(photos)
    (photos / "loop.jpg").symlink_to(photos / "loop.jpg")
    (photos / "secret.jpg").write_bytes(jpeg())
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "secret.jpg":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)

    code = main(["image", "photos", "--out", "done.jsonl"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert sorted(err.splitlines()) == sorted(
        [
            "left out: photos/circle: a link to a folder that is gone through anyway",
            "left out: photos/clip.jpg: a video (MP4 or MOV)",
            "left out: photos/empty.jpg: empty",
            "left out: photos/loop.jpg: a link that leads to itself",
            "left out: photos/notes.txt: text, not an image",
            (
                "rekog-emotion: photos/cut.jpg: the JPEG is truncated: its end marker (EOI) is missing; get a complete "
                "copy of it"
            ),
            (
                "rekog-emotion: photos/new.heic: reading HEIC needs pillow-heif: install it and call "
                "pillow_heif.register_heif_opener() first"
            ),
            (
                "rekog-emotion: photos/secret.jpg: this user may not read the file; change its permissions or pass its "
                "content"
            ),
            "3 done, 3 failed, 5 left out, as they are no pictures",
        ]
    )
    assert saved() == NAMES


@pytest.mark.usefixtures("photos")
def test_goes_on(client, capsys):
    """With the file of an earlier run, which it does not touch without being told to."""
    assert main(["image", "photos", "--out", "done.jsonl"]) == 0
    Image.new("RGB", (100, 90)).save("photos/new.png")
    refused = main(["image", "photos", "--out", "done.jsonl"])
    capsys.readouterr()

    code = main(["image", "photos", "--out", "done.jsonl", "--resume"])

    assert (refused, code) == (2, 0)
    assert capsys.readouterr().err == (f"{LEFT_OUT}1 done, 3 done before, 1 left out, as they are no pictures\n")
    assert saved() == sorted([*NAMES, "photos/new.png"])
    assert len(client.calls) == 4


@pytest.mark.usefixtures("client")
def test_tries_errors_again(photos, capsys):
    """Where it is asked for."""
    (photos / "a.jpg").write_bytes(b"\xff\xd8\xff")
    main(["image", "photos", "--out", "done.jsonl"])
    Image.new("RGB", (100, 90)).save("photos/a.jpg")

    kept = main(["image", "photos", "--out", "done.jsonl", "--resume"])
    before = saved()
    again = main(["image", "photos", "--out", "done.jsonl", "--resume", "--retry-errors"])

    assert (kept, again) == (0, 0)
    assert (before, saved()) == ([NAMES[0], NAMES[2]], NAMES)
    assert capsys.readouterr().err.splitlines()[-4:] == [
        LEFT_OUT.strip(),
        "0 done, 2 done before, 1 failed before (--retry-errors tries again), 1 left out, as they are no pictures",
        LEFT_OUT.strip(),
        "1 done, 2 done before, 1 left out, as they are no pictures",
    ]


@pytest.mark.usefixtures("client")
def test_what_was_tried_again_counts_once(photos, capsys):
    """In a table of the file, too: of what failed, failed again and was done in the end, the newest line counts."""
    for name in ("a.jpg", "b.png"):
        (photos / name).write_bytes(b"\xff\xd8\xff")
    main(["image", "photos", "--out", "done.jsonl"])
    main(["image", "./photos", "--out", "done.jsonl", "--resume", "--retry-errors"])
    Image.new("RGB", (100, 90)).save("photos/b.png")
    capsys.readouterr()

    code = main(["export", "photos", "--checkpoint", "done.jsonl", "--retry-errors", "--out", "faces.csv"])
    told = capsys.readouterr().err.splitlines()
    assert main(["export", "done.jsonl"]) == 0
    out, err = capsys.readouterr()

    assert (code, told[-1]) == (2, "1 done, 1 failed, 1 done before, 1 left out, as they are no pictures")
    assert not any("done.jsonl" in line for line in told)
    assert [row["source"] for row in csv.DictReader(io.StringIO(out))] == [NAMES[0], NAMES[2]]
    assert err == "done.jsonl: 1 line is an error, which has no faces\n"


@pytest.mark.usefixtures("photos", "client")
def test_a_table_goes_on_without_what_failed(capsys):
    """And says so, and how it is tried again; that is about a file of results."""
    Path("photos/a.jpg").write_bytes(b"\xff\xd8\xff")
    table = ["export", "photos", "--checkpoint", "done.jsonl"]
    main([*table, "--out", "faces.csv"])
    capsys.readouterr()

    assert main(table) == 0
    assert main(["export", "photos", "--retry-errors"]) == 2

    assert capsys.readouterr().err.splitlines() == [
        "done.jsonl: 1 line is an error, which has no faces",
        LEFT_OUT.strip(),
        "0 done, 2 done before, 1 failed before (--retry-errors tries again), 1 left out, as they are no pictures",
        "rekog-emotion: --retry-errors tries again what failed in a file of results: name it by --checkpoint",
    ]


@pytest.mark.usefixtures("photos", "client")
def test_all_groups_are_summed_up(capsys):
    """Photos before and after a file of results are counted together."""
    main(["image", "photos/b.png", "--out", "done.jsonl"])
    capsys.readouterr()

    assert main(["export", "photos/May", "done.jsonl", "photos/a.jpg"]) == 0

    assert capsys.readouterr().err == "2 done\n"


@pytest.mark.usefixtures("photos", "client")
@pytest.mark.parametrize("whence", ["killed", "PowerShell"])
def test_reads_what_did_not_end_well(capsys, whence):
    """A last line that a kill has cut off, and the encoding that Windows gives to what is redirected."""
    main(["image", "photos", "--out", "done.jsonl"])
    text, message = Path("done.jsonl").read_text(), ""
    if whence == "killed":
        Path("done.jsonl").write_text(text[:-20])
        message = "done.jsonl: line 3 is cut off, as what wrote it did not end well: what it was about is not read\n"
    else:
        Path("done.jsonl").write_text(text, encoding="utf-16")
    capsys.readouterr()

    assert main(["export", "done.jsonl"]) == 0

    out, err = capsys.readouterr()
    assert (len([*csv.DictReader(io.StringIO(out))]), err) == (2 if message else 3, message)


@pytest.mark.usefixtures("photos", "client")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "--resume goes on with a file of results: name it by --out"),
        (["--retry-errors"], "--retry-errors goes on with a file of results: name it by --out"),
        (["--out", "none/done.jsonl"], "none/done.jsonl: there is no directory none; make it first"),
        (["--mode", "fast"], "--mode fast is of the embedded engine: add --client embedded, or leave it out"),
        (["--weights", "clean"], "--weights clean is of the embedded engine: add --client embedded, or leave it out"),
        (
            ["--weights", "all", "--mode", "fast"],
            "--mode fast --weights all are of the embedded engine: add --client embedded, or leave them out",
        ),
        (
            ["--draw", "one.png"],
            "--draw one.png is one file, and there may be many photos; name a directory: --draw one/",
        ),
    ],
)
def test_refuses_options(capsys, client, options, message):
    """Before any call."""
    assert main(["image", "photos", *options]) == 2
    assert capsys.readouterr().err == f"rekog-emotion: {message}\n"
    assert client.calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["annotate", "a.jpg", "b.jpg"],
        ["blur", "a.jpg", "b.jpg"],
        ["export", "a.jpg"],
        ["report", "a.mp4", "-o", "a.html"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_that_analyses_has_the_engines_options(capsys, client, arguments):
    """And refuses them where somebody else would answer."""
    assert main([*arguments, "--mode", "fast"]) == 2
    told = "rekog-emotion: --mode fast is of the embedded engine: add --client embedded, or leave it out\n"
    assert capsys.readouterr().err == told
    assert client.calls == []


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["image", "--resume", "--out", "other.jsonl"],
            "--out other.jsonl: line 2 is not one of results, so nothing is added; name another file",
        ),
        (
            ["image", "--out", "/dev/null"],
            "--out /dev/null is no regular file; name one that a second run can go on from",
        ),
        (
            ["export", "--checkpoint", "/dev/null"],
            "--checkpoint /dev/null is no regular file; name one that a second run can go on from",
        ),
        (
            ["export", "--checkpoint", "photos"],
            "--checkpoint photos is a directory; name a file in it",
        ),
    ],
)
def test_a_file_to_go_on_from_is_named_by_its_option(capsys, client, arguments, message):
    """By that which was typed, whatever the library calls it."""
    Path("other.jsonl").write_text('{"format": "rekog-emotion", "version": 1, "kind": "image", "source": "a"}\n{}\n')

    assert main([*arguments, "photos/b.png"]) == 2
    assert capsys.readouterr().err == f"rekog-emotion: {message}\n"
    assert client.calls == []


def test_a_clip_in_s3_is_told_by_its_name(capsys, client):
    """However its address is written, in capitals, too."""
    client.script_videos({"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 0, "Face": FACE}]})

    assert main(["export", "S3://bucket/CLIP.MP4?versionId=1", "s3://bucket/photo.jpg", "--format", "jsonl"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    seen = [(row["source"], row["timestamp_ms"]) for row in rows]
    assert seen == [("S3://bucket/CLIP.MP4?versionId=1", 0), ("s3://bucket/photo.jpg", None)]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--workers", "0", "'0' is no number: name 1 or more"),
        ("--rate", "none", "'none' is no rate: name calls a second, such as 50 or 0.5"),
        ("--rate", "-1", "'-1' is no rate: name calls a second, such as 50 or 0.5"),
    ],
)
def test_refuses_numbers(capsys, option, value, message):
    """That are none."""
    with pytest.raises(SystemExit):
        main(["image", "photos", f"{option}={value}"])

    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("photos", "client")
def test_a_place_with_nothing(capsys):
    """Is told, and stops no other."""
    code = main(["image", "photos/*.gif", "photos/a.jpg", "none"])

    out, err = capsys.readouterr()
    assert code == 2
    assert [json.loads(line)["source"] for line in out.splitlines()] == ["photos/a.jpg"]
    assert "rekog-emotion: none: there is no such file" in err


@pytest.mark.parametrize("command", ["image", "export"])
def test_nothing_that_is_there(capsys, command):
    """Each is told, and nobody is needed to analyse them."""
    gone = "there is no such file; check the path, which starts at the current directory"

    assert main([command, "gone.jpg", "gone.png"]) == 2
    assert capsys.readouterr().err == f"rekog-emotion: gone.jpg: {gone}\nrekog-emotion: gone.png: {gone}\n"


def drawn(folder="drawn"):
    """Return what has been drawn, with its size, which tells of which photo it is."""
    files = sorted(Path(folder).rglob("*.png"))
    return {str(path.relative_to(folder)): read_header(path.read_bytes()).size for path in files}


@pytest.mark.usefixtures("photos", "client")
def test_overlays_of_a_folder():
    """Lie as their photos do, under the same names."""
    main(["image", "photos", "--draw", "drawn"])

    assert [*drawn()] == ["May/a.png", "a.png", "b.png"]


@pytest.mark.usefixtures("client")
def test_overlays_of_one_name(photos):
    """Photos that differ by their suffixes, their case or their folders alone have overlays of their own."""
    (photos.parent / "other").mkdir()
    for number, name in enumerate(("photos/a.png", "photos/A.jpg", "other/a.gif"), start=1):
        Image.new("RGB", (100 + number, 90)).save(name)

    assert main(["image", "photos", "other", "--draw", "drawn"]) == 0

    assert drawn() == {
        "A.png": (102, 90),
        "May/a.png": (100, 90),
        "a-2.png": (100, 90),
        "a-3.png": (101, 90),
        "a-4.png": (103, 90),
        "b.png": (100, 90),
    }


@pytest.mark.usefixtures("client")
def test_overlays_of_a_run_that_goes_on(photos):
    """What an earlier run has drawn stays, though photos have come whose names are before its own."""
    main(["image", "photos", "--out", "done.jsonl", "--draw", "drawn"])
    Image.new("RGB", (101, 90)).save(photos / "a.gif")

    assert main(["image", "photos", "--out", "done.jsonl", "--resume", "--draw", "drawn"]) == 0

    assert drawn() == {"May/a.png": (100, 90), "a-2.png": (101, 90), "a.png": (100, 90), "b.png": (100, 90)}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("place", ["photos", "photos/*", "photos/May"])
def test_overlays_among_the_photos(photos, place):
    """No photo is written over, whether it is one of those that are analysed or not."""
    before = {path: path.read_bytes() for path in photos.rglob("*.*")}

    assert main(["image", place, "--draw", "photos"]) == 0

    assert {path: path.read_bytes() for path in before} == before
    assert len(drawn("photos")) == {"photos": 4, "photos/*": 3, "photos/May": 2}[place]


@pytest.mark.usefixtures("photos")
def test_draws_though_nobody_reads_on():
    """What was asked for is there, whether or not the reader of the output stays."""
    Path("face.jpg").write_bytes((DATA / "astronaut.jpg").read_bytes())
    reading, writing = os.pipe()
    os.close(reading)

    subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "rekog_emotion", "image", "face.jpg", *EMBEDDED, "--draw", "drawn.png"],
        check=False,
        stdout=writing,
        timeout=600,
    )

    os.close(writing)
    with Image.open("drawn.png") as drawn:
        assert drawn.size == (512, 512)


@pytest.mark.usefixtures("photos")
def test_exports_folders(client, capsys):
    """As one table, with a file to go on from; what is in that file is in the table, too."""
    options = ["--checkpoint", "done.jsonl", "--out", "faces.csv"]
    first = main(["export", "photos", *options])
    Image.new("RGB", (100, 90)).save("photos/new.png")

    second = main(["export", "photos", *options])

    rows = list(csv.DictReader(io.StringIO(Path("faces.csv").read_text())))
    assert (first, second) == (0, 0)
    assert sorted(row["source"] for row in rows) == sorted([*NAMES, "photos/new.png"])
    assert len(client.calls) == 4
    assert "1 done, 3 done before" in capsys.readouterr().err


@pytest.mark.usefixtures("photos", "client")
def test_export_keeps_its_files_apart(capsys):
    """The checkpoint is neither the table nor a source."""
    code = main(["export", "photos", "--checkpoint", "done.jsonl", "--out", "done.jsonl"])

    assert code == 2
    assert capsys.readouterr().err == (
        "rekog-emotion: --checkpoint done.jsonl is a source, or --out, at the same time; name another file\n"
    )


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("place", ["photos", "photos/**"])
def test_blurs_folders(client, place):
    """Each copy lies as its photo does; a second run makes those that are missing."""
    first = main(["blur", place, "blurred"])
    Path("blurred/b.png").unlink()

    second = main(["blur", place, "blurred", "--resume"])

    assert (first, second) == (0, 0)
    copies = sorted(str(path) for path in Path("blurred").rglob("*.*"))
    assert copies == ["blurred/May/a.jpg", "blurred/a.jpg", "blurred/b.png"]
    assert len(client.calls) == 4


@pytest.mark.usefixtures("photos", "client")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["photos", "photos/blurred"],
            "photos/blurred is in photos, whose photos it would be among; name a folder beside it",
        ),
        (["photos", "photos/a.jpg"], "photos/a.jpg is a file, and there may be many photos; name a folder"),
        (["s3://bucket/a/", "out"], "s3://bucket/a/ is in S3: download the photos, and name their folder"),
        (["S3://bucket/a/", "out"], "S3://bucket/a/ is in S3: download the photos, and name their folder"),
        (
            ["photos", "out", "--results", "a.jsonl"],
            "--results a.jsonl is of one photo or video, and photos may be many; leave it out",
        ),
        (
            ["photos/a.jpg", "out.jpg", "--resume"],
            "--resume is about the copies of many photos, and photos/a.jpg is one file; leave it out",
        ),
    ],
)
def test_blur_refuses(capsys, client, arguments, message):
    """Before any call."""
    assert main(["blur", *arguments]) == 2
    assert capsys.readouterr().err == f"rekog-emotion: {message}\n"
    assert client.calls == []


def test_several_clips(capsys, tmp_path):
    """Are analysed at once; a bad one stops no other."""
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    clip = tmp_path / "people.mp4"
    clip.write_bytes((DATA / "people.mp4").read_bytes())

    code = main(["video", str(clip), str(tmp_path / "bad.mp4"), *EMBEDDED])

    out, err = capsys.readouterr()
    assert code == 2
    assert [json.loads(line)["source"] for line in out.splitlines()] == [str(clip)]
    assert err.startswith(f"rekog-emotion: {tmp_path}/bad.mp4")


def test_several_clips_and_one_job(capsys):
    """Are two things."""
    assert main(["video", "a.mp4", "b.mp4", "--resume", "j-1"]) == 2
    assert capsys.readouterr().err == (
        "rekog-emotion: --resume is about one job, and there are 2 clips; leave one of the two out\n"
    )


@pytest.mark.usefixtures("photos")
def test_an_interrupt(tmp_path):
    """Keeps what is done, and prints how to go on."""
    for number in range(2000):
        (tmp_path / "photos" / f"{number}.jpg").symlink_to(DATA / "astronaut.jpg")
    command = [sys.executable, "-m", "rekog_emotion", "image", "photos", *EMBEDDED, "--out", "done 1.jsonl"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own command
        while not (Path("done 1.jsonl").exists() and Path("done 1.jsonl").stat().st_size):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)

    assert process.returncode == 130
    assert err == (
        "interrupted; done 1.jsonl has what is done. Go on with: rekog-emotion image photos --client embedded --out "
        "'done 1.jsonl' --resume\n"
    )
    assert 1 <= len(saved("done 1.jsonl")) < 2000


@pytest.mark.usefixtures("photos", "client")
def test_an_interrupt_while_it_draws(capsys, monkeypatch):
    """Is told the same, once."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("rekog_emotion.commands.image._draw", interrupt)

    assert main(["image", "photos/a.jpg", "--out", "done.jsonl", "--draw", "drawn/"]) == 130
    assert capsys.readouterr().err == (
        "interrupted; done.jsonl has what is done. Go on with: rekog-emotion image photos/a.jpg --out done.jsonl "
        "--draw drawn/ --resume\n"
    )
