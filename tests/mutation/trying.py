"""One run of pytest after the other, each in a fork that finds the packages of others imported already."""

from __future__ import annotations

import importlib
import math
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

__all__ = ["Ended", "preload", "run"]

# What many tests import, and what starts no thread.
_USUAL: Final = (
    *("anyio.pytest_plugin", "av", "boto3.session", "botocore.client", "h11", "hypothesis.strategies", "moto.server"),
    *("numpy", "orjson", "PIL.Image", "scipy.optimize", "starlette.applications", "uvicorn"),
)
_ARGUMENTS: Final = ("-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-seed=0")
_PLUGINS: Final = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")

_WAITING: Final = 10  # times its seconds that a run may take by the clock, and not by the processor's

Ended = tuple[int | None, str]
"""Pytest's exit code, ``None`` where it found no end, and what it printed."""


def preload() -> None:
    """Import the packages of others; those that are not there are not needed."""
    for name in _USUAL:
        with suppress(ImportError):
            importlib.import_module(name)


def run(tree: Path, tests: Sequence[str], *, seconds: float) -> Ended:
    """Run tests of a tree, as they are, until one fails; what it leaves behind is removed.

    Args:
        tree: Has the package and its tests.
        tests: Node ids.
        seconds: Of a processor; then it is ended.
    """
    temporary = tree.parent / "temporary"
    temporary.mkdir()
    child = multiprocessing.get_context("fork").Process(target=_within, args=(tree, temporary, list(tests), seconds))
    child.start()
    try:
        child.join(seconds * _WAITING)
        code = None if child.exitcode == -signal.SIGXCPU else child.exitcode
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with all processes that the tests have started
        child.join()
    said = (temporary / "said").read_text(encoding="utf-8", errors="replace")
    # Neither help nor harm to the next one: examples that failed, folders in folders.
    subprocess.run(["rm", "-rf", temporary, tree / ".hypothesis"], check=True)  # noqa: S603, S607
    return code, said


def _within(tree: Path, temporary: Path, tests: list[str], seconds: float) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 5))
    with (temporary / "said").open("wb") as said:
        for number in (1, 2):
            os.dup2(said.fileno(), number)
    os.chdir(tree)
    os.environ["TMPDIR"] = str(temporary)
    sys.dont_write_bytecode = True
    sys.path[0] = str(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # those of this run; the tree has its own
    sys.exit(int(pytest.main([*_ARGUMENTS, *_PLUGINS, *tests])))
