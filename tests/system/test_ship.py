"""A file arrives: complete, in order, with its key, headers and time, on the
partition that the Java client would have chosen.

SPDX-License-Identifier: Apache-2.0
"""
import calendar
import re
import time

import pytest

from samples import (ACCESS, access_log, append, java_partition, murmur2, number_of, numbered,
                     text)
from stoker import MIB
from waiting import wait_for

PARTITIONS = 4


def test_an_access_log_arrives_complete_with_every_byte(ship, kafka, topic, log):
    lines = access_log(20_000)
    log.write_bytes(text(lines))
    agent = ship().start()
    kafka.wait_count(topic, len(lines))
    agent.stop()
    assert sorted(r.value for r in kafka.read(topic)) == sorted(lines)
    assert agent.offset(log) == log.stat().st_size


@pytest.mark.sanitized
def test_an_access_log_keyed_by_client_arrives_in_order_per_client(ship, kafka, topic, log):
    lines = access_log(20_000)
    log.write_bytes(text(lines))
    agent = ship(parser={"type": "regex", "pattern": ACCESS}, key="${client}").start()
    kafka.wait_count(topic, len(lines))
    agent.stop()

    records = kafka.read(topic)
    assert len(records) == len(lines)
    expected, arrived = by_client(lines), by_client([r.value for r in records])
    assert arrived == expected
    for r in records:
        assert r.key == r.value.split(b" ")[0]
        assert r.partition == java_partition(r.key, PARTITIONS)


def by_client(lines):
    clients = {}
    for line in lines:
        clients.setdefault(line.split(b" ")[0], []).append(line)
    return clients


@pytest.mark.sanitized
def test_headers_and_timestamp_come_from_the_line(ship, kafka, topic, log):
    lines = access_log(3000)
    log.write_bytes(b"".join(b"%d000 %s\n" % (epoch(line), line) for line in lines))
    pattern = ACCESS.replace("^", r"^(?<at>\d+) ", 1)
    agent = ship(parser={"type": "regex", "pattern": pattern}, key="${client}",
                 timestamp="${at}",
                 headers={"method": "${method}", "status": "${status}", "user": "${user}",
                          "where": "${log.file.name}", "absent": "${nothing}"}).start()
    kafka.wait_count(topic, len(lines))
    agent.stop()

    records = kafka.read(topic)
    assert len(records) == len(lines)
    for r in records:
        at, line = r.value.split(b" ", 1)
        parts = re.match(ACCESS.replace("?<", "?P<"), line.decode()).groupdict()
        assert r.timestamp == int(at)
        assert dict(r.headers) == {"method": parts["method"].encode(),
                                   "status": parts["status"].encode(),
                                   "user": parts["user"].encode(), "where": b"app.log"}
        assert [name for name, _ in r.headers] == ["method", "status", "user", "where"]


def epoch(line):
    stamp = re.search(rb"\[(.*) \+0000\]", line).group(1).decode()
    return calendar.timegm(time.strptime(stamp, "%d/%b/%Y:%H:%M:%S"))


def test_headers_do_not_change_the_order_of_a_partition(ship, kafka, topic, log):
    """Half of the lines have a header, and so take another call into the client."""
    lines = [line + b" odd" if n % 2 else line for n, line in enumerate(numbered(0, 20_000))]
    log.write_bytes(text(lines))
    agent = ship(parser={"type": "regex", "pattern": r"^\S+ (?<n>\d+) x+( (?<odd>odd))?$"},
                 key="one", headers={"odd": "${odd}"}).start()
    kafka.wait_count(topic, len(lines))
    agent.stop()
    records = kafka.read(topic)
    assert [r.value for r in records] == lines
    assert all(bool(r.headers) == r.value.endswith(b"odd") for r in records)


def test_the_time_of_reading_is_the_timestamp_of_lines_without_one(ship, kafka, topic, log):
    before = int(time.time() * 1000)
    append(log, "hello")
    ship().start()
    kafka.wait_count(topic, 1)
    assert before <= kafka.read(topic)[0].timestamp <= int(time.time() * 1000)


def test_lines_without_key_go_to_every_partition_in_batches(ship, kafka, topic, log):
    lines = numbered(0, 100_000)
    log.write_bytes(text(lines))
    agent = ship().start()
    kafka.wait_count(topic, len(lines))
    agent.stop()
    values = kafka.values(topic)
    assert sorted(map(number_of, sum(values.values(), []))) == list(range(len(lines)))
    assert all(values.values()), "a partition got nothing"
    for partition in values.values():
        numbers = list(map(number_of, partition))
        assert numbers == sorted(numbers)
    assert all(r.key is None for r in kafka.read(topic))


