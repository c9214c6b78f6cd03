"""Frames in, people out: the verbs for what is live."""

import asyncio
import os
import random
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import media, workers
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.media import streams
from rekog_emotion.media.samples import samples
from rekog_emotion.results.lossless import read_json_lines
from rekog_emotion.results.timeline import Timeline
from rekog_emotion.results.video import frames_at
from rekog_emotion.sources import reading
from rekog_emotion.testing import VirtualClock
from tests.amounts import amount
from tests.holding import bytes_held
from tests.results.people import face
from tests.scripted import LOST, ScriptedClient, refusal
from tests.tasks import LoopTime, run

PEOPLE = Path(__file__).parent / "data" / "people.mp4"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for threads that read for as long as they take: on a busy machine it may be longer than is promised."""
    monkeypatch.setattr(reading, "_LEAVING", 60.0)


@pytest.fixture(scope="module")
def client():
    """Give the embedded engine."""
    with EmbeddedClient() as client:
        yield client


@pytest.fixture(scope="module")
def clip(client):
    """Give the analysis of the clip."""
    return rekog.analyze_video(PEOPLE, client=client)


@pytest.fixture(scope="module")
def moments(client):
    """Give the moments of the clip, read at its own speed on a clock that takes no time."""
    return list(rekog.watch(PEOPLE, client=client, clock=VirtualClock()))


def pairs():
    """Yield the samples of the clip: seconds and an array."""
    yield from ((milliseconds / 1000, pixels) for milliseconds, pixels in samples(PEOPLE))


def ids(faces):
    """Return who each face is, by its time and place."""
    return {(timestamp, round(face.bounding_box.left, 3)): number for timestamp, face, number in faces}


def seen(moments):
    """Return who each face of moments is."""
    return ids((round(one.seconds * 1000), person.face, person.id) for one in moments for person in one.people)


@pytest.mark.parametrize(
    "frames",
    [
        lambda: PEOPLE,
        lambda: str(PEOPLE),
        pairs,
        lambda: [Image.fromarray(pixels) for _, pixels in pairs()],
        lambda: np.stack([pixels for _, pixels in pairs()]),
    ],
    ids=["path", "text", "pairs", "list", "array"],
)
def test_ids_are_those_of_tracks(frames, client, clip):
    """For the same samples, whatever they come from."""
    moments = list(rekog.watch(frames(), client=client, clock=VirtualClock()))

    tracks = clip.tracks()
    assert seen(moments) == ids((timed.timestamp_ms, timed.face, track.id) for track in tracks for timed in track.faces)
    assert len(tracks) == 3
    assert [one.seconds for one in moments] == [k / 2 for k in range(12)]
    assert {(one.reason, one.skipped, one.engine) for one in moments} == {(None, 0, "embedded")}


def test_scores_are_those_of_a_causal_timeline(moments, clip):
    """At each sample, as if nothing came after it."""
    timeline = clip.timeline(causal=True)
    for person in timeline.people:
        for seconds, row in zip(person.starts, person.scores, strict=True):
            [one] = [one for one in moments if one.seconds == seconds]
            [here] = [here for here in one.people if here.id == person.id]
            expected = dict(zip(person.kinds, row.tolist(), strict=True))
            assert here.scores == pytest.approx(expected, abs=1e-3)


def test_a_timeline_of_what_was_seen(moments, clip):
    """It is that of the clip, up to there."""
    timeline = Timeline.of(face for one in moments for face in one.timed_faces)

    assert timeline.segments() == clip.timeline().segments()


def test_a_file_is_watched_at_its_own_speed(client):
    """A client that takes two seconds misses four samples of half a second, and never an old frame."""
    clock = VirtualClock()

    class Slow(ScriptedClient):
        def detect_faces(self, **parameters):
            clock.advance(2.2)
            return client.detect_faces(**parameters)

    slow = list(rekog.watch(PEOPLE, client=Slow(), clock=clock))

    assert [(one.seconds, one.skipped) for one in slow] == [(0.0, 0), (2.2, 3), (4.4, 4)]
    [(_, expected)] = frames_at(PEOPLE, [2200])
    assert np.array_equal(slow[1].frame, np.asarray(expected))
    assert clock.sleeps == []


CONVERT = (
    "H.264 in MP4 or MOV is read for certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p "
    "OUT.mp4"
)
DAMAGED = "its container is damaged, cut off, or of a kind that is not read"
SOUND = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"


@pytest.mark.parametrize("world", [rekog.watch, rekog.aio.watch], ids=["thread", "task"])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", SOUND, "the content is sound (WAV), not a video; pass an MP4 or MOV file"),
        ("a.txt", b"No clip. " * 200, "the content is text, not a video; check what was read or downloaded"),
        ("a.mp4", b"", "the file is empty; check how it was written"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "the content is an image (JPEG), not a video; pass it to detect_image"),
        (
            "half.mp4",
            PEOPLE.read_bytes()[: PEOPLE.stat().st_size // 2],
            "the MP4 or MOV is incomplete: its index (moov) is missing; get a complete copy of it",
        ),
        (
            "noise.mp4",
            bytes(range(256)) * 8,
            f"no video can be decoded from it ({DAMAGED}; {CONVERT})",
        ),
    ],
)
def test_a_file_that_is_no_video(world, name, content, message, tmp_path):
    """It is named, in the words of an analysis, and nobody is asked."""
    client, path = Nobody(), tmp_path / name
    path.write_bytes(content)

    async def every():
        return [one async for one in world(path, client=client)]

    with pytest.raises(rekog.InvalidInputError) as caught:
        run(every()) if world is rekog.aio.watch else list(world(path, client=client))

    assert str(caught.value) == f"{path}: {message}"
    assert client.calls == []
    if DAMAGED not in message:  # of what has to be tried the job's id is in the message, too
        with pytest.raises(rekog.InvalidInputError) as theirs:
            rekog.analyze_video(path, client=client)
        assert str(theirs.value) == str(caught.value)


def test_a_file_without_a_picture_that_can_be_decoded(tmp_path):
    """It can be opened, and is no video that ends at once."""
    whole = PEOPLE.read_bytes()
    begin = whole.index(b"mdat") + 4
    path = tmp_path / "damaged.mp4"
    end = whole.rindex(b"moov") - 4
    path.write_bytes(whole[:begin] + bytes(end - begin) + whole[end:])

    with pytest.raises(rekog.InvalidInputError) as caught:
        list(rekog.watch(path, client=Nobody()))

    assert str(caught.value) == (
        f"{path}: no video can be decoded from it (none of its first pictures (h264) can be decoded: it is damaged, "
        "cut off or encrypted; get a complete copy of it that is not encrypted)"
    )


def test_lines_of_json_are_documents(moments):
    """They are read as those of photos; who is there stands beside the answer."""
    lines = [one.to_json() for one in moments] + [rekog.Moment(seconds=7.0, reason="it is lost").to_json()]
    errors = []

    read = list(read_json_lines(lines, on_error=errors.append))

    assert [one.faces for one in read] == [one.analysis.faces for one in moments]
    assert {(one.source, one.size, one.engine) for one in read} == {(str(PEOPLE), (640, 480), "embedded")}
    assert [one.beside for one in errors] == [{"source": None, "error": "it is lost"}]
    person = moments[0].people[0]
    assert f'"people": [{{"id": 1, "face": 0, "scores": {{"{person.leading}": ' in lines[0]
    assert lines[-1] == (
        '{"format": "rekog-emotion", "version": 1, "kind": "error", "source": null, "error": "it is lost", '
        '"seconds": 7.0, "skipped": 0}'
    )


def test_drawing_and_hiding(moments):
    """On a copy of the frame, which stays as it is."""
    one = moments[0]
    before = one.frame.copy()

    drawn, plain, hidden = one.draw(), one.draw(labels=False), one.blur()

    assert drawn.size == plain.size == hidden.size == (640, 480)
    assert np.array_equal(one.frame, before)
    assert not np.array_equal(np.asarray(drawn), np.asarray(plain))
    left, top, right, bottom = one.people[0].face.bounding_box.to_pixels((640, 480))
    changed = np.abs(np.asarray(hidden).astype(int) - before)[max(top, 0) : bottom, max(left, 0) : right]
    assert changed.mean() > 5


def test_printing_says_who_is_there(moments):
    """And how each looks since when, or why nobody knows."""
    one = moments[1]
    [person] = one.people

    assert str(person) == "1 HAPPY since 0.0 s"
    assert str(one) == "0.5 s: 1 HAPPY since 0.0 s"
    assert str(rekog.Moment(seconds=2.04)) == "2.0 s: nobody"
    assert str(rekog.Moment(seconds=7, reason="camera:0 is lost")) == "7.0 s: camera:0 is lost"


def test_a_moment_without_a_frame_cannot_be_drawn():
    """It says why there is none."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        rekog.Moment(seconds=1.0, reason="camera:0 is lost").draw()

    assert str(caught.value) == "this moment has no frame that can be drawn on: camera:0 is lost"


