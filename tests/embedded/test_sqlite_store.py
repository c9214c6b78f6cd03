"""Jobs in a file outlive their process, and a file that cannot be used is refused in plain words."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from rekog_emotion.embedded import JobRecord, SqliteStore
from rekog_emotion.embedded.store import MemoryStore
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from tests.amounts import amount
from tests.embedded.clips import counting
from tests.embedded.job_desk import TOKEN, bare, clock, done, make, s3
from tests.outputs import unmeasured

__all__ = ["clock", "counting", "make"]

JOB = JobRecord(
    job_id="a",
    request={"Video": s3("s\udce9ance.mp4"), "FaceAttributes": "ALL"},
    token="token",  # noqa: S106 -- no password
    path="/clips/s\udce9ance.mp4",
    started=1.1,
    metadata={"Codec": "h264", "FrameRate": 29.970029830932617},
)
FACES = [{"Timestamp": k, "Face": {"Confidence": 100 / 3 + k}} for k in range(200)]


@pytest.fixture
def path(tmp_path):
    """Return where the file is to be."""
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def store(path):
    """Give an empty store."""
    with SqliteStore(path) as store:
        yield store


def refusal(path) -> str:
    """Return the message with which a file is refused."""
    with pytest.raises(InvalidInputError) as caught:
        SqliteStore(path)
    return str(caught.value)


def script(code: str, *arguments: object) -> list[str]:
    """Return the command that runs a script in an interpreter of its own."""
    return [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]


# --- what is kept ---


def test_opened_again(path):
    """What was put is there when the file is opened again, value for value: paths and keys are any bytes."""
    ended = evolve(JOB, job_id="b", token=None, ended=2.2, status="FAILED", message="No.", metadata=None, face_count=3)
    with SqliteStore(path) as store:
        store.put(JOB)
        store.put(ended)
        store.add_faces("a", FACES)
    with SqliteStore(os.fsencode(path)) as store:
        assert (store.get("a"), store.with_token("token"), store.get("b")) == (JOB, JOB, ended)
        assert store.faces("a", 0, 1000) == FACES


@settings(deadline=None, max_examples=amount(40, whole=200))
@given(
    sizes=st.lists(st.integers(0, 150), max_size=6), cuts=st.lists(st.tuples(*[st.integers(0, 500)] * 2), max_size=6)
)
def test_same_slices_as_in_memory(tmp_path_factory, sizes, cuts):
    """However many faces come at once and are asked for at once, they are those that a list would give."""
    memory = MemoryStore()
    with SqliteStore(tmp_path_factory.mktemp("store") / "jobs.sqlite") as store:
        for number, size in enumerate(sizes):
            for each in (memory, store):
                each.add_faces("a", [{"Timestamp": number, "Face": {"k": k}} for k in range(size)])
                each.add_faces("b", [{"Timestamp": -1}])
        for start, stop in cuts:
            assert store.faces("a", start, stop) == memory.faces("a", start, stop)


def test_reads_the_page_alone(store):
    """A page of a large result is read without the rest: only rows with faces of it are decompressed."""
    store.add_faces("a", FACES * 50)
    read = []
    store._connection.set_trace_callback(read.append)

    with patch("zlib.decompress", wraps=zlib.decompress) as decompress:
        assert store.faces("a", 5000, 5100) == (FACES * 50)[5000:5100]
    plan = [row[-1] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {read[0]}")]

    assert decompress.call_count == 2
    assert plan[0] == "SEARCH faces USING INDEX faces_in_order (job_id=? AND first>? AND first<?)"


def test_compact(store, path):
    """Faces take less than half of their JSON."""
    face = {"Landmarks": [{"Type": f"landmark{k}", "X": k / 7, "Y": k / 9} for k in range(30)]}
    for k in range(500):
        store.add_faces("a", [{"Timestamp": k, "Face": face}])
    store.close()

    assert path.stat().st_size < 500 * len(str(face)) / 2


def test_all_or_nothing(store):
    """Faces of which one cannot be kept are not kept at all, and the store goes on."""
    with pytest.raises(TypeError):
        store.add_faces("a", [*FACES, {"Face": object()}])
    with pytest.raises(RekogEmotionError):
        store.put(evolve(JOB, status=None))
    store.add_faces("a", FACES[:1])

    assert (store.get("a"), store.faces("a", 0, 1000)) == (None, FACES[:1])


def test_threads(store):
    """Many threads write and read at once, and each finds what is its own."""
    start = threading.Barrier(8)

    def work(name: str) -> list:
        start.wait(60)
        for face in FACES[:40]:
            store.add_faces(name, [face])
            store.put(evolve(JOB, job_id=name, token=name))
            store.purge(0.0)
        return [store.with_token(name).job_id, *store.faces(name, 0, 1000)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, "abcdefgh")) == [[name, *FACES[:40]] for name in "abcdefgh"]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_private(store, path):
    """Only the owner may read descriptions of faces, in the log too; a file that was there keeps its mode."""
    store.put(JOB)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    store.close()
    path.chmod(0o640)
    SqliteStore(path).close()

    assert modes == {"jobs.sqlite": 0o600, "jobs.sqlite-reserve": 0o600, "jobs.sqlite-wal": 0o600}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# --- files that cannot be used ---


@pytest.mark.parametrize("content", [b"A letter, no database.\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_no_database(path, content):
    """A file of another kind is refused, and left as it is."""
    path.write_bytes(content)

    assert refusal(path) == (
        f"the job store {path} cannot be used: file is not a database; name another file, or one that is not there yet"
    )
    assert path.read_bytes() == content


def test_foreign(path):
    """Another program's database is refused, and left as it is."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name)")
    database.close()
    content = path.read_bytes()

    assert refusal(path) == (
        f"the job store {path} cannot be used: it is a database of another program; "
        "name another file, or one that is not there yet"
    )
    assert path.read_bytes() == content


