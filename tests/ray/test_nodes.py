import logging
import os
import threading
from functools import partial

import pytest

import rekog_emotion as rekog
from tests.ray.conftest import left_behind
from tests.ray.test_images import calls, one_after_the_other, pictures, taken
from tests.ray.workers import Counting

pytest.importorskip("ray")


@pytest.fixture
def nodes(ray):
    """Give a cluster of several nodes, simulated on this machine, to which this process is connected."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": 100_000_000})
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    assert left_behind() == []


def test_a_node_that_is_taken_away_loses_nothing(nodes, tmp_path):
    """What it had under way, and what it had done and nobody had fetched, is done again elsewhere."""
    added = [nodes.add_node(num_cpus=2, object_store_memory=100_000_000, wait=False) for _ in range(2)]
    nodes.wait_for_nodes(timeout=300)
    folder = pictures(tmp_path / "photos", 600)
    gate, opened = tmp_path / "gate-300", tmp_path / "gate-300.open"
    os.mkfifo(gate)
    os.mkfifo(opened)
    taken_away = []

    def take_away():
        where = gate.read_text()
        for node in added:
            if node.node_id == where or node is added[-1]:
                taken_away.append(node.node_id)
                nodes.remove_node(node)
                break
        if where not in taken_away:  # else whoever waits there is gone
            opened.write_text("go")

    taking = threading.Thread(target=take_away, daemon=True)
    taking.start()
    client = partial(Counting, str(tmp_path))

    rows = taken(rekog.ray.detect_images(str(folder), client=client, concurrency=4, faceless=True))

    taking.join(timeout=120)
    assert not taking.is_alive()
    gate.unlink()
    assert len(taken_away) == 1
    assert len(calls(tmp_path)) >= 600
    assert rows == one_after_the_other(str(folder), client(), faceless=True)
