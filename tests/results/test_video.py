"""Copies of videos; clips are made in the test run."""

import sys
from fractions import Fraction

import attrs
import av
import numpy as np
import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Emotion, Face, Landmark, Landmarks, TimedFace, VideoAnalysis, VideoMetadata
from rekog_emotion.people.motion import Motion
from rekog_emotion.results.frames import frames
from rekog_emotion.results.video import _step, annotate_video, blur_video, frames_at
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.palette import COLORS
from tests.embedded.clips import counting, number_of, numbered, shown_by, write_clip

__all__ = ["counting"]  # a fixture

SIZE = (128, 96)


def face(left, *, top=0.3, width=0.2, kind="HAPPY"):
    """Give a face of one emotion at a place."""
    box = BoundingBox(left=left, top=top, width=width, height=width)
    return Face(bounding_box=box, emotions=(Emotion(type=kind, confidence=90.0),), landmarks=Landmarks.of([]))


def clip(*timed):
    """Give an analysis of (milliseconds, face)."""
    return VideoAnalysis(faces=tuple(TimedFace(timestamp_ms=at, face=one) for at, one in timed))


def lefts(motion, at):
    """Return the left sides of the boxes at a moment."""
    return [round(one.bounding_box.left, 6) for one in motion.at(at)]


class TestMotion:
    def test_box_moves(self):
        """Between two samples of one face its box is in between; the rest is that of the nearer sample."""
        motion = Motion(clip((0, face(0.1)), (500, face(0.2, kind="SAD"))).faces)

        assert [lefts(motion, at) for at in (0, 250, 499.9, 500)] == [[0.1], [0.15], [0.19998], [0.2]]
        assert [motion.at(at)[0].dominant_emotion.type for at in (0, 200, 300)] == ["HAPPY", "HAPPY", "SAD"]

    def test_landmarks_move_with_the_box(self):
        """A landmark keeps its place in the box, of the nearer sample."""
        nose = Landmarks.of([Landmark(type="nose", x=0.15, y=0.4), Landmark(type="mouthUp", x=None, y=0.5)])
        first = attrs.evolve(face(0.1), landmarks=nose)
        (moved,) = Motion(clip((0, first), (500, face(0.2, top=0.4))).faces).at(200)

        assert moved.landmarks.x == (pytest.approx(0.19), None)
        assert moved.landmarks.y == pytest.approx((0.44, 0.54))

    @pytest.mark.parametrize("other", [face(0.8), face(0.1, width=0.6)])
    def test_others_stay(self, other):
        """A face that is too far away, or of another size, is another one: each stays for half a step."""
        motion = Motion(clip((0, face(0.1)), (500, other)).faces)

        there = other.bounding_box.left
        assert [lefts(motion, at) for at in (0, 249, 251, 500)] == [[0.1], [0.1], [there], [there]]

    def test_gap(self):
        """Over a sample without faces no box moves: it stays as long as a sample counts, half a second."""
        motion = Motion(clip((0, face(0.1)), (1000, face(0.2))).faces)

        times = (200, 490, 500, 700, 800, 1490, 1500)
        assert [lefts(motion, at) for at in times] == [[0.1], [0.1], [], [], [0.2], [0.2], []]

    def test_who_leaves_while_another_stays(self):
        """A person is on screen until the next look, whoever else is found then; a newcomer takes over half-way."""
        leaving = Motion(clip((0, face(0.1)), (0, face(0.6)), (500, face(0.6))).faces)
        replaced = Motion(clip((0, face(0.1)), (0, face(0.6)), (500, face(0.6)), (500, face(0.3, width=0.05))).faces)

        assert [lefts(leaving, at) for at in (300, 490, 500)] == [[0.1, 0.6], [0.1, 0.6], [0.6]]
        assert [lefts(replaced, at) for at in (240, 300)] == [[0.1, 0.6], [0.6, 0.3]]

    def test_two_that_cross_keep_their_nearest(self):
        """Each face of a sample goes to one of the next, the nearest pairs first."""
        motion = Motion(clip((0, face(0.1)), (0, face(0.4)), (500, face(0.45)), (500, face(0.15))).faces)

        assert sorted(lefts(motion, 250)) == [0.125, 0.425]

    def test_what_has_no_place_or_time(self):
        """Such faces are passed over; without any nothing is found."""
        motion = Motion((TimedFace(timestamp_ms=0, face=Face()), TimedFace(face=face(0.1)), TimedFace(timestamp_ms=0)))

        assert (motion.at(0), motion.around(0)) == ([], [])

    def test_privacy_hides_more(self):
        """The frame around both boxes is hidden, and for a whole step what is not followed."""
        moving = Motion(clip((0, face(0.1)), (500, face(0.2))).faces)
        alone = Motion(clip((1000, face(0.1))).faces)

        assert moving.around(250) == [pytest.approx((0.1, 0.3, 0.3, 0.2))]
        assert [len(alone.around(at)) for at in (400, 500, 1000, 1500, 1600)] == [0, 1, 1, 1, 0]

    def test_picture_that_stays(self):
        """One that was looked at while it was shown has the faces of that moment, for as long as it is shown."""
        motion = Motion(clip((5250, face(0.1)), (10500, face(0.7))).faces, step=5250)

        assert [one.bounding_box.left for one in motion.at(0, 7000) + motion.at(7000, 14000)] == [0.1, 0.7]
        assert (motion.at(14000, 21000), motion.at(5240, 5245)) == ([], motion.at(5240))
        assert [motion.around(0, 7000), motion.around(7000, 14000)] == [[(0.1, 0.3, 0.2, 0.2)], [(0.7, 0.3, 0.2, 0.2)]]

    def test_rare_samples(self):
        """What is found on one picture of a time-lapse is hidden on those between it and the samples beside it."""
        motion = Motion(clip((5000, face(0.1))).faces, step=5000)

        assert [len(motion.around(at, at + 40)) for at in (0, 2000, 5000, 9900, 11000)] == [1, 1, 1, 1, 0]

    def test_leap(self):
        """A face that is elsewhere at the next sample may have crossed all that is between."""
        motion = Motion(clip((0, face(0.0)), (500, face(0.8))).faces)

        assert (0.0, 0.3, 1.0, 0.2) in [pytest.approx(box) for box in motion.around(240, 280)]
        assert [round(one.bounding_box.left, 6) for one in motion.at(100)] == [0.0]

    def test_way_on(self):
        """Behind its last sample a face goes on as it came, before its first one as it went; its box grows."""
        motion = Motion(clip((1000, face(0.3)), (1500, face(0.4))).faces)

        ((left, top, width, height),) = motion.around(1750, 1790)
        assert (left, top, width, height) == pytest.approx((0.35, 0.25, 0.35, 0.3))
        ((left, _, width, _),) = motion.around(710, 750)
        assert (left, left + width) == pytest.approx((0.2, 0.55))


