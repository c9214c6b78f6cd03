import contextlib
import os
import time
from pathlib import Path

from rekog_emotion.server import Spool


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
    """Files older than the results of any job, that a killed server left; nothing of others."""
    week = 7 * 24 * 60 * 60
    for name, age in {
        "old.object": week + 60,
        "old.json": week + 60,
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
