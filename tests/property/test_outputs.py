"""Odd values through every output: an answer or a named error each.

``REKOG_EMOTION_ODD_VALUES=10000`` tries so many instead of the few that every test run tries.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import random
import sys
from pathlib import Path

import pytest
from PIL import Image

from rekog_emotion import ImageAnalysis, RekogEmotionError, VideoAnalysis
from rekog_emotion.commands import _listing
from rekog_emotion.results import tables
from rekog_emotion.results.charts import emotion_chart
from rekog_emotion.results.crops import contact_sheet
from rekog_emotion.results.plots import plot_people, plot_videos
from rekog_emotion.results.report import report
from rekog_emotion.values.bars import emotion_html, face_html
from rekog_emotion.values.base import short

COUNT = int(os.environ.get("REKOG_EMOTION_ODD_VALUES", "40"))
PICTURE = Image.new("RGB", (160, 120), (90, 120, 60))
NUMBERS = [
    *(math.nan, math.inf, -math.inf, 1e308, -1e308, 1e-320, -0.0, 0, -1, 1e9, 50.0),
    *(2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**70), 2**70, 10**12, 10**400, -(10**400), 10**5000),
]
WORDS = [
    *("", " ", "\0", "\x1b]0;owned\x07\x1b[31m", "\x9b31m", "a\nb\r\nc", "\u2028", "\u202egnp.exe", "\ud800", "\udfff"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]>", "&amp;", "${title}", "%s{0}", "[bold]x[/]"),
    *("=cmd|'/c calc'!A1", "+1", "-2+3", "@SUM(1)", "\uff1d1+1", "$\\frac$", "_hidden", "x" * 100_000, "\u0300" * 500),
]
FLAG = {"Value": True, "Confidence": 90.0}
FACE = {
    "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.1, "Top": 0.1},
    "AgeRange": {"Low": 20, "High": 30},
    "Smile": FLAG,
    "Eyeglasses": FLAG,
    "Sunglasses": FLAG,
    "Gender": {"Value": "Female", "Confidence": 99.0},
    "Beard": FLAG,
    "Mustache": FLAG,
    "EyesOpen": FLAG,
    "MouthOpen": FLAG,
    "Emotions": [{"Type": "HAPPY", "Confidence": 80.0}, {"Type": "CALM", "Confidence": 20.0}],
    "Landmarks": [
        {"Type": kind, "X": 0.2, "Y": 0.2} for kind in ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose")
    ],
    "Pose": {"Roll": 1.0, "Yaw": 2.0, "Pitch": 3.0},
    "Quality": {"Brightness": 80.0, "Sharpness": 90.0},
    "Confidence": 99.9,
    "FaceOccluded": FLAG,
    "EyeDirection": {"Yaw": 1.0, "Pitch": 2.0, "Confidence": 90.0},
}
PHOTO = {"FaceDetails": [FACE, FACE]}
CLIP = {
    "JobStatus": "SUCCEEDED",
    "JobId": "job",
    "VideoMetadata": {
        "Codec": "h264",
        "DurationMillis": 3000,
        "Format": "QuickTime / MOV",
        "FrameRate": 30.0,
        "FrameHeight": 100,
        "FrameWidth": 200,
    },
    "Faces": [{"Timestamp": time, "Face": FACE} for time in (0, 500, 1000, 1500)],
}


def _png(figure):
    figure.savefig(io.BytesIO(), dpi=30)


def _csv(analysis):
    file = io.StringIO()
    tables.write_csv(file, [analysis], landmarks=True)
    for line in file.getvalue().splitlines()[1:]:
        assert not line.startswith(("=", "+", "@"))
    file.getvalue().encode()


def _json_lines(analysis):
    file = io.StringIO()
    tables.write_records(file, [analysis])
    for line in file.getvalue().splitlines():
        json.loads(line, parse_constant=pytest.fail)


def _line(analysis):
    _listing.Listing(argparse.Namespace(json=True)).add(analysis, source=analysis.source)


def _page(page):
    """Look for what no page may have: markup out of an answer, and what a terminal would obey."""
    assert not {"<script", "<img src=x", "\x1b", "\x9b", "\0", "\u202e", "\ud800"}.intersection(
        one for one in ("<script", "<img src=x", "\x1b", "\x9b", "\0", "\u202e", "\ud800") if one in page
    )
    page.encode()


BOTH = {
    "repr": repr,
    "hash": hash,
    "records": lambda one: list(one.to_records(landmarks=True)),
    "pandas": lambda one: one.to_pandas(landmarks=True),
    "arrow": lambda one: one.to_arrow(landmarks=True),
    "nested": lambda one: one.to_arrow(nested=True),
    "csv": _csv,
    "json lines": _json_lines,
    "json": lambda one: json.loads(one.to_json(), parse_constant=pytest.fail),
    "aws": lambda one: one.to_aws(),
    "line": _line,
    "notebook": lambda one: _page(one._repr_html_()),
}
OF_PHOTOS = {
    "draw": lambda one: one.draw(PICTURE),
    "blur": lambda one: one.blur(PICTURE),
    "crop": lambda one: one.crop(one.faces[0], PICTURE),
    "aligned": lambda one: one.crop(one.faces[0], PICTURE, align=True),
    "sheet": lambda one: contact_sheet([(one, PICTURE)]),
    "chart": lambda one: emotion_chart(one.faces[0]),
    "face": lambda one: _page(face_html(one.faces[0])),
    "emotion": lambda one: _page(emotion_html(one.faces[0].emotions[0])),
    "table": lambda one: _listing._cells(1, one.faces[0], one.size),
    "table of ratios": lambda one: _listing._cells(1, one.faces[0], None),
}
OF_CLIPS = {
    "tracks": lambda one: one.tracks(),
    "summary": lambda one: one.timeline().summary(),
    "segments": lambda one: one.timeline().segments(),
    "report": lambda one: _page(report(one, title=one.job_id or "")),
    "rows": lambda one: list(_listing._rows(one.faces)),
    "seconds": lambda one: [face.seconds for face in one.faces],
    "plot": lambda one: _png(plot_people(one.timeline())),
    "stacked": lambda one: _png(plot_videos({one.job_id or "": one.timeline()})),
}


def leaves(value, path=()):
    """Yield the path of every number and word of an answer."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from leaves(member, (*path, position))
    elif not isinstance(value, bool):
        yield path, value


