"""``rekog-emotion serve`` as a process, and what is asked of it."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ROOT: Final = Path(__file__).parents[2]
DATA: Final = ROOT / "tests" / "data"
KEY, SECRET = "soak", "no secret"
JSON: Final = "application/x-amz-json-1.1"


class Served:
    """A server in a process of its own, with a key, for the length of a ``with`` block.

    Args:
        folder: For the file of its key; its temporary files go there, too.
        options: Of the command.
        environment: In addition to this process's.

    Attributes:
        log: What it wrote to standard error, line by line; the last ten thousand of them.
        port: Where it listens.
    """

    def __init__(self, folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._options = options
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "OMP_NUM_THREADS": "1",
            **(environment or {}),
        }
        self.log: list[str] = []
        self.port = 0

    def start(self) -> None:
        """Start it, and wait until it listens."""
        secret = self._folder / "secret"
        secret.write_text(SECRET)
        command = [sys.executable, "-m", "rekog_emotion", "serve", "--port", str(self.port), "--access-key", KEY]
        self._process = subprocess.Popen(  # noqa: S603 -- our own command
            [*command, "--secret-key-file", str(secret), *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=self._environment,
        )
        self._reading = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reading.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "".join(self.log[-20:])
        self.port = int(line.rpartition(":")[2])
        self.client = boto3.client(
            "rekognition",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60, proxies={}),
        )

    def _read(self, stream: Any) -> None:
        for line in stream:
            self.log.append(line)
            del self.log[:-10_000]

    def end(self, by: signal.Signals) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        self.client.close()
        self._process.send_signal(by)
        code = self._process.wait(120)
        self._reading.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGKILL)

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def memory(self, kind: str = "VmRSS") -> float:
        """Return the resident memory of the process in MB, or its peak (``VmHWM``), on Linux."""
        found = re.search(rf"{kind}:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(found[1]) / 1000 if found else 0.0

    def descriptors(self) -> int:
        """Return how many files and sockets it has open, on Linux."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))  # noqa: PTH208 -- the number is all that is wanted

    def limit_files(self, size: int) -> None:
        """Let no file that it writes grow beyond so many bytes, on Linux: for the process, its disk is full."""
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most if size < 0 else size, most))

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def signed(port: int, operation: str, body: bytes) -> bytes:
    """Return a request as SDKs send it."""
    headers = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": JSON,
        "X-Amz-Target": f"RekognitionService.{operation}",
        "Content-Length": str(len(body)),
    }
    request = AWSRequest("POST", f"http://127.0.0.1:{port}/", data=body, headers=headers)
    SigV4Auth(Credentials(KEY, SECRET), "rekognition", "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body