@pytest.fixture(scope="module")
def with_sound(tmp_path_factory):
    """Give two seconds of grey at 25 frames a second with a tone, in an MP4."""
    path = tmp_path_factory.mktemp("sound") / "clip.mp4"
    grey = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=25), out.add_stream("aac", rate=48000, layout="mono")
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for k in range(50):
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts, picture.time_base = k, Fraction(1, 25)
            out.mux(video.encode(picture))
        for k in range(94):
            tone = np.sin(np.arange(k * 1024, (k + 1) * 1024) * 0.06).astype(np.float32)[None] * 0.3
            part = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            part.sample_rate, part.pts = 48000, k * 1024
            out.mux(sound.encode(part))
        out.mux(video.encode())
        out.mux(sound.encode())
    return path


def sound_of(path):
    """Return the encoded sound of a file, packet by packet."""
    with av.open(str(path)) as container:
        return [(packet.pts, bytes(packet)) for packet in container.demux(audio=0) if packet.dts is not None]


def times_of(path):
    """Return the milliseconds of all frames."""
    with av.open(str(path)) as container:
        return [round(float(frame.pts * frame.time_base) * 1000) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("times", "told", "rate", "expected"),
    [
        ([0, 500], 30.0, 30, 500),
        ([0, 60_000], 30.0, 30, 1000),
        ([0, 5000], None, 10, 5000),
        ([0, 5000], 0.2, 1, 5000),
        ([], None, Fraction(5, 2), 800),
        ([700], 0.0, Fraction(1, 7), 7000),
    ],
)
def test_step(times, told, rate, expected):
    """Samples are as far apart as the rate says, or, of whoever does not tell it, as they are found."""
    found = attrs.evolve(clip(*((at, face(0.1)) for at in times)), metadata=VideoMetadata(frame_rate=told))

    assert _step(found, Fraction(rate)) == pytest.approx(expected)


