"""What `send` promises: sync and fire_and_forget; async is what all other tests use.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import random

import pytest

from samples import append, number_of, numbered, text
from stoker import MIB
from waiting import wait_for


def numbers(kafka, topic):
    return [number_of(r.value) for r in kafka.read(topic)]


# --- sync

@pytest.fixture
def stamped(kafka, topic_name):
    """A topic whose broker says when each record came."""
    name = f"{topic_name}.stamped"
    yield kafka.create_topic(name, 4, message_timestamp_type="LogAppendTime")
    kafka.delete_topic(name)


@pytest.mark.sanitized
def test_sync_sends_record_after_record_over_all_partitions(ship, kafka, stamped, log):
    append(log, *numbered(0, 150), b"")
    agent = ship(topic=stamped, output={"send": "sync", "keyless": "round_robin"}).start()
    append(log, *numbered(150, 200))
    agent.wait_acked(log)
    agent.stop()
    records = sorted(((r.timestamp, r.partition, r.offset, r.value) for r in kafka.read(stamped)
                      if r.value), key=lambda r: number_of(r[3]))
    assert [number_of(r[3]) for r in records] == list(range(200))
    times = [r[0] for r in records]
    assert times == sorted(times), "a record came before an older one"
    assert {r[1] for r in records} == {0, 1, 2, 3}


def test_sync_repeats_at_most_one_record_for_a_kill(ship, kafka, topic, log):
    """The offset behind a record is on disk before the next one is sent."""
    lines, kills = 800, 5
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(output={"send": "sync"}, agent={"checkpoint_interval": "10m"})
    rng = random.Random(7)
    with kafka.reader(topic) as reader:
        for _ in range(kills):
            target = min(reader.count() + rng.randrange(20, 100), lines - 50)
            agent.start()
            wait_for(lambda target=target: reader.count() >= target, 60, "progress", pause=0.001)
            agent.kill()
        agent.start()
        wait_for(lambda: reader.count() >= lines, 60, "the whole file")
        agent.wait_acked(log)
        agent.stop()
        values = [number_of(v) for p in reader.values().values() for v in p]
    counts = collections.Counter(values)
    assert counts.keys() == set(range(lines))
    assert sum(counts.values()) - lines <= kills
    assert max(counts.values()) <= 2


def test_sync_repeats_at_most_one_record_of_a_container_for_a_kill(ship, kafka, topic, log):
    """Two streams, partial lines and groups: one line often completes several records."""
    records, kills = 120, 4
    rng = random.Random(3)
    lines = []
    for n in range(records):
        stream = rng.choice(["stdout", "stderr"])
        frame = f"2024-10-10T13:53:36.{n:09}Z {stream}"
        lines += [f"{frame} P R", f"{frame} F {n}"] + [f"{frame} F  more"] * rng.randrange(3)
        lines += ["no container's"] * (n % 9 == 0)
    log.write_bytes(text([line.encode() for line in lines]))
    agent = ship(output={"send": "sync"}, parser={"type": "cri"},
                 multiline={"start": "^R", "timeout": "1s"})
    whole = records + lines.count("no container's")
    with kafka.reader(topic) as reader:
        for _ in range(kills):
            target = reader.count() + 20
            agent.start()
            wait_for(lambda target=target: reader.count() >= target, 60, "progress", pause=0.001)
            agent.kill()
        agent.start()
        wait_for(lambda: reader.count() >= whole, 60, "the whole file")
        agent.wait_acked(log)
        agent.stop()
        values = [v for p in reader.values().values() for v in p]
    counts = collections.Counter(v.split(b"\n")[0] for v in values if v != b"no container's")
    assert counts.keys() == {b"R%d" % n for n in range(records)}
    assert len(values) - whole <= kills


# --- both

def test_an_outage_is_waiting_for_sync_and_moving_on_for_fire_and_forget(
        agents, kafka, topic, tmp_path):
    """The one keeps its offset, the other moves it and sends what it holds when it can; a
    source that waits holds up no other."""
    paths = [tmp_path / f"sync-{n}.log" for n in range(10)]
    gone = tmp_path / "gone.log"
    to_kafka = {"bootstrap.servers": kafka.bootstrap}
    agent = agents({
        "agent": {"checkpoint_interval": "50ms"},
        "outputs": {"one": {**to_kafka, "send": "sync"},
                    "gone": {**to_kafka, "send": "fire_and_forget"}},
        "inputs": {"sync": {"paths": str(tmp_path / "sync-*.log"), "topic": topic,
                            "output": "one"},
                   "gone": {"paths": str(gone), "topic": topic, "output": "gone"}}})
    for path in paths:
        append(path, *numbered(0, 10))
    append(gone, *numbered(0, 10, who="gone"))
    agent.start()
    kafka.wait_count(topic, 110)
    for path in paths:
        agent.wait_acked(path)
    kafka.stop()
    before = agent.offset(paths[0])
    for path in paths:
        append(path, *numbered(10, 20))
    for n in range(10, 20):
        append(gone, *numbered(n, n + 1, who="gone"))
        agent.wait_acked(gone, timeout=5)
    assert agent.offset(paths[0]) == before
    kafka.start()
    kafka.wait_count(topic, 220)
    for path in paths:
        agent.wait_acked(path)
    agent.stop()
    values = [r.value for r in kafka.read(topic)]
    assert collections.Counter(number_of(v) for v in values if v.startswith(b"line")) == \
        collections.Counter({n: 10 for n in range(20)})
    assert sorted(number_of(v) for v in values if v.startswith(b"gone")) == list(range(20))


# --- fire_and_forget

def test_fire_and_forget_delivers_everything_while_the_broker_is_there(ship, kafka, topic, log):
    """Also much more than memory holds, in order, and nothing again after a stop."""
    lines = 200_000
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(output={"send": "fire_and_forget"}, agent={"memory": "8MiB"}, key="k").start()
    kafka.wait_count(topic, lines)
    agent.stop()
    assert agent.offset(log) == log.stat().st_size
    agent.start()
    append(log, *numbered(lines, lines + 1))
    kafka.wait_count(topic, lines + 1)
    agent.stop()
    [values] = [v for v in kafka.values(topic).values() if v]
    assert list(map(number_of, values)) == list(range(lines + 1))
    assert agent.said("everything that was read is acknowledged$|acknowledged\"$")


def test_fire_and_forget_sends_nothing_twice_after_a_kill(ship, kafka, topic, log):
    """The offset is on disk before a record is sent."""
    lines, kills = 300_000, 4
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(output={"send": "fire_and_forget"}, agent={"memory": "4MiB"})
    with kafka.reader(topic) as reader:
        for _ in range(kills):
            before = reader.count()
            agent.start()
            wait_for(lambda before=before: reader.count() > before, 30, "progress", pause=0.001)
            agent.kill()
        agent.start()
        agent.wait_acked(log)
        agent.stop()
        counts = collections.Counter(number_of(v) for p in reader.values().values() for v in p)
    assert max(counts.values()) == 1
    assert lines - len(counts) <= kills * 4 * MIB / 85, "more is lost than the client held"


def test_fire_and_forget_gives_up_what_it_cannot_send_and_goes_on(ship, kafka, topic, log):
    """A long outage neither holds the file up nor takes more memory; afterwards all is well."""
    append(log, *numbered(0, 100))
    agent = ship(output={"send": "fire_and_forget"}, agent={"memory": "8MiB"}).start()
    kafka.wait_count(topic, 100)
    kafka.pause()
    lines = 250_000                                 # 23 MB
    append(log, *numbered(100, lines))
    agent.wait_acked(log, timeout=30)
    assert agent.memory("VmHWM") < 48 * MIB
    agent.wait_log(r"level=error .*records are lost: memory is full")
    kafka.resume()
    append(log, *numbered(lines, lines + 100))
    wait_for(lambda: lines + 99 in set(numbers(kafka, topic)), 30, "the last line")
    agent.stop()
    found = numbers(kafka, topic)
    assert set(range(100)) | set(range(lines, lines + 100)) <= set(found)
    assert len(found) == len(set(found))
    assert agent.said(r"but for \d+ records that were dropped or given up")


# --- acks

@pytest.mark.parametrize("send, told", [("async", True), ("sync", True),
                                        ("fire_and_forget", False)])
def test_acks_0_is_a_warning_where_more_was_promised(ship, log, send, told):
    """Then an acknowledgement is that the client has sent it, and a checkpoint proves nothing."""
    agent = ship(output={"send": send, "acks": 0})
    done = agent.command("check")
    assert done.returncode == 0
    assert ("Kafka acknowledges nothing" in done.stderr) == told
