"""The command ``rekog-emotion video``."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import pytest

from rekog_emotion import VideoAnalysis
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.commands.cli import main
from rekog_emotion.flows import polling
from rekog_emotion.results.lossless import read_json_lines
from tests.http_standin import Answer

CLIP = Path(__file__).parents[1] / "data" / "people.mp4"
JOB = "376e40bc4cfa8522"
URI = "s3://my-videos/clip.mp4"


def face(milliseconds, emotion="HAPPY"):
    """Return a face at a time, in the service's shape."""
    return {"Timestamp": milliseconds, "Face": {"Emotions": [{"Type": emotion, "Confidence": 90.0}]}}


def page(*faces, **members):
    """Return the answer of a job that has succeeded."""
    return Answer({"JobStatus": "SUCCEEDED", "Faces": list(faces), "JobId": JOB, **members})


@pytest.fixture
def service(standin, clock):  # noqa: ARG001 -- which lets nobody wait in real time
    """Give a stand-in for the service in which a job has just been started."""
    standin.script("StartFaceDetection", Answer({"JobId": JOB}))
    return standin


SUMMARY = """\
people.mp4: 9 faces, 0:06, 640 x 480 pixels, engine: embedded
time  faces at once  leading emotions
0:00  1              HAPPY 100%
0:01  1              HAPPY 100%
0:03  1              HAPPY 100%
0:04  1              HAPPY 50%, CALM 50%
0:05  1              CALM 100%
"""


def test_clip_offline(terminal, monkeypatch, tmp_path):
    """On a terminal a clip gets a line of facts and a row a second that has faces."""
    shutil.copy(CLIP, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "rich", None)

    code = main(["video", "people.mp4", "--client", "embedded"])

    out, err = terminal.readouterr()
    assert (code, out, err) == (0, SUMMARY, "")


METADATA = {"DurationMillis": 6000, "FrameRate": 29.97, "FrameWidth": 640, "FrameHeight": 480}


@pytest.mark.parametrize("faces", [(), (face(0),), (face(0), face(500, "SAD"))], ids=len)
def test_programs_get_the_whole_analysis(faces, service, capsys):
    """Elsewhere than on a terminal it is one line of JSON, of all pages, also of a video without faces."""
    pages = [page(*faces[:1], VideoMetadata=METADATA, **({"NextToken": "t"} if faces[1:] else {})), page(*faces[1:])]
    service.script("GetFaceDetection", *pages)

    code = main(["video", URI])

    out, err = capsys.readouterr()
    (analysis,) = read_json_lines(out.splitlines())
    assert (0, len(faces), "", 1) == (code, len(analysis.faces), err, out.count("\n"))
    assert (analysis.source, analysis.engine, analysis.job_id, analysis.size) == (URI, "aws", JOB, (640, 480))
    assert analysis.metadata.frame_rate == METADATA["FrameRate"]
    assert analysis.to_aws()["Faces"] == [*faces]


def test_long_videos_get_longer_rows(service, terminal, monkeypatch):
    """The rows of a long video stand for so many seconds that they fit on a screen."""
    monkeypatch.setitem(sys.modules, "rich", None)
    service.script("GetFaceDetection", page(*(face(1000 * second) for second in range(0, 7200, 3)), face(7_199_999)))

    code = main(["video", URI, "--json"])
    count = len(VideoAnalysis.from_json(terminal.readouterr().out).faces)
    table_code = main(["video", URI])
    lines = terminal.readouterr().out.splitlines()

    assert (code, count, table_code, len(lines)) == (0, 2401, 0, 2 + 24 + 1)
    assert [["0:00", "5:00", "10:00"], {"1"}, {"100%"}] == [
        [line.split()[0] for line in lines[2:5]],
        {line.split()[1] for line in lines[2:-1]},
        {line.split()[-1] for line in lines[2:-1]},
    ]


def test_nobody(service, terminal):
    """A video without faces has no table; the id of its job, which takes it up again, has a line of its own."""
    service.script("GetFaceDetection", page())

    code = main(["video", URI])

    assert (0, f"{URI}: no faces, engine: aws\njob: {JOB}\n") == (code, terminal.readouterr().out)


@pytest.mark.parametrize(
    ("echo", "name"), [({}, "a video"), ({"Video": {"S3Object": {"Bucket": "b", "Name": "c.mp4"}}}, "s3://b/c.mp4")]
)
def test_a_job_that_is_taken_up_is_named(echo, name, service, terminal):
    """Its headline has the video that the service echoes, and no id."""
    service.script("GetFaceDetection", page(**echo))

    assert main(["video", "--resume", JOB]) == 0

    assert f"{name}: no faces, engine: aws\njob: {JOB}\n" == terminal.readouterr().out


def test_progress_on_a_terminal(service, terminal):
    """On a terminal a bar tells what goes on, and is gone at the end."""
    service.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}), page(face(0)))

    code = main(["video", URI, "--json"])

    out, err = terminal.readouterr()
    assert (code, len(out.splitlines())) == (0, 1)
    assert "Traceback" not in err


def test_failed_job(service, capsys):
    """A job that failed is one line and exit code 1."""
    service.script("GetFaceDetection", Answer({"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."}))

    code = main(["video", URI])

    message = f"{URI}: job {JOB} failed: Unsupported codec/format."
    assert (1, "", f"rekog-emotion: {message}\n") == (code, *capsys.readouterr())


