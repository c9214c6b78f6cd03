"""The tutorial as a notebook: its pages in one, run from the beginning to the end."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.amounts import amount

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(amount(0, whole=1) == 0, reason="its pages run anyhow; REKOG_EMOTION_TESTS=whole runs it, too")
@pytest.mark.skipif(not (find_spec("nbclient") and find_spec("ipykernel")), reason="nothing here runs notebooks")
def test_the_notebook_runs():
    """It has the cells of the pages, each runs, and what came out is of the kinds that lie there."""
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, ROOT / "docs/notebook.py", "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
