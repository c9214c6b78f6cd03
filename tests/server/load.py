"""A minute of load on the server, by hand: ``python -m tests.server.load``; prints what docs/how-to/serve.md tells.

32 connections ask DetectFaces of three photos in turn, while three video jobs of a minute each run; every answer is
compared with the one that the photo had before.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from tests.embedded.clips import write_clip

DATA = Path(__file__).parents[1] / "data"
PHOTOS = [path.read_bytes() for path in sorted(DATA.glob("*.jpg"))]
SECONDS, CONNECTIONS, JOBS = 60, 32, 3
VIDEO = {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}


def make_client(url, *, attempts=1):
    """Return a client that waits long enough."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "eu-west-1"}
    settings = Config(retries={"total_max_attempts": attempts}, read_timeout=120)
    return boto3.session.Session().client("rekognition", endpoint_url=url, config=settings, **keys)


def faces(client, photo):
    """Return what is found on a photo, as text."""
    return json.dumps(client.detect_faces(Image={"Bytes": photo}, Attributes=["ALL"])["FaceDetails"])


def memory(process):
    """Return the memory of the server, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def ask(client, known, outcomes, latencies, until):
    """Ask without a pause until it is time."""
    turn = threading.get_ident()
    while time.monotonic() < until:
        turn += 1
        began = time.monotonic()
        try:
            same = faces(client, PHOTOS[turn % len(PHOTOS)]) == known[turn % len(PHOTOS)]
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        except BotoCoreError as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("right" if same else "wrong")
            latencies.append(time.monotonic() - began)


def timed(client):
    """Return how long each of some requests takes, one after the other."""
    taken = []
    for _ in range(40):
        began = time.monotonic()
        faces(client, PHOTOS[0])
        taken.append(time.monotonic() - began)
    return taken


def main():
    """Run it."""
    with tempfile.TemporaryDirectory() as media:
        (Path(media) / "bucket").mkdir()
        with Image.open(DATA / "astronaut.jpg") as portrait:
            write_clip(Path(media) / "bucket/clip.mp4", [np.asarray(portrait)] * 1500, rate=25)
        command = [sys.executable, "-m", "rekog_emotion", "serve", "--port", "0", "--media-root", media]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own command
            try:
                url = process.stdout.readline().strip().partition("=")[2]
                run(url, process)
            finally:
                process.terminate()


def run(url, process):
    """Put the load on, and print what came of it."""
    client = make_client(url)
    known = [faces(client, photo) for photo in PHOTOS]
    alone = timed(client)
    before = memory(process)
    jobs = [client.start_face_detection(Video=VIDEO, FaceAttributes="ALL")["JobId"] for _ in range(JOBS)]
    beside = timed(client)
    outcomes, latencies, used = [], [], []
    until = time.monotonic() + SECONDS
    threads = [
        threading.Thread(target=ask, args=(make_client(url), known, outcomes, latencies, until))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        used.append(memory(process))
        time.sleep(0.25)
    pages = [client.get_face_detection(JobId=job) for job in jobs]
    quarter = len(used) // 4
    peaks = [f"{max(used[k * quarter : (k + 1) * quarter]):.0f}" for k in range(4)]
    cuts = statistics.quantiles(latencies, n=100)
    lines = (
        f"cores: {os.cpu_count()}, outcomes: {dict(Counter(outcomes))}, {len(latencies) / SECONDS:.1f} answers/s",
        f"one connection: median {statistics.median(alone) * 1000:.0f} ms, longest {max(alone) * 1000:.0f} ms",
        f"beside jobs: median {statistics.median(beside) * 1000:.0f} ms, longest {max(beside) * 1000:.0f} ms",
        f"loaded: median {cuts[49] * 1000:.0f} ms, 95 % {cuts[94] * 1000:.0f} ms, longest {max(latencies):.2f} s",
        f"memory: {before:.0f} MB before; at most, a quarter of the time each: {', '.join(peaks)} MB",
        f"jobs: {[(page['JobStatus'], len(page['Faces'])) for page in pages]}",
    )
    sys.stdout.write("\n".join((*lines, "")))


if __name__ == "__main__":
    main()
