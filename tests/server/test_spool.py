import contextlib
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rekog_emotion.errors import ConfigurationError
from rekog_emotion.server import Spool, temporary
from rekog_emotion.server.spool import SpoolError
from tests.outputs import unmeasured


@pytest.fixture
def temp(tmp_path, monkeypatch):
    """Give a folder that is the system's for temporary files."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_temporary_folder_is_made_when_it_is_needed():
    """And not before; it goes when the spool is closed, as often as that is."""
    spool = Spool()
    spool.close()
    assert spool.found(".object") == []

    folder = spool.folder
    assert folder.is_dir()
    spool.close()
    spool.close()

    assert not folder.exists()


def test_a_folder_of_its_own_stays(tmp_path):
    """Only its owner may look into it."""
    spool = Spool(tmp_path / "a" / "spool")
    spool.close()

    assert (tmp_path / "a" / "spool").stat().st_mode & 0o777 == 0o700


def test_files_go_with_their_request(tmp_path):
    """Unless somebody takes them over; also when the request fails, and when they are gone already."""
    spool = Spool(tmp_path)
    with spool.request(5) as files:
        kept, gone, dropped = (spool.new_file() for _ in range(3))
        assert files == [kept, gone, dropped]
        assert spool.largest == 5
        files.remove(kept)
        gone.unlink()
    with contextlib.suppress(RuntimeError), spool.request(6):
        spool.new_file()
        raise RuntimeError

    assert list(tmp_path.iterdir()) == [kept]


def test_removes_what_nobody_will_ask_for(tmp_path):
    """Files older than the results of any job and half-written ones, that a killed server left; nothing of others."""
    week = 7 * 24 * 60 * 60
    for name, age in {
        "old.object": week + 60,
        "old.json": week + 60,
        "old.ended": week + 60,
        "old.damaged": week + 60,
        "torn.new": 60,
        "new.object": 60,
        "new.json": 60,
        "a.txt": week * 2,
    }.items():
        (tmp_path / name).touch()
        then = time.time() - age
        os.utime(tmp_path / name, (then, then))

    spool = Spool(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"new.object", "new.json", "a.txt"}
    assert spool.found(".object") == [Path(tmp_path / "new.object")]


def test_writes_in_one_step(tmp_path):
    """A file is there as a whole or not at all, and fits where room was made for it."""
    spool = Spool(tmp_path)
    with spool.request(5) as files:
        room = spool.new_file([b" " * 50, b" " * 50], suffix=".new")
        files.clear()
    spool.write(tmp_path / "a.json", "[1]", room=room)
    spool.write(tmp_path / "b.json", "[2]")
    spool.write(tmp_path / "b.json", "[3]")
    spool.move(tmp_path / "b.json", ".ended")

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.json": "[1]" + 97 * " ",
        "b.ended": "[3]",
    }


FULL = """
import os, resource, sys
from pathlib import Path
from rekog_emotion.server.spool import Spool, SpoolError

spool = Spool(sys.argv[1])
old = spool.folder / "a.json"
spool.write(old, "old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with spool.request(5):
    for act in (
        lambda: spool.new_file([b"x" * 600, b"x" * 600]),
        lambda: spool.new_file(size=1001),
        lambda: spool.write(old, "x" * 1001),
    ):
        try:
            act()
        except SpoolError as error:
            print(error)
print(old.read_text(), *sorted(os.listdir(spool.folder)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of files' sizes is tried on Linux")
def test_what_finds_no_room(tmp_path):
    """It is told as the folder's fault; nothing is left of it, and what was there stays whole."""
    run = subprocess.run(  # noqa: S603 -- the test's own script
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=unmeasured(),
    )

    why = f"the folder {tmp_path} cannot be written to: File too large; make room there, or make it writable"
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [why, why, why, "old a.json"]


def test_whoever_gives_the_content_may_fail(tmp_path):
    """That is not the folder's fault; the file goes all the same."""
    spool = Spool(tmp_path)

    def pieces():
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError), spool.request(5):
        spool.new_file(pieces())

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be(tmp_path):
    """A file is in the way: the error says which folder it is about."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError) as caught:
        Spool(tmp_path / "file")

    assert str(caught.value) == (
        f"the folder {tmp_path / 'file'} cannot be made: File exists; make room for it, or name another"
    )


def test_no_temporary_folder(temp):
    """Where there is none, it is told as the server's fault."""
    spool = Spool()
    shutil.rmtree(temp)

    with pytest.raises(SpoolError) as caught:
        spool.folder  # noqa: B018 -- it is made when it is asked for

    assert str(caught.value) == (
        f"the folder {temp} cannot be written to: No such file or directory; make room there, or make it writable"
    )


# --- temporary folders of servers that were killed ---

KILLED = """
import signal
from rekog_emotion.server import Spool
from tests.outputs import unmeasured
spool = Spool()
with spool.request(5):
    print(spool.new_file([b"content"]), flush=True)
    signal.pause()
"""


@pytest.fixture
def server(temp):
    """Give a process that has a temporary folder with a file in it, and that file."""
    with subprocess.Popen(  # noqa: S603 -- the test's own script
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temp)}
    ) as process:
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX systems alone")
def test_the_next_start_clears_away(server, temp):
    """What a killed server has left goes with the next start; what belongs to a live one, or nobody knows, stays."""
    process, path = server
    live = Spool()
    live.folder.joinpath("file").touch()
    (temp / "rekog-emotion-serve-link").symlink_to(live.folder)
    (temp / "rekog-emotion-serve-file").touch()
    (temp / "rekog-emotion-other").mkdir()
    before = set(temp.iterdir())

    Spool().close()
    assert path.exists()
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    Spool().close()

    assert before - set(temp.iterdir()) == {path.parent}
    assert live.folder.joinpath("file").exists()
    live.close()


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX systems alone")
def test_a_folder_that_was_taken_for_an_orphan(temp, monkeypatch):
    """Between its making and its locking another start may remove it; then another is made."""
    made = tempfile.mkdtemp
    times = iter([True, True, False])

    def taken(**options):
        path = made(**options)
        if next(times):
            temporary.clear_orphans()
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", taken)
    spool = Spool()
    folder = spool.folder

    assert list(temp.iterdir()) == [folder]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spool.close()


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX systems alone")
def test_a_file_system_without_locks(temp, monkeypatch):
    """The folder is made all the same, and nobody takes it for an orphan, since nobody can lock it."""

    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    spool = Spool()
    folder = spool.folder
    Spool()

    assert list(temp.iterdir()) == [folder]
    spool.close()
    assert list(temp.iterdir()) == []


def test_a_temporary_folder_that_is_gone(temp):
    """Somebody else may have cleared it away: there is nothing left to do."""
    spool = Spool()
    shutil.rmtree(spool.folder)

    spool.close()
    assert list(temp.iterdir()) == []
