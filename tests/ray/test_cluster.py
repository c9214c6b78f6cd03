import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from rekog_emotion.errors import InvalidInputError

pytest.importorskip("ray")

STATISTICS = "RAY_USAGE_STATS_ENABLED"


@pytest.fixture
def begun(ray, monkeypatch, tmp_path):
    """Give what Ray is asked for, where it looks for a cluster, and its settings, in a home that has none of these."""
    from ray._private import services

    for name in (STATISTICS, "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_CONFIG_PATH", str(tmp_path / "config.json"))
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(services, "find_gcs_addresses", frozenset)  # of this machine, which others may use
    (tmp_path / "ray").mkdir()
    asked = []

    def init(**options):
        asked.append((options.get("address"), options.get("include_dashboard"), os.environ.get(STATISTICS)))
        if options.get("address") in ended:
            raise ConnectionError

    ended = set()
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    return SimpleNamespace(
        asked=asked, ended=ended, address=tmp_path / "ray/ray_current_cluster", config=tmp_path / "config.json"
    )


@pytest.fixture
def listening():
    """Give an address at which something answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "{}:{}".format(*server.getsockname())


def test_uses_the_cluster_that_is_there(begun, listening):
    """No other one is started, and its statistics are the business of whoever started it."""
    from rekog_emotion.ray.cluster import ready

    begun.address.write_text(listening)

    ready()

    assert begun.asked == [("auto", None, None)]


def test_a_cluster_that_ends_meanwhile(begun, listening):
    """One is started where Ray finds none after all."""
    from rekog_emotion.ray.cluster import ready

    begun.address.write_text(listening)
    begun.ended.add("auto")

    ready()

    assert begun.asked == [("auto", None, None), ("local", False, "0")]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (None, f"[Errno {errno.ECONNREFUSED}] Connection refused"),
        ("nonsense", "invalid literal for int() with base 10: 'nonsense'"),
    ],
)
def test_a_cluster_that_was_killed_is_not_waited_for(begun, caplog, address, why):
    """It left its address behind, at which Ray itself would try for minutes."""
    from rekog_emotion.ray.cluster import ready

    with socket.socket() as silent:  # the port is taken, and nobody listens there
        silent.bind(("127.0.0.1", 0))
        address = address or "{}:{}".format(*silent.getsockname())
        begun.address.write_text(address)

        ready()

    assert begun.asked == [("local", False, "0")]
    assert caplog.messages == [f"the Ray at {address} does not answer ({why}): one is started on this machine"]


def test_uses_the_cluster_that_is_named(begun, monkeypatch):
    """By the variable of Ray; where nobody answers there, Ray says so."""
    from rekog_emotion.ray.cluster import ready

    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")

    ready()

    assert begun.asked == [(None, None, None)]


@pytest.mark.parametrize(
    ("variable", "file", "expected"),
    [
        (None, None, "0"),
        ("1", None, "1"),
        ("0", None, "0"),
        (None, {"usage_stats": True}, None),
        (None, {"usage_stats": False}, None),
        (None, {}, "0"),
        (None, [], "0"),
    ],
)
def test_starts_one_without_statistics(begun, monkeypatch, variable, file, expected):
    """Unless the user has turned them on, by the variable or the file of Ray; the environment stays as it is."""
    from rekog_emotion.ray.cluster import ready

    if variable is not None:
        monkeypatch.setenv(STATISTICS, variable)
    if file is not None:
        begun.config.write_text(json.dumps(file))

    ready()

    assert begun.asked == [("local", False, expected)]
    assert os.environ.get(STATISTICS) == variable


@pytest.mark.parametrize(
    ("nodes", "concurrency", "actors", "cpu"),
    [
        ([2], None, (2, 2), 0.5),
        ([1], None, (1, 1), 0.0),
        ([16], None, (16, 16), 0.9),
        ([4], 1, (1, 1), 0.9),
        ([4], (2, 8), (2, 8), 0.9),
        ([2, 2, 2], 4, (4, 4), 0.75),
        ([8, 8], None, (16, 16), 7 / 16),
    ],
)
def test_leaves_a_cpu_for_those_who_read(ray, monkeypatch, nodes, concurrency, actors, cpu):
    """Also where the largest of several machines is lost."""
    from rekog_emotion.ray.cluster import cpus, pool_of

    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": float(one)}} for one in nodes])
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": float(sum(nodes))})

    pool, taken = pool_of(concurrency, None, default=cpus())

    assert ((pool.min_size, pool.max_size), taken) == (actors, cpu)
    assert pool_of(concurrency, 0.25, default=1)[1] == 0.25


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "2", (2,), (3, 2), (0, 2), (1, 2, 3)])
def test_no_number_of_actors(ray, concurrency):
    """One or more, or a pair of them."""
    del ray
    from rekog_emotion.ray.cluster import check_pool

    with pytest.raises(InvalidInputError) as caught:
        check_pool(concurrency, 0.5)

    assert str(caught.value) == (
        f"concurrency={concurrency!r} is no number of actors: pass 1 or more, or a pair such as (2, 16)"
    )


@pytest.mark.parametrize("num_cpus", [-1, True, "1", float("inf"), float("nan")])
def test_no_part_of_a_cpu(ray, num_cpus):
    """None or more."""
    del ray
    from rekog_emotion.ray.cluster import check_pool

    with pytest.raises(InvalidInputError) as caught:
        check_pool(1, num_cpus)

    assert str(caught.value) == f"num_cpus={num_cpus!r} is no part of a CPU: pass for instance 0.5, or leave it out"


def test_one_is_started_and_ends_with_its_process(tmp_path):
    """A script needs no line about Ray, and leaves no process behind; one that was killed before is not waited for."""
    program = """
import logging, sys, rekog_emotion as rekog
logging.getLogger("ray.data").setLevel(logging.ERROR)
rows = rekog.ray.detect_images(sys.argv[1], client="embedded", columns=["source", "error"]).take_all()

import psutil  # Ray brings it
print(rows)
print(*(one.pid for one in psutil.Process().children(recursive=True)))
"""
    (tmp_path / "photo.jpg").write_bytes(b"no picture")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}

    # Paths of sockets have to be short; the port is taken, and nobody listens there.
    with TemporaryDirectory(prefix="r") as home, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*silent.getsockname())
        (Path(home) / "ray").mkdir()
        (Path(home) / "ray/ray_current_cluster").write_text(address)
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-c", program, str(tmp_path / "photo.jpg")],
            capture_output=True,
            text=True,
            env={**environment, "RAY_TMPDIR": home},
            check=True,
        )

    assert f"the Ray at {address} does not answer (" in done.stderr

    import psutil

    *rows, last = done.stdout.splitlines()
    pids = last.split()
    assert "InvalidInputError" in rows[-1]
    assert len(pids) > 3
    _gone, there = psutil.wait_procs(
        [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))], timeout=120
    )
    assert there == []
