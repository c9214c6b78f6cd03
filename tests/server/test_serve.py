import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import ClientError, HTTPClientError
from PIL import Image

from rekog_emotion import server
from rekog_emotion.commands.cli import main
from tests.amounts import amount
from tests.conftest import configure_aws
from tests.embedded.clips import write_clip
from tests.server.conftest import DATA, PORTRAIT, boto

LINES = """\
export AWS_ENDPOINT_URL_REKOGNITION={}
export AWS_DEFAULT_REGION=us-east-1  # any will do
export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}; unset AWS_SESSION_TOKEN
"""
IMAGE = {"Bytes": PORTRAIT.read_bytes()}


@pytest.fixture
def visit(monkeypatch):
    """Give a way to run the command in this process, with one visitor, and end it by a signal when that is gone."""
    configure_aws(monkeypatch)

    def visit(*arguments, visitor, by=signal.SIGTERM):
        outcome = []

        def come(listener):
            host, port = listener.getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            try:
                with boto(url) as client:
                    outcome.extend((url, visitor(client)))
            finally:
                os.kill(os.getpid(), by)

        def serve(app, listener, **options):
            coming = threading.Thread(target=come, args=(listener,))
            coming.start()
            served(app, listener, **options)
            coming.join()

        served = server.serve
        monkeypatch.setattr(server, "serve", serve)
        code = main(["serve", "--port", "0", *arguments])
        return code, *outcome

    return visit


def test_tells_people_what_to_do(visit, monkeypatch, capsys):
    """On a terminal the lines would stand there without a word."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    visit(visitor=detect)

    assert capsys.readouterr().err.startswith("serving: the SDK needs these lines in its own shell")


def detect(client):
    """Return what is seen on a portrait."""
    return [face["Emotions"][0]["Type"] for face in client.detect_faces(Image=IMAGE, Attributes=["ALL"])["FaceDetails"]]


def test_clean_networks_alone(visit):
    """What they cannot tell is not in the answer."""

    def look(client):
        (face,) = client.detect_faces(Image=IMAGE, Attributes=["ALL"])["FaceDetails"]
        return face.keys() & {"Emotions", "AgeRange", "Smile"}

    assert visit("--weights", "clean", visitor=look)[2] == {"Smile"}


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal(visit, capsys, by):
    """It says how to get there, answers, and ends well; the handlers of signals are what they were."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    code, url, seen = visit(visitor=detect, by=by)

    assert (code, seen) == (0, ["HAPPY"])
    assert capsys.readouterr() == (LINES.format(url, "any", "any"), "")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_tells_programs_as_json(visit, capsys):
    """With --json the environment is one object."""
    code, url, seen = visit("--json", visitor=detect)

    assert (code, seen) == (0, ["HAPPY"])
    assert json.loads(capsys.readouterr().out) == {
        "AWS_ENDPOINT_URL_REKOGNITION": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }


def test_serves_a_folder(visit, tmp_path):
    """Objects are files, photos and videos alike; both are described."""
    (tmp_path / "bucket").mkdir()
    for name in ("astronaut.jpg", "people.mp4"):
        (tmp_path / "bucket" / name).write_bytes((DATA / name).read_bytes())

    def visitor(client):
        photo = client.detect_faces(Image={"S3Object": {"Bucket": "bucket", "Name": "astronaut.jpg"}})
        job = client.start_face_detection(Video={"S3Object": {"Bucket": "bucket", "Name": "people.mp4"}})
        return len(photo["FaceDetails"]), client.get_face_detection(JobId=job["JobId"])["JobStatus"]

    _, _, (faces, status) = visit("--media-root", str(tmp_path), visitor=visitor)

    assert (faces, status in {"IN_PROGRESS", "SUCCEEDED"}) == (1, True)


def test_serves_with_a_file(visit, tmp_path):
    """Jobs are kept in it, copies beside it."""
    code, _, _ = visit("--state", str(tmp_path / "jobs.sqlite"), visitor=detect)

    assert code == 0
    assert (tmp_path / "jobs.sqlite").is_file()
    assert (tmp_path / "jobs.sqlite.spool").is_dir()


