import os
import stat
import tempfile
from pathlib import Path

import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import check_output, identity, output_file, output_text
from tests.outputs import full_disk, mode, null_device, pipe


def write_binary(target, text):
    """Write by `output_file`."""
    with output_file(target) as part:
        part.write_text(text)


def write_text(target, text):
    """Write by `output_text`."""
    with output_text(target) as file:
        file.write(text)


@pytest.fixture(params=[write_binary, write_text])
def write(request, monkeypatch, tmp_path):
    """Give each way to write; what it needs beside the target goes into a folder that is empty in the end."""
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-elsewhere")
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(elsewhere))
    before = os.umask(0o022)
    yield request.param
    os.umask(before)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "expected"),
    [(0o755, 0o644), (0o700, 0o644), (0o775, 0o600), (0o2770, 0o600), (0o777, 0o600), (0o1777, 0o600)],
    ids=oct,
)
def test_mode_of_a_new_file(write, tmp_path, folder, expected):
    """A new file has the mode that the umask says; where others may write to the folder, its owner's alone."""
    tmp_path.chmod(folder)

    write(tmp_path / "faces.csv", "faces")

    assert ((tmp_path / "faces.csv").read_text(), mode(tmp_path / "faces.csv")) == ("faces", expected)


@pytest.mark.parametrize("before", [0o600, 0o640, 0o644, 0o666], ids=oct)
@pytest.mark.parametrize("folder", [0o755, 0o1777], ids=oct)
def test_mode_of_an_old_file(write, tmp_path, folder, before):
    """A file that is there keeps its mode, also in a shared folder."""
    tmp_path.chmod(folder)
    out = tmp_path / "faces.csv"
    out.write_text("old")
    out.chmod(before)

    write(out, "new")

    assert (out.read_text(), mode(out), list(tmp_path.iterdir())) == ("new", before, [out])


def test_links_are_followed(write, tmp_path):
    """A link stays one, be it to a link or to what is not there yet, and its file gets the content."""
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "old.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("far/old.csv")
    (tmp_path / "second.csv").symlink_to("link.csv")
    (tmp_path / "dangling.csv").symlink_to("far/new.csv")

    write(tmp_path / "second.csv", "one")
    write(tmp_path / "dangling.csv", "two")

    kept = [os.fspath((tmp_path / name).readlink()) for name in ("link.csv", "second.csv", "dangling.csv")]
    assert kept == ["far/old.csv", "link.csv", "far/new.csv"]
    found = {path.name: path.read_text() for path in (tmp_path / "far").iterdir()}
    assert found == {"old.csv": "one", "new.csv": "two"}


@pytest.mark.parametrize("content", ["", "x", "longer than before"])
def test_second_name_keeps_the_file(write, tmp_path, content):
    """A file of two names is written under both."""
    (tmp_path / "one.csv").write_text("before")
    (tmp_path / "two.csv").hardlink_to(tmp_path / "one.csv")

    write(tmp_path / "two.csv", content)

    assert ((tmp_path / "one.csv").read_text(), (tmp_path / "one.csv").stat().st_nlink) == (content, 2)


def test_pipe_is_written_to(write, tmp_path):
    """A pipe gets the content and stays a pipe, also by a link."""
    with pipe(tmp_path / "pipe") as arrived:
        (tmp_path / "link.csv").symlink_to("pipe")
        write(tmp_path / "link.csv", "faces\r\n")

    assert arrived == [b"faces\r\n"]
    assert (tmp_path / "pipe").is_fifo()


