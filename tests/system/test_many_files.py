"""Many files: what they cost when they are quiet, and what they get when they are not.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import contextlib
import os
import resource
import sqlite3
import time

from samples import append, numbered, text
from stoker import MIB
from waiting import wait_for

LIMIT = 600                     # open files


def fill(folder, count, line=b"hello\n"):
    folder.mkdir()
    paths = [folder / f"{n}.log" for n in range(count)]
    for path in paths:
        path.write_bytes(line)
    return paths


def discarding(agents, paths):
    return agents({"agent": {"checkpoint_interval": "100ms"},
                   "outputs": {"none": {"type": "discard"}},
                   "inputs": {"logs": {"paths": str(paths), "topic": "t"}}})


def known(agent):
    """How many files the database remembers as read."""
    with contextlib.closing(sqlite3.connect(agent.state / "stoker.db")) as db:
        return db.execute("select count(*) from file where offset > 0").fetchone()[0]


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def threads(agent):
    return os.listdir(f"/proc/{agent.pid}/task")


def wakes(agent):
    """How often its threads have gone to sleep."""
    total = 0
    for task in threads(agent):
        for line in agent.process.proc(f"task/{task}/status").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def ran(agent, name=None):
    """Seconds that its threads (of this name) were on a CPU."""
    return sum(int(agent.process.proc(f"task/{task}/schedstat").split()[0])
               for task in threads(agent)
               if name in (None, agent.process.proc(f"task/{task}/comm").strip())) / 1e9


def test_a_tenth_of_many_files_grows_and_every_line_arrives_once(ship, kafka, topic, tmp_path):
    paths = fill(tmp_path / "logs", 3000)
    agent = ship(tmp_path / "logs/*.log").start()
    lines = [b"hello"] * len(paths)
    for round_ in range(5):
        for n, path in enumerate(paths[::10]):
            lines.append(b"%d of %d" % (round_, n))
            append(path, lines[-1])
    kafka.wait_count(topic, len(lines))
    agent.stop()
    assert collections.Counter(r.value for r in kafka.read(topic)) == collections.Counter(lines)


def test_many_quiet_files_cost_nothing(agents, tmp_path):
    """Their number wakes nobody, and what it took to begin with them is given back."""
    fill(tmp_path / "logs", 5000)
    agent = discarding(agents, tmp_path / "logs/*.log").start()
    before = agent.process.memory()
    wait_for(lambda: known(agent) == 5000, 15, "all to be read")
    time.sleep(3)               # the last checkpoints, and memory is given back
    wakes_before, ran_before = wakes(agent), ran(agent)
    time.sleep(3)
    assert wakes(agent) - wakes_before < 15
    assert ran(agent) - ran_before < 0.05
    assert agent.process.memory() - before < 12 * MIB
    agent.stop()


def test_the_client_of_a_quiet_agent_does_not_turn_in_a_loop(ship, kafka, topic, tmp_path):
    """librdkafka's main thread would, for most of a millisecond each second."""
    file = tmp_path / "a.log"
    append(file, "hello")
    agent = ship(file).start()
    kafka.wait_count(topic, 1)
    agent.wait_acked(file)
    seconds = [ran(agent, "rdk:main")]
    for _ in range(5):              # the quietest of them: other processes disturb
        time.sleep(1)
        seconds.append(ran(agent, "rdk:main"))
    assert min(b - a for a, b in zip(seconds, seconds[1:])) < 0.0005
    agent.stop()


def test_a_start_with_many_known_files_takes_no_time(agents, tmp_path):
    count = 20_000              # the promise is 100,000 in 5 s
    fill(tmp_path / "logs", count)
    agent = discarding(agents, tmp_path / "logs/*.log").start()
    wait_for(lambda: known(agent) == count, 30, "all to be read")
    agent.stop()
    began = time.monotonic()
    agent.start()
    agent.wait_log(f"follows {count} files")
    assert time.monotonic() - began < 2
    agent.stop()
    assert agent.offset(tmp_path / "logs/7.log") == len(b"hello\n")


def test_no_more_files_are_open_than_the_process_may_have(ship, kafka, topic, tmp_path):
    paths = fill(tmp_path / "logs", 2 * LIMIT)
    agent = ship(tmp_path / "logs/*.log")
    agent.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT)))
    kafka.wait_count(topic, len(paths))
    assert descriptors(agent) < LIMIT
    for path in paths:
        append(path, "again")
    kafka.wait_count(topic, 2 * len(paths))
    assert descriptors(agent) < LIMIT
    assert agent.said("limit of open files") == 1
    agent.stop()
    assert kafka.count(topic) == 2 * len(paths)


def test_a_backlog_leaves_its_turn_to_files_that_are_written_now(ship, kafka, topic, tmp_path):
    """A live line does not wait until the backlog is through."""
    backlog, live = tmp_path / "backlog.log", tmp_path / "live.log"
    backlog.write_bytes(text(numbered(0, 1_000_000, padding=180)))
    live.write_bytes(b"begin\n")
    agent = ship(tmp_path / "*.log", {"parser": {"type": "regex", "pattern": r"^(?<who>\S+)"}},
                 agent={"checkpoint_interval": "50ms", "memory": "16MiB"}, headers={"n": "${who}"})
    agent.start()
    took = []
    while agent.offset(backlog) < backlog.stat().st_size:
        began = time.monotonic()
        append(live, "now")
        agent.wait_acked(live)
        took.append(time.monotonic() - began)
    agent.stop()
    assert len(took) > 3, "the backlog was too short to say anything"
    assert sorted(took)[len(took) // 2] < 1, took