def test_later_version(path):
    """A schema that is not known yet is refused."""
    SqliteStore(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()

    assert refusal(path) == (
        f"the job store {path} cannot be used: it has schema 2, and this version of rekog-emotion knows 1; "
        "name another file, or one that is not there yet"
    )


def test_damaged_jobs(path):
    """A file whose jobs are damaged is refused when it is opened."""
    with SqliteStore(path) as store:
        for number in range(300):
            store.put(evolve(JOB, job_id=f"{number:064}", token=None))
    path.write_bytes(path.read_bytes()[: 16384 * 3])

    message = refusal(path)

    assert message.startswith(f"the job store {path} cannot be used: ")
    assert message.endswith("; name another file, or one that is not there yet")


def test_damaged_faces(path):
    """Damage in the many faces, which are not read before, is told when it is met."""
    with SqliteStore(path) as store:
        store.put(JOB)
        store.add_faces("a", FACES)
        store._connection.execute("UPDATE faces SET compressed = x'00'")

        with pytest.raises(RekogEmotionError) as caught:
            store.faces("a", 0, 1)

        assert store.get("a") == JOB
    assert str(caught.value) == (
        f"the job store {path} failed: Error -5 while decompressing data: incomplete or truncated stream; "
        "if the file is damaged, begin with a new one"
    )


def test_no_folder(tmp_path):
    """A file that cannot be made is refused."""
    path = tmp_path / "nowhere/jobs.sqlite"

    assert refusal(path) == (
        f"the job store {path} cannot be used: unable to open database file; "
        "name a file in a folder that is there and can be written"
    )


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_no_file(tmp_path, monkeypatch, name):
    """A name by which SQLite keeps nothing is refused, since whoever knows it expects no file."""
    monkeypatch.chdir(tmp_path)

    assert refusal(name) == (
        f"the job store {name!r} is no file: name one, or none at all for jobs that end with the process"
    )
    assert refusal(name.encode()) == refusal(name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file(tmp_path):
    """A folder, a pipe or a device is refused, and nothing is left beside it."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)
    told = "is no file: name one, or none at all for jobs that end with the process"

    for path in (tmp_path, pipe, link, os.devnull):
        assert refusal(path) == f"the job store {path} {told}"
    assert sorted(tmp_path.iterdir()) == [link, pipe]
    assert not list(Path(os.devnull).parent.glob("null?*"))


@pytest.mark.parametrize("name", ["file:jobs.sqlite?mode=ro", "file:///tmp/jobs.sqlite", "file::memory:?cache=shared"])
def test_address(tmp_path, monkeypatch, name):
    """An address is refused, too: a file of that name is nothing that anybody means."""
    monkeypatch.chdir(tmp_path)

    assert refusal(name) == f"the job store {name!r} is an address: name the path of a file, without options"
    assert list(tmp_path.iterdir()) == []


def test_odd_names_of_files(tmp_path, monkeypatch):
    """Named by a path, files may be called like that."""
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:a"):
        SqliteStore(f"./{name}").close()

    assert sorted(path.name for path in tmp_path.iterdir()) == [":memory:", "file:a"]


FULL = """
    import resource, sys
    from rekog_emotion.embedded import JobRecord, SqliteStore
    from rekog_emotion.errors import RekogEmotionError

    def tell(act, *arguments):
        try:
            act(*arguments)
        except RekogEmotionError as error:
            print(error)
        else:
            print("kept")

    job = JobRecord(job_id="a", request={}, token=None, path="", started=0.0, ended=1.0, message="m" * 100_000)
    with SqliteStore(sys.argv[1]) as store:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, most))
        tell(store.put, job)
        assert store.get("a") is None
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        tell(store.put, job)
        assert store.get("a") == job
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    tell(SqliteStore, sys.argv[1] + "2")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of files' sizes is tried on Linux")
def test_no_room(path):
    """A job that finds no room is not kept in part; the store says what to do, and goes on when there is some."""
    run = subprocess.run(  # noqa: S603 -- the test's own script
        script(FULL, path), capture_output=True, text=True, check=False, timeout=600, env=unmeasured()
    )
    way_out = "make room on its disk, or see whether that is in order"

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        f"the job store {path} failed: disk I/O error; {way_out}",
        "kept",
        f"the job store {path}2 cannot be used: disk I/O error; {way_out}",
    ]


