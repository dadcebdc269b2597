"""What becomes of a file's lines when somebody else takes the file away: rotated
and compressed, removed, stopped in the middle; and files in other encodings.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import gzip
import os
import signal
import subprocess

import pytest

from samples import append, number_of, numbered, text
from waiting import lasting, wait_for


def numbers(kafka, topic):
    return collections.Counter(number_of(r.value) for r in kafka.read(topic))


def values(kafka, topic):
    return sorted(r.value for r in kafka.read(topic))


def gzip_file(path):
    """As logrotate's `compress` does it."""
    subprocess.run(["gzip", "-f", path], check=True)


def rotate(log, count=9):
    """app.log becomes app.log.1, that app.log.2.gz, and so on."""
    for n in range(count, 1, -1):
        older = log.with_name(f"{log.name}.{n}.gz")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{n + 1}.gz"))
    last = log.with_name(f"{log.name}.1")
    if last.exists():
        second = log.with_name(f"{log.name}.2")
        last.rename(second)
        gzip_file(second)
    log.rename(last)


def test_a_compressed_file_is_shipped_and_not_again(ship, kafka, topic, tmp_path):
    (tmp_path / "old.log.gz").write_bytes(
        gzip.compress(text(numbered(0, 5000))) + gzip.compress(b"line 5000 and no end"))
    agent = ship(tmp_path / "*.log*").start()
    kafka.wait_count(topic, 5001)
    wait_for(lambda: agent.offset(tmp_path / "old.log.gz") == len(text(numbered(0, 5000))) + 20,
             10, "the offset in the content")
    agent.stop()
    agent.start()
    append(tmp_path / "new.log", *numbered(5001, 5002))
    kafka.wait_count(topic, 5002)
    assert numbers(kafka, topic) == dict.fromkeys(range(5002), 1)


