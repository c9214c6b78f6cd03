"""What type checkers make of tracks, timelines and reports; checked with mypy and pyright in strict mode, never run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import assert_type

import pandas as pd
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion.people.person import Peak, Person, PersonSummary, Segment, Segments, Summary, Track
from rekog_emotion.results.crops import contact_sheet
from rekog_emotion.results.reliable import LeftOut
from rekog_emotion.results.report import report
from rekog_emotion.results.timeline import Timeline

clip = rekog.analyze_video("clip.mp4")

assert_type(clip.tracks(max_gap=1.0), tuple[Track, ...])
assert_type(clip.tracks()[0].faces, tuple[rekog.TimedFace, ...])
timeline = clip.timeline(smooth=0, causal=True)
assert_type(timeline, Timeline)
assert_type(Timeline.of(rekog.start_video("clip.mp4").faces()), Timeline)
assert_type(timeline.people, tuple[Person, ...])
assert_type(timeline.segments(min_seconds=2), Segments)
assert_type(timeline.segments()[:2], Segments)
assert_type(list(timeline.segments()), list[Segment])
assert_type(timeline.to_pandas(), pd.DataFrame)
assert_type(timeline.segments().to_pandas(), pd.DataFrame)
assert_type(timeline.summary().to_pandas(), pd.DataFrame)
assert_type(timeline.segments()[0].type, rekog.EmotionType | str)
assert_type(timeline.summary(), Summary)
assert_type(timeline.summary().people, tuple[PersonSummary, ...])
assert_type(timeline.summary().people[0].shares, Mapping[rekog.EmotionType | str, float])
assert_type(timeline.summary().people[0].undecided, float | None)
assert_type(timeline.summary().people[0].peaks, tuple[Peak, ...])
assert_type(report(clip, title="clip", video=Path("clip.mp4")), str)
shares: list[float] = []
clip.annotate("annotated.mp4", video=Path("clip.mp4"), pose=False, on_progress=shares.append)
clip.annotate(
    "annotated.mp4", labels=lambda face: str(face.confidence), color=(255, 0, 0), width=2.5, min_confidence=90
)
clip.blur(Path("blurred.mp4"), method="pixelate")
clip.report("report.html", title="clip", pictures=False)
assert_type(clip.frames_at([0, 500.0]), Iterator[tuple[float, Image.Image]])
photo = rekog.detect_image("photo.jpg")
assert_type(photo.draw(labels=lambda _: None, color="navy", width=3, min_confidence=99.5), Image.Image)
assert_type(photo.reliable(min_sharpness=40, max_yaw=None).left_out, tuple[LeftOut[rekog.Face], ...])
assert_type(clip.reliable().left_out[0].face, rekog.TimedFace)
assert_type(clip.reliable().left_out[0].reason, str)
assert_type(rekog.Pose().description, str | None)
assert_type(rekog.Pose().faces_camera, bool | None)
assert_type(timeline.more_than_usual(by=10), Segments)
assert_type(timeline.people[0].usual(), Mapping[rekog.EmotionType | str, float])
assert_type(timeline.summary().people[0].facing_camera, float | None)
timeline.write_subtitles("clip.srt", segments=timeline.more_than_usual())
assert_type(photo.write_csv("faces.csv"), int)
contact_sheet(photo, (photo, "copy.jpg"), [photo], columns=3)

# --- what a checker refuses ---

clip.blur("blurred.mp4", method="smear")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- no such way
photo.draw(color=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a name, or three numbers
contact_sheet(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- no analysis

clip.plot(kind="pie")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- lines or stacked
clip.timeline(smooth="1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- a number of seconds