class Nobody(ScriptedClient):
    """A client that sees nobody."""

    def detect_faces(self, **parameters):
        """Answer DetectFaces."""
        self.calls.append(parameters)
        return {"FaceDetails": []}


def test_stopping_half_way_frees_the_source():
    """Whoever leaves the loop closes it."""
    ended = threading.Event()

    def live():
        try:
            while True:
                yield np.zeros((80, 80, 3), np.uint8)
        finally:
            ended.set()

    frames = live()
    with closing(rekog.watch(frames, client=Nobody())) as moments:
        assert next(moments).people == ()
    frames.close()

    assert ended.is_set()
    assert [one.name for one in threading.enumerate() if one.name == "rekog-emotion-frames"] == []


def test_nothing_is_opened_before_it_is_asked_for(tmp_path):
    """An iterator that nobody asks leaves nothing behind; options are looked at at once."""
    messages = []
    for place in ("no such.mp4", "~/no such.mp4", os.fspath(tmp_path)):
        with pytest.raises(rekog.InvalidInputError) as caught:
            rekog.watch(place, client=Nobody())
        messages.append(str(caught.value))
    rekog.watch(0, client=Nobody())

    or_live = ", or pass a camera's number or an address such as rtsp://host/stream"
    assert messages == [
        f"no such.mp4: there is no such file; check the path, which starts at the current directory{or_live}",
        (
            "~/no such.mp4: there is no such file; check the path, where only shells know ~: Path.expanduser() puts "
            f"the home directory in its place{or_live}"
        ),
        f"{tmp_path}: this is a folder; pass the path of one video",
    ]


