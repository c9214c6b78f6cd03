"""Many of the worst pictures at once, by hand: ``python -m tests.server.worst_pictures``; the server's peak of memory.

They are as large as the server takes them, in pixels and in bytes, of the kinds that need the most memory and time, and
wait their turn, while an honest client asks for a small one again and again.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from itertools import cycle, islice
from pathlib import Path

from attrs import define
from PIL import Image

from tests.server.attacks import Server, serving
from tests.server.in_process import JSON, SIGNED

LARGEST = 5 * 1024**2  # bytes of a picture in a request
PORTRAIT = Path(__file__).parents[1] / "data/astronaut.jpg"


def worst() -> dict[str, bytes]:
    """Return pictures near the limits of memory, in files that the service takes."""
    pictures = {}
    kinds = (("RGB", 13_800, "PNG"), ("RGBA", 10_300, "PNG"), ("LA", 10_300, "PNG"), ("RGB", 10_300, "JPEG"))
    for mode, side, form in kinds:
        file = io.BytesIO()
        options = {"compress_level": 9} if form == "PNG" else {"quality": 1, "progressive": True}
        Image.new(mode, (side, side)).save(file, form, **options)
        pictures[f"{mode} {form}"] = padded(file.getvalue(), form)
    return pictures


def padded(picture: bytes, form: str) -> bytes:
    """Return a file of the most bytes that the service takes, with a picture and with what nobody looks at."""
    missing = LARGEST - len(picture)
    if form == "PNG":
        at = 8 + 25  # behind the signature and the header
        chunk = b"paDd" + bytes(missing - 12)
        filling = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    else:
        at = 2
        comments = [min(60_000, missing - begin) for begin in range(0, missing - 4, 60_000)]
        filling = b"".join(b"\xff\xfe" + struct.pack(">H", size - 2) + bytes(size - 4) for size in comments)
    return picture[:at] + filling + picture[at:]


@define
class Outcome:
    """What came of it.

    Attributes:
        worst: What came of the worst pictures, and how often.
        honest: Seconds that each honest request took.
        right: How many of them were answered.
        peak: The server's memory at most, in MB.
    """

    worst: Counter[str]
    honest: list[float]
    right: int
    peak: int

    @property
    def held(self) -> bool:
        """Whether the memory stayed under 1.5 GB, and honest requests were answered, each within ten seconds."""
        return self.peak < 1500 and self.right == len(self.honest) and max(self.honest) < 10


def peak(server: Server) -> int:
    """Return the most memory that the server has taken, in MB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1000


def ask(server: Server, picture: bytes) -> str:
    """Ask DetectFaces without a key; return the status, the code of the error, or that no answer came."""
    body = json.dumps({"Image": {"Bytes": base64.b64encode(picture).decode()}, "Attributes": ["ALL"]}).encode()
    headers = {"Content-Type": JSON, "X-Amz-Target": "RekognitionService.DetectFaces", "Authorization": SIGNED}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 -- likewise
            return f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return str(json.loads(error.read())["__type"])
    except OSError:
        return "closed"


def run(count: int = 64) -> Outcome:
    """Send so many of the worst pictures at once, each kind in turn, and ask for a portrait until all are answered."""
    portrait = PORTRAIT.read_bytes()
    outcome = Outcome(Counter(), [], 0, 0)
    with serving(keys=False) as server:
        ask(server, portrait)

        def send(picture: bytes) -> None:
            outcome.worst[ask(server, picture)] += 1

        senders = [threading.Thread(target=send, args=(picture,)) for picture in islice(cycle(worst().values()), count)]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            began = time.monotonic()
            outcome.right += ask(server, portrait) == "answered 200"
            outcome.honest.append(time.monotonic() - began)
            time.sleep(0.2)
        outcome.peak = peak(server)
    return outcome


def main() -> None:
    """Run it, and print what came of it."""
    outcome = run()
    sys.stdout.write(
        f"{dict(outcome.worst)}\n{outcome.right} of {len(outcome.honest)} honest requests answered, median "
        f"{statistics.median(outcome.honest):.2f} s, longest {max(outcome.honest):.2f} s\npeak of memory: "
        f"{outcome.peak} MB\n"
    )
    sys.exit(not outcome.held)


if __name__ == "__main__":
    main()