class FullDisk:
    """A connection on whose disk there is no room as long as the reserve of the store takes it."""

    def __init__(self, store, reserve):
        self._connection = store._connection
        self._reserve = reserve

    def execute(self, statement, *values):
        """Fail at what needs room."""
        if statement.startswith("REPLACE") and self._reserve.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._connection.execute(statement, *values)

    def __getattr__(self, name):
        """Do the rest as ever."""
        return getattr(self._connection, name)

    def __enter__(self):
        return self._connection.__enter__()

    def __exit__(self, *error):
        return self._connection.__exit__(*error)


def test_room_for_the_end_of_a_job(store, path):
    """It is taken before the job begins, and needed where the disk is full; no other job begins without it."""
    reserve = Path(f"{path}-reserve")
    store.put(JOB)
    assert reserve.stat().st_size == 1024**2
    store._connection = FullDisk(store, reserve)
    ended = evolve(JOB, status="SUCCEEDED", ended=2.0)
    store.put(ended)
    assert (store.get("a"), reserve.exists()) == (ended, False)

    with pytest.raises(RekogEmotionError) as caught:
        store.put(evolve(JOB, job_id="b"))

    assert str(caught.value) == f"the job store {path} failed: database or disk is full; make room on its disk"
    assert (store.get("b"), reserve.exists()) == (None, True)
    store.put(ended)
    store.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["jobs.sqlite"]


