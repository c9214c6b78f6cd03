"""Video jobs in a SQLite file, so that they outlive the process that runs them."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, Self

from rekog_emotion import forks
from rekog_emotion.embedded.store import JobRecord
from rekog_emotion.errors import InvalidInputError, RekogEmotionError

__all__ = ["SqliteStore"]

# SQLite keeps both in the header of a file: whose it is, and which of our schemas it has.
APPLICATION_ID: Final = int.from_bytes(b"rekg")
SCHEMA_VERSION: Final = 1
# Faces are some kilobytes apart, which would leave a third of SQLite's usual pages of 4096 bytes empty.
PAGE_SIZE: Final = 16384  # bytes
FACES_A_ROW: Final = 64
RESERVED: Final = 1024 * 1024  # bytes; the end of a job takes some pages, of the database and of its log
WAYS_OUT: Final = {
    sqlite3.SQLITE_BUSY: "close the other SqliteStore or end its process, or name another file",
    sqlite3.SQLITE_CANTOPEN: "name a file in a folder that is there and can be written",
    sqlite3.SQLITE_READONLY: "name a file that can be written",
    sqlite3.SQLITE_NOTADB: "name another file, or one that is not there yet",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "make room on its disk, or see whether that is in order",
}
SCHEMA: Final = """
    CREATE TABLE jobs (
        job_id TEXT PRIMARY KEY,
        request TEXT NOT NULL,
        token TEXT,
        path BLOB NOT NULL,
        started REAL NOT NULL,
        ended REAL,
        status TEXT NOT NULL,
        message TEXT,
        metadata TEXT,
        face_count INTEGER NOT NULL
    );
    CREATE TABLE tokens (
        token TEXT PRIMARY KEY,
        job_id TEXT NOT NULL
    );
    CREATE TABLE faces (
        job_id TEXT NOT NULL,
        first INTEGER NOT NULL,
        count INTEGER NOT NULL,
        compressed BLOB NOT NULL
    );
    CREATE UNIQUE INDEX faces_in_order ON faces (job_id, first);
