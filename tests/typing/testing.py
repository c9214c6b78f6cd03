"""The test kit by its types; read by mypy and pyright, never run."""

import threading
from typing import assert_type

from rekog_emotion import ImageAnalysis, RekognitionClient, VideoAnalysis, aio, analyze_video, detect_image
from rekog_emotion.embedded import EmbeddedClient, MemoryStore, SqliteStore, Store
from rekog_emotion.testing import Call, FakeClient, Fault, FaultPlan, LocalEndpoint, VirtualClock, virtual_time

# The fake is a client; its answers are mappings, files, or what the library made of answers.
fake: RekognitionClient = FakeClient(images={"FaceDetails": []}, videos=["first.json", {"JobStatus": "FAILED"}])
photo = detect_image("photo.jpg", client=FakeClient(images="recorded.json"))
assert_type(photo, ImageAnalysis)
assert_type(analyze_video("s3://bucket/clip.mp4", client=FakeClient(images=photo)), VideoAnalysis)
assert_type(FakeClient().calls, list[Call])
FakeClient(images=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- the error is what is tested

plan = FaultPlan()
plan.add(Fault.throttled(status=500), operation="GetFaceDetection", times=None)
plan.add(Fault.delayed(threading.Event()), after=1)
plan.add(Fault.empty(), operation="detect_faces")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- the error is what is tested

with virtual_time() as clock, LocalEndpoint(FakeClient(clock=clock), faults=plan) as endpoint:
    assert_type(clock, VirtualClock)
    assert_type(endpoint.job_ids, tuple[str, ...])

# A virtual clock is one of either world.
analyze_video("s3://bucket/clip.mp4", client=fake, clock=clock)
waits = [
    aio.analyze_video("s3://bucket/clip.mp4", client=fake, clock=clock),
    aio.analyze_video("s3://bucket/clip.mp4", client=fake, clock=clock.in_tasks),
]

# Both stores are stores, and so is what has their methods.
stores: list[Store] = [MemoryStore(), SqliteStore("jobs.sqlite")]
with SqliteStore("jobs.sqlite") as store:
    assert_type(store, SqliteStore)
    EmbeddedClient(store=store)
