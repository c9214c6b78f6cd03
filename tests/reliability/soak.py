"""A long run against ``rekog-emotion serve`` while everything goes wrong: ``python -m tests.reliability.soak --write``.

Jobs with messages, photos and clients that hang up, while the server is killed or stopped, its disk is full, and SNS
fails. At the end every job that was accepted has ended, under one id a token, with one message. ``--minutes`` says how
long it takes: in the first half the server is killed again and again, in the second half one process lives through all
that, and its memory and descriptors are measured: forty times, of which the first quarter is its warming up, when it
loads the networks and boto3. They are flat if the most in the last quarter is not far above that in the second. Needs
Linux, where a limit of files' sizes makes a disk full.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import define, field
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from tests.embedded.clips import write_clip
from tests.reliability.attacks import DOCS, with_section
from tests.reliability.served import DATA, Served, signed

PHOTO: Final = (DATA / "astronaut.jpg").read_bytes()
VIDEO: Final = {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}
CHANNEL: Final = {"RoleArn": "arn:aws:iam::123456789012:role/r", "SNSTopicArn": "arn:aws:sns:us-east-1:123456789012:t"}
REFUSED: Final = (ClientError, BotoCoreError, OSError)
MOST_OPEN: Final = 12
ON_THE_WAY: Final = 2.0  # seconds before a kill, in which a message may have been sent and not been noted yet
FLAT: Final = {"MB": 25, "descriptors": 10}  # by which the last quarter of the measurements may be above the second
HEADING: Final = "\n## A long run\n"
SECTION: Final = """
`python -m tests.reliability.soak --write` asks a `serve` for jobs with messages and for photos, while it is killed and
stopped, its disk is full, SNS fails and clients hang up; in the second half one process lives through all that. At its
end every job that was accepted has ended once, as its one message says, and memory and descriptors are flat: their most
in the last quarter of that half is at most {megabytes} MB and {descriptors} descriptors above their most in its second.
In the first quarter the process, just started, loads the networks and boto3, and its heap gets the gaps that it keeps.

{minutes:g} minutes, seed {seed}: {text}
"""
PUBLISHED: Final = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


class Topic(ThreadingHTTPServer):
    """A stand-in for SNS that fails when it is told to, and writes down when which message came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Publish)
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.fails = False
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Publish(BaseHTTPRequestHandler):
    server: Topic

    def do_POST(self) -> None:
        """Take a message."""
        content = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.server.fails:
            self.send_error(503)
            return
        self.server.messages.append((time.monotonic(), json.loads(content["Message"][0])))
        self.send_response(200)
        self.send_header("Content-Length", str(len(PUBLISHED)))
        self.end_headers()
        self.wfile.write(PUBLISHED)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@define
