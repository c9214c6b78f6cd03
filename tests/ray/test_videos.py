from functools import partial
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results.tables import COLUMNS, to_records
from tests.ray.test_images import calls, taken
from tests.ray.workers import Jobs

pytest.importorskip("ray")

CLIP = Path(__file__).parents[1] / "data" / "people.mp4"


def test_the_rows_are_those_of_one_process(local_ray):
    """With the embedded engine; what is not there is a row with its error."""
    del local_ray

    rows = taken(rekog.ray.analyze_videos([str(CLIP), "none.mp4"], client="embedded"))

    [analysis, error] = rekog.analyze_videos([str(CLIP), "none.mp4"], client="embedded", max_jobs=1)
    failed = {"source": "none.mp4", "error": f"InvalidInputError: {error.error}"}
    names = [*(column.name for column in COLUMNS), "error"]
    expected = [{name: row.get(name) for name in names} for row in [*to_records(analysis), failed]]
    assert sorted(rows, key=str) == sorted(expected, key=str)
    assert len(rows) > 5


@pytest.mark.parametrize("how", [None, "process", "actor"])
def test_jobs_run_within_the_quota(local_ray, tmp_path, how):
    """As many at once as allowed, in one process; where that is lost, its jobs are taken up and not paid for again."""
    del local_ray
    if how is not None:
        (tmp_path / "fatal-12").write_text(how)
    videos = [f"s3://films/{number}.mp4" for number in range(16)]

    dataset = rekog.ray.analyze_videos(videos, client=partial(Jobs, str(tmp_path), most=8), max_jobs=8)
    rows = sorted(dataset.take_all(), key=lambda row: (row["source"], row["timestamp_ms"]))

    assert [(row["source"], row["timestamp_ms"], row["error"]) for row in rows] == [
        (video, when, None) for video in sorted(videos) for when in (0, 500)
    ]
    assert len({pid for _, pid, _ in calls(tmp_path)}) == (1 if how is None else 2)
    jobs = Jobs(tmp_path).jobs()
    assert len(jobs) == 16
    assert max(at_once for _, at_once in jobs.values()) == 8


def test_nested_rows_of_videos(local_ray, tmp_path):
    """One a video, with the time of each face."""
    del local_ray
    dataset = rekog.ray.analyze_videos(["s3://films/1.mp4"], client=partial(Jobs, str(tmp_path)), nested=True)

    [row] = dataset.take_all()

    assert (row["source"], row["engine"], row["error"]) == ("s3://films/1.mp4", "Jobs", None)
    assert [face["timestamp_ms"] for face in row["faces"]] == [0, 500]


def test_no_videos_have_columns_too(local_ray, tmp_path):
    """A dataset of nothing has its schema."""
    del local_ray
    dataset = rekog.ray.analyze_videos([], client=partial(Jobs, str(tmp_path))).materialize()

    assert dataset.schema().names == [*(column.name for column in COLUMNS), "error"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["a.mp4"], {"max_jobs": 0}, "max_jobs=0 is no number of jobs: pass 1 or more"),
        (
            ["a.mp4"],
            {"timeout": "long"},
            "timeout='long' is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever",
        ),
        ("a.mp4", {}, "sources= got str: pass a list of videos, or start_video() one"),
        (
            ["a.mp4"],
            {"concurrency": (2, 1)},
            "concurrency=(2, 1) is no number of actors: pass 1 or more, or a pair such as (2, 16)",
        ),
        (["a.mp4"], {"job_tag": "a b"}, "job_tag='a b' is not 1 to 1024 letters, digits and any of _.-:+=/"),
    ],
)
def test_the_verb_tells_before_ray_is_there(ray, arguments, options, message):
    """No process is started for what cannot be done."""
    if ray.is_initialized():
        ray.shutdown()

    with pytest.raises(InvalidInputError) as caught:
        rekog.ray.analyze_videos(arguments, client="embedded", **options)

    assert str(caught.value) == message
    assert not ray.is_initialized()
