"""What a prompt and a notebook show of lists: a screen at most, with thumbnails where the file is at hand."""

import copy
import math
import pickle
import shutil

import attrs
import pytest

import rekog_emotion as rekog
from rekog_emotion import AgeRange, Emotion, Face, Gender, ImageAnalysis, TimedFace, VideoAnalysis
from rekog_emotion.results.faces import Faces
from rekog_emotion.results.outcomes import Outcome
from rekog_emotion.results.timeline import Timeline
from tests.pictures import DATA, PORTRAIT
from tests.results.people import at, face, looks, video
from tests.results.test_notebook import ATTACKS, ATTRIBUTES, CAUTION, TAGS, Page

SCREEN = 24, 130  # lines and signs
HAPPY, SAD = {"HAPPY": 90.0, "SAD": 10.0}, {"HAPPY": 10.0, "SAD": 90.0}


def crowd(people, samples, source=None):
    """Give an analysis of so many people."""
    return VideoAnalysis(
        faces=tuple(
            at(k / 2, face((n + 0.5) / people, size=0.5 / people, emotions=HAPPY if k // 6 % 2 else SAD))
            for k in range(samples)
            for n in range(people)
        ),
        source=source,
    )


@pytest.fixture(scope="module")
def clip():
    """Give the clip of the portraits."""
    return rekog.analyze_video(DATA / "people.mp4", client="embedded")


def everything(clip):
    """Yield all that an analysis over time gives."""
    timeline = clip.timeline()
    tracks = clip.tracks()
    yield from (clip, clip.faces, clip.faces[:20], timeline, timeline.people, timeline.segments(), timeline.summary())
    yield from (timeline.summary().people, timeline.more_than_usual(), tracks, *tracks[:1], *timeline.people[:1])
    yield from (*timeline.segments()[:1], *timeline.summary().people[:1], clip.reliable(max_yaw=0).left_out[:0])
    yield Outcome(source="clip.mp4", analysis=clip)


@pytest.mark.parametrize(("people", "samples"), [(0, 0), (1, 1), (1, 3), (6, 20), (30, 80), (300, 3)])
def test_nothing_prints_more_than_a_screen(people, samples):
    """Not a list of thousands, nor what has one in it."""
    for value in everything(crowd(max(people, 1), samples)):
        lines = repr(value).splitlines()

        assert len(lines) <= SCREEN[0]
        assert max(map(len, lines)) <= (SCREEN[1] if len(lines) > 1 else 1300)


@pytest.mark.parametrize(("people", "samples"), [(1, 1), (1, 3), (6, 20), (30, 80), (300, 3)])
def test_notebooks_show_twelve_rows(people, samples):
    """Each piece of HTML is whole, loads nothing, and says what it is not."""
    for value in everything(crowd(people, samples)):
        if hasattr(value, "_repr_html_"):
            html = value._repr_html_()
            page = Page(html)

            assert page.open == []
            assert html.count("<tr>") <= 13
            assert "not what" in " ".join(page.text)
            assert len(html) < 300_000


class TestFaces:
    """The tuple of faces."""

    FACES = (
        TimedFace(timestamp_ms=500, face=Face(emotions=(Emotion(type="HAPPY", confidence=95.44),))),
        TimedFace(timestamp_ms=1000, face=Face(gender=Gender(value="Female"), age_range=AgeRange(low=19, high=43))),
        TimedFace(),
    )

    def test_repr(self):
        """A line a face says when, and how it looks; of many the first twelve."""
        assert repr(VideoAnalysis(faces=self.FACES).faces) == (
            "<3 faces:\n  0.5 s  HAPPY 95.4%\n  1.0 s  Female, 19-43\n  no face>"
        )
        assert repr(ImageAnalysis(faces=(Face(),)).faces) == "<1 face:\n  a face>"
        assert repr(ImageAnalysis().faces) == "<no faces>"
        assert repr(ImageAnalysis(faces=(Face(),) * 100).faces).splitlines()[-1] == "  and 88 more>"
        assert len(repr(ImageAnalysis(faces=(Face(emotions=(Emotion(type="x\n" * 10**6),)),)).faces)) < 200

    def test_it_is_a_tuple(self):
        """It compares, hashes and pickles as one, and parts of it know their source, too."""
        faces = VideoAnalysis(faces=self.FACES, source="clip.mp4").faces

        assert faces == self.FACES
        assert hash(faces) == hash(self.FACES)
        assert isinstance(faces, tuple)
        assert (faces[1], faces[-1], faces[5:]) == (self.FACES[1], self.FACES[2], ())
        for same in (pickle.loads(pickle.dumps(faces)), copy.deepcopy(faces), copy.copy(faces), faces[:]):  # noqa: S301 -- our own
            assert same == faces
            assert (type(same), same.source) == (Faces, "clip.mp4")
        with pytest.raises(TypeError, match="tuple indices must be integers or slices"):
            _ = faces["first"]

    def test_it_goes_with_its_analysis(self):
        """Another source or another size is that of the faces, too; the same ones are not copied."""
        photo = ImageAnalysis(faces=(Face(),), source="a.jpg", size=(80, 90))

        assert attrs.evolve(photo, source="b.jpg").faces.source == "b.jpg"
        assert attrs.evolve(photo, engine="aws").faces is photo.faces
        assert (photo.faces.size, photo.reliable().faces.source) == ((80, 90), "a.jpg")

    def test_thumbnails_of_a_video(self, clip):
        """Each of the first faces is beside its numbers; elsewhere there are the numbers alone."""
        page = Page(clip.faces._repr_html_())

        pictures = [content for name, content in page.attributes if name == "src"]
        assert len(pictures) == len(clip.faces) == 9
        assert len(set(pictures)) > 6  # a still picture is the same for a while
        assert all(one.startswith("data:image/jpeg;base64,") for one in pictures)
        assert "img" in Page(clip._repr_html_()).tags
        assert "img" in Page(clip.tracks()[0]._repr_html_()).tags
        for far in (attrs.evolve(clip, source="s3://bucket/people.mp4"), attrs.evolve(clip, source=None)):
            assert "img" not in Page(far.faces._repr_html_()).tags
            assert "HAPPY" in far.faces._repr_html_()

    def test_a_face_without_a_place_has_none(self, clip):
        """The others have theirs, in a video and in a photo."""
        photo = rekog.detect_image(PORTRAIT, client="embedded")
        for side in (None, math.nan, math.inf, 10**400):
            odd = attrs.evolve(photo.faces[0], bounding_box=attrs.evolve(photo.faces[0].bounding_box, left=side))
            faces = (TimedFace(timestamp_ms=0, face=odd), *clip.faces[:2])

            assert attrs.evolve(photo, faces=(odd, photo.faces[0])).faces._repr_html_().count("<img") == 1
            assert attrs.evolve(clip, faces=faces).faces._repr_html_().count("<img") == 2

    def test_late_faces_have_none(self, clip):
        """Nobody waits until an hour of video is decoded."""
        late = attrs.evolve(clip, faces=(attrs.evolve(clip.faces[0], timestamp_ms=60_001),))

        assert "img" not in Page(late.faces._repr_html_()).tags

    def test_thumbnails_of_a_photo(self, tmp_path):
        """A file that is another one by now, or none any longer, costs the thumbnails and nothing else."""
        path = shutil.copy(PORTRAIT, tmp_path / "photo.jpg")
        photo = rekog.detect_image(path, client="embedded")
        shown = photo.faces._repr_html_()
        path.write_bytes(b"no picture")
        other = photo.faces._repr_html_()
        path.unlink()

        assert "<img" in shown
        assert "<img" not in other
        assert photo.faces._repr_html_() == other


def test_lines_of_segments_and_people():
    """They say who, when and how; a person says how many samples there are."""
    timeline = video(*looks(HAPPY, HAPPY, SAD, SAD, SAD)).timeline(smooth=0)

    assert repr(timeline.segments()) == (
        "<2 segments:\n  person 1, 0:00 - 0:01: HAPPY 90\n  person 1, 0:01 - 0:02.5: SAD 90>"
    )
    assert repr(timeline.people) == "<1 person:\n  <person 1: 5 samples from 0.0 to 2.5 s, SAD 58>>"
    assert repr(timeline).startswith(
        "Timeline(people=<1 person: SAD 58>, kinds=(HAPPY, SAD), floors={}, interval_seconds=0.5"
    )
    assert repr(timeline.summary()) == "Summary(people=<1 person: SAD 58>, faces=5, duration_seconds=2.5)"
    assert "peaks=<2 peaks>" in repr(timeline.summary().people[0])
    assert repr(video().timeline().people) == "<no people>"
    assert repr(video(*looks(HAPPY)).tracks()) == "<1 person:\n  Track(id=1, faces=<1 face: HAPPY 90.0%>)>"
    assert isinstance(timeline, Timeline)


def test_whatever_is_printed_says_how_faces_look():
    """Of many the first; where emotions were not asked for, nothing is said of them."""
    clip = video(*looks(HAPPY, SAD, HAPPY, SAD))
    photo = rekog.ImageAnalysis(faces=tuple(one.face for one in clip.faces[:2]), size=(40, 40))
    nothing = rekog.ImageAnalysis(faces=(rekog.Face(confidence=9.0),) * 4)
    whole = photo.reliable(min_size=None, min_sharpness=None)
    small = photo.reliable(min_size=10_000)
    of_two = "faces=<2 faces: HAPPY 90.0%, SAD 90.0%>"

    assert f"ImageAnalysis({of_two}, size=(40, 40)" in repr(rekog.ImageOutcome(source="a.jpg", analysis=whole))
    assert repr(clip).startswith("VideoAnalysis(faces=<4 faces: HAPPY 90.0%, SAD 90.0%, HAPPY 90.0%, ...>, status=")
    assert repr(nothing).startswith("ImageAnalysis(faces=<4 faces>, ")
    assert repr(small.left_out[0]) == (
        f"LeftOut(face=<HAPPY 90.0%>, position=0, reasons=({small.left_out[0].reason!r},))"
    )
    for frame, word in ((photo.to_pandas(), "SAD"), (clip.timeline().summary().to_pandas(), "HAPPY")):
        assert word in str(frame)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_text(attack):
    """Words of a service are text in tables of segments and people, in outcomes and in their errors."""
    clip = video(*looks(*[{attack: 90.0}] * 4))
    timeline = clip.timeline()
    for value in (
        clip.faces,
        timeline.segments(),
        timeline.summary(),
        Outcome(source=attack, error=rekog.InvalidInputError(attack)),
    ):
        page = Page(value._repr_html_())

        assert page.tags <= TAGS
        assert {name for name, _ in page.attributes} <= ATTRIBUTES
        assert attack[:20] in "".join(page.text)
        assert page.open == []


class TestOutcomes:
    """One of many."""

    def test_html(self):
        """What the analysis shows, or the error; no analysis yet is told, too."""
        photo = rekog.detect_image(PORTRAIT, client="embedded")

        assert Outcome(source=PORTRAIT, analysis=photo)._repr_html_() == photo._repr_html_()
        text = " ".join(Page(Outcome(source="a.jpg", error=OSError("gone"))._repr_html_()).text)
        assert text == f"'a.jpg'  OSError: gone {CAUTION}"
        assert "no analysis" in Outcome(source=None)._repr_html_()

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("a.jpg", "'a.jpg'"),
            (None, "None"),
            (b"\xff\xd8" * 1000, "<bytes>"),
            (object(), "<object>"),
            ("x" * 1000, f"'{'x' * 199}..."),
            (rekog.S3Object(bucket="b", name="n"), repr(rekog.S3Object(bucket="b", name="n"))),
        ],
    )
    def test_no_picture_is_printed(self, source, expected):
        """Bytes that were analysed do not fill the screen."""
        assert repr(Outcome(source=source)) == f"Outcome(source={expected}, analysis=None, error=None)"