class TestCopies:
    def test_annotated(self, with_sound, tmp_path):
        """The copy plays, with all frames at their times and the sound byte for byte; the box is where the face is."""
        target, told = tmp_path / "copy.mp4", []
        found = clip((0, face(0.1, width=0.4)), (500, face(0.3, width=0.4)))

        annotate_video(found, with_sound, target, labels=False, on_progress=told.append)

        assert (sound_of(target), times_of(target)) == (sound_of(with_sound), times_of(with_sound))
        assert (told[-1], told == sorted(told), list(tmp_path.iterdir())) == (1.0, True, [target])
        for (_, frame), left in zip(frames_at(target, [0, 240, 1500]), (0.1, 0.196, None), strict=True):
            yellow = np.abs(np.asarray(frame).astype(int) - COLORS["HAPPY"]).sum(axis=-1) < 150
            columns = np.nonzero(yellow.any(axis=0))[0]
            if left is None:
                assert columns.size == 0
            else:
                assert columns.min() == pytest.approx(left * SIZE[0], abs=2)

    def test_blurred(self, tmp_path):
        """The face is gone and what is around it stays, about as well as an encoder keeps noise."""
        picture = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
        source = write_clip(tmp_path / "clip.mp4", [picture] * 30, crf="10")

        blur_video(clip((0, face(0.4)), (500, face(0.4))), source, tmp_path / "copy.mp4", method="fill")

        ((_, frame),) = frames_at(tmp_path / "copy.mp4", [300])
        gray = np.asarray(frame.convert("L")).astype(float)
        assert gray[35:45, 56:72].std() < 5
        assert gray[:, :40].std() > 20

    def test_variable_rate(self, tmp_path):
        """Frames keep their times where these vary."""
        times = [0.0, 0.1, 0.15, 0.6, 0.65, 1.4]
        source = write_clip(tmp_path / "clip.mp4", numbered(6, SIZE), times=times)

        annotate_video(clip(), source, tmp_path / "copy.mkv")

        assert times_of(tmp_path / "copy.mkv") == [round(at * 1000) for at in times]
        assert [number_of(np.asarray(one)) for _, one in frames_at(tmp_path / "copy.mkv", [0, 120, 160, 700])] == [
            0,
            1,
            2,
            4,
        ]

    def test_rotation(self, tmp_path):
        """A clip that players turn is drawn on as they show it."""
        source = write_clip(tmp_path / "lying.mp4", numbered(20, (96, 64)))
        turned = shown_by((0, 1, -1, 0), source, tmp_path / "turned.mp4")

        annotate_video(clip((0, face(0.1))), turned, tmp_path / "copy.mp4")

        ((_, before),), ((_, after),) = frames_at(turned, [600]), frames_at(tmp_path / "copy.mp4", [600])
        assert before.size == after.size == (64, 96)
        assert np.abs(np.asarray(before).astype(int) - np.asarray(after)).mean() < 10

    def test_odd_sides(self, tmp_path):
        """A picture of odd sides gets a row and a column more, which the codec needs."""
        source = write_clip(tmp_path / "odd.avi", [np.full((49, 65, 3), 200, np.uint8)] * 5, codec="mpeg4")

        annotate_video(clip(), source, tmp_path / "copy.mp4")

        ((_, frame),) = frames_at(tmp_path / "copy.mp4", [0])
        assert frame.size == (66, 50)

    @pytest.mark.parametrize(("codec", "source", "target"), [("libopus", "mkv", "mov"), ("pcm_s16le", "avi", "mp4")])
    def test_sound_that_does_not_fit(self, tmp_path, codec, source, target):
        """The error names a container that holds the sound, and there the copy has it, byte for byte."""
        source = tmp_path / f"clip.{source}"
        with av.open(str(source), "w") as out:
            video, sound = out.add_stream("mpeg4", rate=25), out.add_stream(codec, rate=48000, layout="stereo")
            video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
            for k in range(25):
                picture = av.VideoFrame.from_ndarray(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), format="rgb24")
                picture.pts, picture.time_base = k, Fraction(1, 25)
                out.mux(video.encode(picture))
                part = av.AudioFrame.from_ndarray(np.full((1, 3840), k, np.int16), format="s16", layout="stereo")
                part.sample_rate, part.pts, part.time_base = 48000, k * 1920, Fraction(1, 48000)
                out.mux(sound.encode(part))
            out.mux(video.encode())
            out.mux(sound.encode())

        with pytest.raises(rekog.InvalidInputError) as caught:
            annotate_video(clip(), source, tmp_path / f"copy.{target}")
        annotate_video(clip(), source, tmp_path / "copy.mkv")

        name = codec.removeprefix("lib")
        assert str(caught.value) == (
            f"{tmp_path}/copy.{target}: this container cannot hold the sound of {source} ({name}); "
            "name the copy copy.mkv"
        )
        assert [data for _, data in sound_of(tmp_path / "copy.mkv")] == [data for _, data in sound_of(source)]
        assert sorted(path.name for path in tmp_path.iterdir()) == [source.name, "copy.mkv"]

    def test_suffix(self, with_sound, tmp_path):
        """A copy of another kind is refused before anything is read."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            annotate_video(clip(), with_sound, tmp_path / "copy.gif")
        assert str(caught.value) == (
            f"{tmp_path}/copy.gif: a video is written as .mp4, .m4v, .mov or .mkv; name it {tmp_path}/copy.mp4"
        )

    def test_not_onto_itself(self, with_sound):
        """A copy never takes the place of its source."""
        before = with_sound.read_bytes()
        with pytest.raises(rekog.InvalidInputError, match=r" is the video itself; name another place for the copy$"):
            blur_video(clip(), with_sound, with_sound)
        assert with_sound.read_bytes() == before

    def test_no_video(self, tmp_path):
        """What is no video is refused, and no copy is left."""
        text = tmp_path / "text.mp4"
        text.write_text("no clip" * 100)
        with pytest.raises(rekog.InvalidInputError, match=r"text\.mp4: the content is text, not a video;"):
            annotate_video(clip(), text, tmp_path / "copy.mp4")
        assert list(tmp_path.iterdir()) == [text]

    def test_missing_file(self, tmp_path):
        """A file that is not there is named by whatever would read it, and what to do is said."""
        gone = tmp_path / "gone.mp4"
        for verb in (
            lambda: annotate_video(clip(), gone, tmp_path / "copy.mp4"),
            lambda: blur_video(clip(), gone, tmp_path / "copy.mp4"),
            lambda: clip().annotate(tmp_path / "copy.mp4", video=gone),
            lambda: clip().blur(tmp_path / "copy.mp4", video=gone),
            lambda: clip().frames_at([0], video=gone),
            lambda: clip((0, face(0.1))).plot(video=gone),
            lambda: clip((0, face(0.1))).report(tmp_path / "report.html", video=gone),
            lambda: list(frames_at(gone, [0])),
            lambda: list(frames(gone, [0])),
        ):
            with pytest.raises(rekog.InvalidInputError) as caught:
                verb()
            expected = f"{gone}: there is no such file; check the path, which starts at the current directory"
            assert str(caught.value) == expected
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("sound", [True, False])
    def test_target_that_cannot_be_written(self, with_sound, counting, tmp_path, sound):
        """The error names the target and blames neither the container nor a sound."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            annotate_video(clip(), with_sound if sound else counting, tmp_path / "gone" / "copy.mp4")
        assert str(caught.value) == f"{tmp_path}/gone/copy.mp4: there is no directory {tmp_path}/gone; make it first"

    def test_no_such_method(self, with_sound, tmp_path):
        """A method that is not there is refused."""
        with pytest.raises(rekog.InvalidInputError, match=r"^there is no method 'smear'"):
            blur_video(clip(), with_sound, tmp_path / "copy.mp4", method="smear")

    def test_missing_extra(self, monkeypatch):
        """Without PyAV the error says what to install."""
        for name in ("rekog_emotion.media.clips", "rekog_emotion.results.video"):
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "av", None)
        with pytest.raises(rekog.MissingExtraError, match=r"pip install 'rekog-emotion\[embedded\]'$"):
            __import__("rekog_emotion.results.video")


