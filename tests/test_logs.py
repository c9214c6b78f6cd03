"""What this library logs is text, and no more of it than somebody would read."""

import logging
from pathlib import Path

import pytest

from rekog_emotion.logs import logger

LONG = 1_000_000
CUT = 1000


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        pytest.param("k" * CUT, "k" * CUT, id="as long as may be"),
        pytest.param("k" * LONG, "k" * CUT + "...", id="text"),
        pytest.param(ValueError("k" * LONG), "k" * CUT + "...", id="error"),
        pytest.param(Path("k" * LONG), "k" * CUT + "...", id="path"),
        pytest.param(["k" * LONG], "['" + "k" * (CUT - 2) + "...", id="list"),
        pytest.param(b"k" * LONG, "b'" + "k" * (CUT - 2) + "...", id="bytes"),
        pytest.param("\x07" * LONG, r"\x07" * (CUT // 4) + "...", id="escapes"),
        pytest.param(Path("a\nb\x1b[2J"), r"a\nb\x1b[2J", id="path that is no text"),
        pytest.param(None, "None", id="nothing"),
    ],
)
def test_lines(caplog, argument, said):
    """Whatever stands in a line is cut, and the line goes on behind it."""
    logger("rekog_emotion.test").warning("job %s failed %d times in %.1f s", argument, 3, 1.25)

    assert caplog.messages == [f"job {said} failed 3 times in 1.2 s"]


def test_tracebacks(caplog):
    """Each of their lines is cut; all the lines are there."""
    log = logger("rekog_emotion.test")
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    error = ValueError("k" * 5000 + "\nmore")
    error.add_note("n" * LONG)
    try:
        raise error
    except ValueError:
        log.exception("job %s failed", "j" * LONG)

    lines = caplog.text.splitlines()
    assert lines[0] == f"job {'j' * CUT}... failed"
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-3:] == [f"ValueError: {'k' * (CUT - 12)}...", "more", "n" * CUT + "..."]
