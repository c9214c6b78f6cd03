"""What the pages show as programs passes a type checker as it stands: whoever copies them may run one.

Sessions of the interpreter (``>>>``) are for reading; there a value that may be absent is looked at as it comes.
"""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Several programs on a page may each have a `handler`.
CONFIGURATION = f"""
[mypy]
mypy_path = {ROOT}
cache_dir = {os.devnull}
scripts_are_modules = True
strict = True
disallow_untyped_defs = False
disallow_incomplete_defs = False
disallow_untyped_calls = False
disallow_untyped_decorators = False
ignore_missing_imports = True
check_untyped_defs = True
disable_error_code = no-redef, unused-ignore, no-any-return
enable_error_code = truthy-bool
"""


def program(page):
    """Return all Python of a page, as its blocks are run by one namespace, and which lines are of sessions."""
    lines, sessions = [], set()
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if ">>>" in block:
            block = "".join(one.source for one in doctest.DocTestParser().get_examples(block))  # noqa: PLW2901 -- as shown
            sessions |= set(range(len(lines) + 1, len(lines) + 1 + len(block.splitlines())))
        lines += block.splitlines()
    return lines, sessions


def test_programs_pass_a_type_checker(tmp_path):
    """Nothing that may be ``None`` is taken for what is there."""
    (tmp_path / "mypy.ini").write_text(CONFIGURATION)
    sessions = {}
    for page in PAGES:
        lines, of_sessions = program(page)
        if lines:
            name = tmp_path / f"{re.sub(r'[^a-z]+', '_', os.fspath(page.relative_to(ROOT)).lower())}.py"
            name.write_text("\n".join(lines) + "\n", encoding="utf-8")
            sessions[name.name] = of_sessions
    # In a process of its own: it sets limits of the interpreter as it likes.
    command = [sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini", *sorted(tmp_path.glob("*.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own
    errors = re.findall(r"^(?:.*[/\\])?(\w+\.py):(\d+): error: (.*)$", done.stdout, re.MULTILINE)

    assert (len(sessions) > 20, done.stderr) == (True, "")
    assert re.search(r"^(?:Found|Success)", done.stdout, re.MULTILINE), done.stdout
    assert [one for one in errors if int(one[1]) not in sessions.get(one[0], ())] == []
