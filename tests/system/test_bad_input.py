"""Whatever users, disks and brokers can do wrong: one clear message each, a
defined exit status where it ends the program, and nothing lost.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import needs_root
from kafka import USERS
from samples import append, numbered, text
from stoker import CONFIG, DONE, FAILED, LOCKED, MIB, stoker, write_config
from waiting import lasting, wait_for


def values(kafka, topic):
    return sorted(r.value for r in kafka.read(topic))


def wait_values(kafka, topic, expected, timeout=30):
    kafka.wait_count(topic, len(expected), timeout)
    assert values(kafka, topic) == sorted(expected)


def other_files_still_go(kafka, topic, tmp_path, before=0):
    append(tmp_path / "good.log", "good")
    wait_values(kafka, topic, [b"good"] * (before + 1))


# --- files

@pytest.fixture
def open_folder():
    """A folder that every user may read: pytest's own are for its user only."""
    folder = Path(tempfile.mkdtemp(prefix="stoker-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@needs_root("runs the agent as nobody")
def test_a_file_that_cannot_be_read_is_named_once_and_read_when_it_can(
        agents, kafka, topic, open_folder):
    secret = open_folder / "secret.log"
    append(secret, "secret")
    secret.chmod(0)
    append(open_folder / "good.log", "good")
    (open_folder / "agent").mkdir()
    (open_folder / "agent").chmod(0o777)
    agent = agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                    "inputs": {"logs": {"paths": str(open_folder / "*.log"), "topic": topic,
                                        "rescan": "300ms", "poll": "200ms"}}},
                   folder=open_folder / "agent", user="nobody")
    agent.config.chmod(0o644)
    agent.start()
    wait_values(kafka, topic, [b"good"])
    agent.wait_log(r"secret\.log.*(?i:permission denied)")
    lasting(agent.running, 3, "the agent")
    assert agent.said(r"secret\.log") <= 2, f"it repeats itself:\n{agent.log()}"
    secret.chmod(0o644)
    wait_values(kafka, topic, [b"good", b"secret"])
    agent.stop()


@needs_root("runs the agent as nobody")
def test_a_folder_that_cannot_be_read_does_not_stop_the_others(agents, kafka, topic, open_folder):
    (open_folder / "closed").mkdir(mode=0)
    (open_folder / "open").mkdir()
    append(open_folder / "open/x.log", "good")
    (open_folder / "agent").mkdir()
    (open_folder / "agent").chmod(0o777)
    agent = agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                    "inputs": {"logs": {"paths": str(open_folder / "**/*.log"),
                                        "topic": topic}}},
                   folder=open_folder / "agent", user="nobody").start()
    wait_values(kafka, topic, [b"good"])
    agent.wait_log("closed")
    agent.stop()


def test_files_that_vanish_at_once_are_no_trouble(ship, kafka, topic, tmp_path):
    agent = ship().start()
    for n in range(300):
        path = tmp_path / f"{n}.log"
        path.touch()
        path.unlink()
    other_files_still_go(kafka, topic, tmp_path)
    assert not agent.said("level=error")
    agent.stop()


@pytest.mark.sanitized
def test_a_directory_a_fifo_and_devices_in_the_glob_are_passed_over(
        ship, kafka, topic, tmp_path):
    (tmp_path / "folder.log").mkdir()
    os.mkfifo(tmp_path / "fifo.log")
    (tmp_path / "null.log").symlink_to("/dev/null")
    (tmp_path / "zero.log").symlink_to("/dev/zero")
    (tmp_path / "tty.log").symlink_to("/dev/tty")
    (tmp_path / "dangling.log").symlink_to("nowhere")
    (tmp_path / "loop.log").symlink_to("loop.log")
    agent = ship().start()
    other_files_still_go(kafka, topic, tmp_path)
    agent.wait_log(r"fifo\.log")
    agent.wait_log(r"zero\.log")
    assert not agent.said("level=error")
    agent.stop()


