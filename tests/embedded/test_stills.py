import tracemalloc

import av
import numpy as np
import pytest

from rekog_emotion.embedded.stills import at_each_time, stills
from rekog_emotion.embedded.store import MemoryStore
from rekog_emotion.media import samples as video
from tests.embedded.clips import grid, numbered, write_clip
from tests.embedded.job_desk import a_face, clock, done, make, one_face  # noqa: F401 -- fixtures

SIX_HOURS = 6 * 60 * 60


class Counting:
    """A ``detect`` that counts the pictures it is given."""

    def __init__(self):
        self.calls = 0

    def __call__(self, picture):
        """Find the face that bears the picture's number."""
        self.calls += 1
        return one_face(picture)


@pytest.fixture
def counting():
    """Nothing: each test names its own clip."""


def answer(jobs, job_id):
    """Return time and number of every face of a job, page by page."""
    found, token = [], None
    while True:
        page = jobs.get(job_id, next_token=token)
        assert page["JobStatus"] == "SUCCEEDED"
        found += [(one["Timestamp"], one["Face"]["AgeRange"]["Low"]) for one in page["Faces"]]
        if (token := page.get("NextToken")) is None:
            return found


def test_pictures_that_stand_are_one():
    """Pictures in a row that are equal, be they one or copies, come once with all their times."""
    black, white, tall = np.zeros((40, 30, 3), np.uint8), np.full((40, 30, 3), 255, np.uint8), np.zeros((50, 30, 3))
    off = black.copy()
    off[39, 29, 2] = 1
    pictures = [black, black, black.copy(), white, white, black, off, tall.astype(np.uint8)]

    found = list(stills((500 * k, picture) for k, picture in enumerate(pictures)))

    assert [times for times, _ in found] == [[0, 500, 1000], [1500, 2000], [2500], [3000], [3500]]
    assert [int(picture.max()) for _, picture in found] == [0, 255, 0, 1, 0]
    assert list(stills([])) == []


@pytest.mark.parametrize(("times", "faces"), [(1, 0), (1, 3), (7, 1), (2500, 3), (3, 1500)])
def test_faces_at_each_time(times, faces):
    """Each face comes at each time, in order, and no more than a thousand together but those of one time."""
    found = list(at_each_time(range(times), [{"Confidence": k} for k in range(faces)]))

    assert [(one["Timestamp"], one["Face"]["Confidence"]) for some in found for one in some] == [
        (time, face) for time in range(times) for face in range(faces)
    ]
    assert max(map(len, found)) <= max(1000, faces)


@pytest.mark.parametrize("at_once", [1, 3])
def test_two_pictures_of_six_hours(make, tmp_path, at_once):  # noqa: F811 -- the fixture
    """A picture that stands for hours is looked at once, and told of at every sample."""
    clip = write_clip(tmp_path / "clip.mkv", numbered(2), times=[0, SIX_HOURS - 1], bf="0")
    detect = Counting()
    jobs = make(detect, resolver=lambda _: clip, at_once=at_once)

    found = answer(jobs, done(jobs, face_attributes="ALL"))

    times = [time for time, _ in video.samples(clip)]
    assert (detect.calls, [time for time, _ in found]) == (2, times)
    assert [number for _, number in found] == [0] * (len(found) - 1) + [1]
    assert len(found) > 43_000


def test_slides(make, tmp_path):  # noqa: F811 -- the fixture
    """Of frames without number that show one slide the first is looked at."""
    slides = [picture for picture in numbered(3) for _ in range(30)]
    clip = write_clip(tmp_path / "slides.mp4", slides, rate=10, qp="0")
    detect = Counting()
    jobs = make(detect, resolver=lambda _: clip)

    found = answer(jobs, done(jobs, face_attributes="ALL"))

    assert found == [(time, frame // 30) for time, frame in grid(10, 90)]
    assert detect.calls == 3


def test_other_pictures_are_looked_at_each(make, tmp_path):  # noqa: F811 -- the fixture
    """A clip whose samples differ is looked at as often as it has samples."""
    clip = write_clip(tmp_path / "clip.mp4", numbered(90), rate=30)
    detect = Counting()
    jobs = make(detect, resolver=lambda _: clip)

    found = answer(jobs, done(jobs, face_attributes="ALL"))

    assert (found, detect.calls) == (grid(30, 90), 6)


def test_sound_that_is_longer(make, tmp_path):  # noqa: F811 -- the fixture
    """A still of two seconds under a quarter of an hour of sound has the samples of its pictures."""
    path = tmp_path / "podcast.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("libx264", rate=10, options={"qp": "0"})
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=8000, layout="mono")
        picture = next(iter(numbered(1)))
        for _ in range(20):
            container.mux(cover.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(cover.encode())
        for k in range(900 * 8000 // 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, k * 1024
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    detect = Counting()
    jobs = make(detect, resolver=lambda _: path)

    found = answer(jobs, done(jobs, face_attributes="ALL"))

    assert (found, detect.calls) == ([(0, 0), (500, 0), (1000, 0), (1500, 0)], 1)


def test_crowd_that_stands_takes_little_memory():
    """A hundred faces at every sample of six hours are kept once, with their times."""
    store, crowd = MemoryStore(), [a_face(k) for k in range(100)]
    times = range(0, SIX_HOURS * 100, 500)
    tracemalloc.start()
    try:
        for faces in at_each_time(times, crowd):
            store.add_faces("a", faces)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    expected = [{"Timestamp": 1000, "Face": crowd[50]}, {"Timestamp": 1000, "Face": crowd[51]}]
    assert store.faces("a", 250, 252) == expected
    assert (kept / len(times) / 100 < 30, peak < 2 * kept) == (True, True)
