"""Memory has a limit, and what cannot move does not take it from the rest.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os

from samples import append, number_of, numbered, text
from stoker import MIB
from waiting import lasting, wait_for

MEMORY = 16


def two_inputs(kafka, stuck_topic, topic, tmp_path):
    return {"agent": {"memory": f"{MEMORY}MiB", "shutdown_timeout": "2s"},
            "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
            "inputs": {"stuck": {"paths": str(tmp_path / "stuck/*.log"), "topic": stuck_topic},
                       "free": {"paths": str(tmp_path / "free.log"), "topic": topic}}}


def test_many_files_that_feed_a_missing_topic_leave_room_for_the_rest(
        agents, kafka, topic, tmp_path):
    (tmp_path / "stuck").mkdir()
    lines = 300                                     # 27 MB, more than the memory
    for n in range(1000):
        (tmp_path / f"stuck/{n}.log").write_bytes(text(numbered(0, lines, who=f"file-{n}")))
    free = tmp_path / "free.log"
    missing = f"{topic}.missing"
    agent = agents(two_inputs(kafka, missing, topic, tmp_path)).start()
    agent.wait_log(missing)
    for round_ in range(1, 21):
        append(free, *numbered(round_ * 1000 - 1000, round_ * 1000))
        kafka.wait_count(topic, round_ * 1000, timeout=15)
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    agent.wait_acked(free)

    kafka.create_topic(missing)
    kafka.wait_count(missing, 1000 * lines, timeout=120)
    agent.stop()
    assert agent.said(f"'{missing}' does not exist since") == 1, "for a thousand files"
    arrived = collections.defaultdict(list)         # (file, partition) -> numbers
    for partition, values in kafka.values(missing).items():
        for value in values:
            arrived[value.split()[0], partition].append(number_of(value))
    assert all(numbers == sorted(set(numbers)) for numbers in arrived.values()), "order, repeats"
    assert sum(map(len, arrived.values())) == 1000 * lines
    assert kafka.count(topic) == 20_000
    kafka.delete_topic(missing)


def test_a_missing_topic_does_not_burn_the_cpu(agents, kafka, topic, tmp_path):
    (tmp_path / "stuck").mkdir()
    for n in range(20):
        (tmp_path / f"stuck/{n}.log").write_bytes(text(numbered(0, 50_000)))
    agent = agents(two_inputs(kafka, f"{topic}.missing", topic, tmp_path)).start()
    agent.wait_log(f"{topic}.missing")
    before = agent.process.cpu_seconds()
    lasting(agent.running, 10, "the agent")
    assert agent.process.cpu_seconds() - before < 1.5
    agent.stop()


def test_memory_stays_in_its_limit_with_long_lines_and_many_files(ship, kafka, topic, tmp_path):
    lines = 0
    for n in range(100):
        own = [os.urandom(100_000).hex().encode() for _ in range(5)]
        (tmp_path / f"{n}.log").write_bytes(text(own))
        lines += len(own)
    agent = ship(agent={"memory": f"{MEMORY}MiB"}).start()
    kafka.wait_count(topic, lines)
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    agent.stop()


def test_an_idle_agent_is_small_and_sleeps(ship, kafka, topic, log):
    append(log, "hello")
    agent = ship().start()
    agent.wait_acked(log)
    before = agent.process.cpu_seconds()
    lasting(agent.running, 10, "the agent")
    assert agent.process.cpu_seconds() - before <= 0.05
    assert agent.memory() < 20 * MIB
    agent.stop()


def test_keys_count_as_memory_too(ship, kafka, topic, log):
    """The client's own limit knows values only; ours must hold with keys as long as lines."""
    append(log, "the topic is known now")
    agent = ship(agent={"memory": f"{MEMORY}MiB"}, key="${body}").start()
    agent.wait_acked(log)
    idle = agent.memory()
    kafka.pause()
    try:
        append(log, *numbered(0, 50_000, padding=900))
        wait_for(lambda: agent.memory() >= idle + MEMORY * MIB // 2, 30, "memory to be used")
        lasting(lambda: agent.memory("VmHWM") <= (MEMORY + 40) * MIB, 5, "the limit")
    finally:
        kafka.resume()
    agent.wait_acked(log)
    assert agent.memory("VmHWM") <= (MEMORY + 40) * MIB
    agent.stop()
