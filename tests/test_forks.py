"""What a forked child can use of what its parent had, while other threads of the parent held every lock."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rekog_emotion import forks
from tests.amounts import amount

DATA = Path(__file__).parent / "data"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
BEGIN = f"""
import os, sys, threading, warnings
from pathlib import Path
import rekog_emotion as rekog
from rekog_emotion.testing import FakeClient
warnings.simplefilter("ignore")  # from Python 3.12 on: a fork with threads
PHOTO, CLIP = {str(DATA / "astronaut.jpg")!r}, {str(DATA / "people.mp4")!r}

def in_child(work):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            print(work(), flush=True)
            code = 0
        except rekog.RekogEmotionError as error:
            print(type(error).__name__, error, flush=True)
            code = 0
        finally:
            os._exit(code)  # like multiprocessing
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def forked(script):
    """Return the lines that a program and its children print, which ends well and says nothing else."""
    run = subprocess.run(  # noqa: S603 -- the test's own program
        [sys.executable, "-c", BEGIN + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


@pytest.mark.parametrize("threads", [1, 2][: amount(1, whole=2, few=1)])
def test_the_embedded_engine(threads):
    """A child loads its own networks, also where the parent loads or uses them, and runs what is open anew."""
    pytest.importorskip("onnxruntime")
    script = f"""
        from rekog_emotion.embedded import EmbeddedClient
        client = EmbeddedClient(threads={threads})
        rekog.detect_image(PHOTO, client=client)
        loaded = client._analyzer._loaded
        job = rekog.start_video(CLIP, client=client)
        client._analyzer._lock.acquire()
        client._jobs._lock.acquire()
        def work():
            faces = len(rekog.detect_image(PHOTO, client=client).faces)
            assert client._analyzer._loaded is not loaded
            return faces, len(rekog.analyze_video(CLIP, client=client).faces), len(job.result().faces)
        in_child(work)
        client._analyzer._lock.release()
        client._jobs._lock.release()
        print(client._analyzer._loaded is loaded, len(job.result().faces))
    """
    assert forked(script) == ["(1, 9, 9)", "True 9"]


def test_a_fork_waits_for_networks_that_are_being_loaded():
    """What ONNX Runtime has locked itself meanwhile no child could renew."""
    pytest.importorskip("onnxruntime")
    script = """
        from rekog_emotion.embedded import nets
        held, forking, loaded = threading.Event(), threading.Event(), []
        def load():
            with nets._LOADING:
                held.set()
                forking.wait()
                loaded.append("whole")
        thread = threading.Thread(target=load)
        thread.start()
        held.wait()
        os.register_at_fork(before=forking.set)
        in_child(lambda: (loaded, nets._LOADING.acquire(blocking=False)))
        thread.join()
        print(nets._LOADING.acquire(blocking=False))
    """
    assert forked(script) == ["(['whole'], True)", "True"]


@pytest.mark.parametrize("ending", ["", "raise ImportError('torn')"])
def test_a_fork_waits_for_imports(tmp_path, ending):
    """What another thread imports meanwhile, of this package or on its behalf, a child can import, too."""
    room = f"""
        import __main__
        __main__.begun.set()
        __main__.forking.wait()
        {ending}
    """
    (tmp_path / "slow.py").write_text(textwrap.dedent(room))
    script = f"""
        begun, forking = threading.Event(), threading.Event()
        import botocore
        botocore.__path__.append({str(tmp_path)!r})
        def load():
            try:
                import botocore.slow
            except ImportError:
                pass
        thread = threading.Thread(target=load)
        thread.start()
        begun.wait()
        os.register_at_fork(before=forking.set)
        in_child(lambda: load() or "botocore.slow" in sys.modules)
        thread.join()
    """
    assert forked(script) == [str(not ending)]


def test_locks_are_renewed():
    """Budgets, queues, the shortcut and the clients by name work in a child, whoever held their locks."""
    script = """
        from rekog_emotion.clients import fastpath, names
        from rekog_emotion.clients.sharing import SHARED
        from rekog_emotion.blocking import sharing
        from rekog_emotion.blocking.driver import Driver
        from rekog_emotion.flows.budget import budget_of
        from rekog_emotion.flows.messages import SnsSqs
        os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-west-1")
        class Queue:
            def receive_message(self, **_):
                return {"Messages": [{"Body": '{"JobId": "fake-job-1", "Status": "SUCCEEDED"}', "ReceiptHandle": "r"}]}
            def delete_message(self, **_):
                pass
            change_message_visibility = delete_message
        queue = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q", sqs_client=Queue())
        aws = rekog.aws_client()
        fake = FakeClient(videos={"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 0}]})
        budget, mailbox = budget_of(fake), sharing.mailbox_of(queue, fake)
        locks = [fastpath._REGISTERS.lock, names._CACHE._lock, SHARED.lock]
        assert mailbox.listen()
        for lock in locks:
            lock.acquire()
        def work():
            with fastpath.accelerated(aws):
                pass
            assert names.resolve_client("aws") is not aws
            mailbox.expect("fake-job-1")
            assert mailbox.listen()
            Driver(client=fake).run(mailbox.receive(0))
            mailbox.forget("fake-job-1")
            assert sharing.mailbox_of(queue, fake) is not mailbox
            assert budget_of(fake) is budget
            return len(rekog.analyze_video("s3://bucket/clip.mp4", client=fake, notify=queue).faces)
        in_child(work)
        for lock in locks:
            lock.release()
    """
    assert forked(script) == ["1"]


@pytest.mark.parametrize(
    "made",
    [
        "rekog.aws_client(endpoint_url=url)",
        "boto3.client('rekognition', endpoint_url=url)",
        "boto3.client('rekognition', endpoint_url='http://service', config=Config(proxies={'http': url}))",
    ],
    ids=["ours", "boto3", "proxy"],
)
def test_connections_are_not_shared(made):
    """A child that takes over a client makes connections of its own, and waits for no lock of its parent's threads."""
    script = f"""
        import datetime
        import boto3
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from botocore.config import Config
        from botocore.credentials import RefreshableCredentials
        os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-west-1")
        peers = []
        class Service(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                peers.append(self.client_address)
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "19")
                self.end_headers()
                self.wfile.write(b'{{"FaceDetails": []}}')
            def log_message(self, *_):
                pass
        service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        service.daemon_threads = True
        threading.Thread(target=service.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{{service.server_port}}"
        client = {made}
        now = datetime.datetime.now(datetime.timezone.utc)
        renewed = dict(access_key="c", secret_key="d", token="e", expiry_time=(now + datetime.timedelta(1)).isoformat())
        credentials = RefreshableCredentials("a", "b", "e", now, lambda: renewed, "test")
        client._request_signer._credentials = credentials
        def work():
            return len(rekog.detect_image(PHOTO, client=client).faces)
        print(work(), flush=True)
        session = client._endpoint.http_session
        managers = session._manager, *session._proxy_managers.values()
        pools = [manager.pools[key].pool for manager in managers for key in manager.pools.keys()]
        locks = [credentials._refresh_lock, *(pool.mutex for pool in pools)]
        credentials._expiry_time = now
        for lock in locks:
            lock.acquire()
        in_child(work)
        for lock in locks:
            lock.release()
        print(work(), [peers.index(peer) for peer in peers], len(pools))
    """
    assert forked(script) == ["0", "0", "0 [0, 1, 0] 1"]


def test_many_videos_are_their_parent_s():
    """What waits in threads of the parent says so at once, and can be left, too."""
    script = """
        fake = FakeClient(videos={"JobStatus": "SUCCEEDED", "Faces": []})
        outcomes = rekog.analyze_videos((f"s3://bucket/{n}.mp4" for n in range(9)), client=fake, max_jobs=2)
        next(outcomes)
        in_child(lambda: next(outcomes))
        in_child(lambda: outcomes.close())
        print(len(list(outcomes)))
    """
    told = "these videos are waited for in the process that forked this one: go through them there"
    assert forked(script) == [f"RekogEmotionError {told}", "None", "8"]


def test_pages_are_read_on():
    """A page that a thread of the parent had asked for is asked for again."""
    script = """
        class Client:
            def __init__(self):
                self.asked, self.answer = threading.Event(), threading.Event()
            def detect_faces(self, **_): pass
            start_face_detection = detect_faces
            def get_face_detection(self, *, JobId, MaxResults, NextToken=None):
                if NextToken is None:
                    return {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 0}], "NextToken": "a"}
                self.asked.set()
                self.answer.wait()
                return {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 500}]}
        client = Client()
        faces = rekog.VideoJob.resume("j-1", client=client).faces()
        next(faces)
        client.asked.wait()
        def work():
            client.answer = threading.Event()
            client.answer.set()
            return [face.timestamp_ms for face in faces]
        in_child(work)
        client.answer.set()
        print([face.timestamp_ms for face in faces])
    """
    assert forked(script) == ["[500]", "[500]"]


def test_nothing_is_kept_alive():
    """Whoever begins anew in a child is forgotten when nobody else knows it."""

    class Owner:
        def begin_anew(self):
            """Do nothing."""

    owner = Owner()
    forks.in_child(owner.begin_anew)
    assert owner in forks._CALLS
    del owner
    gc.collect()

    assert [one for one in forks._CALLS if isinstance(one, Owner)] == []


def test_a_store_stays_the_parent_s(tmp_path):
    """Whoever asks in the child for a job that the store's file has is told so at once, and not to wait."""
    pytest.importorskip("onnxruntime")
    script = f"""
        from rekog_emotion.embedded import EmbeddedClient, SqliteStore
        client = EmbeddedClient(store=SqliteStore({str(tmp_path / "jobs")!r}), resolver=lambda _: CLIP)
        job = rekog.start_video("s3://bucket/clip.mp4", client=client)
        in_child(lambda: job.result())
        in_child(lambda: rekog.analyze_video("s3://bucket/clip.mp4", client=client))
        print(len(job.result().faces))
        client.close()
    """
    told = f"the job store {tmp_path / 'jobs'} belongs to the process that forked this one: open another file here"
    assert forked(script) == [f"RekogEmotionError {told}", f"RekogEmotionError {told}", "9"]


def test_a_lock_that_a_thread_of_the_parent_holds():
    """A child has one of its own; who held it while it forked lets go of the one that it took."""
    script = """
        from rekog_emotion import forks

        guard = forks.Guard()
        with guard.lock:
            in_child(lambda: guard.lock.acquire(blocking=False))
        print(guard.lock.locked())
    """
    assert forked(script) == ["True", "False"]