def test_serves_with_a_key(visit, capsys, tmp_path, monkeypatch):
    """Who has it gets in, at any address; it is not printed."""
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    arguments = ("--host", "0.0.0.0", "--access-key", "a key", "--secret-key-file", str(tmp_path / "secret"))  # noqa: S104 -- what it is about

    code, url, seen = visit(*arguments, visitor=detect)

    assert (code, seen) == (0, ["HAPPY"])
    opened = url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 -- no address to go to
    assert capsys.readouterr() == (LINES.format(opened, "'a key'", "..."), "")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_the_line_for_curl(visit, tmp_path):
    """What the page says for curl gets an answer."""
    page = (Path(__file__).parents[2] / "docs/how-to/serve.md").read_text(encoding="utf-8")
    (lines,) = (block for block in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "curl" in block)
    shutil.copy(PORTRAIT, tmp_path / "photo.jpg")

    def visitor(client):
        command = lines.replace("http://127.0.0.1:8765", client.meta.endpoint_url)
        return json.loads(subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True).stdout)  # noqa: S603, S607 -- our own

    code, _, answer = visit(visitor=visitor)

    assert (code, answer["FaceDetails"][0]["Emotions"][0]["Type"]) == (0, "HAPPY")


def test_serves_pages_of_an_origin(visit):
    """A browser is told that they may ask, and others not."""

    def visitor(client):
        seen = []
        for origin in ("http://localhost:3000", "http://127.0.0.1:3000", "http://evil.example"):
            connection = http.client.HTTPConnection(client.meta.endpoint_url.removeprefix("http://"))
            connection.request("OPTIONS", "/", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
            answer = connection.getresponse()
            seen.append((answer.status, answer.getheader("access-control-allow-origin")))
            connection.close()
        return seen

    options = ("--allow-origin", "http://localhost:3000", "--allow-origin", "http://127.0.0.1:3000")
    _, _, seen = visit(*options, visitor=visitor)

    assert seen == [(200, "http://localhost:3000"), (200, "http://127.0.0.1:3000"), (400, None)]


def test_serves_nobody_without_the_key(visit, tmp_path):
    """A wrong one is the service's error."""
    (tmp_path / "secret").write_text("s3cret")

    def visitor(client):
        with contextlib.suppress(ClientError):
            client.detect_faces(Image=IMAGE)
            return "let in"
        return "kept out"

    _, _, outcome = visit("--access-key", "AKID", "--secret-key-file", str(tmp_path / "secret"), visitor=visitor)

    assert outcome == "kept out"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_this_machine_needs_no_key(visit, host):
    """Its own addresses, by number or name."""
    with (
        contextlib.suppress(OSError),
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET),
    ):
        code, url, _ = visit("--host", host, visitor=detect)
        assert code == 0
        assert url.startswith("http://[::1]:" if ":" in host else "http://127.")
        return
    pytest.skip(f"this machine has no {host}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(
            pytest.param(
                ["--host", host],
                f"others can reach the host {host}, and could use this endpoint without a key: name --access-key and "
                "--secret-key-file, or stay at --host 127.0.0.1",
                id=host,
            )
            for host in ("0.0.0.0", "::", "10.0.0.1")  # noqa: S104 -- what it is about
        ),
        pytest.param(
            ["--host", "no.such.host.invalid"],
            "the host no.such.host.invalid is unknown: name an address of this machine, such as 127.0.0.1",
            id="unknown",
        ),
        pytest.param(
            ["--host", ""], "the host is unknown: name an address of this machine, such as 127.0.0.1", id="nothing"
        ),
        pytest.param(
            ["--access-key", "AKID"],
            "--access-key and --secret-key-file go together: name both or neither",
            id="no secret",
        ),
        pytest.param(
            ["--secret-key-file", "secret"],
            "--access-key and --secret-key-file go together: name both or neither",
            id="no key",
        ),
        pytest.param(
            ["--access-key", "", "--secret-key-file", "empty"],
            "--access-key is empty: name the id of a key, such as dev",
            id="empty key",
        ),
        pytest.param(
            ["--access-key", "AKID", "--secret-key-file", "nothing"],
            "--secret-key-file nothing cannot be read: No such file or directory",
            id="no file",
        ),
        pytest.param(
            ["--access-key", "AKID", "--secret-key-file", "empty"],
            "--secret-key-file empty is empty: write the secret access key into it",
            id="empty",
        ),
        pytest.param(
            ["--access-key", "AKID", "--secret-key-file", "binary"],
            "--secret-key-file binary cannot be read: it is no text",
            id="binary",
        ),
        pytest.param(
            ["--allow-origin", "*"],
            "the origin '*' is no single origin: name scheme, host and port alone, such as http://localhost:3000",
            id="any origin",
        ),
        pytest.param(
            ["--media-root", "nothing"],
            "the media root nothing is no folder; make it, with a folder for each bucket",
            id="no folder",
        ),
    ],
)
def test_says_what_cannot_be(capsys, tmp_path, monkeypatch, arguments, message):
    """In one line, before anything is served."""
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    monkeypatch.chdir(tmp_path)

    code = main(["serve", "--port", "0", *arguments])

    assert (code, capsys.readouterr()) == (2, ("", f"rekog-emotion: {message}\n"))


