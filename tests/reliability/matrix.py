"""Everything that can go wrong with every call of a video job, once, five times and for ever, over real HTTP.

In asyncio the calls of Rekognition are aiobotocore's, and uploads and queues boto3's, in threads.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import re
import socket
import tempfile
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import quote_plus

import boto3
from attrs import define, field, frozen
from botocore.config import Config
from moto.server import ThreadedMotoServer

from rekog_emotion import RekogEmotionError, SnsSqs, VideoAnalysis
from rekog_emotion.testing import FakeClient, Fault, LocalEndpoint, VirtualClock
from tests.reliability.gateway import DNS, Gateway, Plan, error, resolver
from tests.worlds import Tasks, Threads, world

# Made up, and in no message, log line or chain of errors of any case.
KEY, SECRET, TOKEN = "AKIDMADEUPQZXWVKJHGF", "MadeUp/Secret+Key/qzxwvkjhgf", "IQoJb3/MADEUP+TOKEN/with==signs"
SECRETS = [
    re.compile(re.escape(form(value)[i : i + part]))
    for value in (KEY, SECRET, TOKEN)
    # Eight letters; half as many might be digits only, as the seconds of a wait may have them by chance.
    for form, part in ((str, 8), (quote_plus, 8), (lambda text: text.encode().hex(), 16))
    for i in range(len(form(value)) - part + 1)
]
SECRETS.append(re.compile("X-Amz-Signature=[0-9a-f]"))
ECHO = (
    f"The signature of {KEY} for https://b.s3.amazonaws.com/k?X-Amz-Security-Token={quote_plus(TOKEN)}&amp;"
    f"X-Amz-Signature=0123456789abcdef does not match; the token was {TOKEN}, {TOKEN.encode().hex()}. "
    f"The Canonical String for this request should have been 'POST / x-amz-security-token:{TOKEN}'"
)

OPERATIONS = ("start", "poll", "page", "upload", "delete", "receive")
TIMES = {"once": 1, "five times": 5, "for ever": float("inf")}
FAULTS: dict[str, Callable[[str], Fault]] = {
    "throttle 400": lambda service: error(service, THROTTLES[service], "Rate exceeded", status=400),
    "throttle 500": lambda service: error(service, THROTTLES[service], "Service Unavailable", status=500),
    "500": lambda service: error(service, "InternalServerError", "Internal server error", status=500),
    "503 HTML": lambda _: Fault.unavailable(),
    "reset": lambda _: Fault.connection_reset(),
    "cut body": lambda _: Fault.cut_body(),
    "garbage 200": lambda _: Fault.garbage(),
    "empty 200": lambda _: Fault.empty(),
    "read time-out": lambda _: Fault.delayed(threading.Event()),
    "slow trickle": lambda _: Fault.trickling(0.004),
    "expired credentials": lambda service: error(service, "ExpiredToken", "The token has expired", status=403),
    "clock skew": lambda service: error(service, "RequestTimeTooSkewed", "The difference is too large", status=403),
    "echoed request": lambda service: error(service, "SignatureDoesNotMatch", ECHO, status=403),
    "DNS failure": lambda _: DNS,
}
SERVICES = {"upload": "s3", "delete": "s3", "receive": "sqs"}
THROTTLES = {"s3": "SlowDown", "sqs": "RequestThrottled", "rekognition": "ThrottlingException"}
CASES = tuple(product(OPERATIONS, FAULTS, TIMES))

JOB_SECONDS = 10.0
TIMEOUT = 120.0
RETRIES = 60.0  # seconds that one call may be tried again for
READ_TIMEOUT = 0.25  # where answers are late; elsewhere a busy machine may take its time
PATIENCE = 60.0
FACES = 2500
ANSWER = {
    "JobStatus": "SUCCEEDED",
    "VideoMetadata": {"Codec": "h264", "FrameRate": 30.0},
    "Faces": [{"Timestamp": 500 * (i // 4), "Face": {"Confidence": i / FACES}} for i in range(FACES)],
}


@frozen
class Outcome:
    """What a call of ``analyze_video`` came to.

    Attributes:
        analysis: Its result, or ``None``.
        error: What it raised.
        jobs: Jobs that the service started for it.
        left: Keys in the bucket.
        seconds: Virtual time that it took.
        is_known: Whether an answer to the start came through.
        log: What the library wrote to its log.
    """

    analysis: VideoAnalysis | None
    error: RekogEmotionError | None
    jobs: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    is_known: bool
    log: str

    @property
    def is_complete(self) -> bool:
        """Whether it is the undisturbed result, face for face."""
        return self.analysis is not None and self.analysis.faces == UNDISTURBED.faces

    def complaints(self) -> list[str]:
        """Return what must not be; empty where all is well."""
        error = self.error
        told = "" if error is None else " ".join([str(error), *getattr(error, "__notes__", [])])
        found = []
        if not self.is_complete and error is None:
            found.append("an incomplete result without an error")
        # Of a job whose start was never answered nobody has the id.
        if error is not None and self.jobs and self.is_known:
            found += [f"no word of {job}" for job in self.jobs if getattr(error, "job_id", None) != job]
        if len(self.jobs) > 1:
            found.append(f"{len(self.jobs)} jobs for one call")
        found += [f"{key} is left, and nothing says so" for key in self.left if key not in told]
        shown = self.log + "".join(traceback.format_exception(error)) + repr(pickle.dumps(error)) if error else self.log
        if parts := [part for secret in SECRETS for part in secret.findall(shown)]:
            found.append(f"parts of the credentials: {parts}")
        if self.seconds > TIMEOUT + RETRIES:
            found.append(f"{self.seconds} s")
        return found


UNDISTURBED = VideoAnalysis.from_aws(ANSWER)


class _Swapped:
    """A client that stands for another one, which changes from case to case."""

    target: FakeClient

    def detect_faces(self, **parameters):
        return self.target.detect_faces(**parameters)

    def start_face_detection(self, **parameters):
        return self.target.start_face_detection(**parameters)

    def get_face_detection(self, **parameters):
        return self.target.get_face_detection(**parameters)


@define
class World:
    """The services, a gateway before them, and a video."""

    gateway: Gateway
    clip: Path
    _verbs: Threads | Tasks
    _swapped: _Swapped
    _patient: dict[str, Any]
    _impatient: dict[str, Any]
    _direct: dict[str, Any]
    _names: Iterator[str] = field(factory=lambda: iter(lambda: uuid.uuid4().hex, None))

    @classmethod
    @contextmanager
    def running(cls, name: str = "threads") -> Iterator[World]:
        """Run them for the length of a block, for the verbs of one of the two worlds."""
        with ExitStack() as stack:
            server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
            server.start()
            stack.callback(server.stop)
            host, port = server.get_host_and_port()
            swapped = _Swapped()
            endpoint = stack.enter_context(LocalEndpoint(swapped))
            made_up = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
            stack.enter_context(mock.patch.dict(os.environ, made_up))
            gateway = stack.enter_context(Gateway(endpoint.url, f"http://{host}:{port}"))
            clip = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "clip.mp4"
            clip.write_bytes(os.urandom(4096))
            # What botocore waits between its own attempts at S3 is real time.
            stack.enter_context(mock.patch("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None)))
            stack.enter_context(mock.patch("socket.getaddrinfo", resolver(socket.getaddrinfo)))
            verbs = stack.enter_context(world(name))
            patient, impatient = (_clients(verbs, gateway.url, seconds) for seconds in (PATIENCE, READ_TIMEOUT))
            direct = {name: boto3.client(name, endpoint_url=f"http://{host}:{port}") for name in ("s3", "sqs")}
            for one in (*patient.values(), *impatient.values()):
                gateway.watch(one)
            for one in (patient, impatient, direct):
                for service in ("s3", "sqs"):
                    stack.callback(one[service].close)
            clients = {"patient": patient, "impatient": impatient, "direct": direct}
            yield cls(gateway=gateway, clip=clip, verbs=verbs, swapped=swapped, **clients)

    def run(self, operation: str = "", fault: str = "", times: str = "once") -> Outcome:
        """Analyse the video while one operation goes wrong."""
        name = next(self._names)
        clock = VirtualClock()
        fake = self._swapped.target = FakeClient(clock=clock)
        fake.script_videos(ANSWER, seconds=JOB_SECONDS)
        self._direct["s3"].create_bucket(Bucket=name)
        started: list[str] = []
        clients = self._impatient if fault == "read time-out" else self._patient
        notify = self._notify(fake, clock, name, clients["sqs"]) if operation == "receive" else None
        self.gateway.released.clear()
        if operation:
            made = FAULTS[fault](SERVICES.get(operation, "rekognition"))
            self.gateway.plan = Plan(operation, made, TIMES[times])
        analysis, failure = None, None
        lines = io.StringIO()
        handler = logging.StreamHandler(lines)
        log = logging.getLogger("rekog_emotion")
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        try:
            analysis = self._verbs.analyze_video(
                self.clip,
                client=clients["rekognition"],
                staging=f"s3://{name}/",
                s3_client=clients["s3"],
                timeout=TIMEOUT,
                on_progress=lambda progress: started.append(progress.event),
                notify=notify,
                clock=clock,
            )
        except RekogEmotionError as raised:
            failure = raised
        finally:
            self.gateway.plan = Plan()
            self.gateway.released.set()
            log.removeHandler(handler)
            log.setLevel(logging.NOTSET)
        left = self._direct["s3"].list_objects_v2(Bucket=name).get("Contents", [])
        return Outcome(
            analysis=analysis,
            error=failure,
            jobs=tuple(fake._jobs),
            left=tuple(one["Key"] for one in left),
            seconds=clock.now(),
            is_known="STARTED" in started,
            log=lines.getvalue(),
        )

    def _notify(self, fake, clock, name, sqs) -> SnsSqs:
        queue = self._direct["sqs"]
        url = queue.create_queue(QueueName=name)["QueueUrl"]

        def tell() -> None:
            for job in fake._jobs:
                queue.send_message(QueueUrl=url, MessageBody=f'{{"JobId": "{job}", "Status": "SUCCEEDED"}}')

        clock.at(JOB_SECONDS, tell)
        arns = f"arn:aws:sns:us-east-1:123456789012:{name}", "arn:aws:iam::123456789012:role/rekognition"
        return SnsSqs(*arns, url, sqs_client=sqs, long_poll=0)


def _clients(verbs: Threads | Tasks, url: str, read_timeout: float) -> dict[str, Any]:
    """Return a client for each service that waits so long for an answer."""
    # In this mode S3 gets its attempts every time; in the others there is a quota of them a client.
    config = Config(
        read_timeout=read_timeout,
        retries={"mode": "legacy", "total_max_attempts": 3},
        request_checksum_calculation="when_required",
        s3={"addressing_style": "path"},
    )
    clients = {name: boto3.client(name, endpoint_url=url, config=config) for name in ("s3", "sqs")}
    return {**clients, "rekognition": verbs.aws_client(endpoint_url=url, read_timeout=read_timeout)}


def table(outcomes: dict[tuple[str, str, str], Outcome]) -> Iterator[str]:
    """Give the lines of the matrix in Markdown."""
    yield f"| | {' | '.join(OPERATIONS)} |"
    yield f"|---|{'---|' * len(OPERATIONS)}"
    for fault in FAULTS:
        cells = (
            ", ".join("result" if outcomes[operation, fault, times].is_complete else "error" for times in TIMES)
            for operation in OPERATIONS
        )
        yield f"| {fault} | {' | '.join(cells)} |"