@pytest.mark.parametrize("path, what", [("/dev/null", "a device"), ("{}", "a folder")])
def test_what_can_never_be_followed_as_the_path_is_told_once(ship, kafka, topic, tmp_path, path,
                                                             what):
    path = path.format(tmp_path)
    agent = ship(path, {"rescan": "100ms"}).start()
    agent.wait_log(f"level=warn .*'{path}' is {what}: it is not followed")
    lasting(agent.running, 1, "the agent")
    assert agent.said(f"'{path}' is {what}") == 1, agent.log()
    agent.stop()
    done = agent.command("check")
    assert done.returncode == DONE and f"'{path}' is {what}" in done.stderr


def test_a_fifo_that_somebody_writes_to_is_left_alone(ship, kafka, topic, tmp_path):
    os.mkfifo(tmp_path / "fifo.log")
    keeper = os.open(tmp_path / "fifo.log", os.O_RDWR | os.O_NONBLOCK)
    os.write(keeper, b"not for us\n")
    agent = ship().start()
    other_files_still_go(kafka, topic, tmp_path)
    assert os.read(keeper, 100) == b"not for us\n"
    os.close(keeper)
    agent.stop()


def test_a_path_without_any_file_is_waited_for(ship, kafka, topic, tmp_path):
    agent = ship(tmp_path / "nothing/here/*.log").start()
    agent.wait_log("nothing/here")
    (tmp_path / "nothing/here").mkdir(parents=True)
    append(tmp_path / "nothing/here/x.log", "at last")
    wait_values(kafka, topic, [b"at last"])
    agent.stop()


# --- lines

def test_nul_bytes_are_bytes(ship, kafka, topic, log):
    lines = [b"\0", b"a\0b", b"\0" * 5000, b"end"]
    log.write_bytes(text(lines))
    agent = ship(parser={"type": "regex", "pattern": "(?<k>a\\x00b)"}, key="${k}").start()
    wait_values(kafka, topic, lines)
    agent.stop()
    assert [r.key for r in kafka.read(topic) if r.key] == [b"a\0b"]


LONG = b"<" + b"0123456789" * 500 + b">"
LIMIT = 2000


@pytest.mark.sanitized
@pytest.mark.parametrize("way, pieces", [
    ("split", [LONG[:LIMIT], LONG[LIMIT:2 * LIMIT], LONG[2 * LIMIT:]]),
    ("truncate", [LONG[:LIMIT]]),
    ("drop", []),
])
def test_lines_over_the_limit(ship, kafka, topic, log, way, pieces):
    append(log, "before", LONG, "after")
    agent = ship(settings={"max_line": str(LIMIT), "long_lines": way}, partition="0").start()
    kafka.wait_count(topic, len(pieces) + 2)
    agent.wait_acked(log)
    agent.stop()
    assert [r.value for r in kafka.read(topic)] == [b"before", *pieces, b"after"]
    level = "info" if way == "split" else "warn"
    assert agent.said(rf"level={level} .*'{log}' has a line longer than max_line.*: {way},") == 1


@pytest.mark.parametrize("way", ["split", "truncate", "drop"])
def test_an_endless_line_without_newline_stops_nobody(ship, kafka, topic, tmp_path, way):
    big = kafka.create_topic(f"{topic}.big", 1, max_message_bytes=2 * MIB)
    endless, good = tmp_path / "endless.log", tmp_path / "good.log"
    endless.write_bytes(b"x" * 20 * MIB)
    append(good, "good")
    agent = ship(agent={"memory": "8MiB"}, key="${log.file.name}",
                 settings={"topic": big, "max_line": "1MiB", "long_lines": way},
                 output={"message.max.bytes": "2000000"}).start()
    agent.wait_acked(good)
    append(good, "good")
    agent.wait_acked(good)
    assert agent.memory("VmHWM") <= (8 + 40) * MIB
    with open(endless, "ab") as file:
        file.write(b"\nshort\n")
    agent.wait_acked(endless)
    agent.stop()
    records = kafka.read(big)
    assert [r.value for r in records if r.key == b"good.log"] == [b"good", b"good"]
    mine = [r.value for r in records if r.key == b"endless.log"]
    assert mine[-1] == b"short"
    assert b"".join(mine[:-1]) == {"split": b"x" * 20 * MIB, "truncate": b"x" * MIB,
                                   "drop": b""}[way]
    kafka.delete_topic(big)