def test_port_is_in_use(capsys):
    """It says which, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["serve", "--port", str(port)])

    assert (code, capsys.readouterr().err) == (
        2,
        (
            f"rekog-emotion: cannot listen at 127.0.0.1 port {port}: Address already in use; name another --port, or 0 "
            "for a free one\n"
        ),
    )


@pytest.mark.parametrize("port", ["-1", "65536", "http", "\uff18"])
def test_port_is_a_number(capsys, port):
    """Of those that there are."""
    with pytest.raises(SystemExit) as caught:
        main(["serve", f"--port={port}"])

    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        f"rekog-emotion serve: argument --port: '{port}' is no port: name a number from 0 to 65535; see rekog-emotion "
        "serve --help\n"
    )


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_needs_its_extra(missing):
    """The error is the command that mends it."""
    program = (
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "from rekog_emotion.commands.cli import main\n"
        "sys.exit(main(['serve', '--port', '0']))"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)  # noqa: S603 -- our own program

    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'rekog-emotion[server]'" in done.stderr


def test_other_missing_modules_are_not_the_extras():
    """They are shown as they are."""
    program = "import sys\nsys.modules['attrs'] = None\nimport rekog_emotion.server.spool"

    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)  # noqa: S603 -- our own program

    assert done.returncode == 1
    assert "ModuleNotFoundError: import of attrs halted" in done.stderr


@pytest.mark.usefixtures("aws")
def test_a_second_interrupt_hangs_up(scripted):
    """Who has waited long enough presses Ctrl-C again; what is closed at the end is closed with signals still off."""
    entered, opened, hung_up = threading.Event(), threading.Event(), threading.Event()
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    outcome, at_the_end = [], []

    def answer(**_):
        entered.set()
        opened.wait(60)
        return {"FaceDetails": []}

    scripted.answers["DetectFaces"] = answer

    def visit(url):
        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with boto(url) as client, pytest.raises(HTTPClientError) as caught:
            client.detect_faces(Image=IMAGE)
        outcome.append(caught.value)
        hung_up.set()
        interrupting.join()
        opened.set()

    def interrupt():
        assert entered.wait(60)
        while not outcome and not opened.is_set():  # two that come at once are one to the system
            os.kill(os.getpid(), signal.SIGINT)
            hung_up.wait(0.05)

    def then():
        for number in (signal.SIGINT, signal.SIGTERM) * 2:
            signal.raise_signal(number)
        at_the_end.append(opened.is_set())

    with server.listen("127.0.0.1", 0, public=False) as listener:
        visiting = threading.Thread(target=visit, args=(f"http://127.0.0.1:{listener.getsockname()[1]}",))
        visiting.start()
        server.serve(server.create_app(scripted), listener, then=then)
        visiting.join()

    assert len(outcome) == 1
    assert at_the_end == [True]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.usefixtures("aws")
def test_sigterm_twice_waits_for_answers(scripted):
    """Whoever supervises servers may send it more than once; nobody loses an answer for that."""
    entered, opened, outcome = threading.Event(), threading.Event(), []

    def answer(**_):
        entered.set()
        opened.wait(60)
        return {"FaceDetails": []}

    scripted.answers["DetectFaces"] = answer

    def visit(url):
        terminating = threading.Thread(target=terminate)
        terminating.start()
        with boto(url) as client:
            outcome.append(client.detect_faces(Image=IMAGE)["FaceDetails"])
        terminating.join()

    def terminate():
        assert entered.wait(60)
        for _ in range(4):
            os.kill(os.getpid(), signal.SIGTERM)
        opened.set()

    with server.listen("127.0.0.1", 0, public=False) as listener:
        visiting = threading.Thread(target=visit, args=(f"http://127.0.0.1:{listener.getsockname()[1]}",))
        visiting.start()
        server.serve(server.create_app(scripted), listener)
        visiting.join()

    assert outcome == [[]]


class Server:
    """The command as a process of its own."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, "-m", "rekog_emotion", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._process.stdout.readline().strip().partition("=")[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)

    def is_running(self):
        """Tell whether it has not ended, after a moment."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)
        return self._process.returncode is None

    def end(self, *by):
        """End it; return how it ended, and what it complained of."""
        for number in by:
            self._process.send_signal(number)  # does nothing where it has ended
        _, errors = self._process.communicate(timeout=60)
        return self._process.returncode, errors


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("by", [[signal.SIGTERM] * 4, [signal.SIGINT] * 4, [signal.SIGTERM, signal.SIGINT]])
def test_signals_in_a_row(by, tmp_path, monkeypatch):
    """However many there are: it ends well, without a word, and leaves nothing."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Server() as server, boto(server.url) as client:
        assert detect(client) == ["HAPPY"]

        assert server.end(*by) == (0, "")

    assert list(tmp_path.glob("rekog*")) == []  # onnxruntime has a file of its own there