@pytest.mark.parametrize("partitions", [1, 3])
def test_lines_with_and_without_key_keep_their_order(
        partitions, ship, kafka, topic_name, log):
    """Two lines in three have a key; those without may go to a partition that has some of the
    others.  Once before the topic is known, once after."""
    mixed = kafka.create_topic(f"{topic_name}.mixed", partitions)
    lines = [b"line %d %s" % (n, b"key-%d" % (n % 7) if n % 3 else b"none") for n in range(4000)]
    append(log, *lines[:2000])
    agent = ship(topic=mixed, key="${k}", agent={"checkpoint_interval": "100ms"},
                 parser={"type": "regex", "pattern": r"^line \d+ (?<k>key-\d)$"}).start()
    agent.wait_acked(log)
    append(log, *lines[2000:])
    agent.wait_acked(log)
    agent.stop()
    values = kafka.values(mixed)
    assert sorted(map(number_of, sum(values.values(), []))) == list(range(4000))
    for partition in values.values():
        numbers = list(map(number_of, partition))
        assert numbers == sorted(numbers)


def test_round_robin_deals_lines_without_key_in_turn(ship, kafka, topic, log):
    lines = numbered(0, 10_000)
    log.write_bytes(text(lines))
    agent = ship(output={"keyless": "round_robin"}).start()
    kafka.wait_count(topic, len(lines))
    agent.stop()
    values = kafka.values(topic)
    first = {number_of(partition[0]): partition for partition in values.values()}
    assert sorted(first) == [0, 1, 2, 3]
    for begin, partition in first.items():
        assert list(map(number_of, partition)) == list(range(begin, len(lines), PARTITIONS))


def test_an_explicit_partition_is_obeyed(ship, kafka, topic, log):
    log.write_bytes(text(numbered(0, 1000)))
    agent = ship(parser={"type": "regex", "pattern": r"^line \d*(?<n>[0-3])"},
                 partition="${n:-0}").start()
    kafka.wait_count(topic, 1000)
    agent.stop()
    for r in kafka.read(topic):
        last = number_of(r.value) % 10
        assert r.partition == (last if last <= 3 else
                               int(re.match(rb"line \d*([0-3])|", r.value).group(1) or 0))


def test_an_empty_key_is_not_a_missing_key(ship, kafka, topic, log):
    append(log, "k= empty", "none")
    agent = ship(parser={"type": "regex", "pattern": "k=(?<k>[a-z]*) "}, key="${k}").start()
    kafka.wait_count(topic, 2)
    agent.stop()
    keys = {r.value: (r.key, r.partition) for r in kafka.read(topic)}
    assert keys[b"k= empty"] == (b"", java_partition(b"", PARTITIONS))
    assert keys[b"none"][0] is None


def codecs(kafka, topic, partition):
    """Those of the batches, as the broker has them on disk."""
    data = (kafka.folder / "data" / f"{topic}-{partition}" / f"{0:020}.log").read_bytes()
    found, at = set(), 0
    while at < len(data):
        found.add(data[at + 22] & 7)
        at += 12 + int.from_bytes(data[at + 8:at + 12], "big")
    return found


def test_every_way_to_compress_arrives_and_is_used(kafka, agents, topic, log):
    lines = access_log(2000)
    log.write_bytes(text(lines))
    ways = ["none", "gzip", "snappy", "lz4", "zstd"]
    kafka.add_partitions(topic, len(ways))
    for number, way in enumerate(ways):
        agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap,
                                     "compression.type": way}},
                "inputs": {"logs": {"paths": str(log), "topic": topic,
                                    "partition": number}}}).start()
    kafka.wait_count(topic, len(lines) * len(ways))
    assert [r.value for r in kafka.read(topic)] == lines * len(ways)
    found = [codecs(kafka, topic, number) for number in range(len(ways))]
    assert found[0] == {0}
    # the first batch is one record, which may not get smaller
    assert [codec - {0} for codec in found[1:]] == [{1}, {2}, {3}, {4}]


def test_keys_and_headers_hold_any_bytes(ship, kafka, topic, log):
    lines = [bytes(range(256)).translate(None, b"\r\n"), b"", b"\0", b"\xff\xfe\0x", b"\xc3",
             b" ", "ключ".encode()]
    log.write_bytes(text(lines))
    agent = ship(key="${body}", headers={"h": "${body}", "é": "<${body}>"}, partition="0").start()
    agent.wait_acked(log)
    agent.stop()
    assert [(r.value, r.key, r.headers) for r in kafka.read(topic)] == \
        [(line, line, [("h", line), ("é", b"<" + line + b">")]) for line in lines]


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_every_way_to_acknowledge_arrives_in_order(ship, kafka, topic, log, acks):
    log.write_bytes(text(numbered(0, 5000)))
    agent = ship(output={"acks": acks}, partition="1").start()
    agent.wait_acked(log)
    agent.stop()
    assert [number_of(r.value) for r in kafka.read(topic)] == list(range(5000))


