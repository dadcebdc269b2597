"""Stop, kill, start again: nothing is lost, and nothing comes twice but what
was in flight at a kill.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import random
import sqlite3
import time

import pytest

from samples import append, number_of, numbered, text
from stoker import MIB
from waiting import wait_for

WHO = r"^(?<who>\S+) (?<n>\d+)"


def by_number(values):
    return collections.Counter(number_of(value) for value in values)


@pytest.mark.sanitized
def test_stop_and_start_sends_nothing_twice(ship, kafka, topic, log):
    agent = ship()
    sent = 0
    for round_ in range(5):
        append(log, *numbered(sent, sent + 3000))
        sent += 3000
        agent.start()
        kafka.wait_count(topic, sent)
        agent.stop()
        assert agent.offset(log) == log.stat().st_size
    agent.start()
    append(log, *numbered(sent, sent + 1))
    kafka.wait_count(topic, sent + 1)
    agent.stop()
    assert by_number(r.value for r in kafka.read(topic)) == by_number(numbered(0, sent + 1))


def test_a_stop_in_the_middle_of_a_file_sends_nothing_twice(ship, kafka, topic, log):
    lines = 300_000
    log.write_bytes(text(numbered(0, lines)))
    agent = ship(agent={"memory": "4MiB"})
    arrived = 0
    while arrived < lines:
        agent.start()
        wait_for(lambda: kafka.count(topic) >= min(arrived + 40_000, lines), 60, "progress")
        agent.stop()
        arrived = kafka.count(topic)
    values = [v for partition in kafka.values(topic).values() for v in partition]
    assert len(values) == lines
    assert set(map(number_of, values)) == set(range(lines))


def test_kill_9_ten_times_in_a_million_lines_loses_nothing(ship, kafka, topic, log):
    """Repeats are bounded: after each kill the agent goes on where it had been acknowledged one
    checkpoint earlier, less what its memory held."""
    lines, kills, memory, interval = 1_000_000, 10, 8 * MIB, 0.2
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    log.write_bytes(text(f"host-{n % 50} {n} {'x' * 60}".encode() for n in range(lines)))
    shortest = 68
    agent = ship(parser={"type": "regex", "pattern": WHO}, key="${who}",
                 agent={"memory": "8MiB", "checkpoint_interval": "200ms"})
    allowed = 0
    with kafka.reader(topic) as reader:
        for _ in range(kills):
            history = [(time.monotonic(), reader.count())]
            target = history[0][1] + rng.randrange(1000, lines // (kills + 2))
            agent.start()
            while history[-1][1] < target:
                history.append((time.monotonic(), reader.count()))
                assert time.monotonic() < history[0][0] + 60, f"no progress: {history[-1]}"
            agent.kill()
            killed = time.monotonic()
            final = reader.count()
            # acknowledged, and surely written down, when the kill came
            safe = max(count for at, count in history
                       if at <= max(killed - interval - 1, history[0][0]))
            allowed += final - safe + memory // shortest
        agent.start()
        wait_for(lambda: agent.offset(log) == log.stat().st_size, 120, "the whole file")
        agent.stop()

    values = kafka.values(topic)
    counts = by_number(v for partition in values.values() for v in partition)
    missing = set(range(lines)) - counts.keys()
    assert not missing, f"seed {seed}: {len(missing)} lost, the first: {sorted(missing)[:5]}"
    repeats = sum(counts.values()) - lines
    assert repeats <= allowed, f"seed {seed}: {repeats} repeats, {allowed} may be"
    for partition in values.values():
        assert in_order(partition), f"seed {seed}: not in order"


def in_order(values):
    """Without what came before already, the numbers rise."""
    seen = set()
    last = -1
    for number in map(number_of, values):
        if number in seen:
            continue
        if number < last:
            return False
        seen.add(number)
        last = number
    return True


def test_the_order_check_of_these_tests_can_fail():
    assert in_order([b"l 1", b"l 2", b"l 1", b"l 2", b"l 3"])
    assert not in_order([b"l 1", b"l 3", b"l 2"])


def test_a_kill_while_idle_repeats_nothing(ship, kafka, topic, log):
    log.write_bytes(text(numbered(0, 5000)))
    agent = ship(agent={"checkpoint_interval": "100ms"}).start()
    agent.wait_acked(log)
    agent.kill()
    agent.start()
    append(log, *numbered(5000, 5001))
    agent.wait_acked(log)
    agent.stop()
    assert by_number(r.value for r in kafka.read(topic)) == by_number(numbered(0, 5001))


def test_lines_written_while_the_agent_is_down_are_sent(ship, kafka, topic, log):
    agent = ship(settings={"start": "end"})
    append(log, *numbered(0, 100))
    agent.start()
    agent.wait_acked(log)
    append(log, *numbered(100, 200))
    kafka.wait_count(topic, 100)
    agent.stop()
    append(log, *numbered(200, 300))
    agent.start()
    kafka.wait_count(topic, 200)
    agent.stop()
    assert by_number(r.value for r in kafka.read(topic)) == by_number(numbered(100, 300))


def test_a_stop_without_a_broker_ends_in_time_and_says_what_is_open(ship, kafka, topic, log):
    kafka.stop()
    append(log, *numbered(0, 10))
    agent = ship(agent={"shutdown_timeout": "1s"}).start()
    wait_for(lambda: agent.said("(?i)connect|broker|refused|down"), 15, "a word about the broker")
    wait_for(lambda: str(log) in agent.offsets(), 15, "the first read of the file")
    began = time.monotonic()
    agent.stop()
    assert time.monotonic() - began < 5
    assert agent.said(r"\b10 records\b"), f"the number of open records:\n{agent.log()}"
    kafka.start()
    agent.start()
    kafka.wait_count(topic, 10)
    agent.stop()
    assert by_number(r.value for r in kafka.read(topic)) == by_number(numbered(0, 10))


def test_a_damaged_database_is_set_aside_and_shipping_goes_on(ship, kafka, topic, log):
    append(log, "one")
    agent = ship().start()
    agent.wait_acked(log)
    agent.stop()
    for extra in agent.state.glob("stoker.db-*"):
        extra.unlink()
    (agent.state / "stoker.db").write_bytes(b"this is no database" * 100)
    agent.start()
    agent.wait_log("damaged")
    append(log, "two")
    wait_for(lambda: b"two" in [r.value for r in kafka.read(topic)], 15, "the second line")
    assert list(agent.state.glob("stoker.db.damaged-*"))
    agent.stop()


def test_the_state_is_a_sound_database_for_its_owner_only(ship, kafka, topic, log):
    append(log, "one")
    agent = ship().start()
    agent.wait_acked(log)
    for path in agent.state.glob("stoker.db*"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    agent.kill()
    with sqlite3.connect(agent.state / "stoker.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
