"""Where the commands write: pipes and links stay, files keep their mode, and a full disk costs nothing."""

import errno
import json
import os
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.commands.cli import main
from rekog_emotion.results.lossless import to_json
from tests.outputs import full_disk, mode, null_device, pipe

DATA = Path(__file__).parents[1] / "data"
ASTRONAUT, PEOPLE = os.fspath(DATA / "astronaut.jpg"), os.fspath(DATA / "people.mp4")
EMBEDDED = ("--client", "embedded")
WRITERS = {
    "image": ("image", ASTRONAUT, *EMBEDDED, "--draw", "OUT.png"),
    "annotate": ("annotate", ASTRONAUT, "OUT.jpg", "--results", "RESULTS"),
    "annotate video": ("annotate", PEOPLE, "OUT.mp4", "--results", "RESULTS"),
    "blur": ("blur", ASTRONAUT, "OUT.tif", "--results", "RESULTS"),
    "blur video": ("blur", PEOPLE, "OUT.mkv", "--results", "RESULTS", "--method", "fill"),
    "csv": ("export", "RESULTS", "--out", "OUT.csv"),
    "jsonl": ("export", "RESULTS", "--out", "OUT.jsonl"),
    "parquet": ("export", "RESULTS", "--out", "OUT.parquet"),
    "report": ("report", "RESULTS", "-o", "OUT.html", "--no-faces"),
}
BEGINNINGS = {
    ".png": b"\x89PNG",
    ".jpg": b"\xff\xd8\xff",
    ".mp4": b"\0\0\0 ftyp",
    ".tif": b"II*\0",
    ".mkv": b"\x1a\x45\xdf\xa3",
    ".csv": b"source,engine,face",
    ".jsonl": b'{"source": ',
    ".parquet": b"PAR1",
    ".html": b"<!doctype html>",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Give a file of results: the portrait, and a video of the same face."""
    photo = rekog.detect_image(ASTRONAUT, client="embedded")
    path = tmp_path_factory.mktemp("results") / "faces.jsonl"
    timed = [
        {"source": PEOPLE, "engine": "embedded", "Timestamp": time, "Face": photo.faces[0].to_aws()}
        for time in (0, 500, 1000)
    ]
    path.write_text("\n".join((to_json(photo), *map(json.dumps, timed))))
    return os.fspath(path)


@pytest.fixture(params=WRITERS.values(), ids=WRITERS.keys())
def writer(request, results, tmp_path):
    """Give the way each command writes, and where to."""
    name = next(one for one in request.param if one.startswith("OUT"))
    out = tmp_path / "folder" / name
    out.parent.mkdir()
    return [{name: os.fspath(out), "RESULTS": results}.get(one, one) for one in request.param], out


def test_pipes_and_links(writer, tmp_path, capsys):
    """A link that is named as output leads to a pipe, which gets all of the content; both stay what they are."""
    arguments, out = writer
    with pipe(tmp_path / "pipe") as arrived:
        out.symlink_to("../pipe")
        code = main(arguments)

    assert (code, capsys.readouterr().err.replace(f"overlay: {out}\n", "")) == (0, "")
    assert arrived[0][: len(BEGINNINGS[out.suffix])].lower() == BEGINNINGS[out.suffix].lower()
    assert (out.is_symlink(), (tmp_path / "pipe").is_fifo(), list(out.parent.iterdir())) == (True, True, [out])


def test_devices(writer, capsys):
    """A device that is named as output swallows the content and stays a device."""
    arguments, out = writer
    null_device(out)

    code = main(arguments)

    assert (code, capsys.readouterr().err.replace(f"overlay: {out}\n", "")) == (0, "")
    assert (out.is_char_device(), list(out.parent.iterdir())) == (True, [out])


def test_modes(writer):
    """A file keeps its mode; a new one in a folder that others write to is its owner's alone."""
    arguments, out = writer
    out.parent.chmod(0o1777)

    main(arguments)
    new = mode(out)
    out.chmod(0o644)
    main(arguments)

    assert (new, mode(out), list(out.parent.iterdir())) == (0o600, 0o644, [out])


def test_full_disk(writer, capsys):
    """The old file stays whole, nothing is left beside it, and one line says what cannot be written."""
    arguments, out = writer
    out.write_text("old")

    with full_disk(100):
        code = main(arguments)

    complaint = capsys.readouterr().err
    assert (code, out.read_text(), list(out.parent.iterdir())) == (2, "old", [out])
    assert (complaint.count("\n"), complaint.endswith(" cannot be written: File too large\n")) == (1, True)
    assert os.fspath(out) in complaint


LONG = "a" * 300  # more than a file system takes for a name
TOLD = {
    "draw": (("image", ASTRONAUT, "--draw", f"{LONG}.png"), f"--draw {LONG}.png cannot be written: {{}}"),
    "draw into": (("image", ASTRONAUT, "--draw", LONG), f"--draw {LONG}: the directory {LONG} cannot be made: {{}}"),
    "draw all into": (
        ("image", os.curdir, "--draw", LONG),
        f"--draw {LONG}: the directory {LONG} cannot be made: {{}}",
    ),
    "out": (("image", ASTRONAUT, "--out", LONG), f"{LONG} cannot be written: {{}}"),
    "annotate": (("annotate", f"{LONG}.jpg", "a.jpg"), f"{LONG}.jpg: there is no such file"),
    "annotate to": (("annotate", ASTRONAUT, f"{LONG}.jpg"), f"{LONG}.jpg cannot be written: {{}}"),
    "blur": (("blur", f"{LONG}.jpg", "a.jpg"), f"{LONG}.jpg: there is no such file"),
    "blur all into": (("blur", os.fspath(DATA), LONG), f"{LONG}: the directory {LONG} cannot be made: {{}}"),
    "checkpoint": (
        ("export", ASTRONAUT, "--checkpoint", LONG),
        f"--checkpoint {LONG[:200]}... cannot be written: {{}}",
    ),
    "watch": (("watch", f"{LONG}.mp4"), f"{LONG[:200]}...: there is no such file"),
    "report": (("report", ASTRONAUT, "-o", LONG), f"{LONG} cannot be written: {{}}"),
}


@pytest.mark.parametrize(("command", "told"), TOLD.values(), ids=TOLD.keys())
def test_names_that_no_file_has(command, told, tmp_path, monkeypatch, capsys):
    """They are refused by name before any call, whatever they are for."""
    monkeypatch.chdir(tmp_path)

    code = main([*command, *EMBEDDED])

    said = capsys.readouterr().err
    assert (code, said.startswith(f"rekog-emotion: {told.format(os.strerror(errno.ENAMETOOLONG))}")) == (2, True), said
    assert list(tmp_path.iterdir()) == []
