"""Files as they live: they appear, grow, are rotated, truncated, deleted.

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil

import pytest

from samples import append, number_of, numbered, text
from waiting import lasting, wait_for


def arrived(kafka, topic):
    return sorted(r.value for r in kafka.read(topic))


def wait_values(kafka, topic, values):
    """Until exactly these have arrived, in any order."""
    kafka.wait_count(topic, len(values))
    assert arrived(kafka, topic) == sorted(values)


def only_these_arrive(agent, kafka, topic, last, values):
    """Files of a folder are found together: what must not be sent would be there by the time a
    later line has arrived and all is acknowledged."""
    kafka.wait_count(topic, len(values))
    append(last, "the last one")
    agent.wait_acked(last)
    agent.stop()
    assert arrived(kafka, topic) == sorted([*values, b"the last one"])


# --- globs and discovery

def test_globs_with_two_stars_find_files_in_every_folder(ship, kafka, topic, tmp_path):
    for folder in ("", "a", "a/b", "a/b/c"):
        (tmp_path / "logs" / folder).mkdir(parents=True, exist_ok=True)
        append(tmp_path / "logs" / folder / "x.log", f"in {folder}")
        append(tmp_path / "logs" / folder / "x.txt", "not this one")
    agent = ship(tmp_path / "logs/**/*.log").start()
    only_these_arrive(agent, kafka, topic, tmp_path / "logs/a/b/x.log",
                      [b"in ", b"in a", b"in a/b", b"in a/b/c"])


def test_braces_classes_and_exclude(ship, kafka, topic, tmp_path):
    for name in ("web-1.log", "web-2.log", "web-3.log", "db.log", "db.debug.log", "other.log",
                 "db/x.log", "db/old/x.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        append(tmp_path / name, name)
    agent = ship(tmp_path / "{web-[12],db*,db/**/x}.log",
                 {"exclude": ["*.debug.log", str(tmp_path / "db/old/*")]}).start()
    only_these_arrive(agent, kafka, topic, tmp_path / "db.log",
                      [b"web-1.log", b"web-2.log", b"db.log", b"db/x.log"])


def test_a_list_of_paths_and_a_file_named_twice_is_read_once(ship, kafka, topic, tmp_path, agents):
    append(tmp_path / "a.log", "a")
    append(tmp_path / "b.txt", "b")
    agent = agents({
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "inputs": {"logs": {"topic": topic, "paths": [
            str(tmp_path / "*.log"), str(tmp_path / "a.*"), str(tmp_path / "b.txt")]}}}).start()
    only_these_arrive(agent, kafka, topic, tmp_path / "b.txt", [b"a", b"b"])


def test_a_file_that_appears_later_is_found_at_once(ship, kafka, topic, tmp_path):
    agent = ship(tmp_path / "*.log", {"rescan": "10m"}).start()
    append(tmp_path / "late.log", "hello")
    kafka.wait_count(topic, 1, timeout=5)
    agent.stop()


def test_a_file_in_a_folder_that_appears_later_is_found(ship, kafka, topic, tmp_path):
    ship(tmp_path / "apps/*/log/*.log").start()
    (tmp_path / "apps/shop/log").mkdir(parents=True)
    append(tmp_path / "apps/shop/log/x.log", "hello")
    wait_values(kafka, topic, [b"hello"])


def test_the_rescan_finds_what_no_event_told(ship, kafka, topic, tmp_path):
    """The folder is behind two symbolic links, and the one that is switched lies where nobody
    watches."""
    for folder in ("old", "new", "hop", "logs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "hop/current").symlink_to(tmp_path / "old")
    (tmp_path / "logs/link").symlink_to(tmp_path / "hop/current")
    append(tmp_path / "old/x.log", "old")
    append(tmp_path / "new/y.log", "new")
    paths = tmp_path / "logs/link/*.log"
    slow = ship(paths, {"rescan": "1h", "poll": "1h"}).start()
    quick = ship(paths, {"rescan": "300ms", "poll": "1h"}).start()
    kafka.wait_count(topic, 2)
    (tmp_path / "hop/next").symlink_to(tmp_path / "new")
    (tmp_path / "hop/next").rename(tmp_path / "hop/current")
    wait_values(kafka, topic, [b"old", b"old", b"new"])
    lasting(lambda: kafka.count(topic) == 3, 1, "that no event told the other one")
    slow.stop()
    quick.stop()


def test_start_end_skips_what_is_there_but_not_new_files(ship, kafka, topic, tmp_path):
    append(tmp_path / "old.log", "before")
    agent = ship(tmp_path / "*.log", {"start": "end"}).start()
    agent.wait_acked(tmp_path / "old.log")
    append(tmp_path / "old.log", "after")
    append(tmp_path / "new.log", "first")
    wait_values(kafka, topic, [b"after", b"first"])


def test_a_symbolic_link_is_followed(ship, kafka, topic, tmp_path):
    append(tmp_path / "target", "hello")
    (tmp_path / "x.log").symlink_to("target")
    ship().start()
    wait_values(kafka, topic, [b"hello"])


def test_an_empty_file_sends_nothing_until_it_grows(ship, kafka, topic, log):
    log.touch()
    agent = ship().start()
    lasting(lambda: agent.running() and kafka.count(topic) == 0, 1, "silence")
    append(log, "hello")
    wait_values(kafka, topic, [b"hello"])


def test_a_hundred_files_are_followed_at_once(ship, kafka, topic, tmp_path):
    agent = ship().start()
    lines = []
    for round_ in range(10):
        for n in range(100):
            lines.append(f"file {n} round {round_}".encode())
            append(tmp_path / f"{n}.log", lines[-1])
    wait_values(kafka, topic, lines)
    agent.stop()


# --- rotation

@pytest.mark.sanitized
def test_rename_and_create_loses_no_line(ship, kafka, topic, tmp_path, log):
    agent = ship(settings={"linger": "1s"}).start()
    count = 0
    for generation in range(5, 0, -1):
        for _ in range(20):
            append(log, *numbered(count, count + 50))
            count += 50
        kafka.wait_count(topic, count - 950)    # it has been seen; the rest may be unread
        log.rename(tmp_path / f"app.log.{generation}")
        append(tmp_path / f"app.log.{generation}", *numbered(count, count + 50))
        count += 50                             # the writer still holds the renamed file
    append(log, *numbered(count, count + 50))
    wait_values(kafka, topic, numbered(0, count + 50))
    agent.stop()


def test_a_rotated_name_that_matches_too_is_not_read_again(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log*").start()
    append(log, *numbered(0, 1000))
    agent.wait_acked(log)
    log.rename(tmp_path / "app.log.1")
    append(log, *numbered(1000, 2000))
    kafka.wait_count(topic, 2000)
    (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
    log.rename(tmp_path / "app.log.1")
    append(log, *numbered(2000, 3000))
    kafka.wait_count(topic, 3000)
    agent.stop()
    agent.start()
    append(log, *numbered(3000, 3001))
    wait_values(kafka, topic, numbered(0, 3001))


def test_rotation_while_the_broker_is_away_loses_no_line(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log", agent={"memory": "4MiB"}).start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    kafka.pause()
    append(log, *numbered(100, 100_000))        # more than the memory takes
    log.rename(tmp_path / "app.log.1")
    append(log, *numbered(100_000, 110_000))
    agent.wait_log("renamed")
    kafka.resume()
    wait_values(kafka, topic, numbered(0, 110_000))
    agent.stop()


def test_copytruncate_loses_no_line(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log").start()
    count = 0
    for generation in range(5):
        append(log, *numbered(count, count + 1000))
        count += 1000
        agent.wait_acked(log)
        shutil.copy(log, tmp_path / f"app.log.{generation}")
        os.truncate(log, 0)
        wait_for(lambda: agent.offset(log) == 0, 10, "the truncation to be seen")
    append(log, *numbered(count, count + 10))
    wait_values(kafka, topic, numbered(0, count + 10))
    agent.stop()


def test_truncated_and_grown_past_the_old_place_is_read_from_its_beginning(
        ship, kafka, topic, log):
    agent = ship().start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    agent.stop()
    log.write_bytes(text(numbered(1000, 1500)))
    agent.start()
    wait_values(kafka, topic, numbered(0, 100) + numbered(1000, 1500))
    agent.stop()


def test_a_file_deleted_while_unread_is_sent_to_its_end(ship, kafka, topic, tmp_path, log):
    agent = ship(agent={"memory": "4MiB"}).start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    kafka.pause()
    append(log, *numbered(100, 100_000))        # more than the memory takes
    log.unlink()
    kafka.resume()
    wait_values(kafka, topic, numbered(0, 100_000))
    agent.stop()


def test_a_file_replaced_by_another_is_read_from_its_beginning(ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log").start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    append(tmp_path / "next", *numbered(200, 400))
    (tmp_path / "next").rename(log)
    wait_values(kafka, topic, numbered(0, 100) + numbered(200, 400))
    agent.stop()


def test_rotated_while_the_agent_was_down_under_a_name_that_matches(
        ship, kafka, topic, tmp_path, log):
    agent = ship(tmp_path / "app.log*").start()
    append(log, *numbered(0, 100))
    agent.wait_acked(log)
    agent.stop()
    append(log, *numbered(100, 200))
    log.rename(tmp_path / "app.log.1")
    append(log, *numbered(200, 300))
    agent.start()
    wait_values(kafka, topic, numbered(0, 300))
    agent.stop()


# --- lines

def test_a_line_is_sent_when_its_end_comes(ship, kafka, topic, log):
    agent = ship().start()
    for part in (b"one ", b"line ", b"in ", b"pieces"):
        with open(log, "ab") as file:
            file.write(part)
        lasting(lambda: kafka.count(topic) == 0, 0.3, "silence")
    with open(log, "ab") as file:
        file.write(b"\nand the next")
    wait_values(kafka, topic, [b"one line in pieces"])
    assert agent.offset(log) <= len(b"one line in pieces\n")
    agent.stop()


def test_a_last_line_without_newline_waits_over_a_restart(ship, kafka, topic, log):
    log.write_bytes(b"whole\nhalf")
    agent = ship().start()
    agent.wait_acked(log, len(b"whole\n"))
    agent.stop()
    assert arrived(kafka, topic) == [b"whole"]
    agent.start()
    with open(log, "ab") as file:
        file.write(b" and half\n")
    wait_values(kafka, topic, [b"whole", b"half and half"])
    agent.stop()


def test_a_last_line_without_newline_is_sent_once_the_file_is_gone(ship, kafka, topic, log):
    log.write_bytes(b"whole\nhalf")
    agent = ship(settings={"linger": "500ms"}).start()
    agent.wait_acked(log, len(b"whole\n"))
    log.unlink()
    wait_values(kafka, topic, [b"whole", b"half"])
    agent.stop()


@pytest.mark.sanitized
def test_line_ends_and_the_mark_at_the_beginning(ship, kafka, topic, log):
    """CR before LF belongs to the end of the line; an empty line is an empty value; a byte order
    mark counts at offset 0 only."""
    bom = b"\xef\xbb\xbf"
    log.write_bytes(bom + b"first\r\n" + b"a\rb\r\r\n" + b"\n" + b"\r\n" + bom + b"last\n")
    agent = ship(partition="0").start()
    kafka.wait_count(topic, 5)
    agent.stop()
    assert [r.value for r in kafka.read(topic)] == [b"first", b"a\rb\r", b"", b"", bom + b"last"]


def test_raw_keeps_the_carriage_return(ship, kafka, topic, log):
    log.write_bytes(b"text\r\n")
    ship(value="raw").start()
    kafka.wait_count(topic, 1)
    assert kafka.read(topic)[0].value == b"text\r"


@pytest.mark.sanitized
def test_every_byte_passes_unchanged(ship, kafka, topic, log):
    every = bytes(b for b in range(256) if b != 10)
    lines = [every, every[::-1], b"\x00" * 300, bytes([0xff]) * 10, "žluťoučký 馬".encode()]
    log.write_bytes(text(lines))
    agent = ship(partition="0").start()
    kafka.wait_count(topic, len(lines))
    agent.stop()
    assert [r.value for r in kafka.read(topic)] == lines


def test_the_offset_and_names_of_a_line_are_fields(ship, kafka, topic, log):
    append(log, "ä", "second", "third")
    agent = ship(partition="0", agent={"host_name": "web-7"}, headers={
        "offset": "${log.file.offset}", "path": "${log.file.path}", "name": "${log.file.name}",
        "input": "${input}", "host": "${host.name}", "env": "${env}"},
        settings={"fields": {"env": "prod"}}).start()
    kafka.wait_count(topic, 3)
    agent.stop()
    for record, offset in zip(kafka.read(topic), (b"0", b"3", b"10")):
        assert dict(record.headers) == {
            "offset": offset, "path": str(log).encode(), "name": b"app.log", "input": b"logs",
            "host": b"web-7", "env": b"prod"}


def test_a_line_as_long_as_the_limit_is_not_long(ship, kafka, topic, log):
    log.write_bytes(b"x" * 1000 + b"\n" + b"y" * 1001 + b"\n")
    agent = ship(settings={"max_line": "1000"}, partition="0").start()
    kafka.wait_count(topic, 3)
    agent.stop()
    assert [r.value for r in kafka.read(topic)] == [b"x" * 1000, b"y" * 1000, b"y"]


def test_a_quiet_file_is_closed_and_read_again_when_it_grows(ship, kafka, topic, log):
    append(log, "one")
    agent = ship(settings={"close_idle": "1s"}).start()
    agent.wait_acked(log)
    wait_for(lambda: not any(os.path.realpath(f"/proc/{agent.pid}/fd/{fd}") == str(log)
                             for fd in os.listdir(f"/proc/{agent.pid}/fd")), 15, "the close")
    append(log, "two")
    wait_values(kafka, topic, [b"one", b"two"])


def test_order_per_file_holds_in_every_partition(ship, kafka, topic, tmp_path):
    for n in range(8):
        (tmp_path / f"{n}.log").write_bytes(text(numbered(0, 20_000, who=f"file-{n}")))
    agent = ship().start()
    kafka.wait_count(topic, 160_000)
    agent.stop()
    for partition in kafka.values(topic).values():
        last = {}
        for value in partition:
            who, number = value.split(b" ")[0], number_of(value)
            assert last.get(who, -1) < number, f"{who}: {number} after {last[who]}"
            last[who] = number