@pytest.mark.parametrize(
    ("place", "what"),
    [(PEOPLE, "Embedded video"), (0, "Watching a camera, an address or a file")],
    ids=["file", "camera"],
)
def test_what_is_not_installed(place, what, monkeypatch):
    """It is said when frames are asked for, whichever thread finds out."""
    monkeypatch.setitem(sys.modules, "av", None)
    for room in ("clips", "streams"):
        monkeypatch.delitem(sys.modules, f"rekog_emotion.media.{room}", raising=False)
        monkeypatch.delattr(media, room, raising=False)

    with pytest.raises(rekog.MissingExtraError) as caught:
        list(rekog.watch(place, client=Nobody()))

    assert str(caught.value) == f"{what} needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"


def test_cancel_ends_it():
    """Before the next sample."""
    cancel, client = threading.Event(), Nobody()
    frames = ((k / 2, np.zeros((80, 80, 3), np.uint8)) for k in range(10))

    moments = []
    for one in rekog.watch(frames, client=client, cancel=cancel):
        moments.append(one.seconds)
        if one.seconds >= 1:
            cancel.set()

    assert moments == [0.0, 0.5, 1.0]
    assert len(client.calls) == 3


def recorded(path):
    """Return the times of a video's frames, and the frames."""
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [float(one.pts * one.time_base) for one in frames], [one.to_ndarray(format="rgb24") for one in frames]


