"""Several outputs in one agent: a real cluster and another one, a route each.

The other one is librdkafka's mock cluster in a process of its own.

SPDX-License-Identifier: Apache-2.0
"""
import subprocess

import confluent_kafka
import pytest

from samples import append, number_of, numbered
from stoker import BINARY
from waiting import lasting, wait_for

MOCK = BINARY.parent / "mock_broker"


class MockCluster:
    def __init__(self, topic):
        self.topic = topic
        self.child = subprocess.Popen([MOCK, "--partitions", "1", topic], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.bootstrap = self.child.stdout.readline().strip().partition("=")[2]

    def tell(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        assert answer == "ok", answer

    def values(self):
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.bootstrap, "group.id": "t",
                                             "log_level": 0, "fetch.wait.max.ms": 10})
        place = confluent_kafka.TopicPartition(self.topic, 0, 0)
        end = consumer.get_watermark_offsets(place, timeout=10)[1]
        consumer.assign([place])
        found = []
        while len(found) < end:
            found += [m.value() for m in consumer.consume(end - len(found), timeout=1)]
        consumer.close()
        return found

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait(10)


@pytest.fixture
def other(topic_name):
    if not MOCK.exists():
        pytest.skip("the mock broker is not built")
    cluster = MockCluster(f"{topic_name}.other")
    yield cluster
    cluster.close()


def test_two_clusters_get_a_route_each_and_one_that_is_away_holds_up_only_its_own(
        agents, kafka, topic, other, tmp_path):
    for name in ("here", "there", "both"):
        (tmp_path / f"{name}.log").touch()
    agent = agents({
        "outputs": {"here": {"bootstrap.servers": kafka.bootstrap},
                    "there": {"bootstrap.servers": other.bootstrap}},
        "inputs": {name: {"paths": str(tmp_path / f"{name}.log")}
                   for name in ("here", "there", "both")},
        "routes": [{"from": ["here", "both"], "output": "here", "topic": topic, "continue": True},
                   {"from": ["there", "both"], "output": "there", "topic": other.topic}],
    }).start()
    here, there, both = (tmp_path / f"{name}.log" for name in ("here", "there", "both"))
    for path in (here, there, both):
        append(path, *numbered(0, 100, who=path.stem))
        agent.wait_acked(path)
    other.tell("down 1")
    for path in (here, there, both):
        append(path, *numbered(100, 200, who=path.stem))
    agent.wait_acked(here)
    kafka.wait_count(topic, 400)                    # also those of `both`
    agent.wait_log("output 'there': no broker can be reached")
    stands = {path: agent.offset(path) for path in (there, both)}
    lasting(lambda: stands == {path: agent.offset(path) for path in (there, both)}, 0.5,
            "the wait for the other cluster")
    other.tell("up 1")
    for path in (there, both):
        agent.wait_acked(path)
    agent.stop()
    for found, names in ((list(kafka.values(topic).values()), ("here", "both")),
                         ([other.values()], ("there", "both"))):
        assert sum(map(len, found)) == 400
        for name in names:
            own = [[number_of(v) for v in partition if v.startswith(name.encode())]
                   for partition in found]
            assert sorted(sum(own, [])) == list(range(200))
            assert all(numbers == sorted(numbers) for numbers in own)


def test_replay_reaches_the_outputs_that_the_lines_name(agents, kafka, topic, other, tmp_path):
    dead = tmp_path / "dead.jsonl"
    with open(dead, "w") as file:
        for n in range(1000):
            name, where = ("here", topic) if n % 2 else ("there", other.topic)
            file.write(f'{{"output": "{name}", "topic": "{where}", "value": "line {n} x"}}\n')
    agent = agents({
        "outputs": {"here": {"bootstrap.servers": kafka.bootstrap},
                    "there": {"bootstrap.servers": other.bootstrap},
                    "away": {"bootstrap.servers": "127.0.0.1:1"}},
        "inputs": {"none": {"paths": str(tmp_path / "none"), "topic": topic, "output": "here"}}})
    done = agent.command("replay", dead)
    assert done.stdout == "1000 records sent and acknowledged\n", done.stderr
    assert done.returncode == 0 and "away" not in done.stderr
    assert sorted(number_of(r.value) for r in kafka.read(topic)) == list(range(1, 1000, 2))
    assert list(map(number_of, other.values())) == list(range(0, 1000, 2))
    wait_for(lambda: not agent.state.exists(), 1, "no state")
