"""Whatever an answer, a name or a key holds reaches a terminal and a log as text, and a full output is said so."""

import json
import logging
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.commands.cli import main
from rekog_emotion.logs import logger
from rekog_emotion.text import plain
from tests.http_standin import Answer, fault
from tests.outputs import unmeasured

DATA = Path(__file__).parents[1] / "data"
ASTRONAUT = os.fspath(DATA / "astronaut.jpg")
EMBEDDED = ("--client", "embedded")
ODD = "A\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\x08\u202egnp\u2066\ud800\u2028\0Z"
SHOWN = r"A\x1b]0;owned\x07\x1b[2J\x9b31m \x08\u202egnp\u2066\ud800 \x00Z"
FACE = {
    "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.1, "Top": 0.1},
    "Confidence": 99.5,
    "Emotions": [{"Type": ODD, "Confidence": 90.5}],
    "Gender": {"Value": ODD, "Confidence": 9.0},
}
PAGE = {"JobStatus": "SUCCEEDED", "JobId": ODD, "Faces": [{"Timestamp": 0, "Face": FACE}]}


@pytest.fixture
def service(standin):
    """Let a foreign endpoint answer with words that a terminal would obey."""
    standin.script("DetectFaces", Answer({"FaceDetails": [FACE]}))
    standin.script("StartFaceDetection", Answer({"JobId": ODD}))
    standin.script("GetFaceDetection", Answer(PAGE))
    return standin


@pytest.fixture
def terminal(terminal, monkeypatch):
    """Make the terminal a wide one."""
    monkeypatch.setenv("COLUMNS", "500")
    return terminal


@pytest.fixture(params=["rich", "plain"])
def table(request, monkeypatch):
    """Print tables by rich, and without it."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "rich.console", None)
        monkeypatch.setitem(sys.modules, "rich", None)


def obeyed(text):
    """Return the signs of a text that a terminal would obey."""
    return {sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and sign != "\n"}


@pytest.mark.usefixtures("service", "table")
@pytest.mark.parametrize("arguments", [("image", ASTRONAUT), ("video", "s3://bucket/clip.mp4")], ids=lambda one: one[0])
def test_words_of_answers(terminal, arguments):
    """Emotions, genders and ids that are no words are shown as they are spelt."""
    code = main([*arguments, "--client", "aws"])

    out, err = terminal.readouterr()
    assert (code, obeyed(out + err), SHOWN in out) == (0, set(), True)


@pytest.mark.usefixtures("service")
def test_table_of_cells(terminal, tmp_path):
    """A table that is printed on a terminal shows its cells; in a file they are as they came."""
    (tmp_path / "faces.json").write_text(json.dumps({"FaceDetails": [FACE]}))
    results, out = os.fspath(tmp_path / "faces.json"), tmp_path / "faces.csv"

    main(["export", results, "--format", "csv"])
    printed = terminal.readouterr().out
    main(["export", results, "--out", os.fspath(out)])

    assert (obeyed(printed), r"A\x1b]0;owned" in printed) == (set(), True)
    assert "A\x1b]0;owned" in out.read_text()


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["short", "debug"])
@pytest.mark.parametrize("kind", ["error", "failed"])
def test_words_of_errors(service, capsys, kind, debug):
    """Codes, messages and reasons of the service are text, in a traceback, too."""
    if kind == "error":
        service.script("StartFaceDetection", fault(f"X{ODD}", ODD))
    else:
        service.script("GetFaceDetection", Answer({"JobStatus": "FAILED", "StatusMessage": ODD}))

    code = main(["video", "s3://bucket/clip.mp4", *debug])

    out, err = capsys.readouterr()
    assert (code, out, obeyed(err), "owned" in err) == (1, "", set(), True)


@pytest.mark.parametrize("kind", [rekog.InvalidInputError, rekog.TransportError, rekog.ServiceError, rekog.JobError])
def test_messages_of_the_library(kind):
    """No message holds what a terminal would obey, so that a traceback or a log of it is safe."""
    assert str(kind(ODD)) == plain(ODD)
    assert obeyed(plain(ODD)) == set()


def test_plain_text_is_left_alone():
    """Letters of all scripts, marks on them, pictures and line ends are text."""
    text = "Grüße\t日本\n\u0928\u092e\u0938\u094d\u0924\u0947 \U0001f600 e\u0301"

    assert plain(text) == text


def _raised(text):
    raise ValueError(text)


def test_logs(caplog):
    """What is logged is text: the arguments, and the errors of others."""
    log = logger("rekog_emotion.test")
    with caplog.at_level(logging.INFO):
        log.warning("s3://%s cannot be read: %s (%d times)", ODD, ValueError(ODD), 3)
        try:
            _raised(ODD)
        except ValueError:
            log.exception("job %s failed", ODD)
        log.info("nothing odd")

    assert (obeyed(caplog.text), caplog.text.count("owned")) == (set(), 4)
    assert caplog.text.splitlines()[0].endswith(r"\u2028\x00Z (3 times)")


FULL = """
import resource, sys
from rekog_emotion.commands.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("blur", "--help"),
        ("--print-completion", "bash"),
        ("image", ASTRONAUT, ASTRONAUT, *EMBEDDED),
        ("export", "RESULTS"),
        ("export", "RESULTS", "--format", "jsonl"),
        ("serve", "--port", "0"),
    ],
    ids=" ".join,
)
def test_full_output(tmp_path, arguments):
    """Standard output on a full disk is told in one line, and is nobody else's fault."""
    results = tmp_path / "faces.json"
    face = {**FACE, "Emotions": [{"Type": "CALM", "Confidence": 9}]}
    results.write_text(json.dumps({"FaceDetails": [face, face]}))
    arguments = [os.fspath(results) if one == "RESULTS" else one for one in arguments]

    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-c", FULL, *arguments],
            check=False,
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=600,
            env=unmeasured(),
        )

    expected = "rekog-emotion: standard output cannot be written: File too large; make room, or send it elsewhere\n"
    assert (done.returncode, done.stderr.decode().splitlines(keepends=True)[-1:]) == (1, [expected])


def run_unheard(program, unbuffered):
    """Run a program whose standard error cannot be written, as on a full disk."""
    read_only = os.open(ASTRONAUT, os.O_RDONLY)
    try:
        return subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-c", program],
            check=False,
            stdout=subprocess.PIPE,
            stderr=read_only,
            timeout=600,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    finally:
        os.close(read_only)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_error_output(tmp_path, unbuffered):
    """Where nothing can be said on standard error, the results are printed all the same, and the exit code is ours."""
    program = "import sys\nfrom rekog_emotion.commands.cli import main\n"
    program += f"sys.exit(main(['image', {ASTRONAUT!r}, 'nowhere.jpg', "
    program += f"'--client', 'embedded', '--draw', {os.fspath(tmp_path / 'copies')!r}]))"
    done = run_unheard(program, unbuffered)

    assert (done.returncode, json.loads(done.stdout)["source"]) == (2, ASTRONAUT)
    assert (tmp_path / "copies" / "astronaut.png").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["image", "--nothing"], []])
def test_full_error_output_of_a_wrong_usage(arguments, unbuffered):
    """The exit code is what there is of it."""
    program = f"import sys\nfrom rekog_emotion.commands.cli import main\nsys.exit(main({arguments!r}))"

    done = run_unheard(program, unbuffered)

    assert (done.returncode, done.stdout) == (2, b"")