def test_recording(moments, tmp_path):
    """Each moment stands until the next one, with the people drawn on it."""
    assert rekog.record(moments, tmp_path / "out.mp4") == 12

    times, frames = recorded(tmp_path / "out.mp4")
    assert times == pytest.approx([k / 2 for k in range(12)])
    assert np.abs(frames[0].astype(int) - np.asarray(moments[0].draw())).mean() < 3
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_what_was_recorded_is_kept_when_it_is_interrupted(moments, tmp_path):
    """Ctrl-C is how one ends what has no end."""

    def interrupted():
        yield from moments[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rekog.record(interrupted(), tmp_path / "out.mkv")

    assert len(recorded(tmp_path / "out.mkv")[0]) == 3


def test_what_is_not_looked_at_is_not_recorded(moments, tmp_path):
    """Of it nobody knows whom to hide; where there is nothing else, there is no file."""
    lost = rekog.Moment(seconds=0.2, reason="it is lost", frame=moments[0].frame)

    assert rekog.record([lost], tmp_path / "none.mp4") == 0
    assert rekog.record([lost, *moments[:2], lost], tmp_path / "out.mp4", show=lambda one: one.blur()) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]
    assert np.abs(recorded(tmp_path / "out.mp4")[1][0].astype(int) - np.asarray(moments[0].blur())).mean() < 3


def test_frames_of_other_sizes_are_fitted_in(tmp_path):
    """Into that of the first, whose odd side gets a row more."""
    pictures = [np.full((size[1], size[0], 3), 200, np.uint8) for size in [(101, 81), (300, 81), (80, 120)]]

    rekog.record(rekog.watch(pictures, client=Nobody()), tmp_path / "out.mov")

    _, frames = recorded(tmp_path / "out.mov")
    assert [one.shape for one in frames] == [(82, 102, 3)] * 3
    assert [int(one[0, 50, 0]) > 150 for one in frames] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.avi", "a video is written as .mp4, .m4v, .mov or .mkv; name it {}"),
        ("no/out.mp4", "there is no directory {}; make it first"),
    ],
)
def test_a_place_that_nothing_can_be_written_to(name, message, tmp_path):
    """It is refused before anything is watched."""
    client, target = Nobody(), tmp_path / name

    with pytest.raises(rekog.InvalidInputError) as caught:
        rekog.record(rekog.watch([np.zeros((80, 80, 3), np.uint8)], client=client), target)

    where = target.with_suffix(".mp4") if "avi" in name else target.parent
    assert str(caught.value) == f"{target}: {message.format(where)}"
    assert client.calls == []


class Scene:
    """A camera by a script that is drawn: it gives pictures of any size, stalls, breaks, and is away for a while.

    Args:
        seed: Of the script.
        cancel: Set by the script, at some time.
    """

    def __init__(self, seed, cancel):
        self.done = threading.Event()
        self.connections = 0
        self._random, self._cancel = random.Random(seed), cancel  # noqa: S311 -- a script is no secret
        self._left = self._random.randrange(3, 12)

    def pictures(self, _, closed, __):
        """Do what `streams.pictures` does."""
        self.connections += 1
        self._left -= 1
        if self._left < 0:
            self._cancel.set()
        what = self._random.choice(["away", "stall", "end", "garbage"]) if self.connections > 1 else "end"
        if what != "away":
            for _ in range(self._random.randrange(1, 5)):
                side = self._random.choice([80, 96, 200, 40])
                yield None, lambda side=side: np.zeros((side if self.connections > 1 else 96, 96, 3), np.uint8)
        while what == "stall" and not closed():
            self.done.wait(0.001)
        raise streams.LostError(what)


BUSY = refusal("ThrottlingException", operation="DetectFaces")


