"""Three brokers, every record on two of them before it counts (acks=all,
min.insync.replicas=2): brokers die, hang and hand over, and nobody notices.

SPDX-License-Identifier: Apache-2.0
"""
import pytest

from samples import append, numbered
from stoker import MIB
from waiting import wait_for
from writer import Writer, arrived, rests


@pytest.fixture
def cluster_topic(cluster, topic_name):
    yield cluster.create_topic(topic_name, 3)


@pytest.fixture
def ship_to_cluster(cluster, agents, cluster_topic, log):
    return lambda **output: agents({
        "outputs": {"main": {"bootstrap.servers": cluster.bootstrap, **output}},
        "inputs": {"logs": {"paths": str(log), "topic": cluster_topic}}})


def on_every_partition(cluster, topic, since):
    """Records arrive everywhere since then."""
    with cluster.reader(topic) as reader:
        wait_for(lambda: all(end > since[p] for p, end in reader.ends().items()), 60,
                 "records on every partition")


def ends(cluster, topic):
    with cluster.reader(topic) as reader:
        return reader.ends()


def test_one_broker_of_three_is_killed_and_comes_back(
        ship_to_cluster, cluster, cluster_topic, log):
    agent = ship_to_cluster().start()
    writer = Writer(log)
    on_every_partition(cluster, cluster_topic, dict.fromkeys(range(3), 0))
    cluster.nodes[2].kill()
    cluster.wait_leaders(cluster_topic, lambda leader: leader in (1, 3), "the leaders to move")
    on_every_partition(cluster, cluster_topic, ends(cluster, cluster_topic))
    cluster.repair()
    writer.wait(1000)
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(cluster, cluster_topic, count)
    assert agent.said("connection was lost|cannot be reached") <= 2, agent.log()


def test_leaders_that_are_elected_are_followed(
        ship_to_cluster, cluster, cluster_topic, log, java_side):
    """A broker stops in good order and hands over; later it is elected again."""
    agent = ship_to_cluster().start()
    writer = Writer(log)
    on_every_partition(cluster, cluster_topic, dict.fromkeys(range(3), 0))
    cluster.nodes[3].stop()
    cluster.wait_leaders(cluster_topic, lambda leader: leader in (1, 2), "the leaders to move")
    on_every_partition(cluster, cluster_topic, ends(cluster, cluster_topic))
    cluster.repair()
    wait_for(lambda: cluster.leaders(cluster_topic) == 3, 30, "all copies")
    java_side.lead(cluster, cluster_topic)
    wait_for(lambda: sorted(cluster.place_of(cluster_topic).values()) == [1, 2, 3], 30,
             "the preferred leaders")
    on_every_partition(cluster, cluster_topic, ends(cluster, cluster_topic))
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(cluster, cluster_topic, count)


def test_one_broker_of_three_hangs_and_goes_on(ship_to_cluster, cluster, cluster_topic, log):
    """It accepts and never answers; the cluster takes its leaders away."""
    agent = ship_to_cluster(**{"socket.timeout.ms": 3000}).start()
    writer = Writer(log)
    on_every_partition(cluster, cluster_topic, dict.fromkeys(range(3), 0))
    cluster.nodes[1].pause()
    cluster.wait_leaders(cluster_topic, lambda leader: leader in (2, 3), "the leaders to move")
    on_every_partition(cluster, cluster_topic, ends(cluster, cluster_topic))
    cluster.nodes[1].resume()
    writer.wait(1000)
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(cluster, cluster_topic, count)


def test_a_partition_whose_only_broker_is_dead_leaves_the_memory_to_the_rest(
        agents, cluster, topic_name, tmp_path):
    good, dead = cluster.create_topic(topic_name, 3), f"{topic_name}.dead"
    cluster.create_topic_on(dead, 3)
    huge, free = tmp_path / "huge.log", tmp_path / "free.log"
    append(huge, *numbered(0, 1000))
    agent = agents({"agent": {"memory": "8MiB"},
                    "outputs": {"main": {"bootstrap.servers": cluster.bootstrap}},
                    "inputs": {"huge": {"paths": str(huge), "topic": dead},
                               "free": {"paths": str(free), "topic": good}}}).start()
    agent.wait_acked(huge)
    cluster.nodes[3].kill()
    append(huge, *numbered(1000, 150_000))
    cluster.wait_leaders(good, lambda leader: leader in (1, 2), "the leaders to move")
    wait_for(lambda: rests(agent), 30, "the agent to have read what it can")
    append(free, *numbered(0, 100))
    cluster.wait_count(good, 100, timeout=20)
    assert agent.memory("VmHWM") <= (8 + 40) * MIB
    agent.kill()                            # it would pause before it reads on
    cluster.repair()
    agent.start()
    agent.wait_acked(huge)
    agent.stop()
    arrived(cluster, dead, 150_000)
