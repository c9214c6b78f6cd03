"""Subtitles, read back by FFmpeg as players do."""

import itertools

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rekog_emotion as rekog
from rekog_emotion.people.person import Segment
from rekog_emotion.results.subtitles import srt, webvtt, write_subtitles
from tests.amounts import amount
from tests.results.people import looks, video

HAPPY, SAD = {"HAPPY": 90.0}, {"SAD": 90.0}


def segment(person, start, end, kind="HAPPY"):
    """Give a segment."""
    return Segment(person=person, type=kind, start=start, end=end, score=80.0)


SEGMENTS = (segment(1, 0.0, 2.0), segment(2, 1.5, 3.25, "SAD"), segment(1, 3600.0, 3601.0, "CALM"))


def cues(path):
    """Return begin and end in milliseconds and the text of each cue, as FFmpeg has them."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        return [
            (
                round(packet.pts * packet.time_base * 1000),
                round((packet.pts + packet.duration) * packet.time_base * 1000),
                bytes(packet).decode(),
            )
            for packet in container.demux(stream)
            if packet.size
        ]


def test_webvtt(tmp_path):
    """Each segment is a cue from its start to its end; those of several people overlap."""
    write_subtitles(tmp_path / "clip.vtt", SEGMENTS)

    assert cues(tmp_path / "clip.vtt") == [
        (0, 2000, "person 1: HAPPY"),
        (1500, 3250, "person 2: SAD"),
        (3_600_000, 3_601_000, "person 1: CALM"),
    ]
    assert (tmp_path / "clip.vtt").read_bytes() == (
        b"WEBVTT\n\nNOTE How faces look, not what people feel.\n"
        b"\n1\n00:00:00.000 --> 00:00:02.000\nperson 1: HAPPY\n"
        b"\n2\n00:00:01.500 --> 00:00:03.250\nperson 2: SAD\n"
        b"\n3\n01:00:00.000 --> 01:00:01.000\nperson 1: CALM\n"
    )


def test_srt(tmp_path):
    """No cue overlaps another: where two people have a segment, one has a line for each."""
    write_subtitles(tmp_path / "clip.SRT", reversed(SEGMENTS))

    assert (tmp_path / "clip.SRT").read_bytes() == (
        b"1\n00:00:00,000 --> 00:00:01,500\nperson 1: HAPPY\n\n"
        b"2\n00:00:01,500 --> 00:00:02,000\nperson 1: HAPPY\nperson 2: SAD\n\n"
        b"3\n00:00:02,000 --> 00:00:03,250\nperson 2: SAD\n\n"
        b"4\n01:00:00,000 --> 01:00:01,000\nperson 1: CALM\n"
    )
    assert cues(tmp_path / "clip.SRT") == [
        (0, 1500, "person 1: HAPPY"),
        (1500, 2000, "person 1: HAPPY\nperson 2: SAD"),
        (2000, 3250, "person 2: SAD"),
        (3_600_000, 3_601_000, "person 1: CALM"),
    ]


@pytest.mark.parametrize("kind", ["<b>A</b>", "{\\an8}A", "a\n\nb --> c", "&amp;", "x" * 500, "\ud800"])
def test_words_are_words(kind, tmp_path):
    """Whatever a service calls an emotion, a cue stays one cue, and no player takes it for a style."""
    for name in ("clip.vtt", "clip.srt"):
        write_subtitles(tmp_path / name, [segment(1, 0, 1, kind), segment(2, 2, 3)])

        (first, second) = cues(tmp_path / name)
        assert first[:2] == (0, 1000)
        assert first[2].startswith("person 1: ")
        assert len(first[2]) < 150
        assert second == (2000, 3000, "person 2: HAPPY")
    assert not set(srt([segment(1, 0, 1, kind)]).splitlines()[2]) & set("<>{}\\")
    assert not set(webvtt([segment(1, 0, 1, kind)]).splitlines()[6]) & set("<>")


def test_times_that_no_file_can_hold():
    """Nothing is before the video, no cue is empty, and a long video has as many hours as it has."""
    found = webvtt([segment(1, -1.0, -0.5), segment(2, 5.0, 5.0), segment(3, 0.0, 400_000.0)]).split("\n")

    assert [line for line in found if "-->" in line] == [
        "00:00:00.000 --> 00:00:00.001",
        "00:00:00.000 --> 111:06:40.000",
        "00:00:05.000 --> 00:00:05.001",
    ]
    assert (srt([]), webvtt([])) == ("", "WEBVTT\n\nNOTE How faces look, not what people feel.\n")


@settings(max_examples=amount(50, whole=200))
@given(
    st.lists(
        st.builds(segment, st.integers(1, 4), st.integers(0, 60).map(lambda n: n / 2), st.just(0)).flatmap(
            lambda one: st.integers(1, 20).map(lambda n: segment(one.person, one.start, one.start + n / 2))
        ),
        max_size=12,
    )
)
def test_nothing_is_lost(segments):
    """At every moment an SRT says of whom there is a segment, and no two of its cues overlap."""
    found = [block.split("\n") for block in srt(segments).split("\n\n") if block]
    spans = []
    for _, times, *lines in found:
        begin, end = (
            sum(float(part) * unit for part, unit in zip(one.replace(",", ".").split(":"), (3600, 60, 1), strict=True))
            for one in times.split(" --> ")
        )
        spans.append((begin, end, [int(line.split(":")[0].split()[1]) for line in lines if line]))
    for moment in (n / 4 for n in range(1, 200, 2)):
        here = sorted(one.person for one in segments if one.start <= moment < one.end)
        assert next((who for begin, end, who in spans if begin <= moment < end), []) == here
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def test_timeline_writes_its_segments(tmp_path):
    """All its segments, or those that are given."""
    timeline = video(*looks(HAPPY, HAPPY, HAPPY, SAD, SAD, SAD)).timeline(smooth=0)

    timeline.write_subtitles(tmp_path / "all.vtt")
    timeline.write_subtitles(tmp_path / "some.srt", segments=timeline.segments()[1:])

    assert cues(tmp_path / "all.vtt") == [(0, 1500, "person 1: HAPPY"), (1500, 3000, "person 1: SAD")]
    assert cues(tmp_path / "some.srt") == [(1500, 3000, "person 1: SAD")]


@pytest.mark.parametrize("name", ["clip.txt", "clip", ""])
def test_other_suffixes(name, tmp_path):
    """They are told, and nothing is written."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        write_subtitles(name, SEGMENTS)

    assert str(caught.value) == f"{name}: subtitles are written as .vtt or .srt: let the name end in one of them"
    assert list(tmp_path.iterdir()) == []
