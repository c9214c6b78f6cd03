"""Video jobs behave as the service's: answers, states, tokens, slots, and the end of it all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from botocore.validate import ParamValidator

from rekog_emotion.embedded.sqlite_store import SqliteStore
from rekog_emotion.embedded.store import MemoryStore
from tests.embedded.clips import BAD, bad_clips, counting, number_of, people_mov, people_mp4, scene
from tests.embedded.job_desk import (
    CHANNEL,
    DAY,
    SERVICE,
    TOKEN,
    Gate,
    a_face,
    bare,
    clock,
    done,
    make,
    one_face,
    refused,
    s3,
)

__all__ = ["bad_clips", "clock", "counting", "make", "people_mov", "people_mp4", "scene"]


def python(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter of its own."""
    return subprocess.run(  # noqa: S603 -- the script is the test's own
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=600, check=False
    )


class TestAnswers:
    def test_start(self, make):
        """A start gives an id of 64 hexadecimal digits and what botocore keeps of an answer."""
        answer = make().start(s3())
        assert re.fullmatch("[0-9a-f]{64}", answer["JobId"])
        metadata = answer["ResponseMetadata"]
        assert metadata["HTTPHeaders"]["x-rekog-emotion-engine"] == "embedded"
        assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (200, 0)

    def test_succeeded(self, make):
        """A result has the members of the newer service, and every sample's faces with their times."""
        jobs = make()
        job_id = done(jobs, face_attributes="ALL", job_tag="holiday:1")
        answer = jobs.get(job_id)
        faces = answer["Faces"]
        assert bare(answer) == {
            "JobStatus": "SUCCEEDED",
            "VideoMetadata": {
                "Codec": "h264",
                "DurationMillis": 3000,
                "Format": "QuickTime / MOV",
                "FrameRate": 30.0,
                "FrameHeight": 48,
                "FrameWidth": 64,
                "ColorRange": "LIMITED",
            },
            "Faces": faces,
            "JobId": job_id,
            "Video": s3(),
            "JobTag": "holiday:1",
        }
        assert [(one["Timestamp"], one["Face"]["AgeRange"]["Low"]) for one in faces] == [
            (0, 0),
            (500, 15),
            (1000, 30),
            (1500, 45),
            (2000, 60),
            (2500, 75),
        ]

    def test_all_members(self, make):
        """With ALL a face keeps every member but the two that the service never gives on video."""
        jobs = make()
        face = jobs.get(done(jobs, face_attributes="ALL"))["Faces"][0]["Face"]
        assert {"FaceOccluded", "EyeDirection"} == a_face().keys() - face.keys()
        assert face == {name: value for name, value in a_face().items() if name in face}

    @pytest.mark.parametrize("options", [{}, {"face_attributes": "DEFAULT"}])
    def test_default_members(self, make, options):
        """Without a word, or with DEFAULT, a face has five members, and five landmarks."""
        jobs = make()
        face = jobs.get(done(jobs, **options))["Faces"][0]["Face"]
        assert {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"} == face.keys()
        expected = ["eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"]
        assert expected == [landmark["Type"] for landmark in face["Landmarks"]]

    def test_in_progress(self, make):
        """An open job says so, with an empty list of faces and no metadata."""
        gate = Gate()
        jobs = make(gate)
        job_id = jobs.start(s3(Version="3"), job_tag="t")["JobId"]
        assert gate.entered.wait(60)
        expected = {"JobStatus": "IN_PROGRESS", "Faces": [], "JobId": job_id, "Video": s3(Version="3"), "JobTag": "t"}
        assert expected == bare(jobs.get(job_id))
        assert not jobs.join(job_id, 0)
        gate.opened.set()
        assert jobs.join(job_id, 60)
        assert jobs.get(job_id)["JobStatus"] == "SUCCEEDED"

    @pytest.mark.parametrize("name", BAD)
    def test_failed(self, make, bad_clips, name):
        """What cannot be decoded is a job that failed, in the service's words, and no error of the start."""
        jobs = make(resolver=lambda _: bad_clips[name])
        job_id = done(jobs)
        expected = {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format.", "JobId": job_id, "Video": s3()}
        assert expected == bare(jobs.get(job_id))

    def test_nobody(self, make):
        """A clip with nobody in it is a success without faces."""
        jobs = make(lambda _: [])
        answer = jobs.get(done(jobs))
        assert (answer["JobStatus"], answer["Faces"], "NextToken" in answer) == ("SUCCEEDED", [], False)

    @pytest.mark.parametrize("attributes", ["ALL", "DEFAULT"])
    def test_shapes(self, make, counting, bad_clips, attributes):
        """Every answer has the shape that botocore's model of the service gives it."""
        gate = Gate()
        jobs = make(gate, resolver=lambda where: bad_clips["text"] if where["Name"] == "bad" else counting)
        started = jobs.start(s3(), face_attributes=attributes, job_tag="t")
        failing = jobs.start(s3("bad"))["JobId"]
        answers = [jobs.get(started["JobId"])]
        gate.opened.set()
        assert jobs.join(started["JobId"], 60)
        assert jobs.join(failing, 60)
        answers += [jobs.get(started["JobId"], max_results=1), jobs.get(failing)]
        assert [answer["JobStatus"] for answer in answers] == ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
        for answer, operation in [(started, "StartFaceDetection"), *((one, "GetFaceDetection") for one in answers)]:
            shape = SERVICE.operation_model(operation).output_shape
            body = bare(answer)
            assert body.keys() <= shape.members.keys()
            assert ParamValidator().validate(body, shape).generate_report() == ""

    def test_answers_are_copies(self, make):
        """What a caller does to an answer changes no later one."""
        jobs = make()
        job_id = done(jobs)
        first = jobs.get(job_id)
        expected = bare(jobs.get(job_id))
        first["Faces"].pop()
        first["Faces"][0]["Face"].clear()
        first["Video"]["S3Object"].clear()
        first["VideoMetadata"].clear()
        assert expected == bare(jobs.get(job_id))


class TestTokens:
    def test_same_request(self, make):
        """The same token with the same parameters gives the same job, which is not run again."""
        calls = []
        jobs = make(lambda picture: calls.append(1) or one_face(picture))
        first = done(jobs, **TOKEN)
        again = jobs.start(s3(), **TOKEN, face_attributes="DEFAULT")["JobId"]
        assert first == again
        assert jobs.join(again, 60)
        assert len(calls) == 6

    def test_without_token(self, make):
        """Without a token every start is a job of its own."""
        jobs = make()
        assert done(jobs) != done(jobs)

    @pytest.mark.parametrize(
        "change",
        [
            {"video": s3("other.mp4")},
            {"video": s3(Version="2")},
            {"face_attributes": "ALL"},
            {"job_tag": "tag"},
            {"notification_channel": CHANNEL},
        ],
        ids=["object", "version", "attributes", "tag", "channel"],
    )
    def test_other_request(self, make, change):
        """The same token with any other parameter is refused."""
        jobs = make()
        done(jobs, **TOKEN)
        expected = (
            "StartFaceDetection",
            "IdempotentParameterMismatchException",
            (
                "A ClientRequestToken input parameter was reused with an operation, but at least one of the other "
                "input parameters is different from the previous call to the operation."
            ),
            400,
        )
        assert expected == refused(jobs.start, **{"video": s3(), **TOKEN, **change})

    def test_known_without_the_file(self, make, counting):
        """A token that is known needs neither the object nor a slot."""
        there = [counting]
        jobs = make(resolver=lambda _: there.pop(), max_jobs=1)
        first = done(jobs, **TOKEN)
        assert first == jobs.start(s3(), **TOKEN)["JobId"]

    def test_seven_days(self, make, clock):
        """A token is good for seven days, and starts a new job afterwards."""
        jobs = make()
        first = done(jobs, **TOKEN)
        clock.advance(7 * DAY)
        assert first == done(jobs, **TOKEN)
        clock.advance(1)
        assert first != done(jobs, **TOKEN)

    def test_at_the_same_time(self, make, counting):
        """Two starts at once with one token are one job."""
        meeting = threading.Barrier(2, timeout=600)

        def resolver(_):
            meeting.wait()
            return counting

        jobs = make(resolver=resolver)
        ids: list[str] = []
        threads = [threading.Thread(target=lambda: ids.append(done(jobs, **TOKEN))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 2
        assert len(set(ids)) == 1


class TestSlots:
    def test_limit(self, make):
        """Jobs that wait count as open; at the limit a start is refused, and free again when a job ends."""
        gate = Gate()
        jobs = make(gate, max_jobs=3)
        ids = [jobs.start(s3(str(k)))["JobId"] for k in range(3)]
        expected = (
            "StartFaceDetection",
            "LimitExceededException",
            "3 open Jobs for User arn:aws:iam::000000000000:user/embedded Maximum limit: 3",
            400,
        )
        assert expected == refused(jobs.start, s3())
        assert [jobs.get(job_id)["JobStatus"] for job_id in ids] == ["IN_PROGRESS"] * 3
        gate.opened.set()
        assert all(jobs.join(job_id, 60) for job_id in ids)
        assert jobs.get(done(jobs))["JobStatus"] == "SUCCEEDED"

    def test_default_limit(self, make):
        """The limit is the service's: twenty."""
        gate = Gate()
        jobs = make(gate)
        ids = [jobs.start(s3(str(k)))["JobId"] for k in range(20)]
        assert refused(jobs.start, s3())[1] == "LimitExceededException"
        gate.opened.set()
        assert all(jobs.join(job_id, 60) for job_id in ids)

    def test_one_after_the_other(self, make):
        """One job runs at a time, in the order of the starts."""
        running, order = [0], []

        def detect(picture):
            assert threading.current_thread().name == "rekog-emotion-video"
            running[0] += 1
            assert running == [1]
            order.append(number_of(picture))
            running[0] -= 1
            return []

        jobs = make(detect)
        ids = [jobs.start(s3(str(k)))["JobId"] for k in range(3)]
        assert all(jobs.join(job_id, 60) for job_id in ids)
        assert order == [0, 15, 30, 45, 60, 75] * 3

    def test_several_workers(self, make):
        """As many jobs run at once as there are workers."""
        meeting = threading.Barrier(2, timeout=600)

        def detect(_):
            meeting.wait()
            return []

        jobs = make(detect, workers=2)
        ids = [jobs.start(s3(str(k)))["JobId"] for k in range(2)]
        assert all(jobs.join(job_id, 60) for job_id in ids)
        assert [jobs.get(job_id)["JobStatus"] for job_id in ids] == ["SUCCEEDED"] * 2


class TestFailures:
    def test_engine_fails(self, make, caplog):
        """An error of the engine is the job's failure, with its class and without its text, which is logged."""

        def detect(_):
            msg = "private"
            raise RuntimeError(msg)

        jobs = make(detect)
        job_id = done(jobs)
        answer = jobs.get(job_id)
        assert (answer["JobStatus"], answer["StatusMessage"]) == ("FAILED", "Internal error: RuntimeError")
        assert caplog.messages == [f"video job {job_id} failed"]

    def test_next_job_runs(self, make):
        """A job that fails does not keep the next from running."""
        answers = iter([ZeroDivisionError()])

        def detect(picture):
            for error in answers:
                raise error
            return one_face(picture)

        jobs = make(detect)
        first, second = done(jobs), done(jobs)
        assert [jobs.get(job_id)["JobStatus"] for job_id in (first, second)] == ["FAILED", "SUCCEEDED"]

    def test_no_faces_of_a_failed_job(self, make):
        """What a job found before it failed is forgotten."""
        store = MemoryStore()

        def detect(picture):
            if number_of(picture) > 40:
                raise ValueError
            return one_face(picture)

        job_id = done(make(detect, store=store))
        assert store.faces(job_id, 0, 100) == []

    def test_file_vanishes(self, make, counting, tmp_path):
        """A file that is taken away before its turn fails the job."""
        gate, path = Gate(), tmp_path / "clip.mp4"
        path.write_bytes(counting.read_bytes())
        jobs = make(gate, resolver=lambda where: counting if where["Name"] == "first" else path)
        jobs.start(s3("first"))
        job_id = jobs.start(s3("second"))["JobId"]
        assert gate.entered.wait(60)
        path.unlink()
        gate.opened.set()
        assert jobs.join(job_id, 60)
        assert jobs.get(job_id)["StatusMessage"] == "Internal error: FileNotFoundError"


class TestClosing:
    def test_open_jobs_end(self, make):
        """Closing ends the running job after its sample and the waiting ones at once, and waits for the thread."""
        gate = Gate()
        jobs = make(gate)
        running, waiting = (jobs.start(s3(name))["JobId"] for name in ("1", "2"))
        assert gate.entered.wait(60)
        jobs.stop()
        gate.opened.set()
        jobs.close()
        assert gate.calls == 1
        for job_id in (running, waiting):
            answer = jobs.get(job_id)
            assert (answer["JobStatus"], answer["StatusMessage"]) == (
                "FAILED",
                "The job was stopped: its client was closed.",
            )
        assert "rekog-emotion-video" not in [thread.name for thread in threading.enumerate()]

    def test_open_jobs_wait_in_a_file(self, make, tmp_path):
        """A store that outlives the process keeps them open: whoever opens it next runs them, to the same end."""
        gate = Gate()
        with SqliteStore(tmp_path / "jobs.sqlite") as store:
            jobs = make(gate, store=store)
            running, waiting = (jobs.start(s3(name))["JobId"] for name in ("1", "2"))
            assert gate.entered.wait(60)
            jobs.stop()
            gate.opened.set()
            jobs.close()
        with SqliteStore(tmp_path / "jobs.sqlite") as store:
            jobs = make(store=store)
            for job_id in (running, waiting):
                assert jobs.get(job_id)["JobStatus"] == "IN_PROGRESS"
                assert jobs.join(job_id, 60)
                assert len(jobs.get(job_id)["Faces"]) == 6
            jobs.close()

    def test_results_stay(self, make):
        """What is finished can be read after closing."""
        jobs = make()
        job_id = done(jobs)
        jobs.close()
        jobs.close()
        assert len(jobs.get(job_id)["Faces"]) == 6

    def test_beginning_anew(self, make):
        """A start after closing is a job like any other."""
        jobs = make()
        jobs.close()
        assert jobs.get(done(jobs))["JobStatus"] == "SUCCEEDED"

    def test_stop_does_not_wait(self, make):
        """Stopping returns at once; the jobs end soon."""
        gate = Gate()
        jobs = make(gate)
        job_id = jobs.start(s3())["JobId"]
        assert gate.entered.wait(60)
        jobs.stop()
        assert jobs.get(job_id)["JobStatus"] == "IN_PROGRESS"
        gate.opened.set()
        assert jobs.join(job_id, 60)
        assert jobs.get(job_id)["JobStatus"] == "FAILED"

    def test_idle(self, make):
        """Without open jobs there is no thread."""
        jobs = make()
        done(jobs)
        jobs._crew.close()
        assert "rekog-emotion-video" not in [thread.name for thread in threading.enumerate()]

    def test_unknown_job_is_not_waited_for(self, make):
        """There is nothing to wait for where nothing runs."""
        assert make().join("0" * 64)

    def test_exit_of_the_interpreter(self, counting):
        """An interpreter that ends amid a job does so at once, quietly and with success."""
        script = f"""
            import threading
            from rekog_emotion.embedded.jobs import Jobs
            entered = threading.Event()
            def detect(picture):
                entered.set()
                return []
            jobs = Jobs(detect, resolver=lambda _: {str(counting)!r})
            for k in range(20):
                jobs.start({{"S3Object": {{"Bucket": "bucket", "Name": str(k)}}}})
            entered.wait()
        """
        run = python(script)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
class TestForks:
    def test_child(self, counting):
        """In a forked child finished jobs are there, open ones run anew, and closing does not hang."""
        script = f"""
            import os, threading, warnings
            from rekog_emotion.embedded.jobs import Jobs
            warnings.simplefilter("ignore")
            video = {{"S3Object": {{"Bucket": "bucket", "Name": "n"}}}}
            gate, entered = threading.Event(), threading.Event()
            def detect(picture):
                entered.set()
                gate.wait()
                return []
            jobs = Jobs(detect, resolver=lambda _: {str(counting)!r})
            gate.set()
            finished = jobs.start(video)["JobId"]
            jobs.join(finished)
            gate.clear(), entered.clear()
            running, waiting = jobs.start(video)["JobId"], jobs.start(video)["JobId"]
            entered.wait()
            jobs._lock.acquire()
            child = os.fork()
            gate.set()
            if child == 0:
                try:
                    states = [jobs.get(job)["JobStatus"] for job in (finished, running)]
                    assert states == ["SUCCEEDED", "IN_PROGRESS"], states
                    assert jobs.join(running, 60)
                    assert jobs.get(running)["JobStatus"] == "SUCCEEDED"
                    new = jobs.start(video)["JobId"]
                    assert jobs.join(new, 60)
                    jobs.close()
                    print("child", flush=True)
                finally:
                    # Like multiprocessing: ONNX Runtime does not survive the whole exit of a forked child.
                    os._exit(0)
            jobs._lock.release()
            os.waitpid(child, 0)
            assert jobs.join(waiting, 60)
            print([jobs.get(job)["JobStatus"] for job in (running, waiting)])
        """
        run = python(script)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.splitlines() == ["child", "['SUCCEEDED', 'SUCCEEDED']"]


class TestRealEngine:
    @pytest.mark.parametrize("name", ["people_mp4", "people_mov"])
    def test_people(self, make, engine, scene, request, name):
        """Faces are found at the samples in which somebody is seen, and at no other."""
        path: Path = request.getfixturevalue(name)
        jobs = make(engine.analyze, resolver=lambda _: path)
        answer = jobs.get(done(jobs, face_attributes="ALL"))
        seen = [(face["Timestamp"], face["Face"]["Gender"]["Value"]) for face in answer["Faces"]]
        genders = {"astronaut": "Female", "obama": "Male", "biden": "Male"}
        rate = 30000 / 1001 if name == "people_mov" else 30
        times = [int(int(k * rate / 2) * 1000 / rate) for k in range(12)]
        people = [(milliseconds, scene.person((milliseconds + 0.5) / 1000)) for milliseconds in times]
        assert [(milliseconds, genders[person]) for milliseconds, person in people if person] == seen
        body = bare(answer)
        shape = SERVICE.operation_model("GetFaceDetection").output_shape
        assert ParamValidator().validate(body, shape).generate_report() == ""
        assert all("EyeDirection" not in face["Face"] for face in answer["Faces"])
