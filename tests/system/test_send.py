"""What `send` promises: sync and fire_and_forget; async is what all other tests use.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import random
import time

import pytest

from samples import append, number_of, numbered, text
from stoker import MIB
from waiting import lasting, wait_for


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
    append(log, *numbered(0, 200), b"")
    agent = ship(topic=stamped, output={"send": "sync", "keyless": "round_robin"}).start()
    append(log, *numbered(200, 300))
    agent.wait_acked(log)
    agent.stop()
    records = sorted(((r.timestamp, r.partition, r.offset, r.value) for r in kafka.read(stamped)
                      if r.value), key=lambda r: number_of(r[3]))
    assert [number_of(r[3]) for r in records] == list(range(300))
    times = [r[0] for r in records]
    assert times == sorted(times), "a record came before an older one"
    assert {r[1] for r in records} == {0, 1, 2, 3}


def test_sync_repeats_at_most_one_record_for_a_kill(ship, kafka, topic, log):
    """The offset behind a record is on disk before the next one is sent."""
    lines, kills = 1200, 6
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(output={"send": "sync"}, agent={"checkpoint_interval": "10m"})
    rng = random.Random(7)
    with kafka.reader(topic) as reader:
        for _ in range(kills):
            target = min(reader.count() + rng.randrange(20, 120), lines - 50)
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


def test_sync_waits_for_the_broker_and_for_nothing_else(ship, kafka, topic, tmp_path):
    """A source that waits holds up no other; an outage is waiting."""
    agent = ship(output={"send": "sync"})
    paths = [tmp_path / f"{n}.log" for n in range(20)]
    for path in paths:
        append(path, *numbered(0, 20))
    agent.start()
    kafka.wait_count(topic, 40)
    kafka.stop()
    lasting(agent.running, 1, "the agent")
    kafka.start()
    kafka.wait_count(topic, 400)
    for path in paths:
        agent.wait_acked(path)
    agent.stop()
    assert collections.Counter(numbers(kafka, topic)) == \
        collections.Counter({n: 20 for n in range(20)})


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


@pytest.mark.sanitized
def test_fire_and_forget_moves_the_offset_without_a_broker_and_sends_what_it_holds(
        ship, kafka, topic, log):
    append(log, *numbered(0, 100))
    agent = ship(output={"send": "fire_and_forget"}, agent={"checkpoint_interval": "50ms"}).start()
    kafka.wait_count(topic, 100)
    kafka.stop()
    for n in range(100, 110):
        append(log, *numbered(n, n + 1))
        agent.wait_acked(log, timeout=5)
    kafka.start()
    kafka.wait_count(topic, 110)
    agent.stop()
    assert sorted(numbers(kafka, topic)) == list(range(110))


def test_fire_and_forget_sends_nothing_twice_after_a_kill(ship, kafka, topic, log):
    lines = 100_000
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(output={"send": "fire_and_forget"},
                 agent={"checkpoint_interval": "20ms", "memory": "4MiB"})
    for _ in range(3):
        before = kafka.count(topic)
        agent.start()
        wait_for(lambda before=before: kafka.count(topic) > before, 30, "progress", pause=0.001)
        time.sleep(0.1)                             # so that an offset is on disk
        agent.kill()
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    counts = collections.Counter(number_of(v) for p in kafka.values(topic).values() for v in p)
    again = sum(counts.values()) - len(counts)
    print(f"{lines - len(counts)} lost, {again} twice")
    assert lines - len(counts) < 3 * 4 * MIB / 80


@pytest.mark.parametrize("broker", ["gone", "hanging"])
def test_fire_and_forget_gives_up_what_it_cannot_send_and_goes_on(
        ship, kafka, topic, log, broker):
    """A long outage neither holds the file up nor takes more memory; afterwards all is well."""
    append(log, *numbered(0, 100))
    agent = ship(output={"send": "fire_and_forget"}, agent={"memory": "8MiB"}).start()
    kafka.wait_count(topic, 100)
    if broker == "gone":
        kafka.stop()
    else:
        kafka.pause()
    lines = 300_000                                 # 27 MB
    append(log, *numbered(100, lines))
    agent.wait_acked(log, timeout=30)
    assert agent.memory("VmHWM") < 48 * MIB
    agent.wait_log(r"level=error .*records are lost: memory is full")
    kafka.resume() if broker == "hanging" else kafka.start()
    append(log, *numbered(lines, lines + 100))
    wait_for(lambda: lines + 99 in set(numbers(kafka, topic)), 30, "the last line")
    agent.stop()
    found = numbers(kafka, topic)
    assert set(range(100)) | set(range(lines, lines + 100)) <= set(found)
    assert len(found) == len(set(found))
    assert agent.said(r"but for \d+ records that were dropped or given up")