def changed(answer, path, value):
    """Return an answer with another value at a path."""
    copy = json.loads(json.dumps(answer))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


def odd_answers(answer, count):
    """Yield answers with an odd value each, all of them or so many of all."""
    cases = [
        (path, value)
        for path, leaf in leaves(answer)
        for value in (WORDS if isinstance(leaf, str) else NUMBERS)
        if path != ("JobStatus",)
    ]
    rounds, rest = divmod(count, len(cases))
    chosen = cases * rounds + random.Random(7).sample(cases, rest)  # noqa: S311 -- the same in every run
    for path, value in chosen:
        shown = value[:30] if isinstance(value, str) else f"{type(value).__name__} {short(0)(value)[:20]}"
        yield f"{path} = {shown!r}", changed(answer, path, value)


def unnamed(read, answer, outputs, count):
    """Return what ended in an error that is not the library's."""
    before = sys.get_int_max_str_digits()
    found = []
    for what, odd in odd_answers(answer, count):
        try:
            analysis = read(odd)
        except RekogEmotionError:
            continue
        for name, output in outputs.items():
            try:
                output(analysis)
            except RekogEmotionError:
                pass
            except Exception as error:  # noqa: BLE001 -- that is what is looked for
                found.append(f"{name}: {what}: {type(error).__name__}: {str(error)[:80]}")
    assert sys.get_int_max_str_digits() == before
    return found


def test_photos():
    """No number and no word of a photo's answer breaks an output."""

    def read(answer):
        return ImageAnalysis.from_aws(answer, size=PICTURE.size, engine="engine", source="a.jpg")

    assert unnamed(read, PHOTO, BOTH | OF_PHOTOS, COUNT) == []


def test_clips():
    """No number and no word of a video's answer breaks an output."""
    assert unnamed(VideoAnalysis.from_aws, CLIP, BOTH | OF_CLIPS, COUNT // 2) == []


@pytest.mark.parametrize("word", WORDS, ids=range(len(WORDS)))
def test_names(word, tmp_path):
    """Nor does the name of the photo, or of who answered."""
    photo = ImageAnalysis.from_aws(PHOTO, size=PICTURE.size, engine=word, source=word)

    for output in (BOTH | OF_PHOTOS).values():
        output(photo)
    rows = tables.write_parquet(Path(tmp_path) / "faces.parquet", [photo])
    assert rows == 2
