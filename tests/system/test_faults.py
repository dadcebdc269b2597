"""One broker, and a network or a topic that misbehaves: nothing is lost, the order
of a file holds in every partition, and what comes twice is known to the record.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import time

import pytest

from kafka import USERS
from samples import append, java_partition, number_of, numbered, text
from stoker import Agent
from waiting import wait_for
from writer import Writer, arrived

OUT_OF_ORDER, FENCED, TOO_LARGE = 45, 47, 10       # error codes of Kafka's protocol


def by_proxy(kafka, **more):
    return {"bootstrap.servers": kafka.proxied, **more}


# --- the network

def test_answers_that_get_lost_make_no_repeats(ship, kafka, topic, log, proxy):
    """The broker has the batch, the client does not know: the sequence number tells."""
    agent = ship(output=by_proxy(kafka)).start()
    writer = Writer(log)
    for _ in range(3):
        before = len(proxy.answers)
        proxy.lose_answers(2)
        wait_for(lambda: len(proxy.answers) > before + 2 and not proxy.fates, 30, "lost answers")
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert sum(a.records for a in proxy.answers if a.fate == "lost") > 0
    assert not arrived(kafka, topic, count)


def test_without_idempotence_a_lost_answer_repeats_its_batch_and_keeps_the_order(
        ship, kafka, topic, log, proxy):
    agent = ship(output=by_proxy(kafka, **{"enable.idempotence": False})).start()
    writer = Writer(log)
    writer.wait(100)
    proxy.lose_answers(1)
    wait_for(lambda: not proxy.fates, 30, "the lost answer")
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    lost, = [a for a in proxy.answers if a.fate == "lost"]
    assert sum(arrived(kafka, topic, count).values()) == lost.records


def test_connections_that_are_cut_again_and_again_cost_nothing(ship, kafka, topic, log, proxy):
    agent = ship(output=by_proxy(kafka, **{"reconnect.backoff.max.ms": 200})).start()
    writer = Writer(log)
    for _ in range(10):
        writer.wait(300)
        proxy.cut()
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(kafka, topic, count)


@pytest.mark.parametrize("way", ["hang", "hold_answers"])
def test_a_broker_that_accepts_and_never_answers_is_waited_for(
        way, ship, kafka, topic, log, proxy):
    """Requests time out and are sent again, on connections that are accepted and silent."""
    agent = ship(agent={"shutdown_timeout": "1s"},
                 output=by_proxy(kafka, **{"socket.timeout.ms": 1000, "request.timeout.ms": 1000,
                                           "reconnect.backoff.max.ms": 500})).start()
    writer = Writer(log)
    writer.wait(500)
    getattr(proxy, way)()
    before, cpu = proxy.accepted, agent.process.cpu_seconds()
    wait_for(lambda: proxy.accepted >= before + 2, 30, "new connections")
    assert agent.process.cpu_seconds() - cpu < 1
    proxy.resume()
    writer.wait(500)
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(kafka, topic, count)


def test_a_slow_broker_slows_down_and_burns_no_cpu(ship, kafka, topic, log, proxy):
    proxy.delay = 0.3
    agent = ship(output=by_proxy(kafka)).start()
    writer = Writer(log, lines=200)
    wait_for(lambda: proxy.answers, 30, "the first answer")
    shares = []                         # of a core; a batch that was cut costs a second or so
    while len(shares) < 10 and min(shares, default=1) > 0.2:
        cpu, began = agent.process.cpu_seconds(), time.monotonic()
        writer.wait(10_000)
        shares.append((agent.process.cpu_seconds() - cpu) / (time.monotonic() - began))
    assert min(shares) < 0.2, f"of a core: {shares}"
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    assert not arrived(kafka, topic, count)


# --- the producer

@pytest.mark.parametrize("error, told", [
    (OUT_OF_ORDER, "producer has failed and is replaced.*sent again"),
    (FENCED, "old epoch.*sent again")])
def test_a_producer_that_is_done_for_is_replaced_and_nothing_is_lost(
        error, told, ship, kafka, topic, log, proxy):
    """The worst case: the broker has the batch, and says that it has not.  That batch comes
    twice, and nothing else."""
    agent = ship(output=by_proxy(kafka)).start()
    writer = Writer(log)
    writer.wait(500)
    proxy.spoil_answers(1, error)
    agent.wait_log(told)
    writer.wait(500)
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    spoilt, = [a for a in proxy.answers if a.fate == error]
    repeats = arrived(kafka, topic, count)
    assert sum(repeats.values()) == spoilt.records
    assert set(repeats.values()) == {1}


# --- topics

def test_a_topic_made_again_with_fewer_partitions_goes_on(ship, kafka, topic, log):
    """What was acknowledged is gone with the old topic; all that was not is in the new one,
    where the Java client would put it, and each key in its order."""
    agent = ship(parser={"type": "regex", "pattern": r"^\S+ (?<n>\d*?(?<k>\d)) "}, key="${k}",
                 output={"topic.metadata.refresh.interval.ms": 500}).start()
    writer = Writer(log, lines=20)
    writer.wait(500)
    kafka.delete_topic(topic)
    writer.wait(2000)                           # it knows by now
    kafka.create_topic(topic, 3)
    first_new = writer.written
    writer.wait(500)
    count = writer.stop()
    agent.wait_acked(log)
    agent.stop()
    records = kafka.read(topic)
    numbers = sorted(number_of(r.value) for r in records)
    assert set(range(first_new, count)) <= set(numbers), "lines are missing"
    assert len(set(numbers)) == len(numbers), "a line came twice"
    for r in records:
        assert number_of(r.value) < first_new - 1000 or r.partition == java_partition(r.key, 3)
    for key in {r.key for r in records}:
        own = [number_of(r.value) for r in records if r.key == key]
        assert own == sorted(own), f"key {key}"


def dead_letters(agent):
    path = agent.state / "dead_letter/main.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_line_over_the_topics_limit_is_the_only_one_that_is_rejected(
        ship, kafka, topic_name, log, proxy):
    """The broker refuses the whole batch: it is halved until the culprit is alone."""
    small = kafka.create_topic(f"{topic_name}.small", 1, max_message_bytes=100_000)
    lines = numbered(0, 3000, padding=1000)
    culprits = [700, 701, 2500]
    for n in culprits:
        lines[n] = b"line %d %s" % (n, b"x" * 200_000)
    log.write_bytes(text(lines))
    agent = ship(output=by_proxy(kafka, **{"compression.type": "none"}), topic=small).start()
    kafka.wait_count(small, len(lines) - len(culprits))
    agent.wait_acked(log)
    learned = len(proxy.refused(TOO_LARGE))
    append(log, *numbered(3000, 18_000, padding=1000))
    agent.wait_acked(log)
    agent.stop()
    assert [number_of(r.value) for r in kafka.read(small)] == \
        [n for n in range(18_000) if n not in culprits]
    dead = dead_letters(agent)
    assert [d["value"].split()[1] for d in dead] == [str(n) for n in culprits]
    assert all("too large" in d["reason"] for d in dead)
    assert learned < 30, f"{learned} batches were refused"
    assert len(proxy.refused(TOO_LARGE)) == learned, "later batches stay under the limit"


def login():
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
            "sasl.username": "shipper", "sasl.password": USERS["shipper"]}


class Troubled:
    """One agent that feeds a good topic and, in TROUBLES, topics that take nothing for a while:
    the alarms are waited for all at once."""

    TROUBLES = {
        "missing": r"does not exist since \d{4}-\S+Z \(create it.*; \d+ records wait\)",
        "unseen": r"may not be written to by us since \d{4}-\S+Z \(grant Describe and Write",
        "refused": r"may not be written to by us since \d{4}-\S+Z \(grant Describe and Write",
    }

    def __init__(self, kafka, java_side, folder):
        self.kafka = kafka
        self.topics = {name: f"troubled.{name}" for name in [*self.TROUBLES, "good"]}
        self.logs = {name: folder / f"{name}.log" for name in self.topics}
        for name in ("unseen", "refused", "good"):
            kafka.create_topic(self.topics[name])
        java_side.deny(kafka, "shipper", "Describe", self.topics["unseen"])
        self.agent = Agent(folder / "agent", {
            "agent": {"log": {"level": "debug"}},
            "outputs": {"main": {"bootstrap.servers": kafka.sasl, **login()}},
            "inputs": {name: {"paths": str(self.logs[name]), "topic": topic}
                       for name, topic in self.topics.items()}})
        self.writers = {name: Writer(path) for name, path in self.logs.items()}

    def run(self, java_side):
        kafka, topics = self.kafka, self.topics
        self.agent.start()
        wait_for(lambda: kafka.count(topics["refused"]) > 100, 30, "the first records")
        java_side.deny(kafka, "shipper", "Write", topics["refused"])
        for name, alarm in self.TROUBLES.items():
            self.agent.wait_log(f"'{topics[name]}' {alarm}")
        before = kafka.count(topics["good"])
        self.writers["good"].wait(500)
        kafka.wait_count(topics["good"], before + 500, timeout=5)
        kafka.create_topic(topics["missing"])
        for name in ("unseen", "refused"):
            java_side.forget(kafka, topics[name])
        self.written = {name: writer.stop() for name, writer in self.writers.items()}
        for path in self.logs.values():
            self.agent.wait_acked(path)
        self.agent.stop()


@pytest.fixture(scope="module")
def troubled(kafka_node, java_side, tmp_path_factory):
    scene = Troubled(kafka_node, java_side, tmp_path_factory.mktemp("troubled"))
    try:
        scene.run(java_side)
        yield scene
    finally:
        scene.agent.close()


def all_arrived(scene, name):
    assert not arrived(scene.kafka, scene.topics[name], scene.written[name])
    topic = scene.topics[name]
    assert name == "good" or scene.agent.said(f"'{topic}' takes records again") == 1
    assert scene.agent.said(f"level=(info|warn|error) .*'{topic}'") <= 4, "it repeats itself"


def test_a_topic_that_is_made_later_gets_all_of_its_records(troubled):
    all_arrived(troubled, "missing")


def test_a_topic_that_may_not_be_seen_gets_all_when_it_may(troubled):
    all_arrived(troubled, "unseen")


def test_a_topic_that_may_no_longer_be_written_to_gets_all_when_it_may_again(troubled):
    all_arrived(troubled, "refused")


def test_a_good_topic_goes_on_beside_them(troubled):
    all_arrived(troubled, "good")


def test_the_report_of_the_producer_agrees_with_the_brokers(troubled):
    """The last one, at the stop; what it says of requests is ten seconds old at most."""
    log, total, requested = troubled.agent.log(), 0, 0
    for name, topic in troubled.topics.items():
        told = re.findall(rf"topic '{topic}': (\d+) sent, (\d+) acknowledged, (\d+) rejected, "
                          r"(\d+) waiting; batches of (\d+) records, (\d+) bytes", log)
        sent, acknowledged, rejected, waiting, _, _ = map(int, told[-1])
        assert acknowledged == troubled.kafka.count(topic) == troubled.written[name]
        assert rejected == waiting == 0
        assert name != "good" or 0 < sent <= acknowledged
        assert any(int(records) > 1 and int(size) > 100 for *_, records, size in told) or \
            name in ("missing", "unseen")
        total += acknowledged
        requested += sent
    told = re.findall(r"output 'main': (\d+) sent, (\d+) acknowledged, (\d+) sent again, "
                      r"(\d+) rejected, (\d+) lost, (\d+) in flight, (\d+) waiting", log)
    sent, acknowledged, again, *others = map(int, told[-1])
    assert acknowledged == total and not any(others)
    assert 0 < sent == requested <= total + again
    assert again > 0, "what was refused comes back"
    assert re.search(rf"broker '\S*{troubled.kafka.sasl}/1' is up: [1-9]\d* requests, .*; latency "
                     r"[1-9]\d* us", log)


def test_one_bad_record_and_one_bad_topic_stop_no_other_source(agents, kafka, topic, tmp_path):
    """A partition that does not exist, a line that is too large, an illegal topic, a missing
    one; between them everything else arrives."""
    bad, good = tmp_path / "bad.log", tmp_path / "good.log"
    agent = agents({
        "agent": {"shutdown_timeout": "1s", "memory": "256MiB"},
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "parsers": {"p": {"type": "regex", "pattern": r"^(?<kind>\S+) "}},
        "inputs": {"bad": {"paths": str(bad), "parser": "p", "max_line": "3MiB"},
                   "good": {"paths": str(good)}},
        "routes": [{"from": "bad", "when": {"kind": "partition"}, "topic": topic, "partition": 99},
                   {"from": "bad", "when": {"kind": "topic"}, "topic": "no ${kind}?"},
                   {"from": "bad", "when": {"kind": "missing"}, "topic": f"{topic}.missing"},
                   {"from": ["bad", "good"], "topic": topic}]}).start()
    writer = Writer(good)
    for n in range(20):
        append(bad, f"partition {n}", f"topic {n}", f"missing {n}", "large " + "x" * 1_500_000,
               f"fine {n}")
        writer.wait(50)
    count = writer.stop()
    agent.wait_acked(good)
    wait_for(lambda: len(dead_letters(agent)) == 60, 30, "the dead letters")
    kafka.wait_count(topic, count + 20)
    agent.stop()
    partitions = kafka.values(topic).values()
    for kind, expected in (b"fine", 20), (b"line", count):
        own = [[number_of(v + b" ") for v in values if v.startswith(kind)]
               for values in partitions]
        assert sorted(sum(own, [])) == list(range(expected))
        assert all(numbers == sorted(numbers) for numbers in own)