"""


class SqliteStore:
    """Keeps jobs in a file.

    After the process has ended, however it did, the next one takes up the jobs: finished ones give the same results,
    open ones are run anew. Faces are compressed, to about 1.4 KB each, and read a page at a time. The space of purged
    jobs is used again, not given back.

    The file belongs to one process at a time, which holds a lock on it until the store is closed; a forked child
    cannot use its parent's. Only its owner may read a file that is made here: it holds descriptions of faces.

    Args:
        path: The file; made if there is none. What SQLite would take for no plain path, such as ``:memory:`` or an
            address ``file:...``, is refused; ``./:memory:`` is a file of that name. So is a device, pipe or folder.

    Raises:
        InvalidInputError: The file cannot be used: it is damaged, another program's, of a later version of this
            library, or in use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        _check_plain(os.fsdecode(path))
        self._path = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 -- Path.resolve() would follow links, which may be changed
        if os.path.exists(self._path) and not os.path.isfile(self._path):  # noqa: PTH110, PTH113 -- nothing else of a Path is needed
            raise _no_file(self._path)  # beside a device or a pipe, SQLite would leave files
        self._lock = threading.Lock()
        self._is_parent_s = False
        self._closed = False
        self._connection = _opened(self._path)
        self._reserve = _Reserve(f"{self._path}-reserve")
        forks.in_child(self._leave_to_parent)

    def _leave_to_parent(self) -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
        """Never close the parent's connection in a forked child: SQLite would delete the log of the parent."""
        self._is_parent_s = True
        forks.abandon(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free; a second time does nothing."""
        if not self._is_parent_s:
            with self._lock:
                self._closed = True
                self._connection.close()
                self._reserve.give_up()

    def put(self, job: JobRecord) -> None:
        """Keep a job, in place of the one with the same id; one that was not there is its token's last job.

        A job is begun only with room for its end: what fills the disk may be its own video, which goes after that.
        """
        try:
            self._put(job)
        except RekogEmotionError:
            if job.ended is None or self._is_parent_s or not self._reserve.give_up():
                raise
            self._put(job)

    def _put(self, job: JobRecord) -> None:
        row = _row(job)
        with self._database() as database:
            if job.ended is None:
                self._reserve.take()
            database.execute("PRAGMA synchronous = FULL")  # what was told survives a power cut
            known = database.execute("SELECT 1 FROM jobs WHERE job_id = ?", (job.job_id,)).fetchone()
            database.execute("REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if job.token is not None and not known:
                database.execute("REPLACE INTO tokens VALUES (?, ?)", (job.token, job.job_id))

    def get(self, job_id: str) -> JobRecord | None:
        """Return a job."""
        return next(iter(self._jobs("WHERE job_id = ?", job_id)), None)

    def with_token(self, token: str) -> JobRecord | None:
        """Return the last job that was started with a token."""
        return next(iter(self._jobs("WHERE job_id = (SELECT job_id FROM tokens WHERE token = ?)", token)), None)

    def _jobs(self, condition: str, *values: str) -> list[JobRecord]:
        with self._database() as database:
            return [_record(row) for row in database.execute(f"SELECT * FROM jobs {condition}", values)]  # noqa: S608 -- our own

    def add_faces(self, job_id: str, faces: Sequence[Mapping[str, Any]]) -> None:
        """Append faces to those of a job."""
        chunks = [faces[begin : begin + FACES_A_ROW] for begin in range(0, len(faces), FACES_A_ROW)]
        rows = [(len(chunk), _compressed(chunk)) for chunk in chunks]
        with self._database() as database:
            database.execute("PRAGMA synchronous = NORMAL")  # the end of the job will wait for the disk
            last = database.execute(
                "SELECT first + count FROM faces WHERE job_id = ? ORDER BY first DESC LIMIT 1", (job_id,)
            ).fetchone()
            begin = 0 if last is None else last[0]
            for count, compressed in rows:
                database.execute("INSERT INTO faces VALUES (?, ?, ?, ?)", (job_id, begin, count, compressed))
                begin += count

    def faces(self, job_id: str, start: int, stop: int) -> list[dict[str, Any]]:
        """Return some faces of a job, in order; the caller may change them."""
        query = """
            SELECT first, compressed FROM faces
            WHERE job_id = :job AND first < :stop AND first >= (
                SELECT max(first) FROM faces WHERE job_id = :job AND first <= :start
            )
            ORDER BY first
        """
        with self._database() as database:
            rows = database.execute(query, {"job": job_id, "start": start, "stop": stop}).fetchall()
        with self._explained():
            found = [face for _, compressed in rows for face in json.loads(zlib.decompress(compressed))]
        begin = rows[0][0] if rows else 0
        return found[start - begin : stop - begin]

    def drop_faces(self, job_id: str) -> None:
        """Forget the faces of a job."""
        with self._database() as database:
            database.execute("DELETE FROM faces WHERE job_id = ?", (job_id,))

    def purge(self, ended_before: float) -> None:
        """Forget all jobs that ended before this time, with their faces and tokens."""
        with self._database() as database:
            for table in ("faces", "tokens", "jobs"):
                database.execute(
                    f"DELETE FROM {table} WHERE job_id IN (SELECT job_id FROM jobs WHERE ended < ?)",  # noqa: S608 -- our own
                    (ended_before,),
                )

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Give the database to this thread alone; what is done in the block is done as a whole or not at all."""
        if self._is_parent_s:
            msg = f"the job store {self._path} belongs to the process that forked this one: open another file here"
            raise RekogEmotionError(msg)
        with self._explained(), self._lock:
            if self._closed:
                msg = f"the job store {self._path} is closed: open the file anew"
                raise RekogEmotionError(msg)
            with self._connection:
                yield self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # of the reserve
            msg = f"the job store {self._path} failed: {error.strerror}; {WAYS_OUT[sqlite3.SQLITE_FULL]}"
            raise RekogEmotionError(msg) from error
        except (sqlite3.Error, zlib.error, ValueError, RecursionError) as error:
            way_out = _way_out(error, "if the file is damaged, begin with a new one")
            msg = f"the job store {self._path} failed: {error}; {way_out}"
            raise RekogEmotionError(msg) from error


class _Reserve:
    """A file that keeps some room of a disk free for when it is full.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def take(self) -> None:
        """Take the room, unless that has been done.

        Raises:
            OSError: There is none.
        """
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            rest = RESERVED - os.fstat(handle).st_size
            while rest > 0:
                # Nothing that a file system could keep in less room.
                rest -= os.write(handle, os.urandom(rest))
        except OSError:
            self.give_up()
            raise
        finally:
            os.close(handle)

    def give_up(self) -> bool:
        """Let others have the room; tell whether there was some."""
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108 -- nothing else of a Path is needed
            return True
        return False


def _row(job: JobRecord) -> tuple[str | bytes | float | None, ...]:
    """Return a job in the order of the table's columns."""
    return (
        job.job_id,
        json.dumps(job.request),
        job.token,
        os.fsencode(job.path),
        job.started,
        job.ended,
        job.status,
        job.message,
        None if job.metadata is None else json.dumps(job.metadata),
        job.face_count,
    )


def _record(row: tuple[Any, ...]) -> JobRecord:
    job_id, request, token, path, started, ended, status, message, metadata, face_count = row
    return JobRecord(
        job_id=job_id,
        request=json.loads(request),
        token=token,
        path=os.fsdecode(path),
        started=started,
        ended=ended,
        status=status,
        message=message,
        metadata=None if metadata is None else json.loads(metadata),
        face_count=face_count,
    )


def _compressed(faces: Sequence[Mapping[str, Any]]) -> bytes:
    return zlib.compress(json.dumps(list(faces), separators=(",", ":")).encode())


def _check_plain(path: str) -> None:
    """Refuse what would make a file of an odd name for whoever knows what SQLite makes of it."""
    if path in {"", ":memory:"}:
        raise _no_file(repr(path))
    if path.startswith("file:"):
        msg = f"the job store {path!r} is an address: name the path of a file, without options"
        raise InvalidInputError(msg)


def _no_file(shown: str) -> InvalidInputError:
    msg = f"the job store {shown} is no file: name one, or none at all for jobs that end with the process"
    return InvalidInputError(msg)


def _way_out(error: Exception, otherwise: str) -> str:
    # The codes have more digits for details of the cause.
    return WAYS_OUT.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, otherwise)


