import sys
from pathlib import Path

import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion.results.frames import best_face, frames
from rekog_emotion.results.plots import plot_videos
from rekog_emotion.results.shapes import everybody, outline, thinned
from tests.results.people import Pose, Quality, at, face, looks, video

PEOPLE = Path(__file__).parents[1] / "data" / "people.mp4"
HAPPY, SAD = {"HAPPY": 90.0, "SAD": 10.0}, {"HAPPY": 10.0, "SAD": 90.0}


def crowd(count, samples=4, step=0.5):
    """Give an analysis of so many people side by side."""
    return video(
        *(
            at(k * step, face((person + 0.5) / count, size=0.5 / count, emotions=HAPPY if k % 2 else SAD))
            for k in range(samples)
            for person in range(count)
        )
    )


@pytest.mark.parametrize("kind", ["lines", "stacked"])
@pytest.mark.parametrize(("count", "rows"), [(1, 1), (8, 8), (31, 30)])
def test_a_row_a_person(kind, count, rows, tmp_path):
    """Up to thirty people have a row each; the title says how many there are, the legend what each colour is."""
    figure = crowd(count).plot(kind=kind)
    figure.savefig(tmp_path / "plot.png", dpi=20)

    axes = [axis for axis in figure.axes if axis.get_xlim() == (0, 2)]
    assert len(axes) == rows
    assert figure.get_suptitle().endswith("How faces look, not what people feel.")
    assert figure.get_suptitle().startswith({1: "1 person.", 8: "8 people.", 31: "31 people, the 30 longest"}[count])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["HAPPY", "SAD", "on screen"]


def test_lines_break_at_gaps():
    """A line has the scores of the timeline, is held to the end of each stretch, and has a hole where nobody is."""
    (person,) = video(*looks(HAPPY, HAPPY, None, None, SAD)).timeline(smooth=0).people

    times, values = outline(person)

    assert times.tolist() == [0, 0.5, 1, 1, 2, 2.5, 2.5]
    assert np.array_equal(values[:, 0], [90, 90, 90, np.nan, 10, 10, np.nan], equal_nan=True)


def test_long_videos_are_thinned():
    """An hour is means over spans; the whole mean stays."""
    (person,) = crowd(1, samples=7_200).timeline(smooth=0).people

    thin = thinned(person, 900, 3_600)

    assert len(thin.starts) == 900
    assert (thin.starts[0], thin.ends[-1]) == (0, 3_600)
    assert thin.scores[:, 0].mean() == pytest.approx(50, abs=0.5)
    assert thin.stretches.tolist() == [0] * 900


@pytest.mark.parametrize(
    "analysis", [video(seconds=2), video(at(0, face())), video(at(0, face(bare=True)), seconds=0.1)]
)
def test_odd_videos_have_plots(analysis, tmp_path):
    """Nobody, no emotions and a moment are no error, and no warning."""
    for kind in ("lines", "stacked"):
        analysis.plot(kind=kind).savefig(tmp_path / "plot.png", dpi=20)


def test_videos_side_by_side(tmp_path):
    """Of several videos each has a row with the mean over its people, under its name as it is."""
    one, other = crowd(2).timeline(smooth=0), video(seconds=3).timeline()

    figure = plot_videos({"a $name$": one, "empty": other})
    figure.savefig(tmp_path / "plot.png", dpi=20)

    mean = everybody(one)
    assert mean.scores[:, 0].tolist() == [10, 90, 10, 90]
    assert [axis.texts[0].get_text() for axis in figure.axes[:2]] == ["a $name$", "empty"]


def test_thumbnails_are_the_people(tmp_path):
    """With the video at hand each row has the best face of its person."""
    clip = rekog.analyze_video(PEOPLE, client="embedded")

    figure = clip.plot(video=PEOPLE)

    figure.savefig(tmp_path / "plot.png", dpi=20)
    insets = [child for axis in figure.axes for child in axis.child_axes]
    assert [len(inset.images) for inset in insets] == [1, 1, 1]


def test_best_face_is_large_sharp_and_frontal():
    """Of several faces the one that shows a person best is taken."""
    small, turned = face(size=0.05), face(size=0.3, pose=Pose(roll=0.0, yaw=80.0, pitch=0.0))
    blurred = face(size=0.3, quality=Quality(brightness=70.0, sharpness=2.0))
    cut = face(0.0, 0.0, size=0.3)
    good = face(size=0.28)

    best = best_face([at(k, one) for k, one in enumerate([small, turned, blurred, cut, good])])

    assert best.face is good
    assert best_face([]) is None


def test_frames_are_those_next_to_the_times():
    """Pictures come in order of time; what is far from every sample has none."""
    found = list(frames(PEOPLE, [5500, 0, 510, 99_000]))

    assert [time for time, _ in found] == [0, 510, 5500]
    assert {picture.size for _, picture in found} == {(640, 480)}
    assert list(frames(PEOPLE, [])) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda clip: clip.plot(kind="pie"), "kind is 'pie'; it is 'lines' or 'stacked'"),
        (lambda clip: clip.plot(max_people=0), "max_people is 0, and has to be at least 1"),
        (lambda _: plot_videos({}), "there is no timeline to draw: give at least one, by its name"),
        (
            lambda clip: clip.timeline().plot(video=PEOPLE),
            "thumbnails need the analysis as well as the video: call clip.plot(video=...)",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    """What cannot be drawn is said."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        call(crowd(1))

    assert str(caught.value) == message


def test_plots_need_an_extra(monkeypatch):
    """Without matplotlib the error says what to install."""
    monkeypatch.delitem(sys.modules, "rekog_emotion.results.plots", raising=False)
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        crowd(1).plot()

    assert str(caught.value) == "Plotting needs the 'plot' extra: pip install 'rekog-emotion[plot]'"