def test_timeout_says_how_to_resume(service, capsys):
    """When the time is over, the command that takes the job up again is printed."""
    service.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}))

    code = main(["video", URI, "--client", "aws", "--timeout", "5"])

    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert f"the job goes on; resume it with: rekog-emotion video --resume {JOB} --client aws" == err.splitlines()[0]


def test_timeout_names_the_upload(service, capsys, monkeypatch):
    """What resumes a job takes care of its upload, too."""

    class S3:
        def upload_file(self, **_):
            pass

        def head_object(self, **_):
            return {"VersionId": "v1"}

    monkeypatch.setattr("rekog_emotion.clients.aws.s3_client_for", lambda _: S3())
    service.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}))

    code = main(["video", str(CLIP), "--staging", "s3://my-uploads/a", "--timeout", "5"])

    key = service.requests[0].body["Video"]["S3Object"]["Name"]
    command = f"rekog-emotion video --resume {JOB} --upload 's3://my-uploads/{key}?versionId=v1'"
    assert (1, f"the job goes on; resume it with: {command}") == (code, capsys.readouterr().err.splitlines()[0])


def test_offline_jobs_end_with_the_command(capsys, monkeypatch):
    """A job of the embedded engine cannot be resumed, and nobody is told to."""
    over = threading.Event()  # the job is not done before, however late the command looks

    def analyze(*_, **__):
        over.wait(600)
        return []

    monkeypatch.setattr("rekog_emotion.embedded.client.Engine.analyze", analyze)

    code = main(["video", str(CLIP), "--client", "embedded", "--timeout", "0"])

    over.set()
    resolve_client("embedded").close()
    err = capsys.readouterr().err
    assert (code, len(err.splitlines()), "--resume" in err) == (1, 1, False)
    assert err.endswith(" after 0 s; it has ended with this command; give it more time with --timeout\n")


def test_interrupt_says_how_to_resume(service, capsys, monkeypatch):
    """Ctrl-C prints the command that takes the job up again."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    service.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}))
    monkeypatch.setattr(polling, "poll", _once_then(interrupted))

    code = main(["video", URI])

    resume = f"the job goes on; resume it with: rekog-emotion video --resume {JOB}\n"
    assert (130, "", resume) == (code, *capsys.readouterr())


def test_interrupt_within_the_start_says_what_may_run(service, capsys, monkeypatch):
    """Ctrl-C while the service has been asked prints the token that gives the job back."""

    def interrupted(*_, **request):
        tokens.append(request["ClientRequestToken"])
        raise KeyboardInterrupt

    tokens = []
    monkeypatch.setattr("rekog_emotion.clients.failures.once", interrupted)

    code = main(["video", URI])

    again = f"start_video({URI!r}, client_request_token={tokens[0]!r})"
    said = f"rekog-emotion: A job may have been started: {again} with the same options gives it back.\n"
    assert (130, "", said) == (code, *capsys.readouterr())
    assert service.requests == []


def _once_then(interrupted):
    """Return ``poll`` for the start, and what interrupts for what comes after it."""
    real, calls = polling.poll, []

    def poll(*args, **kwargs):
        calls.append(args)
        return (real if len(calls) == 1 else interrupted)(*args, **kwargs)

    return poll


def test_resume(service, capsys):
    """A job is taken up by its id, and none is started."""
    service.script("GetFaceDetection", page(face(0)))

    code = main(["video", "--resume", JOB])

    out, err = capsys.readouterr()
    analysis = VideoAnalysis.from_json(out)
    assert (0, JOB, [face(0)], "") == (code, analysis.source, analysis.to_aws()["Faces"], err)
    assert service.operations() == ["GetFaceDetection"]


def test_resume_with_its_upload(service, capsys, monkeypatch):
    """The upload that belongs to the job is deleted when the job has ended, by its version."""
    deleted = []

    class S3:
        def delete_object(self, **parameters):
            deleted.append(parameters)

    monkeypatch.setattr("rekog_emotion.clients.aws.s3_client_for", lambda _: S3())
    service.script("GetFaceDetection", page(face(0)))

    code = main(["video", "--resume", JOB, "--upload", "s3://my-uploads/a/b.mp4?versionId=v1"])

    assert (code, capsys.readouterr().err) == (0, "")
    assert deleted == [{"Bucket": "my-uploads", "Key": "a/b.mp4", "VersionId": "v1"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a clip or a job to resume, one of the two: CLIP or --resume JOB"),
        ([URI, "--resume", JOB], "name a clip or a job to resume, one of the two: CLIP or --resume JOB"),
        (
            [URI, "--upload", URI],
            "--upload goes with --resume only; for a file to be uploaded name --staging s3://bucket/prefix/",
        ),
        (
            [str(CLIP)],
            (
                "Rekognition reads video from S3 only: upload the file and pass its s3:// address, pass "
                "--staging s3://bucket/prefix/ to have it uploaded and deleted for you, or stay offline with "
                "--client embedded"
            ),
        ),
        ([str(CLIP), "--staging", "uploads"], "--staging 'uploads' is no S3 address: pass \"s3://bucket/prefix/\""),
    ],
)
def test_unusable(arguments, message, service, capsys):
    """What cannot be used is one line and exit code 2, before any call."""
    code = main(["video", *arguments])

    assert (2, "", f"rekog-emotion: {message}\n") == (code, *capsys.readouterr())
    assert service.operations() == []