def test_a_split_never_cuts_a_character(ship, kafka, topic, log):
    append(log, "ž" * 1000)
    agent = ship(settings={"max_line": "1001"}, partition="0").start()
    kafka.wait_count(topic, 2)
    agent.stop()
    assert [r.value.decode() for r in kafka.read(topic)] == ["ž" * 500, "ž" * 500]


def test_an_empty_file_is_no_trouble(ship, kafka, topic, log):
    log.touch()
    agent = ship().start()
    lasting(agent.running, 1, "the agent")
    agent.stop()
    assert kafka.count(topic) == 0


def test_a_line_that_the_broker_never_takes_goes_to_the_dead_letters(ship, kafka, topic, log):
    append(log, "before", "x" * 1_200_000, "after")
    agent = ship(settings={"max_line": "2MiB"}, output={"message.max.bytes": "1048588"}).start()
    wait_values(kafka, topic, [b"before", b"after"])
    agent.wait_acked(log)
    agent.stop()
    letters = agent.state / "dead_letter/main.jsonl"
    assert letters.stat().st_mode & 0o777 == 0o600
    dead = letters.read_text().splitlines()
    assert len(dead) == 1 and "x" * 1000 in dead[0] and str(log) in dead[0]


@needs_root("reads the configuration as nobody")
@pytest.mark.parametrize("unreadable", ["configuration", "included", "secret"])
def test_what_a_configuration_needs_and_cannot_be_read_is_named(open_folder, unreadable):
    config = write_config(open_folder / "configuration", f"""\
include: included
outputs: {{main: {{bootstrap.servers: "x:1", sasl.password: "${{file:{open_folder}/secret}}"}}}}
inputs: {{logs: {{paths: /x.log, topic: t}}}}
""")
    write_config(open_folder / "included", "agent: {workers: 1}\n")
    (open_folder / "secret").write_text("word-7")
    for path in open_folder.iterdir():
        path.chmod(0 if path.name == unreadable else 0o644)
    done = stoker("check", "-c", config, user="nobody")
    assert done.returncode == CONFIG, done.stdout + done.stderr
    assert unreadable in done.stderr and "permission denied" in done.stderr
    assert "word-7" not in done.stderr


# --- brokers

SHORT_STOP = {"shutdown_timeout": "1s"}         # what cannot be sent is not waited for


def test_a_broker_name_that_does_not_resolve_is_told(ship, kafka, topic, log):
    append(log, "hello")
    agent = ship(agent=SHORT_STOP,
                 output={"bootstrap.servers": "no-such-broker.invalid:9092"}).start()
    agent.wait_log(r"no-such-broker\.invalid")
    lasting(agent.running, 3, "the agent")
    assert agent.said("no-such-broker") <= 5, agent.log()
    agent.stop()
    ship_again(agent, kafka, topic, [b"hello"])


def ship_again(agent, kafka, topic, expected, **output):
    """With the mistake mended everything arrives."""
    config = {"outputs": {"main": {"bootstrap.servers": kafka.bootstrap, **output}},
              "inputs": {"logs": {"paths": str(agent.folder.parent / "*.log"), "topic": topic}}}
    agent.configure(config)
    agent.start()
    wait_values(kafka, topic, expected)
    agent.stop()


def login(kafka, password):
    return {"bootstrap.servers": kafka.sasl, "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN", "sasl.username": "shipper", "sasl.password": password}


def test_wrong_credentials_are_told_and_mended(ship, kafka, topic, log):
    append(log, "hello")
    agent = ship(agent=SHORT_STOP, output=login(kafka, "wrong-password-7")).start()
    agent.wait_log("(?i)authentication|password|credential|login")
    lasting(agent.running, 3, "the agent")
    assert len(agent.log().splitlines()) < 15, f"it repeats itself:\n{agent.log()}"
    assert "wrong-password-7" not in agent.log()
    agent.stop()
    assert kafka.count(topic) == 0
    ship_again(agent, kafka, topic, [b"hello"], **login(kafka, USERS["shipper"]))


