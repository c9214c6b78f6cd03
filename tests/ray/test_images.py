import json
import shutil
from functools import partial
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.results.tables import COLUMNS, to_records
from tests.ray.workers import Counting

pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")

DATA = Path(__file__).parents[1] / "data"
HEAD = (DATA / "astronaut.jpg").read_bytes()


def pictures(folder, number, *, bad=()):
    """Write pictures that differ in the digits at their end; those that are bad are no pictures."""
    folder.mkdir()
    for one in range(number):
        data = b"no picture" if one in bad else HEAD
        (folder / f"{one:05}.jpg").write_bytes(data + b"%08d" % one)
    return folder


def in_order(rows):
    """Return rows in the order of their pictures and faces: a dataset has none."""
    return sorted(rows, key=lambda row: (row["source"], row.get("face") or 0))


def one_after_the_other(place, client, *, faceless=False):
    """Return the rows that the verb of one process gives."""
    rows = []
    for outcome in rekog.detect_images(place, client=client):
        if outcome.error is not None:
            rows.append({"source": outcome.source, "error": f"{type(outcome.error).__name__}: {outcome.error}"})
        elif faceless and not outcome.analysis.faces:
            width, height = outcome.analysis.size
            row = {"source": outcome.source, "engine": outcome.analysis.engine}
            rows.append({**row, "picture_width": width, "picture_height": height})
        rows.extend(to_records(outcome))
    names = [*(column.name for column in COLUMNS), "error"]
    return in_order([{name: row.get(name) for name in names} for row in rows])


def taken(dataset):
    """Return the rows of a dataset."""
    return in_order(json.loads(json.dumps(dataset.take_all())))


def calls(folder):
    """Return the number, the process and the time of each call, in their order."""
    lines = [line.split() for line in (folder / "calls").read_text().splitlines()]
    return sorted(((int(number), int(pid), float(at)) for number, pid, at in lines), key=lambda call: call[2])


def test_the_rows_are_those_of_one_process(local_ray, tmp_path):
    """With the embedded engine, by a folder, a glob and a list; what is no picture is left out or has its error."""
    del local_ray
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("astronaut", "biden", "obama"):
        shutil.copy(DATA / f"{name}.jpg", folder)
    (folder / "torn.jpg").write_bytes((DATA / "obama.jpg").read_bytes()[:20_000])
    (folder / "notes.txt").write_text("no picture")

    expected = one_after_the_other(str(folder), "embedded")

    assert len(expected) == 4
    assert taken(rekog.ray.detect_images(str(folder), client="embedded")) == expected


@pytest.mark.parametrize("how", ["process", "actor"])
def test_whoever_is_killed_loses_nothing(local_ray, tmp_path, how):
    """Nor is anything there twice; one picture in twenty is none, and what was under way is done again."""
    del local_ray
    folder = pictures(tmp_path / "photos", 400, bad=range(7, 400, 20))
    (tmp_path / "fatal-100").write_text(how)
    client = partial(Counting, str(tmp_path))

    rows = taken(rekog.ray.detect_images(str(folder), client=client, concurrency=2, faceless=True))

    done = calls(tmp_path)
    (tmp_path / "fatal-100").unlink()
    assert rows == one_after_the_other(str(folder), client(), faceless=True)
    assert {number for number, _, _ in done} == {number for number in range(400) if number % 20 != 7}
    assert len(done) > 380
    assert len({pid for _, pid, _ in done}) > 1


def test_all_actors_keep_to_one_rate(local_ray, tmp_path):
    """Several of them make no more calls than one may, also while the actor is lost that leases them their turns."""
    del local_ray
    folder = pictures(tmp_path / "photos", 800)
    (tmp_path / "fatal-150").write_text("limiter")
    client = partial(Counting, str(tmp_path))

    dataset = rekog.ray.detect_images(str(folder), client=client, rate=50, concurrency=3, faceless=True)

    assert len({row["source"] for row in dataset.take_all()}) == 800
    times = [at for _, _, at in calls(tmp_path)]
    assert len(times) == 800
    assert len({pid for _, pid, _ in calls(tmp_path)}) > 1
    # A call that is late in its turn has the others nearer: of those before the loss, the most punctual counts.
    slowest = min((800 - number) / (times[-1] - at) for number, at in enumerate(times[:150]))
    assert slowest <= 1.02 * 50


def test_no_rows_have_columns_too(local_ray, tmp_path):
    """A folder without pictures, and pictures without faces, give a dataset with its schema."""
    del local_ray
    (tmp_path / "empty").mkdir()
    nobody = pictures(tmp_path / "nobody", 1)

    for place in (tmp_path / "empty", nobody):
        dataset = rekog.ray.detect_images(place, client=partial(Counting, str(tmp_path))).materialize()
        assert dataset.schema().names == [*(column.name for column in COLUMNS), "error"]
        assert dataset.count() == 0