def test_routes_choose_topic_value_and_what_to_drop(kafka, agents, topic, topic_name, log):
    errors = kafka.create_topic(f"{topic_name}.errors", 1)
    lines = access_log(2000)
    log.write_bytes(text(lines))
    agent = agents({
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "parsers": {"access": {"type": "regex", "pattern": ACCESS}},
        "inputs": {"web": {"paths": str(log), "parser": "access"}},
        "routes": [
            {"from": "web", "when": {"path": "/favicon.ico"}, "drop": True},
            {"from": "web", "when": {"status": "/^5/"}, "topic": errors, "continue": True,
             "value": "${status} ${path}"},
            {"from": "w*", "unless": {"method": ["HEAD", "POST"]}, "topic": topic},
        ]}).start()
    kept = [line for line in lines if b" /favicon.ico " not in line]
    failed = [line for line in kept if re.search(rb'" 5\d\d ', line)]
    got = [line for line in kept if b'"GET ' in line]
    kafka.wait_count(topic, len(got))
    kafka.wait_count(errors, len(failed))
    agent.stop()
    assert sorted(r.value for r in kafka.read(topic)) == sorted(got)
    assert [r.value for r in kafka.read(errors)] == [
        b"500 " + line.split(b" ")[6] for line in failed]
    assert agent.offset(log) == log.stat().st_size
    kafka.delete_topic(errors)


def test_a_line_that_does_not_match_goes_on_with_parse_error(ship, kafka, topic, log):
    append(log, "n=1", "no number", "n=2")
    agent = ship(parser={"type": "regex", "pattern": r"n=(?<n>\d+)"}, key="${n:-none}",
                 headers={"error": "${parse.error}"}).start()
    kafka.wait_count(topic, 3)
    agent.stop()
    records = {r.value: r for r in kafka.read(topic)}
    assert records[b"no number"].key == b"none"
    assert records[b"no number"].headers[0][0] == "error"
    assert records[b"n=1"].key == b"1" and records[b"n=1"].headers == []


def test_a_null_value_is_a_tombstone(ship, kafka, topic, log):
    append(log, "gone")
    ship(key="${body}", value="none").start()
    kafka.wait_count(topic, 1)
    record = kafka.read(topic)[0]
    assert (record.key, record.value) == (b"gone", None)


def test_partitions_added_while_running_are_used(ship, kafka, topic, log):
    """The Java client's own rule: the number of all partitions counts."""
    agent = ship(key="${body}", output={"metadata.max.age.ms": 1000}).start()
    append(log, *(f"before-{n}" for n in range(200)))
    kafka.wait_count(topic, 200)
    kafka.add_partitions(topic, 6)
    batch = 0

    def arrives_on_the_new_ones():
        nonlocal batch
        batch += 1
        append(log, *(f"after-{batch}-{n}" for n in range(50)))
        kafka.wait_count(topic, 200 + 50 * batch)
        return any(r.partition >= 4 for r in kafka.read(topic))

    wait_for(arrives_on_the_new_ones, 60, "records on the new partitions", pause=0.5)
    agent.stop()
    last = f"after-{batch}-".encode()
    for r in kafka.read(topic):
        if r.value.startswith(last):
            assert r.partition == java_partition(r.key, 6)


# --- the hash itself

VECTORS = {
    "": 275646681, "a": -1563381124, "abc": 479470107, "key": -1079937367, "foo": 597841616,
    "21": -973932308, "kafka": -798503068, "1234": -1614185708, "234": -406844982,
    "1": -1993445489, "host-1": 761340765, "user-42": 1459644460, "é": 186971271,
    "日本語": 1431860170,
}


def test_murmur2_of_these_tests_knows_the_published_hashes():
    assert {key: murmur2(key.encode()) for key in VECTORS} == VECTORS


def test_a_key_goes_where_the_java_client_sends_it(ship, kafka, topic, topic_name, log):
    java_topic = kafka.create_topic(f"{topic_name}.java", PARTITIONS)
    keys = list(VECTORS) + [f"{n:x}" * (n % 7) for n in range(3000)]
    kafka.java_produce(java_topic, [(key, "") for key in keys])
    log.write_text("".join(f"{key}\n" for key in keys))
    agent = ship(key="${body}").start()
    kafka.wait_count(topic, len(keys))
    agent.stop()
    assert places(kafka, topic) == places(kafka, java_topic)
    kafka.delete_topic(java_topic)


def places(kafka, topic):
    return sorted((r.key, r.partition) for r in kafka.read(topic))


# --- how much it takes

def test_memory_at_full_speed_stays_within_the_budget(ship, kafka, topic, log):
    lines = numbered(0, 500_000, padding=180)
    log.write_bytes(text(lines))
    agent = ship(agent={"memory": "32MiB"}).start()
    kafka.wait_count(topic, len(lines))
    assert agent.memory("VmHWM") <= (32 + 40) * MIB
    agent.stop()