@pytest.fixture
def long_clip(tmp_path):
    """Give a media root with a video that takes some seconds to analyse, and the wire's name for it."""
    (tmp_path / "media/bucket").mkdir(parents=True)
    with Image.open(PORTRAIT) as portrait:
        picture = np.asarray(portrait)
    write_clip(tmp_path / "media/bucket/clip.mp4", [picture] * 24, rate=2)
    return tmp_path / "media", {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}


def result_of(client, job_id):
    """Return all that a job found, when it has ended."""
    page = {"JobStatus": "IN_PROGRESS"}
    while page["JobStatus"] == "IN_PROGRESS":
        page = client.get_face_detection(JobId=job_id)
    del page["ResponseMetadata"], page["JobId"]
    return page


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT][: amount(1, whole=3, few=1)])
def test_a_job_outlives_its_server(tmp_path, long_clip, by):
    """However the server ends in mid-job: after a restart the same id has the faces of an undisturbed run."""
    media, video = long_clip
    options = ("--media-root", str(media), "--state", str(tmp_path / "jobs.sqlite"))
    with Server(*options) as server, boto(server.url) as client:
        job_id = client.start_face_detection(Video=video, ClientRequestToken="1")["JobId"]
        assert client.get_face_detection(JobId=job_id)["JobStatus"] == "IN_PROGRESS"
        code, _ = server.end(by)
        assert code == (-signal.SIGKILL if by == signal.SIGKILL else 0)

    with Server(*options) as server, boto(server.url) as client:
        assert client.start_face_detection(Video=video, ClientRequestToken="1")["JobId"] == job_id
        undisturbed = client.start_face_detection(Video=video)["JobId"]
        page = result_of(client, job_id)
        assert page == result_of(client, undisturbed)
        assert server.end(signal.SIGTERM) == (0, "")

    assert page["JobStatus"] == "SUCCEEDED"
    assert len(page["Faces"]) == 24


@pytest.mark.usefixtures("bucket")
def test_a_copy_outlives_its_server(tmp_path, bucket, long_clip):
    """So does a job on a video in S3, whose object has been deleted since; its copy goes when the job has ended."""
    media, _ = long_clip
    video = {"S3Object": bucket.put("clip.mp4", (media / "bucket/clip.mp4").read_bytes())}
    options = ("--state", str(tmp_path / "jobs.sqlite"))
    with Server(*options) as server, boto(server.url) as client:
        job_id = client.start_face_detection(Video=video)["JobId"]
        server.end(signal.SIGKILL)
    bucket.client.delete_object(Bucket=bucket.name, Key="clip.mp4")
    spool = tmp_path / "jobs.sqlite.spool"
    assert len(list(spool.glob("*.object"))) == 1

    with Server(*options) as server:
        # The server takes the job up by itself, since there is a copy to be deleted at its end.
        while list(spool.glob("*.object")):
            assert server.is_running()
        with boto(server.url) as client:
            page = client.get_face_detection(JobId=job_id)

    assert (page["JobStatus"], len(page["Faces"])) == ("SUCCEEDED", 24)
