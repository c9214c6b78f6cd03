"""Streams over loopback: HLS and files over HTTP, whole, broken and lost; and what an address or a camera is."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.media import addresses, streams
from rekog_emotion.sources import reading
from rekog_emotion.testing import VirtualClock
from tests.embedded.clips import write_clip, write_hls
from tests.scripted import ScriptedClient

PEOPLE = Path(__file__).parents[1] / "data" / "people.mp4"


class Nobody(ScriptedClient):
    """A client that sees nobody."""

    def detect_faces(self, **_):
        """Answer DetectFaces."""
        return {"FaceDetails": []}


class Site(ThreadingHTTPServer):
    """A server of files in memory.

    Attributes:
        files: Their bytes, by name; a tuple is bytes after which nothing comes, until ``released``.
        asked: The names that were asked for, in order.
    """

    daemon_threads = False

    def __init__(self):
        self.files, self.asked, self.released = {}, [], threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def address(self, name):
        """Return the address of a file, with a password and a signature."""
        return f"http://me:secret@127.0.0.1:{self.server_port}/{name}?signature=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.partition("?")[0].lstrip("/")
        self.server.asked.append(name)
        data = self.server.files.get(name)
        if callable(data):
            data = data()
        if data is None:
            self.send_error(404)
            return
        stuck = isinstance(data, tuple)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        if not stuck:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data[0] if stuck else data)
            self.wfile.flush()
        except ConnectionError:
            return
        if stuck:
            self.server.released.wait()
        self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def site():
    """Give a server of files."""
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        site.released.set()
        site.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let nothing count as lost or late for the slowness of this machine."""
    for module, name in (
        (streams, "OPENING"),
        (streams, "STALLED"),
        (reading, "PATIENCE"),
        (reading, "_OPENING"),
        (reading, "_STARVED"),
        (reading, "_LEAVING"),
    ):
        monkeypatch.setattr(module, name, 60.0)


@pytest.fixture
def hasty(patient, monkeypatch):  # noqa: ARG001 -- it comes before
    """Let what stalls count as lost after a moment."""
    monkeypatch.setattr(streams, "STALLED", 0.3)


