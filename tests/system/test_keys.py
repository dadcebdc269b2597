"""Keys as the Java client's serializers write them, and where records go with and without
one.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import collections
import json
import struct

import pytest

from samples import append, java_partition, number_of, numbered, text
from stoker import CONFIG, DONE, json_lines, stoker, write_config
from waiting import wait_for

SERIALIZERS = {"string": str.encode, "short": lambda t: struct.pack(">h", int(t)),
               "integer": lambda t: struct.pack(">i", int(t)),
               "long": lambda t: struct.pack(">q", int(t)),
               "float": lambda t: struct.pack(">f", float(t)),
               "double": lambda t: struct.pack(">d", float(t))}
VALUES = ["0", "1", "-1", "42", "258", "-32768", "32767"]
JAVA = "org.apache.kafka.common.serialization."


@pytest.mark.sanitized
def test_serialized_keys_go_where_the_java_client_sends_them(agents, kafka, topic, log):
    """And a key that does not convert is a dead letter that keeps its text."""
    lines = [f"{name} {value}" for name in SERIALIZERS for value in VALUES]
    append(log, *lines, "short 40000", "integer x", "uuid 123E4567-E89B-12D3-A456-426614174000",
           "uuid nonsense", "double 1.5")
    agent = agents({
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "parsers": {"p": {"type": "regex", "pattern": r"^(?<kind>\w+) (?<key>\S+)$"}},
        "inputs": {"logs": {"paths": str(log), "parser": "p"}},
        "routes": [{"from": "logs", "when": {"kind": name}, "topic": topic, "key": "${key}",
                    "key.serializer": f"{JAVA}LongSerializer" if name == "long" else name}
                   for name in [*SERIALIZERS, "uuid"]]}).start()
    agent.wait_acked(log)
    agent.stop()
    records = kafka.read(topic)
    assert collections.Counter(r.value.decode() for r in records) == \
        collections.Counter([*lines, "uuid 123E4567-E89B-12D3-A456-426614174000", "double 1.5"])
    for record in records:
        kind, value = record.value.decode().split()
        key = value.lower().encode() if kind == "uuid" else SERIALIZERS[kind](value)
        assert record.key == key and record.partition == java_partition(key, 4), record
    letters = json_lines((agent.state / "dead_letter/main.jsonl").read_text())
    assert [(d["value"], d["key"]) for d in letters] == \
        [("short 40000", "40000"), ("integer x", "x"), ("uuid nonsense", "nonsense")]
    assert "out of the range" in letters[0]["reason"] and "whole number" in letters[1]["reason"]


def test_try_shows_serialized_keys_and_check_refuses_impossible_ones(tmp_path):
    def config(**keys):
        return write_config(tmp_path / "stoker.yaml", {
            "outputs": {"main": {"bootstrap.servers": "localhost:9092",
                                 "key.serializer": f"{JAVA}IntegerSerializer"}},
            "inputs": {"logs": {"paths": "/none", "topic": "t", **keys}}})

    def tried(line, **keys):
        done = stoker("try", "-c", config(**keys), "--partitions", "8", stdin=line)
        assert done.returncode == DONE, done.stderr
        return json_lines(done.stdout), done.stderr

    [record], _ = tried("42\n", key="${body}")      # as the output says
    assert record["key"] == "\x00\x00\x00*" and record["partition"] == 0
    [record], _ = tried("-1\n", **{"key": "${body}", "key.serializer": "long"})
    assert record["key"] == {"base64": base64.b64encode(b"\xff" * 8).decode()}
    [record], _ = tried("42\n", **{"key": "${body}", "key.serializer": "string"})
    assert record["key"] == "42"
    none, told = tried("x\n", key="${body}")
    assert not none and "rejected: the key is not a whole number" in told
    for keys, part in [({"key": "abc"}, "the key is not a whole number: 'abc'"),
                       ({"key.serializer": "doubel"}, "did you mean 'double'"),
                       ({"key.serializer": "com.example.Mine"}, "cannot be 'com.example.Mine'")]:
        done = stoker("check", "-c", config(**keys))
        assert done.returncode == CONFIG and part in done.stderr, done.stderr


def test_keyless_records_go_by_each_way(agents, kafka, topic_name, tmp_path):
    """sticky: even over time; round_robin: in turn; source: each file keeps to one; random:
    about even."""
    ways = ["sticky", "round_robin", "source", "random"]
    lines = 8000
    topics = {way: kafka.create_topic(f"{topic_name}.{way}", 4) for way in ways}
    for way in ways:
        (tmp_path / way).mkdir()
        for n in range(6):
            (tmp_path / way / f"{n}.log").write_bytes(text(
                numbered(n * lines, (n + 1) * lines, padding=200)))
    agent = agents({
        "outputs": {way: {"bootstrap.servers": kafka.bootstrap, "keyless": way} for way in ways},
        "inputs": {way: {"paths": str(tmp_path / way / "*.log"), "topic": topics[way],
                         "output": way} for way in ways}}).start()
    for way in ways:
        kafka.wait_count(topics[way], 6 * lines)
    agent.stop()
    for way in ways:
        values = kafka.values(topics[way])
        counts = [len(v) for v in values.values()]
        assert sum(counts) == 6 * lines, way
        where = collections.defaultdict(set)
        for partition, found in values.items():
            for value in found:
                where[number_of(value) // lines].add(partition)
        if way == "sticky":
            assert min(counts) > 6 * lines / 16
        elif way == "round_robin":
            assert max(counts) - min(counts) <= 1
        elif way == "source":
            assert all(len(partitions) == 1 for partitions in where.values())
        else:
            assert max(counts) - min(counts) < 6 * lines / 20
        kafka.delete_topic(topics[way])


def test_every_partitioner_and_empty_keys(agents, kafka, topic_name, log):
    """As librdkafka's: an empty key is a key but for consistent_random, a missing one is empty
    where the name does not say random."""
    ways = ["murmur2_random", "murmur2", "consistent", "consistent_random", "fnv1a",
            "fnv1a_random", "random", "round_robin"]
    topics = {way: kafka.create_topic(f"{topic_name}.{way}", 4) for way in ways}
    lines = [f"{n} {'same' if n % 3 else ''}" for n in range(400)]
    append(log, *lines)
    agent = agents({
        "outputs": {way: {"bootstrap.servers": kafka.bootstrap, "partitioner": way,
                          "keyless": "round_robin"} for way in ways},
        "parsers": {"p": {"type": "regex", "pattern": r"^(?<n>\d+) (?<key>.*)$"}},
        "inputs": {"logs": {"paths": str(log), "parser": "p"}},
        "routes": [{"from": "logs", "topic": topics[way], "key": "${key}", "output": way,
                    "continue": True} for way in ways]}).start()
    agent.wait_acked(log)
    agent.stop()
    for way in ways:
        records = kafka.read(topics[way])
        assert sorted(r.value for r in records) == sorted(map(str.encode, lines))
        by_key = {key: {r.partition for r in records if r.key == key} for key in (b"", b"same")}
        assert all(r.key in by_key for r in records)
        spread = {"random": 4, "round_robin": 4}.get(way, 1)
        assert len(by_key[b"same"]) == spread, way
        assert len(by_key[b""]) == (4 if way == "consistent_random" else spread), way
        if way.startswith("murmur2"):
            assert by_key == {k: {java_partition(k, 4)} for k in by_key}
        if way == "round_robin":
            assert set(collections.Counter(r.partition for r in records).values()) == {100}
        kafka.delete_topic(topics[way])


def test_partitions_added_while_it_runs_are_used(ship, kafka, topic, log):
    agent = ship(output={"metadata.max.age.ms": 200, "keyless": "round_robin"}).start()
    append(log, *numbered(0, 100))
    kafka.wait_count(topic, 100)
    kafka.add_partitions(topic, 6)
    sent = 100

    def arrives_in_new_ones():
        nonlocal sent
        append(log, *numbered(sent, sent + 12))
        sent += 12
        kafka.wait_count(topic, sent)
        return {r.partition for r in kafka.read(topic)} == set(range(6))

    wait_for(arrives_in_new_ones, 30, "records in the new partitions", pause=0.2)
    agent.stop()
    assert sorted(number_of(r.value) for r in kafka.read(topic)) == list(range(sent))


def test_a_partition_that_was_just_added_is_no_dead_letter(ship, kafka, topic, log):
    """Metadata of the last minute does not know it: it is asked for before a record is
    rejected."""
    append(log, "0 old")
    agent = ship(parser={"type": "regex", "pattern": r"^(?<p>\d) "}, partition="${p}").start()
    agent.wait_acked(log)
    kafka.add_partitions(topic, 6)
    append(log, "5 new", "4 new", "7 none")
    agent.wait_acked(log, timeout=20)
    agent.stop()
    assert sorted((r.partition, r.value) for r in kafka.read(topic)) == \
        [(0, b"0 old"), (4, b"4 new"), (5, b"5 new")]
    [letter] = json_lines((agent.state / "dead_letter/main.jsonl").read_text())
    assert letter["partition"] == 7 and "has 6 partitions" in letter["reason"]


def test_a_partition_that_does_not_exist_is_a_dead_letter_and_no_hang(ship, kafka, topic, log):
    append(log, *[f"{n % 6} {n}" for n in range(300)])
    agent = ship(parser={"type": "regex", "pattern": r"^(?<p>\d) "}, partition="${p}").start()
    agent.wait_acked(log)
    agent.stop()
    assert all(r.value.decode()[0] == str(r.partition) for r in kafka.read(topic))
    assert kafka.count(topic) == 200
    letters = (agent.state / "dead_letter/main.jsonl").read_text().splitlines()
    assert len(letters) == 100
    assert {json.loads(line)["partition"] for line in letters} == {4, 5}
