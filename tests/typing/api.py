"""What type checkers make of the public values; checked with mypy and pyright in strict mode, never run."""

import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

import attrs
import pandas as pd
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import testing
from rekog_emotion.results import tables
from rekog_emotion.results.charts import emotion_chart
from rekog_emotion.results.crops import contact_sheet
from rekog_emotion.results.lossless import from_json
from rekog_emotion.results.video import frames_at
from rekog_emotion.values.videos import StartedJob

answer: dict[str, Any] = {}

# --- images ---

photo = rekog.ImageAnalysis.from_aws(answer, size=(640, 480), engine="aws", source="me.jpg")
assert_type(photo, rekog.ImageAnalysis)
assert_type(photo.faces, tuple[rekog.Face, ...])
assert_type(photo.size, tuple[int, int] | None)
assert_type(photo.engine, str | None)
assert_type(photo.source, str | None)
assert_type(photo.orientation_correction, rekog.OrientationCorrection | str | None)
assert_type(photo.response_metadata, Mapping[str, Any] | None)
assert_type(photo.extra, Mapping[str, Any])
assert_type(photo.to_aws(), dict[str, Any])

assert_type(photo.to_records(), Iterator[dict[str, Any]])
assert_type(photo.to_pandas(landmarks=True), pd.DataFrame)
assert_type(photo.write_parquet("faces.parquet", nested=True), int)
assert_type(photo.to_json(indent=2), str)
assert_type(rekog.ImageAnalysis.from_json("{}"), rekog.ImageAnalysis)
assert_type(rekog.VideoAnalysis.from_json(b"{}"), rekog.VideoAnalysis)
assert_type(from_json("{}"), rekog.ImageAnalysis | rekog.VideoAnalysis)
outcomes = rekog.detect_images(
    Path("photos"),
    client="embedded",
    attributes=["DEFAULT"],
    workers=2,
    rate=50,
    ordered=True,
    checkpoint=Path("done.jsonl"),
    retry_errors=True,
    timeout=timedelta(seconds=30),
    on_progress=rekog.show_progress(),
    cancel=threading.Event(),
)
assert_type(outcomes, Iterator[rekog.ImageOutcome])
for outcome in outcomes:
    assert_type(outcome.analysis, rekog.ImageAnalysis | None)
    assert_type(outcome.error, Exception | None)
    assert_type(outcome.result(), rekog.ImageAnalysis)
rekog.detect_images(["a.jpg", b"bytes", rekog.S3Object(bucket="bucket", name="b.jpg")], timeout=None)
assert_type(rekog.detect_image("a.jpg", timeout=2, cancel=threading.Event()), rekog.ImageAnalysis)
assert_type(tables.to_pandas(photo, rekog.VideoAnalysis()), pd.DataFrame)
assert_type(tables.to_pandas([photo, rekog.VideoAnalysis()], people=True), pd.DataFrame)
assert_type(tables.to_pandas(rekog.analyze_videos(["clip.mp4"])), pd.DataFrame)
assert_type(tables.write_parquet("faces.parquet", photo), int)
assert_type(rekog.__version__, str)
rekog.detect_imge("a.jpg")  # type: ignore[attr-defined]  # pyright: ignore -- misspelt
testing.FakeCleint()  # type: ignore[attr-defined]  # pyright: ignore -- misspelt
rekog.ray.detect_imges("photos")  # type: ignore[attr-defined]  # pyright: ignore -- misspelt
assert_type(photo.draw(landmarks=False), Image.Image)
assert_type(photo.crop(photo.faces[0], align=True), Image.Image)
assert_type(photo.blur(method="pixelate"), Image.Image)
photo.blur(method="smear")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- no such method
assert_type(contact_sheet([(photo, None)]), Image.Image)
assert_type(emotion_chart(photo.faces[0]), Image.Image)
assert_type(frames_at("clip.mp4", [0, 500]), Iterator[tuple[float, Image.Image]])

# --- faces: every member may be absent, and a checker says so ---

face = photo.faces[0]
assert_type(face.bounding_box, rekog.BoundingBox | None)
assert_type(face.confidence, float | None)
assert_type(face.age_range, rekog.AgeRange | None)
assert_type(face.smile, rekog.Attribute | None)
assert_type(face.eyeglasses, rekog.Attribute | None)
assert_type(face.sunglasses, rekog.Attribute | None)
assert_type(face.gender, rekog.Gender | None)
assert_type(face.beard, rekog.Attribute | None)
assert_type(face.mustache, rekog.Attribute | None)
assert_type(face.eyes_open, rekog.Attribute | None)
assert_type(face.mouth_open, rekog.Attribute | None)
assert_type(face.emotions, tuple[rekog.Emotion, ...] | None)
assert_type(face.landmarks, rekog.Landmarks | None)
assert_type(face.pose, rekog.Pose | None)
assert_type(face.quality, rekog.Quality | None)
assert_type(face.face_occluded, rekog.Attribute | None)
assert_type(face.eye_direction, rekog.EyeDirection | None)
assert_type(face.dominant_emotion, rekog.Emotion | None)
assert_type(face.emotion("HAPPY"), rekog.Emotion | None)
assert_type(face.emotion(rekog.EmotionType.HAPPY), rekog.Emotion | None)
assert_type(rekog.Face.from_aws(answer), rekog.Face)
assert_type(face.to_aws(), dict[str, Any])

