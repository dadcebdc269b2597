"""The broker is away, or hangs: the file is the buffer.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import time

import pytest

from samples import append, number_of, numbered, text
from stoker import MIB
from waiting import lasting, wait_for
from writer import rests

OUTAGE_SECONDS = 60
MEMORY = 16


def test_a_broker_stopped_for_a_minute_costs_nothing_but_time(ship, kafka, topic, log):
    """Lines keep coming, more than the memory holds; nothing is lost, nothing comes twice."""
    append(log, *numbered(0, 10_000))
    agent = ship(agent={"memory": f"{MEMORY}MiB"}).start()
    agent.wait_acked(log)
    kafka.stop()
    written = 10_000
    until = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < until:
        append(log, *numbered(written, written + 5000, padding=180))
        written += 5000
        time.sleep(0.3)                         # 16,000 lines a second: 200 MB in a minute
    assert log.stat().st_size > 2 * MEMORY * MIB
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    kafka.start()
    agent.wait_acked(log, timeout=120)
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    agent.stop()

    values = kafka.values(topic)
    assert collections.Counter(number_of(v) for p in values.values() for v in p) == \
        collections.Counter(range(written))
    for partition in values.values():
        numbers = list(map(number_of, partition))
        assert numbers == sorted(numbers)


def test_what_is_written_while_the_broker_is_away_arrives_in_order(
        request, ship, kafka, topic, log):
    """A gigabyte, or as much as is asked for: many times what the memory holds."""
    lines = request.config.getoption("--outage-mib") * MIB // 1024
    append(log, *numbered(0, 100, padding=1012))
    agent = ship(agent={"memory": f"{MEMORY}MiB"}).start()
    agent.wait_acked(log)
    kafka.stop()
    with open(log, "ab") as file:
        for first in range(100, lines, 5000):
            file.write(text(numbered(first, min(first + 5000, lines), padding=1012)))
    assert log.stat().st_size > 5 * MEMORY * MIB
    wait_for(lambda: rests(agent), 60, "the agent to have read what it can")
    kafka.start()
    agent.wait_acked(log, timeout=300)
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    agent.stop()
    seen, last = bytearray(lines), {}
    with kafka.reader(topic) as reader:
        for m in reader.messages():
            n = number_of(m.value())
            assert n > last.get(m.partition(), -1), "the order"
            last[m.partition()] = n
            seen[n] += 1
    assert seen == bytes([1]) * lines, "lost, or twice"


def test_an_outage_costs_no_cpu_and_few_words(ship, kafka, topic, log):
    append(log, *numbered(0, 100))
    agent = ship().start()
    agent.wait_acked(log)
    kafka.stop()
    append(log, *numbered(100, 20_000))
    agent.wait_log("(?i)connect|broker|refused|down")
    before = agent.process.cpu_seconds()
    lasting(agent.running, 10, "the agent")
    assert agent.process.cpu_seconds() - before < 1
    assert len(agent.log().splitlines()) < 20, agent.log()
    kafka.start()
    kafka.wait_count(topic, 20_000)
    agent.stop()
    assert kafka.count(topic) == 20_000


def hanging_broker(kafka, agent, log, lines=20_000):
    """The broker hangs while lines come in, and the agent has taken what it can."""
    append(log, *numbered(0, 1000))
    agent.start()
    agent.wait_acked(log)
    kafka.pause()
    for first in range(1000, lines, 1000):
        append(log, *numbered(first, first + 1000))
        time.sleep(0.05)
    # that it read them cannot be seen from outside without its admin port; its CPU rests
    wait_for(lambda: rests(agent), 30, "the agent to have read the lines")


def not_one_line_is_missing(kafka, topic, agent, log, lines=20_000):
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    counts = collections.Counter(number_of(v) for p in kafka.values(topic).values() for v in p)
    missing = set(range(lines)) - counts.keys()
    assert not missing, f"{len(missing)} lines are missing, the first: {sorted(missing)[:5]}"
    return sum(counts.values()) - lines


@pytest.mark.sanitized
def test_sigterm_while_the_broker_hangs_loses_nothing(ship, kafka, topic, log):
    agent = ship(agent={"shutdown_timeout": "2s"})
    hanging_broker(kafka, agent, log)
    began = time.monotonic()
    agent.stop()
    assert 1 < time.monotonic() - began < 8
    assert agent.said(r"again"), f"it says how many will be sent again:\n{agent.log()}"
    kafka.resume()
    not_one_line_is_missing(kafka, topic, agent, log)


def test_kill_9_while_the_broker_hangs_loses_nothing(ship, kafka, topic, log):
    agent = ship()
    hanging_broker(kafka, agent, log)
    agent.kill()
    kafka.resume()
    not_one_line_is_missing(kafka, topic, agent, log)


def test_the_agent_starts_while_the_broker_hangs(ship, kafka, topic, log):
    agent = ship()
    hanging_broker(kafka, agent, log)
    agent.kill()
    agent.start()
    lasting(agent.running, 2, "the agent")
    agent.kill()
    kafka.resume()
    not_one_line_is_missing(kafka, topic, agent, log)


def test_a_broker_that_hangs_and_goes_on_makes_no_repeats(ship, kafka, topic, log):
    agent = ship()
    hanging_broker(kafka, agent, log)
    kafka.resume()
    agent.wait_acked(log)
    agent.stop()
    assert sorted(number_of(r.value) for r in kafka.read(topic)) == list(range(20_000))


def test_the_agent_starts_before_the_broker(ship, kafka, topic, log):
    log.write_bytes(text(numbered(0, 1000)))
    kafka.stop()
    agent = ship().start()
    agent.wait_log("(?i)connect|broker|refused|down")
    kafka.start()
    kafka.wait_count(topic, 1000)
    agent.stop()
    assert kafka.count(topic) == 1000
