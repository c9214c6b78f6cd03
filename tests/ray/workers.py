"""What runs in the processes of Ray: clients that count their calls, and that end their process when told."""

import fcntl
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

LOOKS = 2


def face(number):
    """Return a face that no other number has."""
    return {"BoundingBox": {"Left": number / 1000, "Top": 0.1, "Width": 0.2, "Height": 0.3}, "Confidence": 99.0}


def number_of(data):
    """Return the number that a picture of `pictures` ends with."""
    return int(data[-8:])


class Counting:
    """Answers each picture by its number, and writes its calls down.

    Args:
        folder: Where; a file `fatal` in it names the call at which the process ends, and how.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def detect_faces(self, *, Image, Attributes=()):  # noqa: N803 -- boto3's form
        """Find as many faces as the last digit of the number says, three at most."""
        del Attributes
        number = number_of(Image["Bytes"])
        self.note(number)
        return {"FaceDetails": [face(number)] * min(number % 10, 3)}

    def note(self, number):
        """Write a call down; end the process, if it is the one."""
        with (self.folder / "calls").open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"{number} {os.getpid()} {time.monotonic()}\n".encode())
            file.seek(0)
            calls = len(file.readlines())
        fatal = self.folder / f"fatal-{calls}"
        if fatal.exists():
            end(fatal.read_text())
        gate = self.folder / f"gate-{calls}"
        if gate.exists():  # tells who is here, and waits to be let through
            gate.write_text(ray_node())
            gate.with_suffix(".open").read_text()

    def start_face_detection(self, **_):
        """Start nothing."""
        raise NotImplementedError

    get_face_detection = start_face_detection


class Jobs(Counting):
    """Runs jobs that end when they have been looked at twice, in files, so that any process may take them up.

    A job is a file by its token: how often it was looked at, and how many ran when it began.

    Args:
        folder: Where.
        most: No job ends before so many have begun, however long that takes.
    """

    def __init__(self, folder, most=1):
        super().__init__(folder)
        self.most = most

    def detect_faces(self, **_):
        """Find nothing."""
        raise NotImplementedError

    def start_face_detection(self, *, Video, ClientRequestToken, **_):  # noqa: N803 -- boto3's form
        """Start a job, or give the one of this token."""
        del Video
        with self.locked():
            job = self.folder / f"job-{ClientRequestToken}"
            if not job.exists():
                running = sum(looks < LOOKS for looks, _ in self.jobs().values())
                job.write_text(f"0 {running + 1}")
        self.note(0)
        return {"JobId": ClientRequestToken}

    def get_face_detection(self, *, JobId, **_):  # noqa: N803 -- boto3's form
        """Answer by how often the job was looked at."""
        with self.locked():
            jobs = self.jobs()
            looks, at_once = jobs[JobId]
            looks = looks + 1 if len(jobs) >= self.most else 0
            (self.folder / f"job-{JobId}").write_text(f"{looks} {at_once}")
        if looks < LOOKS:
            return {"JobStatus": "IN_PROGRESS"}
        faces = [{"Timestamp": when, "Face": face(1)} for when in (0, 500)]
        return {"JobStatus": "SUCCEEDED", "VideoMetadata": {"DurationMillis": 1000}, "Faces": faces}

    def jobs(self):
        """Return how often each job was looked at, and how many ran when it began."""
        return {
            path.name.removeprefix("job-"): tuple(map(int, path.read_text().split()))
            for path in self.folder.glob("job-*")
        }

    @contextmanager
    def locked(self):
        """Let nobody else in."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def ray_node():
    """Return the node of this process."""
    import ray

    return ray.get_runtime_context().get_node_id()


def end(how):
    """End this process, as the machine or as Ray would."""
    if how == "process":
        os.kill(os.getpid(), signal.SIGKILL)
    import ray

    if how == "limiter":
        [limiter] = (one for one in ray.util.list_named_actors(all_namespaces=True) if one["name"].startswith("rate:"))
        ray.kill(ray.get_actor(limiter["name"], limiter["namespace"]))
    else:
        ray.kill(ray.get_runtime_context().current_actor, no_restart=False)
        signal.pause()
