"""The command line: what each command prints, and how it ends.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import contextlib
import fcntl
import gzip
import json
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from samples import ACCESS, access_log, append, java_partition, text
from stoker import (BINARY, CLUSTER, CONFIG, DONE, FAILED, LOCKED, USAGE, json_lines, stoker,
                    write_config)
from waiting import wait_for


@pytest.fixture
def simple(tmp_path):
    """A configuration that sends nowhere, and its file."""
    return write_config(tmp_path / "stoker.yaml", {
        "agent": {"state_dir": str(tmp_path / "state"), "admin": "off"},
        "outputs": {"main": {"type": "stdout"}},
        "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "lines"}}})


# --- usage

@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["rnu"], ["run", "--nonsense"], ["run", "extra"], ["run", "-c"],
    ["check", "extra"], ["offsets"], ["offsets", "nonsense"], ["offsets", "set", "/x"],
    ["try", "--partitions", "none"], ["try", "--partitions", "4x"], ["try", "--partitions", "0"],
    ["try", "--partitions", "99999999999"], ["try", "--nonsense"], ["version", "extra"],
    ["reference", "nonsense"], ["demo", "--nonsense"], ["demo", "--json=yes"], ["demo", "a", "b"],
    ["run", "-c", ""], ["check", "-x"], ["offsets", "list", "extra"], ["offsets", "forget"],
    ["offsets", "set", "/x", "-1"], ["offsets", "set", "/x", "1e3"], ["replay"], ["-c", "x", "run"],
    ["offsets", "set", "/x", "9223372036854775808"],
])
def test_wrong_usage_ends_with_64_whatever_the_configuration_is_like(simple, arguments):
    """Without -c the configuration is missing, and that would be another status."""
    asks_for_it = arguments and arguments[0] in ("check", "offsets", "try", "replay")
    for file in ([], ["-c", simple] if asks_for_it and "-c" not in arguments else []):
        done = stoker(*arguments, *file)
        assert done.returncode == USAGE, done.stderr
        assert done.stderr and not done.stdout
        assert done.stderr.startswith(("stoker: ", "usage: ")), done.stderr
        assert "usage: stoker" in done.stderr or "COMMAND" in done.stderr or "rnu" in done.stderr \
            or "nonsense" in done.stderr, "it says how it is used"


@pytest.mark.parametrize("arguments, meant", [
    (["rnu"], "run"), (["chekc"], "check"), (["check", "--conect"], "--connect"),
    (["try", "--partitons", "3"], "--partitions"), (["reference", "kafak"], "kafka"),
])
def test_a_slip_of_the_finger_is_told_what_was_meant(arguments, meant):
    done = stoker(*arguments)
    assert done.returncode == USAGE
    assert f"did you mean '{meant}'?" in done.stderr


@pytest.mark.parametrize("command", ["status", "top", "tap", "explain", "reload"])
def test_a_command_of_later_says_so(command):
    done = stoker(command)
    assert done.returncode == USAGE and "not supported yet" in done.stderr


@pytest.mark.parametrize("arguments", [
    ["check", "--help"], ["check", "-h"], ["help", "check"], ["check", "-c", "/x", "--help"],
])
def test_help_of_a_command_shows_its_options(arguments):
    done = stoker(*arguments)
    assert done.returncode == DONE, done.stderr
    assert "usage: stoker check [-c FILE] [--connect]" in done.stdout
    assert "/etc/stoker/stoker.yaml" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["-h"]])
def test_help_names_every_command(arguments):
    done = stoker(*arguments)
    assert done.returncode == DONE
    for command in ("run", "check", "try", "demo", "offsets", "reference", "version"):
        assert re.search(rf"\b{command}\b", done.stdout)


def test_version_names_the_libraries():
    for done in (stoker("version"), stoker("--version")):
        assert done.returncode == DONE
        assert re.search(r"stoker \d+\.\d+\.\d+", done.stdout)
    for library in ("librdkafka", "libuv", "pcre2", "sqlite", "yaml"):
        assert re.search(library, stoker("version").stdout, re.I), library


def test_reference_documents_every_key_with_its_default():
    done = stoker("reference")
    assert done.returncode == DONE
    for key in ("state_dir", "admin", "memory", "workers", "checkpoint_interval",
                "shutdown_timeout", "host_name", "bootstrap.servers", "keyless", "partitioner",
                "on_rejected", "paths", "exclude", "start", "rescan", "linger", "close_idle",
                "max_line", "long_lines", "pattern", "from", "when", "unless", "topic", "key",
                "partition", "headers", "timestamp", "value", "redact", "sample", "rate_limit",
                "drop", "continue", "given", "expect"):
        assert f"`{key}`" in done.stdout, key


DEFAULTS = {
    "agent": {"state_dir": "/var/lib/stoker", "admin": "127.0.0.1:9144", "memory": "64MiB",
              "checkpoint_interval": "1s", "shutdown_timeout": "10s"},
    "agent.log": {"level": "info", "format": "text"},
    "inputs": {"max_line": "1MiB", "long_lines": "split", "encoding": "utf-8"},
    "inputs.file": {"start": "beginning", "ignore_older": "off", "rescan": "10s", "poll": "1s",
                    "linger": "30s", "close_idle": "5m", "compressed": "auto", "remove": "never"},
    "inputs.multiline": {"timeout": "5s", "max_lines": "1000", "max_size": "1MiB"},
    "outputs.kafka": {"send": "async", "acks": "all", "compression.type": "lz4",
                      "message.max.bytes": "1048588", "delivery.timeout.ms": "infinite",
                      "partitioner": "murmur2_random", "keyless": "sticky",
                      "on_rejected": "dead_letter", "create_topics": "false"},
    "routes": {"value": "body", "drop": "false", "continue": "false"},
}


@pytest.mark.parametrize("section", DEFAULTS)
def test_defaults_are_those_that_users_rely_on(section):
    rows = re.findall(r"^\| `([^`]+)` \|.*?\| `?([^|`]+)`? \|[^|]*\|$",
                      stoker("reference", section).stdout.partition("\n## ")[0], re.M)
    shown = {key: default.strip() for key, default in rows}
    assert {key: shown.get(key) for key in DEFAULTS[section]} == DEFAULTS[section]


def test_reference_of_one_part():
    done = stoker("reference", "kafka")
    assert done.returncode == DONE
    assert "| `bootstrap.servers`" in done.stdout and "| `state_dir`" not in done.stdout


def test_reference_of_a_key_that_is_a_section_too_shows_both():
    done = stoker("reference", "redact")
    assert "| `redact`" in done.stdout and "| `with` | see right | `[REDACTED]` |" in done.stdout


def test_a_full_disk_for_the_output_is_an_error_not_silence(simple):
    for command in (["reference"], ["version"], ["--version"], ["--help"], ["run", "--help"],
                    ["check", "-c", simple], ["demo"],
                    ["try", "-c", simple, "--input", "logs", "/etc/hostname"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, *command], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == FAILED, command


def test_a_reader_that_has_seen_enough_is_no_trouble(simple):
    for command in ("reference", f"check -c {simple}"):
        done = subprocess.run(["sh", "-c", f"'{BINARY}' {command} | true"], capture_output=True,
                              text=True)
        assert done.stderr == ""


# --- check

def test_check_prints_every_file_and_where_it_goes_and_makes_nothing(simple, tmp_path):
    append(tmp_path / "a.log", "a")
    append(tmp_path / "b.log", "b")
    before = sorted(p.name for p in tmp_path.iterdir())
    done = stoker("check", "-c", simple)
    assert done.returncode == DONE, done.stderr
    for name in ("a.log", "b.log"):
        line, = [line for line in done.stdout.splitlines() if str(tmp_path / name) in line]
        assert "lines" in line or "lines" in done.stdout
    assert "main" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_check_prints_full_paths_of_relative_globs(tmp_path):
    (tmp_path / "logs").mkdir()
    append(tmp_path / "logs/a.log", "a")
    write_config(tmp_path / "stoker.yaml", {
        "outputs": {"main": {"type": "discard"}},
        "inputs": {"logs": {"paths": ["logs/*.log", "./logs/../logs/a.log"], "topic": "t"}}})
    done = stoker("check", "-c", "stoker.yaml", cwd=tmp_path)
    assert done.returncode == DONE, done.stderr
    assert "input 'logs' follows 1 file\n" in done.stdout
    assert f"  {tmp_path}/logs/a.log\n" in done.stdout


def test_check_says_when_an_input_has_no_file(simple):
    done = stoker("check", "-c", simple)
    assert done.returncode == DONE
    assert "'logs'" in done.stdout and "no file" in done.stdout


def test_check_runs_beside_a_running_agent(agents, kafka, topic, tmp_path):
    append(tmp_path / "a.log", "a")
    agent = agents({"outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                    "inputs": {"logs": {"paths": str(tmp_path / "*.log"),
                                        "topic": topic}}}).start()
    done = agent.command("check")
    assert done.returncode == DONE and str(tmp_path / "a.log") in done.stdout
    assert agent.running()


def connected(agents, paths, topic, **output):
    return agents({"outputs": {"main": output},
                   "inputs": {"logs": {"paths": str(paths), "topic": topic}}})


def test_check_connect_is_content_with_a_good_cluster(agents, kafka, topic, tmp_path):
    agent = connected(agents, tmp_path / "*.log", topic,
                      **{"bootstrap.servers": kafka.bootstrap})
    done = agent.command("check", "--connect")
    assert done.returncode == DONE, done.stdout + done.stderr
    assert not agent.state.exists()


def test_check_connect_names_a_missing_topic(agents, kafka, tmp_path):
    agent = connected(agents, tmp_path / "*.log", "no-such-topic",
                      **{"bootstrap.servers": kafka.bootstrap})
    done = agent.command("check", "--connect")
    assert done.returncode == CLUSTER
    assert "no-such-topic" in done.stdout + done.stderr


def test_check_connect_ends_with_69_when_nobody_answers(agents, tmp_path):
    agent = connected(agents, tmp_path / "*.log", "t", **{"bootstrap.servers": "127.0.0.1:1"})
    began = time.monotonic()
    done = agent.command("check", "--connect")
    assert done.returncode == CLUSTER
    assert "127.0.0.1:1" in done.stderr
    assert time.monotonic() - began < 40


def test_check_connect_ends_with_69_when_the_broker_hangs(agents, kafka, tmp_path):
    agent = connected(agents, tmp_path / "*.log", "t", **{"bootstrap.servers": kafka.bootstrap})
    kafka.pause()
    assert agent.command("check", "--connect").returncode == CLUSTER


def test_check_connect_tells_a_wrong_password(agents, kafka, topic, tmp_path):
    agent = connected(agents, tmp_path / "*.log", topic, **{
        "bootstrap.servers": kafka.sasl, "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN", "sasl.username": "shipper", "sasl.password": "wrong-one-7"})
    done = agent.command("check", "--connect")
    assert done.returncode == CLUSTER
    assert re.search("(?i)password|authentication|credential", done.stderr)
    assert "wrong-one-7" not in done.stdout + done.stderr


# --- try

def test_try_prints_one_json_object_a_record(simple):
    done = stoker("try", "-c", simple, "--input", "logs", stdin="one\ntwo\n")
    assert done.returncode == DONE, done.stderr
    first, second = json_lines(done.stdout)
    assert first["output"] == "main" and first["topic"] == "lines"
    assert (first["value"], second["value"]) == ("one", "two")
    assert first["key"] is None
    assert set(first) == {"output", "topic", "partition", "key", "headers", "timestamp", "value"}


def test_try_takes_a_last_line_without_newline_as_a_record(simple):
    done = stoker("try", "-c", simple, "--input", "logs", stdin="one\nhalf")
    assert [r["value"] for r in json_lines(done.stdout)] == ["one", "half"]


def test_try_with_an_unknown_input_ends_with_64(simple):
    done = stoker("try", "-c", simple, "--input", "lgos", stdin="")
    assert done.returncode == USAGE
    assert "'logs'" in done.stderr


def test_try_without_an_input_names_them_if_there_are_several(tmp_path):
    file = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"main": {"type": "stdout"}},
        "inputs": {name: {"paths": "/x", "topic": "t"} for name in ("web", "app")}})
    for arguments in ([], ["--input", "nothing-like-it"]):
        done = stoker("try", "-c", file, *arguments, stdin="")
        assert done.returncode == USAGE
        assert "(there is 'web', 'app')" in done.stderr


def test_try_of_a_missing_sample_names_it(simple, tmp_path):
    done = stoker("try", "-c", simple, "--input", "logs", tmp_path / "nothing")
    assert done.returncode == FAILED
    assert str(tmp_path / "nothing") in done.stderr


def test_try_of_a_compressed_sample_says_how_to_give_its_lines(simple, tmp_path):
    (tmp_path / "sample.gz").write_bytes(gzip.compress(b"one\n"))
    done = stoker("try", "-c", simple, "--input", "logs", tmp_path / "sample.gz")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "zcat" in done.stderr and "sample.gz" in done.stderr


def test_try_shows_bytes_that_are_no_text_as_base64(simple, tmp_path):
    (tmp_path / "sample").write_bytes(b"\xff\x00\n")
    done = stoker("try", "-c", simple, "--input", "logs", tmp_path / "sample")
    record, = json_lines(done.stdout)
    assert base64.b64decode(record["value"]["base64"]) == b"\xff\x00"


@pytest.mark.sanitized
def test_try_prints_exactly_what_run_sends(agents, kafka, topic, log):
    lines = access_log(3000)
    lines = [b"%d %s" % (1_700_000_000_000 + n, line) for n, line in enumerate(lines)]
    lines[100:100] = [b"does not match", b"", b"nul \0 and \xff", b"cr\r"]
    log.write_bytes(text(lines))
    agent = agents({
        "agent": {"host_name": "h"},
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "parsers": {"access": {"type": "regex",
                               "pattern": ACCESS.replace("^", r"^(?<at>\d+) ", 1)}},
        "inputs": {"logs": {"paths": str(log), "parser": "access", "fields": {"dc": "a"}}},
        "routes": [
            {"when": {"path": "/favicon.ico"}, "drop": True},
            {"when": {"status": "500"}, "topic": topic, "key": "${client}", "value": "none",
             "timestamp": "${at}", "continue": True},
            {"topic": topic, "key": "${client:-nobody}", "timestamp": "${at:-1}",
             "headers": {"method": "${method}", "where": "${log.file.path}:${log.file.offset}",
                         "dc": "${dc}", "host": "${host.name}", "bad": "${parse.error}"},
             "value": {"format": "json", "exclude": ["agent"], "add": {"n": "${bytes}"}}},
        ]}).start()
    agent.wait_acked(log)
    agent.stop()
    sent = kafka.read(topic)

    done = agent.command("try", "--input", "logs", "--path", log, "--partitions", "4", log)
    assert done.returncode == DONE, done.stderr
    tried = json_lines(done.stdout)
    assert len(tried) == len(sent) > 3000
    by_partition = sorted(tried, key=lambda r: r["partition"])      # stable: order is kept
    for r, t in zip(sent, by_partition):
        assert (topic, "main") == (t["topic"], t["output"])
        assert r.partition == t["partition"] == java_partition(r.key, 4)
        assert r.key == as_bytes(t["key"])
        assert r.value == as_bytes(t["value"])
        assert r.timestamp == t["timestamp"]
        headers = t["headers"] or {}
        assert r.headers == [(name, as_bytes(value)) for name, value in headers.items()]


def as_bytes(shown):
    if isinstance(shown, dict):
        return base64.b64decode(shown["base64"])
    return None if shown is None else shown.encode()


# --- run into other outputs

def test_the_stdout_output_prints_json_lines(simple, tmp_path):
    append(tmp_path / "a.log", "hello")
    with open(tmp_path / "out", "wb") as out:
        child = subprocess.Popen([BINARY, "run", "-c", simple], stdout=out,
                                 stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: (tmp_path / "out").read_bytes().endswith(b"\n"), 15, "the record")
        finally:
            child.terminate()
            assert child.wait(15) == DONE
    record, = json_lines((tmp_path / "out").read_text())
    assert record["value"] == "hello" and record["topic"] == "lines"


def test_the_file_output_writes_json_lines_by_its_template(agents, tmp_path):
    append(tmp_path / "a.log", "x", "y")
    agent = agents({"outputs": {"main": {"type": "file", "path": str(tmp_path / "${topic}.jsonl")}},
                    "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "lines",
                                        "key": "${body}"}}}).start()
    agent.wait_acked(tmp_path / "a.log")
    agent.stop()
    records = json_lines((tmp_path / "lines.jsonl").read_text())
    assert [(r["key"], r["value"]) for r in records] == [("x", "x"), ("y", "y")]
    assert (tmp_path / "lines.jsonl").stat().st_mode & 0o007 == 0, "logs are not for everybody"


def test_the_discard_output_acknowledges_everything(agents, tmp_path):
    (tmp_path / "a.log").write_bytes(b"line\n" * 100_000)
    agent = agents({"outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "t"}}}).start()
    agent.wait_acked(tmp_path / "a.log")
    agent.stop()


# --- offsets

def test_offsets_list_of_an_agent_that_never_ran_is_empty(simple, tmp_path):
    done = stoker("offsets", "list", "-c", simple)
    assert (done.returncode, done.stdout) == (DONE, "")
    assert not (tmp_path / "state").exists()


def test_offsets_of_an_unknown_file_are_not_changed_and_make_no_state(simple, tmp_path):
    for command in (["set", "/x", "5"], ["forget", "/x"]):
        done = stoker("offsets", *command, "-c", simple)
        assert done.returncode == FAILED
        assert "'/x'" in done.stderr and "offsets list" in done.stderr
    assert not (tmp_path / "state").exists()


def test_offsets_list_prints_path_and_acknowledged_bytes(agents, tmp_path):
    append(tmp_path / "a b.log", "hello")
    agent = agents({"outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "t"}}}).start()
    agent.wait_acked(tmp_path / "a b.log")
    assert agent.offsets() == {str(tmp_path / "a b.log"): 6}
    agent.stop()
    assert agent.offsets() == {str(tmp_path / "a b.log"): 6}


def test_a_path_of_any_bytes_is_one_line_that_can_be_given_back(agents, tmp_path):
    names = ["new\nline.log", "esc\x1b[31m.log", "tab\t.log", "ž.log", os.fsdecode(b"\xe9.log")]
    for name in names:
        append(tmp_path / name, "one")
    agent = agents({"outputs": {"main": {"type": "discard"}},
                    "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "t"}}}).start()
    wait_for(lambda: len(agent.offsets()) == len(names), 15, "all files")
    agent.stop()
    shown = agent.command("offsets", "list").stdout.splitlines()
    assert len(shown) == len(names) and not any("\x1b" in line for line in shown)
    listed = agent.command("check").stdout
    for line in shown:
        path = line.removesuffix("\t4")
        assert f"  {path}\n" in listed
        assert agent.command("offsets", "forget", path).returncode == DONE
    assert agent.offsets() == {}


def test_offsets_are_changed_only_while_no_agent_holds_the_state(agents, tmp_path):
    path = tmp_path / "a.log"
    append(path, "one", "two")
    agent = agents({"outputs": {"main": {"type": "file", "path": str(tmp_path / "out")}},
                    "inputs": {"logs": {"paths": str(path), "topic": "t"}}}).start()
    agent.wait_acked(path)
    assert agent.command("offsets", "set", path, "4").returncode == LOCKED
    agent.stop()
    assert agent.command("offsets", "set", path, "4").returncode == DONE
    agent.start()
    agent.wait_acked(path)
    agent.stop()
    assert agent.command("offsets", "forget", path).returncode == DONE
    assert agent.offsets() == {}
    assert [r["value"] for r in json_lines((tmp_path / "out").read_text())] == ["one", "two", "two"]


# --- demo

def demo(*arguments, **options):
    return stoker("demo", *arguments, timeout=40, **options)


@pytest.mark.sanitized
def test_demo_ends_by_itself_and_its_summary_is_right():
    began = time.monotonic()
    done = demo()
    assert done.returncode == DONE, done.stderr
    assert time.monotonic() - began < 25
    assert "\033" not in done.stdout, "no colours when piped"
    summary = re.search(r"^records +(\d+) of (\d+) lines came back", done.stdout, re.M)
    assert summary, done.stdout[-1000:]
    assert summary[1] == summary[2]
    used = list(map(int, re.search(r"^partitions .*used: (.*) records", done.stdout,
                                   re.M)[1].split(",")))
    assert sum(used) == int(summary[1]) > 0
    assert re.search(r"^keys .*always on the same partition", done.stdout, re.M)
    assert re.search(r"^latency .*acknowledgement: median [\d.]+ ms, p99 [\d.]+ ms$", done.stdout,
                     re.M)
    assert re.search(r"^ +write of a line to its return: median [\d.]+ ms", done.stdout, re.M)


def test_demo_shows_each_record_where_the_java_client_would_put_it():
    done = demo("--json")
    assert done.returncode == DONE, done.stderr
    records = json_lines(done.stdout)
    next_offset = {}
    for r in records:
        assert r["offset"] == next_offset.get(r["partition"], 0)
        next_offset[r["partition"]] = r["offset"] + 1
        assert r["partition"] == java_partition(r["key"].encode(), 4)
        assert r["value"].startswith(r["key"] + " ")
        assert r["headers"]
    assert f"{len(records)} of {len(records)}" in done.stderr


def test_demo_ships_the_given_file(tmp_path):
    lines = access_log(500)
    (tmp_path / "my.log").write_bytes(text(lines))
    done = demo("--json", tmp_path / "my.log")
    assert done.returncode == DONE, done.stderr
    assert sorted(r["value"].encode() for r in json_lines(done.stdout)) == sorted(lines)


def test_demo_takes_lines_that_are_no_access_log(tmp_path):
    (tmp_path / "my.log").write_bytes(b"one\ntwo \x1b[31m\n\xff\n")
    done = demo(tmp_path / "my.log")
    assert done.returncode == DONE, done.stderr
    assert "3 of 3 lines" in done.stdout
    assert "\x1b" not in done.stdout, "a log must not steer the terminal"


def test_demo_of_an_endless_file_ends_in_time_when_piped(tmp_path):
    (tmp_path / "endless.log").write_bytes(b"x\n" * 20_000_000)
    began = time.monotonic()
    with open(tmp_path / "out", "w+") as out:
        done = subprocess.run([BINARY, "demo", tmp_path / "endless.log"], stdout=out, timeout=60)
        assert done.returncode == DONE
        assert time.monotonic() - began < 25
        out.seek(out.seek(0, os.SEEK_END) - 1000)
        said = out.read()
    for name in ("out", "endless.log"):
        (tmp_path / name).unlink()              # pytest keeps folders for a while
    summary = re.search(r"^records +(\d+) of (\d+) lines came back", said, re.M)
    assert summary and summary[1] == summary[2], said
    assert re.search("^not all ", said, re.M)


def test_demo_of_what_is_no_file_names_it(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, why in ((tmp_path / "nothing", "no such file"), (tmp_path, "not a regular file"),
                      (tmp_path / "fifo", "not a regular file"),
                      ("/dev/null", "not a regular file")):
        done = demo(path)
        assert (done.returncode, done.stdout) == (FAILED, "")
        assert done.stderr.startswith("stoker: ") and f"'{path}'" in done.stderr
        assert why in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_demo_with_0(tmp_path, number):
    child = subprocess.Popen([BINARY, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    lines = [child.stdout.readline() for _ in range(20)]
    assert lines[-1], child.stderr.read()
    child.send_signal(number)
    out, errors = child.communicate(timeout=15)
    assert child.returncode == DONE, errors
    assert re.search(r"^records ", out, re.M), "the summary comes all the same"
    assert list(tmp_path.iterdir()) == [], "its folder is removed"


@pytest.mark.parametrize("environment, coloured", [
    ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
    ({"TERM": "xterm", "NO_COLOR": "1"}, False),
])
def test_demo_on_a_terminal_has_colours_fits_its_lines_and_ends_at_ctrl_c(environment, coloured):
    ours, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    child = subprocess.Popen([BINARY, "demo"], stdin=terminal, stdout=terminal, stderr=terminal,
                             env={"PATH": os.environ["PATH"], **environment},
                             start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(terminal)
    shown = b""
    while shown.count(b"host.name=") < 20:
        shown += os.read(ours, 4096)
    os.write(ours, b"\x03")
    with contextlib.suppress(OSError):              # EIO: it has ended
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert child.wait(15) == DONE
    assert (b"\x1b[" in shown) == coloured
    plain = re.sub(rb"\x1b\[\d*m|\^C", b"", shown).decode().splitlines()
    assert not any("\x1b" in line for line in plain), "colours and nothing else"
    records = [line for line in plain if " host.name=" in line]
    assert len(records) >= 20 and any(line.startswith("records ") for line in plain)
    assert max(map(len, records)) == 90, "values are cut at the edge"


def test_demo_into_a_pipe_that_closes_leaves_nothing_behind(tmp_path):
    child = subprocess.Popen([BINARY, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, "TMPDIR": str(tmp_path)})
    child.stdout.readline()
    child.stdout.close()
    child.stderr.close()
    child.wait(40)
    assert list(tmp_path.iterdir()) == []


# --- what a user of the README does

def test_a_missing_default_configuration_is_named():
    if os.path.exists("/etc/stoker/stoker.yaml"):
        pytest.skip("this machine has an /etc/stoker/stoker.yaml")
    done = stoker("run")
    assert done.returncode == CONFIG
    assert "/etc/stoker/stoker.yaml" in done.stderr and "-c FILE" in done.stderr


def test_notify_tells_systemd_when_ready(agents, tmp_path):

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(15)
        agent = agents({"outputs": {"main": {"type": "discard"}},
                        "inputs": {"logs": {"paths": str(tmp_path / "*.log"), "topic": "t"}}})
        agent.start(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert systemd.recv(100).startswith(b"READY=1")
        agent.stop()
        assert systemd.recv(100).startswith(b"STOPPING=1")