def test_a_login_that_is_missing_is_told(ship, kafka, topic, log):
    append(log, "hello")
    agent = ship(agent=SHORT_STOP, output={"bootstrap.servers": kafka.sasl}).start()
    agent.wait_log("(?i)sasl|authenticat|login")
    agent.stop()


def test_a_topic_that_does_not_exist_is_named_and_waited_for(
        agents, kafka, topic, topic_name, tmp_path):
    missing = f"{topic_name}.missing"
    append(tmp_path / "a.log", "a")
    append(tmp_path / "b.log", "b")
    agent = agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                    "inputs": {"a": {"paths": str(tmp_path / "a.log"), "topic": missing},
                               "b": {"paths": str(tmp_path / "b.log"), "topic": topic}}}).start()
    agent.wait_log(missing, timeout=15)
    wait_values(kafka, topic, [b"b"])
    append(tmp_path / "a.log", "a2")
    append(tmp_path / "b.log", "b2")
    wait_values(kafka, topic, [b"b", b"b2"])
    lasting(agent.running, 5, "the agent")
    assert agent.said(missing) <= 3, f"it repeats itself:\n{agent.log()}"
    kafka.create_topic(missing)
    wait_values(kafka, missing, [b"a", b"a2"])
    agent.stop()
    assert agent.offset(tmp_path / "a.log") == len("a\na2\n")
    kafka.delete_topic(missing)


def test_a_missing_topic_keeps_its_lines_over_a_restart(ship, kafka, topic, topic_name, log):
    missing = f"{topic_name}.missing"
    append(log, "hello")
    agent = ship(settings={"topic": missing}, agent={"shutdown_timeout": "1s"}).start()
    agent.wait_log(missing)
    agent.stop()
    assert agent.offset(log) == 0
    kafka.create_topic(missing)
    agent.start()
    wait_values(kafka, missing, [b"hello"])
    agent.stop()
    kafka.delete_topic(missing)


# --- the state

@needs_root("runs the agent as nobody")
def test_a_state_directory_that_is_not_writable_ends_it_with_1(agents, open_folder, kafka):
    (open_folder / "agent").mkdir()
    state = open_folder / "agent/state"
    state.mkdir(mode=0o555)
    agent = agents({"outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": "/nothing/*.log", "topic": "t"}}},
                   folder=open_folder / "agent", user="nobody").spawn()
    assert agent.wait() == FAILED
    assert str(state) in agent.log() and "ermission denied" in agent.log()
    assert len(agent.log().splitlines()) == 1, agent.log()


def test_a_state_directory_that_cannot_be_made_ends_it_with_1(agents, tmp_path):
    (tmp_path / "file").touch()
    agent = agents({"agent": {"state_dir": str(tmp_path / "file/state")},
                    "outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": "/nothing/*.log", "topic": "t"}}}).spawn()
    assert agent.wait() == FAILED
    assert str(tmp_path / "file/state") in agent.log()


def test_a_state_directory_is_made_when_it_is_missing(agents, tmp_path):
    agent = agents({"agent": {"state_dir": str(tmp_path / "a/b/state")},
                    "outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": "/nothing/*.log", "topic": "t"}}}).start()
    agent.stop()


