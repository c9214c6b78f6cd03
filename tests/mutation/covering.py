"""Which tests run which lines, and what they cost: one run of them under coverage, with a context a test.

It is a plugin of pytest, too, which says to coverage which test runs; processes that a test starts find its name in the
environment.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import coverage
import pytest
from attrs import frozen

__all__ = ["Covering", "covering"]

_REPORT: Final = "REKOG_EMOTION_MUTATION_REPORT"
# Python imports it first in each process that has the folder on its path, those that tests start included.
_SITE: Final = """
import os
import coverage
coverage.process_startup()
running, now = os.environ.get("PYTEST_CURRENT_TEST"), coverage.Coverage.current()
if running and now:
    now.switch_context(running.rpartition(" ")[0])
"""
_RC: Final = """
[run]
core = ctrace
parallel = true
data_file = {data}
source_pkgs = rekog_emotion
"""


@frozen
class Covering:
    """What the tests run.

    Attributes:
        lines: By file and line of a function's body, the tests that run it; a test is named without its parameters.
        seconds: By test, how much time of a processor all its parameters take together, whatever else the machine does.
    """

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]

    def of(self, path: str, line: int, *, folder: str) -> frozenset[str]:
        """Return the tests that run a line; where it runs at import, those that run anything of the file or its room.

        Args:
            path: The file.
            line: Of it.
            folder: What the names of the tests of the room begin with: they may look at what was made.
        """
        lines = self.lines.get(path, {})
        near = (test for test in self.seconds if test.startswith(folder))
        return lines.get(line) or frozenset(near).union(*lines.values())


def covering(tree: Path, names: Sequence[str], environment: Mapping[str, str]) -> Covering:
    """Run tests of a tree without mutants; those that fail there say nothing of mutants, and are left out."""
    work = tree.parent / "covering"
    work.mkdir()
    temporary = work / "temporary"
    temporary.mkdir()
    rc, report, site = work / "rc", work / "report.json", work / "sitecustomize.py"
    rc.write_text(_RC.format(data=work / "data"), encoding="utf-8")
    site.write_text(_SITE, encoding="utf-8")
    subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-p", __name__, *names],
        cwd=tree,
        env={
            **environment,
            "PYTHONPATH": f"{work}{os.pathsep}{tree}",
            "TMPDIR": str(temporary),
            "COVERAGE_PROCESS_START": str(rc),
            _REPORT: str(report),
        },
        check=False,  # what failed is in the report
        stdout=sys.stderr,
    )
    return _read(tree, work)


def _read(tree: Path, work: Path) -> Covering:
    ran = json.loads((work / "report.json").read_text(encoding="utf-8"))
    seconds = {name: spent for name, spent in ran["seconds"].items() if name not in ran["failed"]}
    print(*(f"left out, fails without mutants: {name}" for name in ran["failed"]), sep="\n", file=sys.stderr)  # noqa: T201 -- a script prints
    lines: dict[str, dict[int, frozenset[str]]] = {}
    for part in work.glob("data.*"):
        data = coverage.CoverageData(str(part))
        data.read()
        for file in data.measured_files():
            if Path(file).is_relative_to(tree):
                of_file = lines.setdefault(Path(file).relative_to(tree).as_posix(), {})
                inside, ran = _inside(Path(file).read_text(encoding="utf-8")), data.contexts_by_lineno(file)
                for line, contexts in ((line, ran[line]) for line in inside & ran.keys()):
                    tests = {_bare(context) for context in contexts} & seconds.keys()
                    of_file[line] = of_file.get(line, frozenset()) | tests
    return Covering(lines, seconds)


def _inside(source: str) -> set[int]:
    """Return the lines of the bodies of functions: all others run at import, whichever test it is that imports them."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)
    }


def _bare(name: str) -> str:
    return name.partition("[")[0]


# --- the plugin ---

_seconds: dict[str, float] = {}
_failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Give what runs for a test, its fixtures included, the test's name, and note what it costs."""
    now = coverage.Coverage.current()
    if now is not None:
        now.switch_context(item.nodeid)
    before = sum(os.times()[:4])  # its own and that of the processes it has waited for
    try:
        return (yield)
    finally:
        name = _bare(item.nodeid)
        _seconds[name] = _seconds.get(name, 0.0) + sum(os.times()[:4]) - before


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note whether a test failed."""
    if report.failed:
        _failed.add(_bare(report.nodeid))


def pytest_sessionfinish() -> None:
    """Write it all down."""
    content = {"seconds": _seconds, "failed": sorted(_failed)}
    Path(os.environ[_REPORT]).write_text(json.dumps(content), encoding="utf-8")
