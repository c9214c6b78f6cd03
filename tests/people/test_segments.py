"""Segments: what they have of a tuple, though they are none."""

import copy
import pickle

import pytest

from rekog_emotion.people.segments import Segment, Segments

A = Segment(person=1, type="HAPPY", start=0.0, end=0.3, score=90.0)
B = Segment(person=2, type="SAD", start=0.1, end=0.4, score=80.0)


def test_are_gone_through_as_a_tuple_is():
    """In order, by position and by slices, which are segments again."""
    segments = Segments(iter([A, B]))

    assert (len(segments), list(segments), segments[0], segments[-1]) == (2, [A, B], A, B)
    assert (segments[1:], [*reversed(segments)], B in segments) == (Segments([B]), [B, A], True)
    assert isinstance(segments[:1], Segments)
    assert segments[:1] + segments[1:] == segments
    assert segments[:1].__add__((B,)) == segments
    assert bool(segments)
    assert not Segments()
    with pytest.raises(IndexError):
        segments[2]


def test_are_compared_as_a_tuple_is():
    """With each other, and with a tuple; they may be keys, and are copied and pickled."""
    segments = Segments([A, B])

    assert segments == (A, B)
    assert segments == (A, B)
    assert segments != (B, A)
    assert segments != [A, B]
    assert segments != Segments([A])
    assert {segments: 1}[Segments((A, B))] == 1
    assert pickle.loads(pickle.dumps(segments)) == copy.deepcopy(segments) == segments  # noqa: S301 -- our own


def test_lengths_have_no_noise():
    """They are whole milliseconds: 0.4 - 0.1 is 0.30000000000000004."""
    assert B.seconds == 0.3