def test_a_second_agent_on_the_same_state_ends_with_75(agents, tmp_path):
    config = {"agent": {"state_dir": str(tmp_path / "shared")},
              "outputs": {"main": {"type": "discard"}},
              "inputs": {"logs": {"paths": "/nothing/*.log", "topic": "t"}}}
    first = agents(config).start()
    second = agents(config).spawn()
    assert second.wait() == LOCKED
    assert str(tmp_path / "shared") in second.log()
    assert first.running()
    first.kill()
    second.start()                              # a lock does not outlive its holder
    second.stop()


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
                          capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"cannot mount a tmpfs: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """To the last byte."""
    with contextlib.suppress(OSError), open(folder / "ballast", "ab", buffering=0) as file:
        while True:
            file.write(b"x" * 512)


@needs_root("mounts a small disk")
def test_a_full_disk_at_the_start_ends_it_with_1(agents, tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        fill(disk)
        agent = agents({"agent": {"state_dir": str(disk / "state")},
                        "outputs": {"main": {"type": "discard"}},
                        "inputs": {"logs": {"paths": "/nothing/*.log", "topic": "t"}}}).spawn()
        assert agent.wait() == FAILED
        assert str(disk) in agent.log() and re.search("full|space", agent.log())
        agent.close()


@needs_root("mounts a small disk")
def test_a_disk_that_fills_up_stops_no_shipping_and_is_told_once(ship, kafka, topic, tmp_path):
    with small_disk(tmp_path / "disk", 512) as disk:
        agent = ship(agent={"state_dir": str(disk / "state"), "checkpoint_interval": "100ms"})
        log = tmp_path / "app.log"
        append(log, *numbered(0, 100))
        agent.start()
        agent.wait_acked(log)
        fill(disk)
        for n in range(100, 400):
            append(log, *numbered(n, n + 1))
            append(tmp_path / f"{n}.log", *numbered(n + 1000, n + 1001))
        kafka.wait_count(topic, 700)
        agent.wait_log("(?i)full|no space|cannot write")
        lasting(agent.running, 2, "the agent")
        assert agent.said("(?i)full|no space|cannot write") <= 3, agent.log()
        (disk / "ballast").unlink()
        agent.wait_acked(log)
        agent.stop()
        assert kafka.count(topic) == 700
        agent.start()
        append(log, *numbered(400, 401))
        agent.wait_acked(log)
        agent.stop()
        assert kafka.count(topic) == 701


# --- configuration files

BAD_FILES = {
    "empty": b"",
    "only-a-comment": b"# nothing\n",
    "binary": bytes(range(256)) * 20,
    "elf": Path("/bin/true").read_bytes(),
    "nul": b"outputs: \0\n",
    "huge": b"outputs:\n" + b"# " + b"x" * 100 + b"\n" + b"a: b\n" * (2 * MIB),
    "huge-line": b"a: " + b"x" * 10 * MIB + b"\n",
    "bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 107)),
    "deep": b"[" * 100_000,
    "utf-16": "outputs: {}\n".encode("utf-16"),
}


@pytest.mark.sanitized
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_configuration_file_that_is_none_ends_it_with_78(tmp_path, kind):
    config = write_config(tmp_path / "stoker.yaml", BAD_FILES[kind])
    for command in ("check", "run"):
        began = time.monotonic()
        done = stoker(command, "-c", config)
        assert done.returncode == CONFIG, done.stderr[-1000:]
        assert str(config) in done.stderr
        assert len(done.stderr) < 20_000, "it floods the terminal"
        assert time.monotonic() - began < 10
    assert [p.name for p in tmp_path.iterdir()] == ["stoker.yaml"]


def test_a_configuration_file_that_is_missing_ends_it_with_78(tmp_path):
    done = stoker("run", "-c", tmp_path / "none.yaml")
    assert done.returncode == CONFIG
    assert str(tmp_path / "none.yaml") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_configuration_that_is_a_folder_ends_it_with_78(tmp_path):
    assert stoker("run", "-c", tmp_path).returncode == CONFIG


def test_a_fifo_as_configuration_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert stoker("check", "-c", tmp_path / "fifo", timeout=10).returncode == CONFIG


def test_a_good_configuration_ends_check_with_0(tmp_path):
    config = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"main": {"bootstrap.servers": "localhost:9092"}},
        "inputs": {"nginx": {"paths": "/var/log/nginx/access.log", "topic": "nginx-access"}}})
    done = stoker("check", "-c", config)
    assert done.returncode == DONE, done.stderr