def _opened(path: str) -> sqlite3.Connection:
    """Return a connection to a file with our schema that nobody else has.

    Raises:
        InvalidInputError: The file cannot be used.
    """
    try:
        new = not os.path.exists(path)  # noqa: PTH110 -- nothing else of a Path is needed
        # Our own lock keeps threads apart; another process is not waited for, since it keeps the file until its end.
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        with ExitStack() as on_failure:
            on_failure.callback(connection.close)
            if new:
                os.chmod(path, 0o600)  # noqa: PTH101 -- nothing else of a Path is needed
            _prepare(connection)
            on_failure.pop_all()
    except (OSError, sqlite3.Error, ValueError) as error:
        msg = f"the job store {path} cannot be used: {error}; {_way_out(error, WAYS_OUT[sqlite3.SQLITE_NOTADB])}"
        raise InvalidInputError(msg) from error
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Take the file for this connection alone, and make or check what is in it.

    Raises:
        sqlite3.Error: It is no database, damaged or in use.
        ValueError: It is a database of another kind.
    """
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # of a new file
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    fresh = (application_id, version, tables) == (0, 0, 0)
    if not fresh and application_id != APPLICATION_ID:
        msg = "it is a database of another program"
        raise ValueError(msg)
    if not fresh and version != SCHEMA_VERSION:
        msg = f"it has schema {version}, and this version of rekog-emotion knows {SCHEMA_VERSION}"
        raise ValueError(msg)
    connection.execute("PRAGMA journal_mode = WAL")
    if fresh:
        connection.executescript(
            f"BEGIN EXCLUSIVE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT"
        )
    # The rest of a large file is not read before it is needed.
    for (problem,) in connection.execute("PRAGMA quick_check(jobs)").fetchall():
        if problem != "ok":
            msg = f"it is damaged ({problem})"
            raise ValueError(msg)
