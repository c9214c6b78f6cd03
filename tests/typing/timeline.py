"""What type checkers make of tracks, timelines and reports; checked with mypy and pyright in strict mode, never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

import rekog_emotion as rekog
from rekog_emotion.people.person import Peak, Person, PersonSummary, Segment, Summary, Track
from rekog_emotion.results.report import report
from rekog_emotion.results.timeline import Timeline

clip = rekog.analyze_video("clip.mp4")

assert_type(clip.tracks(max_gap=1.0), tuple[Track, ...])
assert_type(clip.tracks()[0].faces, tuple[rekog.TimedFace, ...])
timeline = clip.timeline(smooth=0, causal=True)
assert_type(timeline, Timeline)
assert_type(Timeline.of(rekog.start_video("clip.mp4").faces()), Timeline)
assert_type(timeline.people, tuple[Person, ...])
assert_type(timeline.segments(min_seconds=2), tuple[Segment, ...])
assert_type(timeline.segments()[0].type, rekog.EmotionType | str)
assert_type(timeline.summary(), Summary)
assert_type(timeline.summary().people, tuple[PersonSummary, ...])
assert_type(timeline.summary().people[0].shares, Mapping[rekog.EmotionType | str, float])
assert_type(timeline.summary().people[0].undecided, float | None)
assert_type(timeline.summary().people[0].peaks, tuple[Peak, ...])
assert_type(report(clip, title="clip", video=Path("clip.mp4")), str)

# --- what a checker refuses ---

clip.plot(kind="pie")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- lines or stacked
clip.timeline(smooth="1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a number of seconds
