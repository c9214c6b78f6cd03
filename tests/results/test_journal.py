import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from rekog_emotion.errors import InvalidInputError, RekogEmotionError, ThrottledError
from rekog_emotion.results import journal
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.journal import Entry, Journal, error_line
from rekog_emotion.results.lossless import read_json_lines

DONE = ImageAnalysis(source='a "quoted" \udcff.jpg', engine="fake", size=(90, 90)).to_json()
FAILED = error_line("b.jpg", ThrottledError("slow down"))
ENTRIES = [Entry('a "quoted" \udcff.jpg', failed=False), Entry("b.jpg", failed=True)]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Give the place of a journal, by a short name."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "done.jsonl"


def entries(path):
    """Return what a journal tells of."""
    with Journal(path) as opened:
        return list(opened.entries())


def test_goes_on(path):
    """What was written is read, in the one format of results."""
    with Journal(path) as opened:
        opened.append(DONE)
        opened.append(FAILED)

    assert entries(path) == ENTRIES
    assert [one.source for one in read_json_lines([path.read_text().splitlines()[0]])] == ['a "quoted" \udcff.jpg']


def test_an_error():
    """Is a document of its own, that says of what it is."""
    assert json.loads(error_line("b\udcff.jpg", ThrottledError("slow down"))) == {
        "format": "rekog-emotion",
        "version": 1,
        "kind": "error",
        "source": "b\udcff.jpg",
        "error": "ThrottledError: slow down",
    }


@pytest.mark.parametrize("length", range(1, len(DONE), 13))
def test_a_torn_last_line(path, length):
    """Is taken away; the next one stands where it stood."""
    path.write_text(f"{FAILED}\n{DONE[:length]}")

    with Journal(path) as opened:
        assert list(opened.entries()) == ENTRIES[1:]
        opened.append(DONE)

    assert path.read_text() == f"{FAILED}\n{DONE}\n"


@pytest.mark.parametrize("torn", ["{", DONE[:-1], "\0\0\0", '{"format": "rek'])
def test_a_torn_only_line(path, torn):
    """Is taken away, too, where it can be one of ours."""
    path.write_text(torn)

    with Journal(path) as opened:
        opened.append(DONE)

    assert path.read_text() == f"{DONE}\n"


def test_a_last_line_without_its_end(path):
    """Gets it, and counts."""
    path.write_text(f"{FAILED}\n{DONE}")

    assert entries(path) == ENTRIES[::-1]
    assert path.read_text() == f"{FAILED}\n{DONE}\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"notes of mine", 1),
        (b"\xff\xd8\xff\xe0 a photo", 1),
        (b'{"source": "a.jpg", "FaceDetails": []}\n', 1),
        (b"[]\n", 1),
        (DONE.encode() + b"\n" + DONE.encode()[:40] + b"\n" + DONE.encode() + b"\n", 2),
        (DONE.encode() + b"\n[1]", 2),
    ],
)
def test_a_file_of_something_else(path, content, line):
    """Is refused, and stays as it is."""
    path.write_bytes(content)

    with pytest.raises(InvalidInputError) as caught:
        entries(path)

    assert str(caught.value) == (
        f"checkpoint={path}: line {line} is not one of results, so nothing is added; name another file"
    )
    assert path.read_bytes() == content


@pytest.mark.parametrize("spaces", [None, 2])
def test_another_version_of_the_library(path, spaces):
    """What an earlier one wrote is read, members that are not known and other orders of them included."""
    document = {"source": "a.jpg", "new": 1, "version": 1, "kind": "image", "format": "rekog-emotion", "answer": {}}
    line = json.dumps(document, separators=None if spaces is None else (",", ":"))
    path.write_text(f"{line}\r\n\n{DONE}\n")

    assert entries(path) == [Entry("a.jpg", failed=False), ENTRIES[0]]


