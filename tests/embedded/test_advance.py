"""How far a video job is."""

import pytest

from rekog_emotion.embedded.advance import Advance


def told(*reached, length=10_000):
    """Return what is told after each (second, milliseconds) that has been reached."""
    times = iter([second for second, _ in reached])
    advance = Advance(length, now=lambda: next(times))
    found = []
    for _, milliseconds in reached:
        advance.reached(milliseconds)
        found.append(advance.told())
    return found


def test_share_and_seconds():
    """The seconds left follow from the speed since the first frame, before which networks were loaded."""
    assert told((5, 0), (7, 1000), (9, 5000), (13, 10_000)) == [(0.0, None), (0.1, 18.0), (0.5, 4.0), (1.0, 0.0)]


def test_too_early_to_tell():
    """Frames come several at once, which says nothing of the speed; nor does a picture that stays."""
    assert told((5, 0), (5.1, 1000), (5.2, 1000)) == [(0.0, None), (0.1, None), (0.1, None)]
    assert told((5, 0), (9, 0)) == [(0.0, None), (0.0, None)]


def test_never_more_than_all():
    """A file may say a length that is shorter than its frames."""
    assert told((0, 0), (2, 12_000)) == [(0.0, None), (1.0, 0.0)]


@pytest.mark.parametrize("length", [None, 0])
def test_unknown_length(length):
    """Where the file does not say it, nothing is told."""
    assert told((0, 0), (2, 1000), length=length) == [None, None]