if face.dominant_emotion is not None:
    assert_type(face.dominant_emotion.type, rekog.EmotionType | str | None)
    assert_type(face.dominant_emotion.confidence, float | None)
if face.smile:
    assert_type(face.smile.value, bool | None)
    assert_type(face.smile.confidence, float | None)
if face.gender:
    assert_type(face.gender.value, rekog.GenderType | str | None)
if face.age_range:
    assert_type(face.age_range.low, int | None)
    assert_type(face.age_range.high, int | None)
if face.pose:
    assert_type(face.pose.roll, float | None)
    assert_type(face.pose.yaw, float | None)
    assert_type(face.pose.pitch, float | None)
if face.quality:
    assert_type(face.quality.brightness, float | None)
    assert_type(face.quality.sharpness, float | None)
if face.eye_direction:
    assert_type(face.eye_direction.yaw, float | None)
    assert_type(face.eye_direction.confidence, float | None)
if face.bounding_box and photo.size:
    assert_type(face.bounding_box.left, float | None)
    assert_type(face.bounding_box.to_pixels(photo.size), tuple[int, int, int, int])
    assert_type(face.bounding_box.to_pixels(photo.size, clip=True), tuple[int, int, int, int])

# --- landmarks: one by type or position, several by slice ---

landmarks = rekog.Landmarks.of([rekog.Landmark(type="nose", x=0.5, y=0.5)])
assert_type(landmarks, rekog.Landmarks)
assert_type(landmarks["nose"], rekog.Landmark)
assert_type(landmarks[rekog.LandmarkType.NOSE], rekog.Landmark)
assert_type(landmarks[0], rekog.Landmark)
assert_type(landmarks[1:], tuple[rekog.Landmark, ...])
assert_type(landmarks.get("nose"), rekog.Landmark | None)
assert_type(iter(landmarks), Iterator[rekog.Landmark])
assert_type(len(landmarks), int)
assert_type("nose" in landmarks, bool)
assert_type(landmarks.types, tuple[rekog.LandmarkType | str | None, ...])
assert_type(landmarks.x, tuple[float | None, ...])
assert_type(landmarks["nose"].type, rekog.LandmarkType | str | None)
assert_type(landmarks["nose"].x, float | None)
assert_type(landmarks["nose"].to_pixels((640, 480)), tuple[float, float])

# --- videos ---

clip = rekog.VideoAnalysis.from_aws(answer, answer, engine="aws")
assert_type(clip, rekog.VideoAnalysis)
assert_type(clip.size, tuple[int, int] | None)
assert_type(clip.faces, tuple[rekog.TimedFace, ...])
assert_type(clip.status, rekog.JobStatus | str | None)
assert_type(clip.status_message, str | None)
assert_type(clip.metadata, rekog.VideoMetadata | None)
assert_type(clip.next_token, str | None)
assert_type(clip.job_id, str | None)
assert_type(clip.video, rekog.Video | None)
assert_type(clip.job_tag, str | None)
assert_type(clip.to_aws(), dict[str, Any])
assert_type(clip.faces[0].timestamp_ms, int | None)
assert_type(clip.faces[0].seconds, float | None)
assert_type(clip.faces[0].face, rekog.Face | None)
if clip.metadata:
    assert_type(clip.metadata.frame_rate, float | None)
    assert_type(clip.metadata.duration_millis, int | None)
    assert_type(clip.metadata.color_range, rekog.ColorRange | str | None)
if clip.video:
    assert_type(clip.video.s3_object, rekog.S3Object | None)
assert_type(StartedJob.from_aws(answer).job_id, str | None)
assert_type(rekog.S3Object(bucket="clips", name="a.mp4").version, str | None)

# --- values are made by keyword, changed by attrs.evolve, and cannot be set ---

assert_type(attrs.evolve(face, confidence=1.0), rekog.Face)
rekog.BoundingBox(width=1, height=1, left=0, top=0)
rekog.Emotion(type="BORED", confidence=1.0)
rekog.AgeRange(38)  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue] -- keyword-only
rekog.Emotion(kind="HAPPY")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- no such member
face.confidence = 1.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] -- frozen
photo.extra["New"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue] -- read-only
landmarks[0.5]  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnusedExpression] -- no key

rekog.detect_image("photo.jpg", client="embeded")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- misspelt

# --- words are strings ---

assert_type(rekog.EmotionType("HAPPY"), rekog.EmotionType)
word: str = rekog.EmotionType.HAPPY
words: list[rekog.LandmarkType] = list(rekog.LandmarkType)

# --- errors carry what they know ---

try:
    rekog.ImageAnalysis.from_aws({})
except rekog.ResponseError as error:
    assert_type(error.path, str)
    assert_type(error.message, str)
    assert_type(error.job_id, str | None)
except rekog.ThrottledError as error:
    assert_type(error.code, str | None)
    assert_type(error.operation, str | None)
    assert_type(error.request_id, str | None)
    assert_type(error.status, int | None)
except rekog.MissingExtraError as error:
    assert_type(error.extra, str)
except rekog.StagingError as error:
    assert_type(error.bucket, str | None)
    assert_type(error.key, str | None)
except rekog.JobTimeoutError as error:
    assert_type(error.job_id, str | None)
