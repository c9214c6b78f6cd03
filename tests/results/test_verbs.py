"""What an analysis of a video does by its own methods, as one of a photo does."""

import os

import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Emotion, Face, TimedFace, VideoAnalysis
from rekog_emotion.results.crops import contact_sheet
from rekog_emotion.results.video import annotate_video, blur_video, frames_at
from tests.embedded.clips import numbered, write_clip
from tests.pictures import PORTRAIT

SIZE = (128, 96)
FACE = Face(
    bounding_box=BoundingBox(left=0.2, top=0.2, width=0.4, height=0.5),
    emotions=(Emotion(type="HAPPY", confidence=90.0),),
)


@pytest.fixture
def path(tmp_path):
    """Give a short video."""
    return write_clip(tmp_path / "clip.mp4", numbered(15, SIZE))


def analysis(source=None, **members):
    """Give an analysis of one face."""
    return VideoAnalysis(faces=(TimedFace(timestamp_ms=0, face=FACE),), source=source and os.fspath(source), **members)


def picture(path):
    """Return a frame of a video."""
    ((_, frame),) = frames_at(path, [100])
    return np.asarray(frame)


@pytest.mark.parametrize(("verb", "function"), [("annotate", annotate_video), ("blur", blur_video)])
@pytest.mark.parametrize("given", [True, False])
def test_copy_is_that_of_the_function(verb, function, given, path, tmp_path):
    """The video that was analysed is copied, or the one that is given."""
    told = []
    clip = analysis() if given else analysis(path)

    getattr(clip, verb)(tmp_path / "copy.mp4", video=path if given else None, on_progress=told.append)

    function(clip, path, tmp_path / "same.mp4")
    assert np.array_equal(picture(tmp_path / "copy.mp4"), picture(tmp_path / "same.mp4"))
    assert not np.array_equal(picture(tmp_path / "copy.mp4"), picture(path))
    assert told[-1] == 1


def test_options_of_copies(path, tmp_path):
    """They are those of the functions."""
    analysis(path).annotate(tmp_path / "bare.mp4", landmarks=True, pose=False, labels=False)
    annotate_video(analysis(), path, tmp_path / "same.mp4", landmarks=True, pose=False, labels=False)
    assert np.array_equal(picture(tmp_path / "bare.mp4"), picture(tmp_path / "same.mp4"))

    with pytest.raises(rekog.InvalidInputError, match="there is no method 'smear': use one of blur, pixelate, fill"):
        analysis(path).blur(tmp_path / "copy.mp4", method="smear")


def test_frames(path):
    """Frames are those of the video at the times that are asked for."""
    frames = dict(analysis(path).frames_at([0, 400]))

    assert list(frames) == [0, 400]
    assert {frame.size for frame in frames.values()} == {SIZE}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "the analysis does not know its video: pass it, {}"),
        ("s3://bucket/clip.mp4", "the video was s3://bucket/clip.mp4, not a file of this machine: pass it, {}"),
        ("<bytes>", "the video was <bytes>, not a file of this machine: pass it, {}"),
        ("gone.mp4", "gone.mp4: the video that was analysed is no longer there: pass it, {}"),
        ("no\0name.mp4", "no\\x00name.mp4: the video that was analysed is no longer there: pass it, {}"),
    ],
)
def test_video_that_is_not_at_hand(source, message, tmp_path):
    """Each verb says how to pass it, and writes nothing."""
    clip, target = analysis(source), tmp_path / "copy.mp4"

    for how, verb in (
        ("clip.annotate(target, video=path)", lambda: clip.annotate(target)),
        ("clip.blur(target, video=path)", lambda: clip.blur(target)),
        ("clip.frames_at(milliseconds, video=path)", lambda: clip.frames_at([0])),
    ):
        with pytest.raises(rekog.InvalidInputError) as caught:
            verb()
        assert str(caught.value) == message.format(how)
    assert not target.exists()


class TestReport:
    """The page by the method."""

    def test_page(self, path, tmp_path):
        """It is called like the video, and shows a face, unless that is not wanted or the file is not at hand."""
        pages = {}
        for name, clip, options in (
            ("at hand", analysis(path), {}),
            ("given", analysis("s3://bucket/a/other.mp4"), {"video": path}),
            ("bare", analysis(path), {"pictures": False, "title": "<Ours>"}),
            ("far", analysis(job_id="job-1"), {}),
        ):
            clip.report(tmp_path / "report.html", **options)
            pages[name] = (tmp_path / "report.html").read_text(encoding="utf-8")

        assert {name: "data:image/jpeg" in page for name, page in pages.items()} == {
            "at hand": True,
            "given": True,
            "bare": False,
            "far": False,
        }
        titles = [page.partition("<title>")[2].partition("</title>")[0] for page in pages.values()]
        assert titles == ["clip.mp4", "other.mp4", "&lt;Ours&gt;", "job-1"]

    def test_place_is_looked_at_first(self, path, tmp_path):
        """The video is not overwritten, and a folder that is missing is told."""
        before = path.read_bytes()
        missing = tmp_path / "no" / "report.html"
        messages = []
        for target in (path, missing):
            with pytest.raises(rekog.InvalidInputError) as caught:
                analysis(path).report(target)
            messages.append(str(caught.value))

        assert messages == [
            f"{path} is the video itself; name another place for the page",
            f"{missing}: there is no directory {missing.parent}; make it first",
        ]
        assert path.read_bytes() == before


class Outcome:
    """What `detect_images` gives."""

    def __init__(self, analysis=None, error=None):
        self.analysis, self.error = analysis, error


def test_contact_sheet_takes_whatever_holds_analyses():
    """One analysis, several, an iterable of them or of outcomes, pairs with pictures: each face has its cell."""
    photo = rekog.detect_image(PORTRAIT, client="embedded")
    far = rekog.detect_image(PORTRAIT.read_bytes(), client="embedded")

    def cells(*photos):
        return (contact_sheet(*photos, side=32, columns=20).width - 8) // 40

    assert [
        cells(photo),
        cells(photo, photo),
        cells([photo, photo, photo]),
        cells(iter([photo]), (photo, None)),
        cells((photo, photo)),
        cells((far, PORTRAIT), [(far, PORTRAIT.read_bytes()), photo]),
        cells([Outcome(photo), Outcome(error=ValueError("no picture")), Outcome(photo)]),
    ] == [1, 2, 3, 2, 2, 3, 2]
    with pytest.raises(rekog.InvalidInputError) as caught:
        contact_sheet("photos/")
    assert str(caught.value) == "a contact sheet is made of analyses of photos, and this is of type str"
    with pytest.raises(rekog.InvalidInputError) as caught:
        contact_sheet(analysis())
    assert str(caught.value) == "a contact sheet is made of analyses of photos, and this is of type VideoAnalysis"


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FAILED"])
@pytest.mark.parametrize("verb", ["annotate", "blur", "report"])
def test_no_copy_of_a_job_that_has_no_faces_yet(verb, status, path, tmp_path):
    """It would show every face as it is, though nobody was found: nobody was looked for."""
    clip = VideoAnalysis(status=status, source=os.fspath(path))

    with pytest.raises(rekog.InvalidInputError) as caught:
        getattr(clip, verb)(tmp_path / "copy.mp4")

    assert str(caught.value) == (
        f"this answer is of a job that is {status}, which is not 'no faces'; keep one that has SUCCEEDED"
    )
    assert not (tmp_path / "copy.mp4").exists()
