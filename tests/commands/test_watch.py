"""``rekog-emotion watch``: lines for programs, a view in place for people, and a recording where it is asked for."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import av
import pytest

from rekog_emotion.commands.cli import main
from tests.embedded.clips import numbered, write_clip
from tests.scripted import ScriptedClient

PEOPLE = str(Path(__file__).parents[1] / "data" / "people.mp4")
EMBEDDED = ["--client", "embedded"]


class Nobody(ScriptedClient):
    """A client that sees nobody."""

    engine = "aws"

    def detect_faces(self, **_):
        """Answer DetectFaces."""
        return {"FaceDetails": []}


@pytest.fixture
def nobody(monkeypatch):
    """Let AWS see nobody."""
    monkeypatch.setattr("rekog_emotion.clients.names.resolve_client", lambda _: Nobody())


@pytest.mark.usefixtures("clock")
def test_a_line_a_moment(capsys):
    """Documents as of photos, with time and people; a file ends by itself."""
    code = main(["watch", PEOPLE, *EMBEDDED, "--rate", "1", "--for", "3"])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [(one["kind"], one["seconds"], [person["id"] for person in one["people"]]) for one in lines] == [
        ("image", 0.0, [1]),
        ("image", 1.0, [1]),
        ("image", 2.0, []),
    ]


@pytest.mark.usefixtures("clock")
def test_people_see_people(terminal):
    """Who is there, how they look and since when."""
    assert main(["watch", PEOPLE, *EMBEDDED, "--for", "1"]) == 0

    said = terminal.readouterr().out
    assert "person   looks" in said
    assert "HAPPY   ██████████" in said
    assert "people.mp4 embedded" in said


@pytest.mark.usefixtures("clock")
def test_a_narrow_terminal_shows_what_fits(terminal, monkeypatch):
    """Who it is, what they look like and since when, each word whole; of nobody there is no table."""
    monkeypatch.setenv("COLUMNS", "40")

    said = [main(["watch", PEOPLE, *EMBEDDED, "--for", seconds]) or terminal.readouterr().out for seconds in ("1", "3")]

    assert "person   looks   since" in said[0]
    assert "1        HAPPY   0:" in said[0]
    assert "score" not in said[0]
    assert "nobody is there" in said[1]
    assert "person" not in said[1]


@pytest.mark.usefixtures("clock")
def test_without_rich_a_line_is_said_where_things_change(terminal, monkeypatch):
    """Not one a moment."""
    monkeypatch.setitem(sys.modules, "rich.live", None)

    assert main(["watch", PEOPLE, *EMBEDDED]) == 0

    first, second, *_ = terminal.readouterr().out.splitlines()
    assert (first, second) == ("0:00 1 HAPPY", "0:01 nobody")


@pytest.mark.usefixtures("clock", "nobody")
def test_the_cost_of_aws_is_said(capsys):
    """And a budget ends it."""
    assert main(["watch", PEOPLE, "--client", "aws", "--rate", "4", "--max-calls", "2"]) == 0

    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert err == (
        "4 samples a second are 14400 calls of DetectFaces an hour, some 14.40 USD at the list price; --max-calls ends "
        "it sooner\n"
    )
    assert [(one["kind"], one["seconds"]) for one in lines] == [("image", 0.0), ("image", 0.233), ("error", 0.233)]
    assert lines[-1]["error"] == "max_calls=2 are used up"


@pytest.mark.usefixtures("clock")
def test_recording(tmp_path, capsys):
    """It is said how much was recorded."""
    out = tmp_path / "out.mp4"

    assert main(["watch", PEOPLE, *EMBEDDED, "--for", "2", "--record", str(out)]) == 0

    said, noted = capsys.readouterr()
    assert (len(said.splitlines()), noted) == (4, f"{out}: 4 frames\n")
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["7", *EMBEDDED],
            "rekog-emotion: camera:7 cannot be watched: no such file or directory; check that it is there",
        ),
        (
            ["no.mp4", *EMBEDDED],
            "rekog-emotion: no.mp4: there is no such file; check the path, which starts at the current",
        ),
        (
            ["no.mp4?rate=5", *EMBEDDED],
            "rekog-emotion: no.mp4?rate=5: there is no such file; check the path, which starts at the current",
        ),
        ([PEOPLE, *EMBEDDED, "--record", "out.gif"], "rekog-emotion: out.gif: a video is written as .mp4, .m4v, .mov"),
        (
            [PEOPLE, *EMBEDDED, "--record", PEOPLE],
            f"rekog-emotion: {PEOPLE} would write over {PEOPLE}; name another place",
        ),
        (
            [PEOPLE, *EMBEDDED, "--max-calls", "0"],
            "rekog-emotion: --max-calls 0 is no budget: pass 1 or more calls, or leave it out\n",
        ),
        (
            [PEOPLE, *EMBEDDED, "--rate", "2000"],
            "rekog-emotion: --rate 2000.0 is no rate: pass samples a second, over 0 and up to 1000\n",
        ),
    ],
)
def test_what_cannot_be_watched(arguments, message, capsys):
    """It is said in a line."""
    code = main(["watch", *arguments])

    out, err = capsys.readouterr()
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(message)


@pytest.mark.parametrize("option", ["--rate", "--for"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "two"])
def test_numbers_that_are_none(option, value, capsys):
    """They are refused by the parser."""
    with pytest.raises(SystemExit):
        main(["watch", PEOPLE, f"{option}={value}"])

    assert capsys.readouterr().err == (
        f"rekog-emotion watch: argument {option}: {value!r} is no number over 0; see rekog-emotion watch --help\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there, processes get no signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_recording_whole(number, code, tmp_path):
    """What came so far is a video."""
    # It does not end by itself, however long the networks take to load meanwhile.
    clip = write_clip(tmp_path / "ten minutes.mp4", numbered(2, (96, 96)), times=[0, 600], bf="0")
    target = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "rekog_emotion", "watch", str(clip), *EMBEDDED, "--json", "--record", str(target)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # noqa: S603 -- our own command
        first = [process.stdout.readline() for _ in range(2)]
        process.send_signal(number)
        process.communicate(timeout=600)

    assert json.loads(first[0])["seconds"] == 0.0
    assert process.returncode == code
    with av.open(str(target)) as container:
        assert len(list(container.decode(video=0))) >= 1
    assert sorted(tmp_path.iterdir()) == [target, clip]