class Soak:
    """What is asked, and what came of it.

    Attributes:
        server: Who is asked.
        topic: Where the messages go.
        random: What happens next.
        jobs: The ids that each token's starts were answered with.
        ended: How each job ended.
        kills: When the server was killed.
        marks: Minutes, memory and descriptors of the process that lives through the second half.
        counts: What happened how often.
        complaints: What must not have been.
    """

    server: Served
    topic: Topic
    random: random.Random
    jobs: dict[str, set[str]] = field(factory=dict)
    ended: dict[str, str] = field(factory=dict)
    kills: list[float] = field(factory=list)
    marks: list[tuple[float, float, int]] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)
    complaints: list[str] = field(factory=list)

    def start(self, token: str) -> None:
        """Start a job, or once more the one of a token."""
        try:
            answer = self.server.client.start_face_detection(
                Video=VIDEO, ClientRequestToken=token, NotificationChannel=CHANNEL, JobTag=token
            )
        except REFUSED:
            self.counts["starts refused"] += 1
            return
        self.jobs.setdefault(token, set()).add(answer["JobId"])
        self.counts["starts answered"] += 1

    def start_one(self) -> None:
        """Start a job, unless too many are open; or repeat a start."""
        known = [token for token, ids in self.jobs.items() if ids]
        waiting = [token for token, ids in self.jobs.items() if not ids]  # which the server has refused so far
        if known and self.random.random() < 0.2:
            self.start(self.random.choice(known))
        elif waiting and self.random.random() < 0.5:
            self.start(self.random.choice(waiting))
        elif len(waiting) + sum(len(ids - self.ended.keys()) for ids in self.jobs.values()) < MOST_OPEN:
            token = f"token-{len(self.jobs)}"
            self.jobs[token] = set()
            self.start(token)

    def look(self) -> None:
        """Look at the jobs that have not ended."""
        for job_id in [job_id for ids in self.jobs.values() for job_id in ids if job_id not in self.ended]:
            try:
                status = self.server.client.get_face_detection(JobId=job_id)["JobStatus"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    self.complaints.append(f"job {job_id} was lost")
                    self.ended[job_id] = "lost"
                continue
            except REFUSED:
                continue
            if status != "IN_PROGRESS":
                self.ended[job_id] = status

    def look_at_photo(self) -> None:
        """Ask for a photo; what comes is right or a refusal."""
        try:
            faces = self.server.client.detect_faces(Image={"Bytes": PHOTO})["FaceDetails"]
        except REFUSED:
            self.counts["photos refused"] += 1
            return
        self.counts["photos"] += 1
        if len(faces) != 1:
            self.complaints.append(f"{len(faces)} faces on a photo of one")

    def hang_up(self) -> None:
        """Send a request, in part or as a whole, and do not wait for the answer."""
        body = json.dumps({"Image": {"S3Object": {"Bucket": "bucket", "Name": "photo.jpg"}}}).encode()
        request = signed(self.server.port, "DetectFaces", body)
        try:
            with self.server.connect() as connection:
                connection.sendall(request[: self.random.choice([10, len(request) - 5, len(request)])])
                if self.random.random() < 0.5:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            return
        self.counts["hang-ups"] += 1

    def spoil(self) -> None:
        """Fill the disk or make room on it, let SNS fail or not."""
        self.topic.fails = self.random.random() < 0.3
        full = self.random.random() < 0.3
        self.server.limit_files(0 if full else -1)
        self.counts["full disks"] += full
        self.counts["failures of SNS"] += self.topic.fails

    def restart(self) -> None:
        """End the server by some signal, and start it anew."""
        by = self.random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        code = self.server.end(by)
        if by == signal.SIGKILL:
            self.kills.append(time.monotonic())
        elif code != 0:
            self.complaints.append(f"exit code {code} after {by.name}")
        self.counts[by.name] += 1
        self.server.start()

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.topic.fails = False
        self.server.limit_files(-1)

    def run(self, minutes: float) -> None:
        """Let it all happen for a time, then wait until all has ended."""
        begin = time.monotonic()
        end = begin + 60 * minutes
        spoiled = restarted = begin
        acts = [self.start_one, self.look, self.look_at_photo, self.hang_up]
        while (now := time.monotonic()) < end:
            self.random.choice(acts)()
            if now > spoiled + 3:
                self.spoil()
                spoiled = now
            if now < (begin + end) / 2 and now > restarted + 10:
                self.restart()
                restarted = now
            if now >= (begin + end) / 2 and now > begin + 60 * minutes * (0.5 + 0.0125 * (len(self.marks) + 1)):
                self.marks.append(((now - begin) / 60, self.server.memory(), self.server.descriptors()))
            if not self.server.is_running:
                self.complaints.append("the server has ended by itself")
                return
        self.heal()
        self.settle(time.monotonic() + 600)

    def settle(self, deadline: float) -> None:
        """Wait until every job has ended and every message has come."""
        while time.monotonic() < deadline:
            for token in [token for token, ids in self.jobs.items() if not ids]:
                self.start(token)
            self.look()
            told = {message["JobId"] for _, message in self.topic.messages}
            due = {job_id for ids in self.jobs.values() for job_id in ids}
            if all(self.jobs.values()) and due <= self.ended.keys() and due <= told:
                break
            time.sleep(0.5)
        time.sleep(5)  # for messages that must not come

    def judge(self) -> list[str]:
        """Return what must not have been."""
        wrong = list(self.complaints)
        wrong += [f"{token} has the jobs {sorted(ids)}" for token, ids in self.jobs.items() if len(ids) != 1]
        ids = {job_id for found in self.jobs.values() for job_id in found}
        wrong += [f"job {job_id} has not ended" for job_id in ids - self.ended.keys()]
        told: dict[str, list[tuple[float, str]]] = {job_id: [] for job_id in ids}
        for at, message in self.topic.messages:
            told.setdefault(message["JobId"], []).append((at, message["Status"]))
        for job_id, messages in told.items():
            # Nobody can send and note at once: what was on its way when the server was killed comes again.
            again = [at for at, _ in messages[:-1] if any(0 <= kill - at < ON_THE_WAY for kill in self.kills)]
            self.counts["messages that a kill made come again"] += len(again)
            if len(messages) - len(again) != 1:
                wrong.append(f"job {job_id} has {len(messages)} messages")
            if any(status != self.ended.get(job_id) for _, status in messages):
                wrong.append(f"job {job_id} ended as {self.ended.get(job_id)}, and its messages say {messages}")
        traces = [line for line in self.server.log if line.startswith("Traceback")]
        if traces:
            wrong.append(f"{len(traces)} tracebacks in the log")
        for name, most in self.quarters().items():
            if most[3] > most[1] + FLAT[name]:
                wrong.append(f"{most[1]:.0f} {name} became {most[3]:.0f}")
        return wrong

    def quarters(self) -> dict[str, list[float]]:
        """Return the most of memory and of descriptors in each quarter of the second half."""
        count = len(self.marks)
        if count < 4:
            return {}
        parts = [self.marks[part * count // 4 : (part + 1) * count // 4] for part in range(4)]
        return {name: [max(mark[which] for mark in part) for part in parts] for which, name in enumerate(FLAT, 1)}

    def report(self) -> str:
        """Return what happened, in words."""
        happened = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        ended = ", ".join(f"{count} {status}" for status, count in sorted(Counter(self.ended.values()).items()))
        text = f"{len(self.jobs)} jobs ({ended}), {len(self.topic.messages)} messages; {happened}."
        if most := self.quarters():
            told = ["{:.0f}, {:.0f}, {:.0f} and {:.0f} {}".format(*numbers, name) for name, numbers in most.items()]
            text += f" One process through the second half: {' and '.join(told)} at most in its quarters."
        return text


def soak(minutes: float, seed: int) -> tuple[str, list[str]]:
    """Run for a time; return what happened, and what must not have been."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bucket = folder / "media" / "bucket"
        bucket.mkdir(parents=True)
        (bucket / "photo.jpg").write_bytes(PHOTO)
        with Image.open(DATA / "astronaut.jpg") as photo:
            picture = np.asarray(photo.convert("RGB").resize((256, 256)))
        write_clip(bucket / "clip.mp4", [picture] * 4, rate=2)
        topic = Topic()
        environment = {
            "AWS_ENDPOINT_URL_SNS": f"http://127.0.0.1:{topic.server_port}",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
        }
        options = ("--state", str(folder / "jobs.sqlite"), "--media-root", str(folder / "media"))
        with Served(folder, *options, environment=environment) as server:
            run = Soak(server=server, topic=topic, random=random.Random(seed))  # noqa: S311 -- no secret
            run.run(minutes)
            wrong = run.judge()
            code = server.end(signal.SIGTERM)
            if code:
                wrong.append(f"exit code {code} at the end")
        left = sorted(path.suffix for path in (folder / "jobs.sqlite.spool").iterdir() if path.suffix != ".ended")
        if left:
            wrong.append(f"left in the spool: {left}")
        topic.shutdown()
        topic.server_close()
        return run.report(), [*wrong, *(server.log[-30:] if wrong else [])]


def main() -> int:
    """Run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put what happened into docs/reliability.md")
    arguments = parser.parse_args()
    text, wrong = soak(arguments.minutes, arguments.seed)
    print(text, *wrong, sep="\n")  # noqa: T201 -- a script prints
    if arguments.write and not wrong:
        megabytes, descriptors = FLAT.values()
        section = SECTION.format(
            minutes=arguments.minutes, seed=arguments.seed, text=text, megabytes=megabytes, descriptors=descriptors
        )
        DOCS.write_text(with_section(DOCS.read_text(), HEADING, section))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