def test_rows_reach_a_pipe_one_by_one(tmp_path):
    """Who reads a pipe has each line when it is written."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with output_text(tmp_path / "pipe") as file:
            file.write("one\n")
            early = os.read(reader, 100)
            file.write("two\n")
    finally:
        os.close(reader)

    assert early == b"one\n"


def test_device_is_written_to(write, tmp_path):
    """A device stays a device."""
    null_device(tmp_path / "null.csv")

    write(tmp_path / "null.csv", "faces")

    assert stat.S_ISCHR((tmp_path / "null.csv").stat().st_mode)
    assert list(tmp_path.iterdir()) == [tmp_path / "null.csv"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not show open files as files")
def test_open_file_is_written_on(write, tmp_path):
    """What leads to an open file of this process, as /dev/stdout does, goes on where that file stands."""
    with (tmp_path / "log").open("w") as file:
        file.write("before\n")
        file.flush()
        (tmp_path / "out.csv").symlink_to(f"/proc/self/fd/{file.fileno()}")
        write(tmp_path / "out.csv", "faces\n")
        os.lseek(file.fileno(), 0, os.SEEK_CUR)
        file.write("after\n")

    assert (tmp_path / "log").read_text() == "before\nfaces\nafter\n"


def test_full_disk_leaves_the_old_file(write, tmp_path):
    """Where the content does not fit, the old one is whole and nothing lies beside it; the error names the target."""
    out = tmp_path / "faces.csv"
    out.write_text("old")

    with pytest.raises(OSError, match="File too large"), full_disk(4):
        write(out, "longer than four")

    assert (out.read_text(), list(tmp_path.iterdir())) == ("old", [out])


def test_full_disk_leaves_the_old_file_of_two_names(write, monkeypatch, tmp_path):
    """The room is taken before a file is written over; where there is none, it is as it was."""
    (tmp_path / "one.csv").write_text("old")
    (tmp_path / "two.csv").hardlink_to(tmp_path / "one.csv")

    def no_room(handle, offset, length):
        os.truncate(handle, offset + length - 1)  # as some file systems leave it
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(OSError, match="No space left on device"):
        write(tmp_path / "two.csv", "longer than the old one")

    assert (tmp_path / "one.csv").read_text() == "old"


def test_interrupt_leaves_the_old_file(tmp_path):
    """What ends before its end has not been written."""
    (tmp_path / "faces.csv").write_text("old")

    def write_half():
        with output_text(tmp_path / "faces.csv") as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"faces.csv": "old"}


def test_file_of_its_own_mount(write, monkeypatch, tmp_path):
    """A file that cannot be replaced, as one that is mounted into a container, is written over."""
    (tmp_path / "faces.csv").write_text("old, and longer")

    def busy(self, target):
        raise OSError(16, "Device or resource busy", os.fspath(self), None, os.fspath(target))

    monkeypatch.setattr(Path, "replace", busy)
    write(tmp_path / "faces.csv", "new")

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"faces.csv": "new"}


def test_folder_that_must_not_be_written_to(write, monkeypatch, tmp_path):
    """A file that may be written in a folder that may not is written over."""
    (tmp_path / "faces.csv").write_text("old")
    before = (tmp_path / "faces.csv").stat().st_ino
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, wanted: may(path, wanted) and Path(path) != tmp_path)

    write(tmp_path / "faces.csv", "new")

    assert ((tmp_path / "faces.csv").read_text(), (tmp_path / "faces.csv").stat().st_ino) == ("new", before)


def test_longest_name(write, tmp_path):
    """A name as long as the file system takes it can be written."""
    out = tmp_path / f"{'a' * 251}.csv"

    write(out, "faces")

    assert out.read_text() == "faces"


def test_error_names_the_target(write, tmp_path):
    """What cannot be made is told by the name that was given."""
    nowhere = tmp_path / "nowhere"
    for target, message in (
        (nowhere / "faces.csv", f"{nowhere}/faces.csv: there is no directory {nowhere}; make it first"),
        (tmp_path, f"{tmp_path} is a directory; name a file in it"),
        (f"{tmp_path}/a\0b", f"{tmp_path}/a\\x00b cannot be written: its name has a zero byte; name another place"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            write(target, "faces")
        assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_identity(tmp_path):
    """All names of a file are one, also before it is there."""
    (tmp_path / "one").write_text("")
    (tmp_path / "hard").hardlink_to(tmp_path / "one")
    (tmp_path / "soft").symlink_to("one")
    (tmp_path / "dangling").symlink_to("new")

    assert identity(tmp_path / "one") == identity(tmp_path / "hard") == identity(tmp_path / "soft")
    assert identity(tmp_path / "dangling") == identity(tmp_path / "new")
    assert len({identity(tmp_path / name) for name in ("one", "new", "other")}) == 3


def refused(path):
    """Return why an output cannot go there."""
    with pytest.raises(InvalidInputError) as caught:
        check_output(path, "--out X")
    return str(caught.value)


def test_places_that_are_none(monkeypatch, tmp_path):
    """A place that cannot be written to is refused in words."""
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("gone/new")
    (tmp_path / "circle").symlink_to("circle")

    assert refused(tmp_path) == "--out X is a directory; name a file in it"
    assert refused(tmp_path / "no" / "a.csv") == f"--out X: there is no directory {tmp_path / 'no'}; make it first"
    assert refused(tmp_path / "file" / "a") == f"--out X: there is no directory {tmp_path / 'file'}; make it first"
    assert refused(tmp_path / "dangling") == f"--out X: there is no directory {tmp_path / 'gone'}; make it first"
    wrong = "--out X cannot be written: Too many levels of symbolic links; name another place"
    assert refused(tmp_path / "circle") == wrong
    assert refused(tmp_path / ("a" * 300)) == "--out X cannot be written: File name too long; name another place"
    monkeypatch.setattr(os, "access", lambda _path, _wanted: False)
    expected = "--out X: this user may not write to it; change its permissions or name another place"
    assert refused(tmp_path / "file") == expected
    expected = "--out X: this user may not write to its directory; change its permissions or name another place"
    assert refused(tmp_path / "new") == expected


def test_places_that_do(tmp_path):
    """A new file, an old one, a link and a pipe are no reason to refuse."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "old").write_text("")
    (tmp_path / "dangling").symlink_to("new")

    for name in ("pipe", "old", "dangling", "new"):
        check_output(tmp_path / name, "--out X")
