"""A stop is clean from the first moment on.

SPDX-License-Identifier: Apache-2.0
"""
import shutil
import signal
import subprocess
import time

import pytest

from samples import append, numbered, text
from stoker import BINARY, DONE
from waiting import wait_for


def handles(pid, number):
    """Has the process taken this signal into its own hands?"""
    with open(f"/proc/{pid}/status") as file:
        masks = dict(line.split(":", 1) for line in file)
    return any(int(masks[key], 16) >> (number - 1) & 1 for key in ("SigCgt", "SigBlk"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_first_moment_stops_cleanly(ship, log, number):
    append(log, "hello")
    agent = ship()
    for _ in range(20):
        child = subprocess.Popen([BINARY, "run", "-c", agent.config],
                                 stderr=subprocess.PIPE, text=True)
        while not handles(child.pid, number):   # no pause: this moment is the test
            assert child.poll() is None, child.stderr.read()
        child.send_signal(number)
        _, errors = child.communicate(timeout=15)
        assert child.returncode == DONE, errors


def test_a_signal_is_taken_before_anything_else_is_done(ship, log):
    """Until then the system's own way, death by signal, is the answer."""
    append(log, "hello")
    agent = ship()
    for delay in [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]:
        shutil.rmtree(agent.state, ignore_errors=True)
        child = subprocess.Popen([BINARY, "run", "-c", agent.config],
                                 stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        child.send_signal(signal.SIGTERM)
        _, errors = child.communicate(timeout=15)
        if child.returncode == -signal.SIGTERM:
            assert not agent.state.exists() and not errors, f"after {delay} s: {errors}"
        else:
            assert child.returncode == DONE, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_shipping_stops_cleanly(ship, kafka, topic, log, number):
    log.write_bytes(text(numbered(0, 200_000)))
    agent = ship(agent={"memory": "4MiB"}).start()
    kafka.wait_count(topic, 1)
    agent.signal(number)
    assert agent.wait() == DONE
    assert agent.offset(log) > 0


def test_a_second_signal_stops_at_once(ship, kafka, topic, log):
    append(log, *numbered(0, 1000))
    agent = ship(agent={"shutdown_timeout": "60s"}).start()
    agent.wait_acked(log)
    kafka.pause()
    append(log, *numbered(1000, 2000))
    agent.signal(signal.SIGTERM)
    wait_for(lambda: agent.said("(?i)stop|shut"), 10, "a word about the stop")
    assert agent.running()
    began = time.monotonic()
    agent.signal(signal.SIGTERM)
    agent.wait(5)
    assert time.monotonic() - began < 2
    kafka.resume()
    agent.start()
    kafka.wait_count(topic, 2000)
    agent.stop()


def test_a_closed_stderr_does_not_end_it(ship, kafka, topic, log):
    """Whoever read its messages has gone."""
    agent = ship()
    child = subprocess.Popen([BINARY, "run", "-c", agent.config], stderr=subprocess.PIPE)
    child.stderr.close()
    try:
        append(log, "hello")
        kafka.wait_count(topic, 1)
        kafka.stop()                            # something to complain about
        kafka.start()
        append(log, "again")
        kafka.wait_count(topic, 2)
        child.terminate()
        assert child.wait(15) == DONE
    finally:
        child.kill()
        child.wait()
