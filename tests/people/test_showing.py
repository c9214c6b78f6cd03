"""What notebooks show of people over time: who, when, how long and how the faces look."""

import re
from types import SimpleNamespace

import pytest

from rekog_emotion.people.showing import segments_html, summary_html, told_segment, track_html

HAPPY = SimpleNamespace(person=2, type="HAPPY", start=1.0, end=3.5, score=87.6)
HEADS = ["person", "on screen", "time", "faces", "mean scores", "faces the camera"]


def read(html):
    """Return the lines outside of tables, and the cells of each row of a table, without tags."""
    rows = [
        [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd] [^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", html)
    ]
    lines = re.findall(r"<div>([^<]*(?:<b>[^<]*</b>)?[^<]*)</div>", re.sub(r"<table.*?</table>", "", html))
    return [re.sub("<[^>]+>", "", line) for line in lines], rows


def person(number=1, **members):
    """Return the summary of a person."""
    known = {"start": 0.5, "end": 61.0, "screen_seconds": 7.5, "faces": 15, "shares": {}, "facing_camera": None}
    return SimpleNamespace(id=number, **{**known, **members})


def test_a_segment_in_words():
    """Who, from when to when, and how much."""
    assert told_segment(HAPPY) == "person 2, 0:01 - 0:03.5: HAPPY 88"


def test_segments():
    """A row each, of the first twelve; none is no table."""
    lines, rows = read(segments_html([HAPPY] * 13))

    assert lines == ["13 segments", "and 1 more"]
    assert rows[0] == ["person", "time", "length", "looks", "score"]
    assert rows[1:] == [["2", "0:01 - 0:03.5", "2.5 s", "HAPPY", "88"]] * 12
    assert read(segments_html([HAPPY])) == (["1 segment"], rows[:2])
    assert read(segments_html([])) == (["no segments"], [])


@pytest.mark.parametrize(
    ("shares", "facing", "cells"),
    [
        ({"CALM": 60.4, "SAD": 1.0, "FEAR": 0.9}, 66.6, ["CALM 60.4% SAD 1.0%", "67% of the time"]),
        ({"CALM": 40, "SAD": 30, "FEAR": 20, "HAPPY": 10}, 0.0, ["CALM 40.0% SAD 30.0% FEAR 20.0%", "0% of the time"]),
    ],
)
def test_a_summary(shares, facing, cells):
    """The three highest shares from one percent on, and how much of the time the face is turned to the camera."""
    people = [person(shares=shares, facing_camera=facing)]

    lines, rows = read(summary_html(SimpleNamespace(people=people, duration_seconds=62.0)))

    assert lines == ["1 person 1:02 long"]
    assert rows == [HEADS, ["1", "0:07.5", "0:00.5 - 1:01", "15", *cells]]


def test_a_summary_of_many():
    """Of the first twelve; what is not known of any has no column."""
    people = [person(number) for number in range(14)]

    lines, rows = read(summary_html(SimpleNamespace(people=people, duration_seconds=5.0)))

    assert lines == ["14 people 0:05 long", "and 2 more"]
    assert rows[0] == HEADS[:4]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(12)]


def test_a_summary_of_nobody():
    """Has no table."""
    assert read(summary_html(SimpleNamespace(people=[], duration_seconds=5.0))) == (["no people 0:05 long"], [])


def test_a_track():
    """Who it is, and the faces as they show themselves, if they do."""
    track = SimpleNamespace(id=3, start=0.0, end=2.0)
    faces = SimpleNamespace(_repr_html_=lambda: "<p>faces</p>")

    shown, plain = track_html(track, faces), track_html(track, [])

    assert shown.endswith("<b>person 3</b> 0:00 - 0:02</div><p>faces</p>")
    assert "<b>person 3</b> 0:00 - 0:02</div>" in plain
    assert "<p>" not in plain
