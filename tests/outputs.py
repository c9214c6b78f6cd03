"""Places that a test writes to: folders and nodes of its own, and a disk that is full."""

import contextlib
import os
import resource
import stat
import threading

import pytest


@contextlib.contextmanager
def full_disk(left=0):
    """Let no file of this process grow beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def unmeasured():
    """Return the environment for a process that may write no file: one that measures coverage would."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@contextlib.contextmanager
def pipe(path):
    """Make a named pipe with a reader, and give the list into which what arrives goes."""
    os.mkfifo(path)
    arrived = []
    reader = threading.Thread(target=lambda: arrived.append(path.read_bytes()))
    reader.start()
    try:
        yield arrived
    finally:
        # A reader that nobody wrote to waits for a writer.
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        reader.join()


def null_device(path):
    """Make a device of its own that swallows what is written, where this user may."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        path.open("wb").close()
    except PermissionError:
        pytest.skip("this user may make no device, or open none that it made")


def mode(path):
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)