class TestFrames:
    def test_frames_on_display(self, counting):
        """Each time gives the frame that a player shows then, twice if asked so, and none beyond the end."""
        found = list(frames_at(counting, [0, 33.4, 40, 40, 1000, 2999, 9000]))

        assert [at for at, _ in found] == [0, 33.4, 40, 40, 1000, 2999]
        assert [number_of(np.asarray(one)) for _, one in found] == [0, 1, 1, 1, 30, 89]
        assert all(isinstance(one, Image.Image) for _, one in found)

    def test_order(self, counting):
        """Times have to ascend."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            list(frames_at(counting, [500, 0]))
        assert str(caught.value) == "times have to ascend, and 0 comes after 500: sort them"

    @pytest.mark.parametrize("time", [float("nan"), float("inf"), 10**400])
    def test_no_time(self, counting, time):
        """A number that is no time is refused."""
        with pytest.raises(rekog.InvalidInputError) as caught:
            list(frames_at(counting, [0, time]))
        assert str(caught.value) == f"a time is {as_float(time)}, and has to be a number of milliseconds"

    def test_no_picture_can_be_decoded(self, counting, tmp_path):
        """A video of which nothing can be shown is told, not passed over."""
        data = bytearray(counting.read_bytes())
        begin = data.index(b"mdat") + 4
        size = int.from_bytes(data[begin - 8 : begin - 4], "big") - 8
        data[begin : begin + size] = bytes(size)
        path = tmp_path / "damaged.mp4"
        path.write_bytes(data)

        with pytest.raises(rekog.InvalidInputError) as caught:
            list(frames_at(path, [0]))
        said = "no video can be decoded from it (none of its first pictures (h264) can be decoded: it is damaged"
        assert str(caught.value).startswith(f"{path}: {said}")

    def test_none(self, tmp_path):
        """No times, no look at the file."""
        assert list(frames_at(tmp_path / "gone.mp4", [])) == []