@pytest.fixture(scope="module")
def hls(tmp_path_factory):
    """Give the clip as HLS: names and bytes of the playlist and its pieces."""
    folder = tmp_path_factory.mktemp("hls")
    write_hls(PEOPLE, folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def watched(site, name, *, until=100, **options):
    """Return the moments of an address, up to so many."""
    clock = VirtualClock()
    options = {"client": Nobody(), "clock": clock} | options
    moments = rekog.watch(site.address(name), **options)
    try:
        return [one for one, _ in zip(moments, range(until), strict=False)]
    finally:
        moments.close()


def reasons(moments, site):
    """Return the reasons of moments, without the port."""
    return [one.reason and one.reason.replace(str(site.server_port), "PORT") for one in moments]


def test_hls_has_the_people_of_the_clip(site, hls):
    """By the same ids, at the same times, however fast it can be had; then it is whole, and ends."""
    site.files = hls
    with EmbeddedClient() as client:
        moments = watched(site, "clip.m3u8", client=client)
        tracks = rekog.analyze_video(PEOPLE, client=client).tracks()

    seen = {(round(one.seconds * 1000), person.id) for one in moments for person in one.people}
    assert seen == {(timed.timestamp_ms, track.id) for track in tracks for timed in track.faces}
    assert {one.source for one in moments} == {f"http://127.0.0.1:{site.server_port}/clip.m3u8"}


def test_a_file_over_http_is_seen_at_its_own_speed(site, tmp_path):
    """And ends."""
    pictures = [np.full((96, 96, 3), 8 * k, np.uint8) for k in range(30)]
    clip = write_clip(tmp_path / "clip.mp4", pictures, rate=10, mux={"movflags": "faststart"})
    site.files = {"clip.mp4": clip.read_bytes()}

    moments = watched(site, "clip.mp4", rate=1)

    assert [(one.seconds, one.skipped) for one in moments] == [(0.0, 0), (1.0, 0), (2.0, 0)]
    assert [round(float(one.frame.mean()) / 8) for one in moments] == [0, 10, 20]


@pytest.mark.usefixtures("hasty")
def test_a_stream_that_stalls_is_opened_again(site, hls):
    """What had come before it is seen; then it is told that nothing comes, and it goes on when something does."""
    site.files = {"feed.ts": (hls["clip0.ts"],)}
    moments = rekog.watch(site.address("feed.ts"), client=Nobody(), clock=VirtualClock())
    first = next(moments)
    reason = next(one for one in moments if one.reason)
    site.files = {"feed.ts": hls["clip0.ts"]}
    again = next(one for one in moments if not one.reason)
    moments.close()

    assert first.reason is None
    assert reasons([reason], site) == [
        "http://127.0.0.1:PORT/feed.ts is lost: no picture came for 0 seconds; it is opened again in 1 s"
    ]
    assert again.seconds > reason.seconds >= first.seconds


@pytest.mark.usefixtures("hasty")
def test_what_goes_away_comes_back(site, hls):
    """While it is away each try is told, later and later."""
    site.files = {"feed.ts": (hls["clip0.ts"],)}
    moments = rekog.watch(site.address("feed.ts"), client=Nobody(), clock=VirtualClock())
    next(moments)
    site.files = {}
    lost = []
    for one in moments:
        if one.reason:
            lost.append(one)
        if len(lost) == 3:
            break
    site.files = {"feed.ts": hls["clip0.ts"]}
    back = next(one for one in moments if not one.reason)
    moments.close()

    assert [text.rpartition(": ")[2] for text in reasons(lost, site)] == [
        "no picture came for 0 seconds; it is opened again in 1 s",
        "server returned 404 not found; it is opened again in 2 s",
        "server returned 404 not found; it is opened again in 4 s",
    ]
    assert back.frame.shape == (480, 640, 3)


@pytest.mark.usefixtures("hasty")
def test_a_broadcast_that_is_over_is_not_seen_again(site, hls):
    """Its playlist then says that it is whole, and leads to its beginning."""
    going_on = hls["clip.m3u8"].replace(b"#EXT-X-ENDLIST\n", b"")
    site.files = hls | {"clip.m3u8": going_on}
    moments = rekog.watch(site.address("clip.m3u8"), client=Nobody(), clock=VirtualClock())
    seen = [next(one for one in moments if one.reason)]
    site.files = hls
    seen += moments

    assert [text and text.rpartition("; ")[2] for text in reasons(seen, site)] == ["it is opened again in 1 s"]


def test_damage_is_passed_over(site, hls):
    """Garbage in the middle costs what it hits, and no more."""
    noise = np.random.default_rng(1).bytes(20_000)
    middle = len(hls["clip1.ts"]) // 2
    damaged = hls["clip1.ts"][:middle] + noise + hls["clip1.ts"][middle:]
    site.files = hls | {"clip1.ts": damaged}

    moments = watched(site, "clip.m3u8")

    assert len(moments) >= 9
    assert {one.reason for one in moments} == {None}


def test_nothing_but_garbage_is_no_stream(site):
    """It is said at once."""
    site.files = {"noise.ts": np.random.default_rng(2).bytes(100_000)}

    with pytest.raises(rekog.InvalidInputError) as caught:
        watched(site, "noise.ts")

    assert str(caught.value).replace(str(site.server_port), "PORT") == (
        "http://127.0.0.1:PORT/noise.ts cannot be watched: invalid data found when processing input; check that a "
        "player shows it: the address has to be the video's own, not that of a page"
    )


def test_a_stream_may_change_its_size(site, tmp_path):
    """Each frame has its own."""
    parts = []
    for side, name in ((96, "a.ts"), (160, "b.ts")):
        pictures = [np.full((side, side, 3), 128, np.uint8)] * 30
        parts.append(write_clip(tmp_path / name, pictures, rate=10).read_bytes())
    site.files = {"feed.ts": b"".join(parts)}

    moments = watched(site, "feed.ts")

    assert {one.frame.shape for one in moments if one.frame is not None} == {(96, 96, 3), (160, 160, 3)}


def test_a_picture_that_cannot_be_made_is_a_lost_stream(site, hls, monkeypatch):
    """What a decoder gives may be no picture: the stream is opened again, and goes on where it was."""
    site.files = hls
    made = streams.upright
    calls = []

    def upright(frame, orientation):
        calls.append(frame.pts)
        if len(calls) == 2:
            raise av.error.InvalidDataError(1, "Invalid data found when processing input")
        return made(frame, orientation)

    monkeypatch.setattr(streams, "upright", upright)
    moments = watched(site, "clip.m3u8", until=3)

    assert reasons(moments, site) == [
        None,
        "http://127.0.0.1:PORT/clip.m3u8 is lost: invalid data found when processing input; it is opened again in 1 s",
        None,
    ]
    assert calls == sorted(set(calls))


def test_a_playlist_leads_to_no_file_of_this_machine(site):
    """Whoever writes it is a stranger."""
    site.files = {
        "clip.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile://{PEOPLE}\n#EXT-X-ENDLIST\n".encode()
    }

    with pytest.raises(rekog.InvalidInputError) as caught:
        watched(site, "clip.m3u8")

    assert "cannot be watched" in str(caught.value)


@pytest.mark.usefixtures("hasty")
def test_cancelling_while_nothing_comes(site, hls):
    """Ends it without a word, and no thread is left."""
    cancel = threading.Event()
    site.files = {"feed.ts": (hls["clip0.ts"],)}
    moments = rekog.watch(site.address("feed.ts"), client=Nobody(), clock=VirtualClock(), cancel=cancel)
    next(moments)
    cancel.set()

    assert [one.reason for one in moments] == []


@contextmanager
def system(monkeypatch, name):
    """Be on another system."""
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", name)
        yield


@pytest.mark.parametrize(
    ("platform", "camera", "expected"),
    [
        ("linux", "0", ("/dev/video0", "camera:0", "v4l2")),
        ("linux", "/dev/video2", ("/dev/video2", "camera:/dev/video2", "v4l2")),
        ("darwin", "1", ("1", "camera:1", "avfoundation")),
        ("darwin", "FaceTime HD Camera", ("FaceTime HD Camera", "camera:FaceTime HD Camera", "avfoundation")),
        ("win32", "Integrated Webcam", ("video=Integrated Webcam", "camera:Integrated Webcam", "dshow")),
    ],
)
def test_cameras(platform, camera, expected, monkeypatch):
    """By their number, or by what the system calls them."""
    with system(monkeypatch, platform):
        origin = addresses.camera_of(camera)

    assert (origin.url, origin.name, origin.format) == expected


def test_cameras_of_windows_have_names_alone(monkeypatch):
    """A number is looked up among those that there are."""
    from types import SimpleNamespace

    devices = [
        SimpleNamespace(name="Microphone", media_types=["audio"]),
        SimpleNamespace(name="Webcam", media_types=["video"]),
    ]
    monkeypatch.setattr("av.enumerate_input_devices", lambda _: devices)
    opened = []

    def no_camera(place, *_, **options):
        opened.append((place, options["format"]))
        raise PermissionError(1, "it is in use")

    monkeypatch.setattr("av.open", no_camera)
    messages = []
    with system(monkeypatch, "win32"):
        for camera in (0, 1, "camera:Webcam"):
            with pytest.raises(rekog.InvalidInputError) as caught:
                list(rekog.watch(camera, client=Nobody()))
            messages.append(str(caught.value))

    assert opened == [("video=Webcam", "dshow")] * 2
    assert messages == [
        "camera:0 cannot be watched: it is in use; check that it is there, and its name",
        "camera:1 cannot be watched: of cameras there are 1, counted from 0; check that it is there, and its name",
        "camera:Webcam cannot be watched: it is in use; check that it is there, and its name",
    ]


def test_cameras_of_other_systems(monkeypatch):
    """Nobody knows them."""
    with system(monkeypatch, "emscripten"), pytest.raises(rekog.InvalidInputError) as caught:
        addresses.camera_of("0")

    assert str(caught.value) == (
        "camera 0: cameras of emscripten are not known; pass its address, or pictures of your own"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rtsp://me:secret@10.0.0.7:554/live?token=secret", "rtsp://10.0.0.7:554/live"),
        ("RTSPS://host/a", "RTSPS://host/a"),
        ("https://host/live.m3u8?X-Amz-Signature=secret", "https://host/live.m3u8"),
        ("udp://@239.0.0.1:1234", "udp://239.0.0.1:1234"),
        ("ftp://host/a", None),
        ("file:///etc/passwd", None),
        ("concat:a|b", None),
        ("clip.mp4", None),
    ],
)
def test_addresses(text, name):
    """Their secrets are in no message; what leads to files or elsewhere is no address of a stream."""
    origin = addresses.address_of(text)

    assert (origin and origin.name) == name
    assert "secret" not in repr(origin)
    assert origin is None or "file" not in origin.options["protocol_whitelist"].split(",")
