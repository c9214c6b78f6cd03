import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="mutants are made by Cosmic Ray, of the dev extra")

ROOT = Path(__file__).parents[2]
PACKAGE = """
def sign(number):
    return -1 if number < 0 else 1

def main():
    print(1 + 1)

def gone(left):
    return [1] if left and sign(left) else []

def less(number, by=3 - 2):
    return number
"""
TESTS = """
import subprocess
import sys

from rekog_emotion.wire.small import less, sign

def test_without_another():
    program = "import rekog_emotion.wire.small"
    assert subprocess.check_output([sys.executable, "-c", program]) == b""

def test_less():
    assert less.__defaults__ == (1,)

def test_sign():
    assert [sign(-5), sign(5)] == [-1, 1]

def test_main():
    program = "from rekog_emotion.wire.small import main; main()"
    assert subprocess.check_output([sys.executable, "-c", program]) == b"2\\n"

def test_that_fails():
    assert not sign(0)
"""
PROGRAM = """
import sys
from pathlib import Path
from tests.mutation import __main__ as command
command.ROOT = Path(sys.argv.pop(1))
sys.exit(command.main())
"""
EXPECTED = """\
| room (seed 7) | mutants | the same program | killed | of these endless | lived | rate |
| --- | --: | --: | --: | --: | --: | --: |
| wire | 7 | 0 | 4 | 0 | 3 | 57% |
"""


def test_tells_what_the_tests_would_not_notice(tmp_path):
    """A line is tried by the tests that run it, in their processes, too; one that fails anyhow says nothing."""
    files = {
        "rekog_emotion/__init__.py": "",  # or one that is installed would be taken for it
        "rekog_emotion/wire/small.py": PACKAGE,
        "rekog_emotion/testing/pytest_plugin.py": "",  # which pytest loads where the project is installed
        "tests/wire/test_small.py": TESTS,
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    shutil.copytree(ROOT / "tests" / "mutation", tmp_path / "tests" / "mutation")

    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", PROGRAM, str(tmp_path), "--room", "wire", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith(EXPECTED), done.stderr
    lived = [line.partition("small.py:")[2] for line in done.stdout.splitlines() if line.startswith("lived")]
    assert sorted(lived) == [
        "3 (sign)  return -1 if number < 0 else 1  ->  return -1 if number <= 0 else 1",
        "9 (gone)  return [1] if left and sign(left) else []  ->  return [1] if left or sign(left) else []",
        "9 (gone)  return [1] if left and sign(left) else []  ->  return [1] if not left and sign(left) else []",
    ]
    assert "left out, fails without mutants: tests/wire/test_small.py::test_that_fails" in done.stderr
    assert done.returncode == 1