@pytest.mark.parametrize("version", [2, None])
def test_a_later_version_of_the_library(path, version):
    """Is refused where its lines may mean something else."""
    path.write_text(DONE.replace('"version": 1', f'"version": {json.dumps(version)}') + "\n")

    with pytest.raises(InvalidInputError) as caught:
        entries(path)

    assert str(caught.value) == (
        f"checkpoint={path}: line 1 is of version {version}, and this library reads up to 1: update it"
    )


def test_two_at_once(path):
    """The second is refused, in this process and in another one, until the first has ended."""
    program = "import sys; from rekog_emotion.results.journal import Journal; Journal(sys.argv[1])"
    command = [sys.executable, "-c", program, str(path)]
    with Journal(path):
        with pytest.raises(InvalidInputError) as caught:
            Journal(path)
        other = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own program

    message = (
        f"checkpoint={path} is in use: another run writes to it; wait for its end, name another file, or give both "
        "runs different photos"
    )
    assert str(caught.value) == message
    assert other.stderr.splitlines()[-1] == f"rekog_emotion.errors.InvalidInputError: {message}"
    Journal(path).close()


def test_a_process_that_was_killed(path):
    """Leaves the file to the next one."""
    program = (
        "import sys; from rekog_emotion.results.journal import Journal; opened = Journal(sys.argv[1]);"
        "opened.append('{}'); print('there', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:  # noqa: S603 -- likewise
        assert other.stdout.readline() == b"there\n"
        other.send_signal(signal.SIGKILL)
    path.write_text("")

    assert entries(path) == []


def test_a_fork(path):
    """A child that lives longer than its parent's run does not hold the file, and does not write to it."""
    program = (
        "import os, sys\nfrom rekog_emotion.results.journal import Journal\nopened = Journal(sys.argv[1])\n"
        "ends, begins = os.pipe()\nchild = os.fork()\n"
        "if not child:\n    try:\n        opened.append('{}')\n    except Exception as error:\n"
        "        print(error, flush=True)\n    os.write(begins, b'.')\n    sys.stdin.read()\n    os._exit(0)\n"
        "os.read(ends, 1)\nos.close(opened._handle)\nJournal(sys.argv[1]).append('there')\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 -- likewise
        assert other.wait(60) == 0
        assert other.stdout.readline() == (
            f"checkpoint={path} is closed, or belongs to the process that forked this one\n"
        )

    assert path.read_text() == "there\n"


def test_a_full_disk(path, monkeypatch):
    """What could not be written leaves nothing behind."""
    with Journal(path) as opened:
        opened.append(DONE)
        write = os.write

        def half(handle, data):
            if len(data) < len(FAILED):
                raise OSError(28, "No space left on device")
            return write(handle, data[:20])

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(RekogEmotionError) as caught:
            opened.append(FAILED)
        monkeypatch.undo()

    assert str(caught.value) == (
        f"checkpoint={path} cannot be written: No space left on device; make room and start again, nothing is lost"
    )
    assert path.read_text() == f"{DONE}\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "checkpoint=. is a directory; name a file in it"),
        ("/dev/null", "checkpoint=/dev/null is no regular file; name one that a second run can go on from"),
        ("none/done.jsonl", "checkpoint=none/done.jsonl: there is no directory none; make it first"),
    ],
)
def test_a_place_that_is_none(path, name, message):
    """Is refused before anything is done for it."""
    assert not path.exists()

    with pytest.raises(InvalidInputError) as caught:
        Journal(name)

    assert str(caught.value) == message


@pytest.mark.parametrize(("folder", "expected"), [(0o755, 0o644), (0o777, 0o600)])
def test_mode(path, folder, expected):
    """What describes faces is nobody else's business where everybody may write."""
    path.parent.chmod(folder)
    before = os.umask(0o022)
    try:
        Journal(path).close()
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == expected


def test_does_not_parse_answers(path, monkeypatch):
    """A line of ours is known by its beginning."""
    path.write_text(f"{DONE}\n{FAILED}\n")
    parsed = []
    monkeypatch.setattr(journal.Journal, "_document", lambda *_: parsed.append(1))

    assert entries(path) == ENTRIES
    assert parsed == []
