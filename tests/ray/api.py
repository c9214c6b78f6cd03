"""What type checkers make of the verbs for Ray Data; checked where Ray is installed, in strict mode, never run."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import ray.data

import rekog_emotion as rekog
from rekog_emotion import ray as rekog_ray


def client() -> rekog.RekognitionClient:
    """Make the client of a process."""
    return rekog.aws_client(region_name="eu-west-1")


def images(photos: ray.data.Dataset, factory: Callable[[], rekog.RekognitionClient]) -> None:
    """Places, datasets, and the class."""
    faces = rekog_ray.detect_images("photos/", client="embedded", concurrency=(2, 16), num_cpus=0.5)
    assert_type(faces, ray.data.Dataset)
    rekog_ray.detect_images([Path("a.jpg"), "s3://bucket/a.jpg", rekog.S3Object(bucket="b", name="k")], client=client)
    rekog_ray.detect_images(photos, client=factory, rate=50, attributes=["DEFAULT", "EMOTIONS"], source_column="photo")
    rekog_ray.detect_images("a.jpg", timeout=timedelta(seconds=5), columns=["source", "error"], nested=True)
    rekog_ray.detect_images("a.jpg", landmarks=True, faceless=True, timeout=None, client=rekog.aws_client())
    rekog_ray.detect_images("a.jpg", client="embeded")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- misspelt
    rekog_ray.detect_images("a.jpg", workers=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- of the class alone
    rekog_ray.detect_images(b"photo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- no place
    rekog_ray.DetectImages(client=factory, workers=2, source_column="photo", timeout=30)
    rekog_ray.DetectImages("embedded")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- options are named


def videos(addresses: list[str]) -> None:
    """Jobs, with the options of the verb of one process."""
    faces = rekog_ray.analyze_videos(addresses, client=client, max_jobs=5, staging="s3://bucket/in/", job_tag="tag")
    assert_type(faces, ray.data.Dataset)
    rekog_ray.analyze_videos([Path("a.mp4")], client="embedded", sample_rate=1, concurrency=2, timeout=None)
    rekog_ray.analyze_videos(addresses, max_job=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- misspelt
    rekog_ray.analyze_videos(addresses, timeout="long")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- no duration
