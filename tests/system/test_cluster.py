"""Three brokers, every record on two of them before it counts (acks=all,
min.insync.replicas=2): brokers die, hang and hand over, and nobody notices.

SPDX-License-Identifier: Apache-2.0
"""
import json

import pytest

from samples import append, number_of, numbered
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


def two_topics(agents, cluster, dead, good, folder, **memory):
    """An agent that has something for a topic on node 3 alone, and for one on all nodes."""
    (folder / "huge").mkdir()
    return agents({"agent": memory,
                   "outputs": {"main": {"bootstrap.servers": cluster.bootstrap}},
                   "inputs": {"huge": {"paths": str(folder / "huge/*"), "topic": dead},
                              "free": {"paths": str(folder / "free.log"), "topic": good}}})


def test_a_partition_whose_only_broker_is_dead_leaves_the_memory_to_the_rest(
        agents, cluster, topic_name, tmp_path):
    """It is an alarm that names the partition; when it has its leader again all goes on."""
    good, dead = cluster.create_topic(topic_name, 3), f"{topic_name}.dead"
    cluster.create_topic_on(dead, 3)
    agent = two_topics(agents, cluster, dead, good, tmp_path, memory="8MiB")
    huge, free = tmp_path / "huge/0.log", tmp_path / "free.log"
    append(huge, *numbered(0, 1000))
    agent.start()
    agent.wait_acked(huge)
    cluster.nodes[3].kill()
    append(huge, *numbered(1000, 150_000))
    cluster.wait_leaders(good, lambda leader: leader in (1, 2), "the leaders to move")
    agent.wait_log(rf"'{dead}': partition 0 has no leader since \d{{4}}-\S+Z "
                   r"\(start the brokers .*; \d+ records wait\)")
    wait_for(lambda: rests(agent), 30, "the agent to have read what it can")
    append(free, *numbered(0, 100))
    cluster.wait_count(good, 100, timeout=20)
    assert agent.memory("VmHWM") <= (8 + 40) * MIB
    cluster.repair()
    agent.wait_log(rf"'{dead}': every partition has a leader again")
    agent.wait_acked(huge, timeout=20)              # it would rest longer by itself
    agent.stop()
    assert not arrived(cluster, dead, 150_000)
    assert agent.said(f"'{dead}'") == 2, "it repeats itself"


def test_one_dead_partition_of_a_topic_with_keys_leaves_the_memory_to_the_rest(
        agents, cluster, topic_name, tmp_path):
    """Of each chunk a part has arrived, and the rest waits.  Only what makes room for others
    comes twice."""
    good, dead = cluster.create_topic(topic_name, 3), f"{topic_name}.dead"
    cluster.create_topic_on(dead, 1, 2, 3, 1)
    agent = two_topics(agents, cluster, dead, good, tmp_path, memory="8MiB")
    agent.configure({**json.loads(agent.config.read_text()), "routes": [
        {"from": "huge", "topic": dead, "key": "${body}"}, {"from": "free", "topic": good}]})
    huge, free = tmp_path / "huge/0.log", tmp_path / "free.log"
    append(huge, *numbered(0, 1000))
    agent.start()
    agent.wait_acked(huge)
    cluster.nodes[3].kill()
    append(huge, *numbered(1000, 150_000))
    cluster.wait_leaders(good, lambda leader: leader in (1, 2), "the leaders to move")
    wait_for(lambda: rests(agent), 30, "the agent to have read what it can")
    for round_ in range(5):
        append(free, *numbered(round_ * 100, round_ * 100 + 100))
        cluster.wait_count(good, round_ * 100 + 100, timeout=30)
    cluster.repair()
    agent.wait_acked(huge, timeout=30)
    agent.stop()
    repeats = arrived(cluster, dead, 150_000)
    assert set(repeats.values()) <= {1}
    assert sum(repeats.values()) * 150 <= 8 * MIB, "more than there was memory for"
    assert not arrived(cluster, good, 500)


def test_a_hundred_dead_partitions_leave_the_memory_to_the_rest(
        agents, cluster, topic_name, tmp_path):
    """Each has a batch with the client, more than there is memory: they are taken back."""
    good, dead = cluster.create_topic(topic_name, 3), f"{topic_name}.dead"
    cluster.create_topic_on(dead, *[3] * 100)
    agent = two_topics(agents, cluster, dead, good, tmp_path, memory="8MiB")
    agent.configure({**json.loads(agent.config.read_text()), "routes": [
        {"from": "huge", "topic": dead, "partition": "${log.file.name}"},
        {"from": "free", "topic": good}]})
    huge, free = [tmp_path / f"huge/{n}" for n in range(100)], tmp_path / "free.log"
    for path in huge:
        append(path, *numbered(0, 100, 200))
    agent.start()
    cluster.wait_count(dead, len(huge) * 100)
    cluster.nodes[3].kill()
    for path in huge:
        append(path, *numbered(100, 1100, 200))
    cluster.wait_leaders(good, lambda leader: leader in (1, 2), "the leaders to move")
    agent.wait_log(f"'{dead}': partitions .* have no leader")
    for round_ in range(5):
        append(free, *numbered(round_ * 100, round_ * 100 + 100))
        cluster.wait_count(good, round_ * 100 + 100, timeout=30)
    assert agent.memory("VmHWM") <= (8 + 40) * MIB
    cluster.repair()
    cluster.wait_count(dead, len(huge) * 1100, timeout=60)
    agent.stop()
    for values in cluster.values(dead).values():
        assert list(map(number_of, values)) == list(range(1100))
    assert not arrived(cluster, good, 500)


def test_the_quorum_is_lost_and_comes_back(agents, cluster, cluster_topic, log):
    """Two of three are killed: no partition takes anything, and no leader can be elected."""
    agent = agents({
        "outputs": {"main": {"bootstrap.servers": cluster.bootstrap}},
        "parsers": {"p": {"type": "regex", "pattern": r"^\S+ (?<n>\d*?(?<k>\d)) "}},
        "inputs": {"logs": {"paths": str(log), "parser": "p", "topic": cluster_topic,
                            "key": "${k}"}}}).start()
    writer = Writer(log)
    on_every_partition(cluster, cluster_topic, dict.fromkeys(range(3), 0))
    cluster.nodes[2].kill()
    cluster.nodes[3].kill()
    agent.wait_log(f"'{cluster_topic}': partitions? .* (take no records|have no leader|"
                   "takes no records|has no leader) since", timeout=40)
    writer.wait(5000)
    cluster.repair()
    writer.wait(1000)
    count = writer.stop()
    agent.wait_acked(log)
    agent.wait_log(f"'{cluster_topic}': every partition")
    agent.stop()
    assert not arrived(cluster, cluster_topic, count)
    for key in range(10):
        own = [number_of(r.value) for r in cluster.read(cluster_topic) if r.key == b"%d" % key]
        assert own == list(range(key, count, 10)), f"key {key}"
