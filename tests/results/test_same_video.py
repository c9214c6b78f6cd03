"""Whatever takes pictures from a video refuses one that is certainly not the one that was analysed."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Emotion, Face, TimedFace, VideoAnalysis, VideoMetadata
from rekog_emotion.media.samples import probe
from tests.embedded.clips import numbered, shown_by, write_clip
from tests.results.test_copies import Clip

FACE = Face(
    bounding_box=BoundingBox(left=0.2, top=0.2, width=0.4, height=0.5),
    emotions=(Emotion(type="HAPPY", confidence=90.0),),
)


def analysis_of(size: tuple[int, int] | None = None, *, millis: int | None = None) -> VideoAnalysis:
    """Give an analysis of one face in a video of a size and a length."""
    width, height = size or (None, None)
    metadata = VideoMetadata(frame_width=width, frame_height=height, duration_millis=millis)
    return VideoAnalysis(faces=(TimedFace(timestamp_ms=0, face=FACE),), metadata=metadata)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give six seconds of 160 x 120 pixels."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", numbered(60, (160, 120)), rate=10)


VERBS = {
    "annotate": lambda clip, target, video: clip.annotate(target, video=video),
    "blur": lambda clip, target, video: clip.blur(target, video=video),
    "frames_at": lambda clip, _, video: clip.frames_at([0], video=video),
    "plot": lambda clip, _, video: clip.plot(video=video),
    "report": lambda clip, target, video: clip.report(target.with_suffix(".html"), video=video),
}
OTHERS = {
    "shape": (analysis_of((128, 128)), "160 x 120 pixels", "128 x 128 pixels"),
    "turned": (analysis_of((120, 160)), "160 x 120 pixels", "120 x 160 pixels"),
    "length": (analysis_of(millis=4000), "6.0 s", "4.0 s"),
    "longer": (analysis_of(millis=60_000), "6.0 s", "60.0 s"),
    "both": (analysis_of((128, 128), millis=100), "160 x 120 pixels and 6.0 s", "128 x 128 pixels and 0.1 s"),
    "shape of one length": (
        analysis_of((128, 128), millis=6000),
        "160 x 120 pixels and 6.0 s",
        "128 x 128 pixels and 6.0 s",
    ),
    "length of one shape": (
        analysis_of((640, 480), millis=8000),
        "160 x 120 pixels and 6.0 s",
        "640 x 480 pixels and 8.0 s",
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("other", OTHERS)
def test_another_video(verb: str, other: str, path: Path, tmp_path: Path) -> None:
    """Of another shape or length, it is refused by each verb, and nothing is written."""
    clip, here, there = OTHERS[other]

    with pytest.raises(rekog.InvalidInputError) as caught:
        VERBS[verb](clip, tmp_path / "copy.mp4", path)

    assert str(caught.value) == (
        f"{path} is not the video that was analysed: it has {here}, and the analysed one had {there}; pass that one, "
        "or a copy of its shape and length"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_length_beyond_all_numbers(path: Path, tmp_path: Path) -> None:
    """Whatever an answer says is compared."""
    with pytest.raises(rekog.InvalidInputError, match=r"it has 6.0 s, and the analysed one had inf s; pass that one"):
        analysis_of(millis=10**400).blur(tmp_path / "copy.mp4", video=path)


@pytest.mark.parametrize(
    "clip",
    [
        VideoAnalysis(faces=()),
        analysis_of(),
        analysis_of((0, 0), millis=0),
        analysis_of((160, 120), millis=6000),
        analysis_of((640, 480), millis=6900),
        analysis_of((1280, 966), millis=5100),
    ],
    ids=["no metadata", "nothing told", "zeros", "same", "larger", "shorter by less than a second"],
)
def test_the_same_video(clip: VideoAnalysis, path: Path, tmp_path: Path) -> None:
    """The same one, a copy of another size, and what nobody told are no reason."""
    clip.blur(tmp_path / "copy.mp4", video=path)

    assert (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize(
    "made",
    [
        Clip(name="right.mp4", matrix=(0, 1, -1, 0)),
        Clip(name="mirror.mov", matrix=(-1, 0, 0, 1)),
        Clip(name="wide.mp4", aspect=Fraction(64, 45)),
        Clip(name="wide-right.mp4", aspect=Fraction(4, 3), matrix=(0, 1, -1, 0)),
        Clip(name="b.avi"),
        Clip(name="plain.mkv"),
        Clip(name="slides.mp4", rate=1000, frames=4, times=[0, 7000, 14000, 21000]),
    ],
    ids=lambda made: made.name,
)
def test_what_the_engine_tells(made: Clip, tmp_path: Path) -> None:
    """What the embedded engine says of a file is never another video than this file."""
    source = made.write(tmp_path)
    clip = VideoAnalysis.from_aws({"Faces": [], "VideoMetadata": probe(source)})

    clip.blur(tmp_path / "copy.mp4", video=source)

    assert (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize("size", [(96, 64), (64, 96)])
def test_a_turned_video_may_be_told_as_it_is_stored(size: tuple[int, int], tmp_path: Path) -> None:
    """A phone's video lies on its side in the file: its size may be told in either way, and no other."""
    source = write_clip(tmp_path / "lying.mp4", numbered(10, (96, 64)))
    turned = shown_by((0, 1, -1, 0), source, tmp_path / "turned.mp4")

    analysis_of(size).blur(tmp_path / "copy.mp4", video=turned)

    assert (tmp_path / "copy.mp4").exists()
    with pytest.raises(rekog.InvalidInputError, match=r"it has 64 x 96 pixels, and the analysed one had 80 x 80"):
        analysis_of((80, 80)).blur(tmp_path / "other.mp4", video=turned)


@pytest.mark.parametrize("size", [(64, 48), (96, 48)])
def test_wide_pixels_may_be_told_as_they_are_shown(size: tuple[int, int], tmp_path: Path) -> None:
    """Where pixels are not square, they may be counted as they are stored or as they are shown."""
    source = Clip(name="wide.mp4", aspect=Fraction(3, 2), size=(64, 48)).write(tmp_path)

    (frame,) = analysis_of(size).frames_at([0], video=source)

    assert np.asarray(frame[1]).shape == (48, 96, 3)


def test_the_file_that_was_analysed_has_changed(path: Path, tmp_path: Path) -> None:
    """Under the same name another video is another video."""
    source = tmp_path / "clip.mp4"
    source.write_bytes(path.read_bytes())
    clip = VideoAnalysis(faces=(), source=os.fspath(source), metadata=VideoMetadata(frame_width=90, frame_height=90))

    with pytest.raises(rekog.InvalidInputError, match=r"clip.mp4 is not the video that was analysed: it has 160 x 120"):
        clip.blur(tmp_path / "copy.mp4")

    assert [one.name for one in tmp_path.iterdir()] == ["clip.mp4"]