def test_no_room_for_the_end_of_a_job(store, path, monkeypatch):
    """Such a job is not begun, and what there was of the room is given back."""

    def write(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(RekogEmotionError) as caught:
        store.put(JOB)

    assert str(caught.value) == f"the job store {path} failed: No space left on device; make room on its disk"
    assert (store.get("a"), Path(f"{path}-reserve").exists()) == (None, False)


def test_in_use(store, path):
    """A file has one owner at a time, in this process and in others; closing gives it free."""
    message = (
        f"the job store {path} cannot be used: database is locked; "
        "close the other SqliteStore or end its process, or name another file"
    )
    other = script("import sys; from rekog_emotion.embedded import SqliteStore; SqliteStore(sys.argv[1]).close()", path)

    assert refusal(path) == message
    run = subprocess.run(other, capture_output=True, text=True, check=False)  # noqa: S603 -- the test's own script
    assert (run.returncode, run.stderr.splitlines()[-1]) == (1, f"rekog_emotion.errors.InvalidInputError: {message}")
    store.close()
    assert subprocess.run(other, check=False).returncode == 0  # noqa: S603 -- likewise


def test_closed(store, path):
    """A closed store says so; closing it again does nothing."""
    store.close()
    store.close()

    with pytest.raises(RekogEmotionError) as caught:
        store.get("a")

    assert str(caught.value) == f"the job store {path} is closed: open the file anew"


# --- processes that end ---


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child(path):
    """A forked child is refused, and takes nothing away from its parent when it ends, even if the parent is killed."""
    run = subprocess.run(  # noqa: S603 -- the test's own script
        script(
            """
            import gc, os, signal, sys
            from rekog_emotion.embedded import JobRecord, SqliteStore
            from rekog_emotion.errors import RekogEmotionError
            store = SqliteStore(sys.argv[1])
            def put(job_id):
                store.put(JobRecord(job_id=job_id, request={}, token=None, path="", started=0.0))
            put("before")
            child = os.fork()
            if child == 0:
                try:
                    store.get("before")
                except RekogEmotionError as error:
                    print(error, flush=True)
                store.close()
                del store
                gc.collect()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            put("after")
            os.kill(os.getpid(), signal.SIGKILL)
            """,
            path,
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert (run.returncode, run.stderr) == (-signal.SIGKILL, "")
    assert run.stdout == (f"the job store {path} belongs to the process that forked this one: open another file here\n")
    with SqliteStore(path) as store:
        assert [store.get(job_id) is not None for job_id in ("before", "after")] == [True, True]


KILLED = """
    import sys, threading
    from rekog_emotion.embedded import SqliteStore
    from rekog_emotion.embedded.jobs import Jobs
    from tests.embedded.job_desk import one_face, s3

    path, clip, samples = sys.argv[1:]
    seen, reached = [], threading.Event()

    def detect(picture):
        seen.append(picture)
        if len(seen) > int(samples):
            reached.set()
            threading.Event().wait()
        return one_face(picture)

    jobs = Jobs(detect, resolver=lambda _: clip, store=SqliteStore(path))
    job = jobs.start(s3(), client_request_token="token", face_attributes="ALL", job_tag="t")
    reached.wait()
    print(job["JobId"], flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize("samples", [0, 1, 4])
def test_killed(make, counting, path, samples):
    """After kill -9 in the middle of a job, the same id ends as SUCCEEDED, as if nothing had been."""
    environment = {**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[2])}
    with subprocess.Popen(  # noqa: S603 -- the test's own script
        script(KILLED, path, counting, samples),
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        job_id = process.stdout.readline().strip()
        process.kill()
    undisturbed = make()
    expected = bare(undisturbed.get(done(undisturbed, face_attributes="ALL", job_tag="t")))

    with SqliteStore(path) as store:
        assert len(store.faces(job_id, 0, 1000)) == samples
        jobs = make(store=store)
        assert jobs.get(job_id)["JobStatus"] == "IN_PROGRESS"
        assert jobs.join(job_id, 60)
        answer = bare(jobs.get(job_id))
        again = jobs.start(s3(), face_attributes="ALL", job_tag="t", **TOKEN)["JobId"]

    assert answer == {**expected, "JobId": job_id}
    assert again == job_id
    with SqliteStore(path) as store:
        assert bare(make(store=store).get(job_id)) == answer