def test_rotation_with_compression_loses_and_repeats_nothing(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log*", settings={"linger": "1s"}).start()
    for generation in range(5):
        append(log, *numbered(generation * 1000, generation * 1000 + 1000))
        if generation % 2:
            kafka.wait_count(topic, generation * 1000 + 1000)
        if generation == 3:
            agent.stop()
        rotate(log)
        if generation == 3:
            agent.start()
    kafka.wait_count(topic, 5000)
    lasting(lambda: numbers(kafka, topic) == dict.fromkeys(range(5000), 1), 2, "each once")
    agent.stop()


def test_a_kill_during_rotations_with_compression_loses_nothing(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log*", agent={"checkpoint_interval": "100ms"}).start()
    append(log, *numbered(0, 20_000))
    kafka.wait_count(topic, 5_000)
    agent.kill()
    append(log, *numbered(20_000, 21_000))
    rotate(log)
    append(log, *numbered(21_000, 22_000))
    rotate(log)                                 # what was not acknowledged is in app.log.2.gz
    append(log, *numbered(22_000, 23_000))
    agent.start()
    wait_for(lambda: set(numbers(kafka, topic)) == set(range(23_000)), 30, "every line")
    assert not agent.said("are lost")
    agent.stop()


def test_a_file_compressed_out_of_the_glob_while_down_goes_on(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log").start()
    append(log, *numbered(0, 1000))
    agent.wait_acked(log)
    agent.kill()
    append(log, *numbered(1000, 2000))
    old = log.rename(tmp_path / "app.log.1")
    gzip_file(old)
    append(log, *numbered(2000, 3000))          # perhaps with the inode of the old one
    agent.start()
    agent.wait_log(r"goes on in '.*app\.log\.1\.gz' at byte")
    kafka.wait_count(topic, 3000)
    assert numbers(kafka, topic) == dict.fromkeys(range(3000), 1)
    agent.stop()


def test_rotations_while_it_is_stopped_by_a_signal_lose_nothing(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log*").start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    agent.signal(signal.SIGSTOP)
    for n in range(1, 6):
        append(log, *numbered(n * 100, n * 100 + 100))
        for older in range(n, 0, -1):
            path = tmp_path / f"app.log.{older}"
            if path.exists():
                path.rename(tmp_path / f"app.log.{older + 1}")
        log.rename(tmp_path / "app.log.1")
    append(log, *numbered(600, 700))
    agent.signal(signal.SIGCONT)
    kafka.wait_count(topic, 700)
    assert numbers(kafka, topic) == dict.fromkeys(range(700), 1)
    agent.stop()


def test_a_file_is_removed_only_when_all_of_it_is_acknowledged(ship, kafka, topic, tmp_path, log):
    agent = ship(settings={"remove": "acked", "linger": "1s"}).start()
    append(log, *numbered(0, 100))
    wait_for(lambda: not log.exists(), 15, "the file to be removed")
    kafka.pause()
    append(log, *numbered(100, 200))
    agent.wait_log("was removed")
    lasting(log.exists, 3, "the file stays while nobody acknowledges it")
    kafka.resume()
    wait_for(lambda: not log.exists(), 30, "the file to be removed")
    kafka.wait_count(topic, 200)
    wait_for(lambda: agent.offsets() == {}, 10, "the file to be forgotten")
    agent.stop()
    assert numbers(kafka, topic) == dict.fromkeys(range(200), 1)


def test_a_removed_file_loses_nothing_at_a_kill(ship, kafka, topic, tmp_path):
    """Writers that make a file, write and leave; a kill while files are removed."""
    agent = ship(settings={"remove": "acked", "linger": "200ms", "poll": "100ms"})
    for n in range(200):
        append(tmp_path / f"{n}.log", *numbered(n * 10, n * 10 + 10))
    agent.start()
    wait_for(lambda: len(list(tmp_path.glob("*.log"))) < 150, 30, "files to be removed")
    agent.kill()
    agent.start()
    wait_for(lambda: not list(tmp_path.glob("*.log")), 30, "all files to be removed")
    assert set(numbers(kafka, topic)) == set(range(2000))
    agent.stop()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_of_what_was_on_its_way_when_it_was_deleted_nobody_says_that_it_is_lost(
        ship, kafka, topic, log, end):
    """It may have arrived: the acknowledgement was not waited for, or not written down."""
    kafka.pause()
    agent = ship(agent={"shutdown_timeout": "500ms"}).start()
    append(log, *numbered(0, 100))
    size = log.stat().st_size
    wait_for(lambda: str(log) in agent.offsets(), 10, "the file to be remembered")
    getattr(agent, end)()
    log.unlink()
    kafka.resume()
    agent.start()
    agent.wait_log(rf"up to {size} unread bytes of '{log}' are lost: .* may have arrived")
    agent.stop()


def test_what_was_deleted_unread_while_down_is_told_in_bytes(ship, kafka, topic, log):
    """After a stop that has waited for every acknowledgement, to the byte."""
    log.write_bytes(text(numbered(0, 20_000)))
    agent = ship(output={"send": "sync"}).start()       # one record after the other
    kafka.wait_count(topic, 1)
    agent.stop()
    unread = log.stat().st_size - agent.offset(log)
    assert unread > 0, "20,000 round trips were too fast"
    log.unlink()
    agent.start()
    agent.wait_log(rf'"{unread} unread bytes of \'{log}\' are lost: no copy of it was found"')
    agent.stop()


def test_a_file_in_utf_16_is_shipped_in_utf_8(ship, kafka, topic, log):
    agent = ship(settings={"encoding": "utf-16"}).start()
    log.write_bytes("größer\r\n日本\n😀 half".encode("utf-16"))
    kafka.wait_count(topic, 2)
    agent.stop()
    with open(log, "ab") as file:
        file.write(" whole\n".encode("utf-16le"))
    agent.start()
    kafka.wait_count(topic, 3)
    agent.stop()
    assert values(kafka, topic) == sorted(
        line.encode() for line in ("größer", "日本", "😀 half whole"))
    assert agent.offset(log) == os.stat(log).st_size