class Moody(ScriptedClient):
    """A client that is slow, busy, broken or right, by a script that is drawn."""

    def __init__(self, seed, clock):
        super().__init__()
        self._random, self.clock = random.Random(seed), clock  # noqa: S311 -- likewise

    def detect_faces(self, **_):
        """Answer DetectFaces."""
        what = self._random.choice(["right"] * 4 + ["slow", "busy", "broken", "lost"])
        if what == "slow":
            self.clock.advance(3.0)
        if what == "busy":
            raise BUSY
        if what == "lost":
            raise LOST
        return {} if what == "broken" else {"FaceDetails": []}


def in_a_thread(client, cancel):
    """Return the moments until they are cancelled."""
    return list(rekog.watch(0, client=client, cancel=cancel, clock=client.clock))


class CancelsTask(threading.Event):
    """An event that cancels a task of another thread."""

    def set(self):
        """Cancel it."""
        super().set()
        self.loop.call_soon_threadsafe(self.task.cancel)


def in_a_task(client, cancel):
    """Return the moments until the task is cancelled."""

    async def watching():
        cancel.loop, cancel.task, moments = asyncio.get_running_loop(), asyncio.current_task(), []
        given = rekog.aio.watch(0, client=client, clock=client.clock)
        try:
            while True:
                moments.append(await anext(given))
        except asyncio.CancelledError:
            cancel.task.uncancel()
        return moments

    return run(watching())


@pytest.mark.parametrize(
    ("world", "clock", "cancel"),
    [(in_a_thread, VirtualClock, threading.Event), (in_a_task, LoopTime, CancelsTask)],
    ids=["thread", "task"],
)
@pytest.mark.parametrize("seed", range(50))
def test_whatever_goes_wrong_it_goes_on_until_it_is_cancelled(seed, world, clock, cancel, monkeypatch):
    """Unplugged, stalled, resized, broken, with a client that is slow or busy: each is told, and nothing is left."""
    clock, cancel = clock(), cancel()
    scene = Scene(seed, cancel)
    monkeypatch.setattr(streams, "pictures", scene.pictures)
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    monkeypatch.setattr(reading, "_OPENING", 5.0)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    moments = world(Moody(seed, clock), cancel)

    assert cancel.is_set()
    assert scene.connections > 3
    assert all(one.reason or one.analysis for one in moments)
    assert sum("is lost" in (one.reason or "") for one in moments) >= scene.connections - 1
    times = [one.seconds for one in moments]
    assert times == sorted(times)
    workers.dismiss()
    for one in threading.enumerate():
        if one.name == "rekog-emotion-call":  # a task that was cancelled does not wait for its call
            one.join(60)
    assert [one.name for one in threading.enumerate() if one.name.startswith("rekog-emotion-")] == []
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_memory_is_flat():
    """What was seen is let go: after an hour, of which minutes are tried by default, as much is held as before."""
    picture = np.zeros((80, 80, 3), np.uint8)
    faces = [face(x, emotions={"HAPPY": 90, "CALM": 8}).to_aws() for x in (0.3, 0.7)]

    class Somebody(Nobody):
        def detect_faces(self, **_):
            return {"FaceDetails": faces}

    seconds = amount(600, whole=3600, few=600)
    frames = ((float(k), picture) for k in range(seconds + 10))
    moments = rekog.watch(frames, client=Somebody(), rate=1, clock=VirtualClock())
    after_five_minutes, at_the_end = (  # as many faces are remembered as ever
        bytes_held(moments) for moment in moments if moment.seconds in {300, seconds}
    )

    assert abs(at_the_end - after_five_minutes) < 8 * (seconds - 300)  # one number of each second would be as much


def test_an_unknown_option_is_an_error_as_pythons_own():
    """A word that is misspelt is no option, and nothing is opened."""
    with pytest.raises(TypeError, match=r"^watch\(\) got an unexpected keyword argument 'max_call'$"):
        rekog.watch(0, max_call=3)
