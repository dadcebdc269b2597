"""What the settings of the section `agent` do to a running agent.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import socket

import pytest

from samples import append, numbered, text
from stoker import DONE, json_lines
from waiting import lasting, wait_for


@pytest.fixture
def following(agents, tmp_path, log):
    """following(agent settings) follows one file into another."""
    append(log, "one", "two")

    def make(route=None, **settings):
        return agents({"agent": settings,
                       "outputs": {"main": {"type": "file", "path": str(tmp_path / "out")}},
                       "inputs": {"logs": {"paths": str(log), "topic": "t", **(route or {})}}})

    return make


def written(tmp_path):
    out = tmp_path / "out"
    return json_lines(out.read_text()) if out.exists() else []


def test_acknowledged_offsets_are_written_once_an_interval_and_at_a_stop(following, tmp_path, log):
    """A minute is longer than this test: until the stop nothing is written."""
    agent = following(checkpoint_interval="1m").start()
    wait_for(lambda: len(written(tmp_path)) == 2, 15, "both lines")
    lasting(lambda: agent.offsets() == {}, 1.5, "that no offset is written")
    agent.stop()
    assert agent.offset(log) == log.stat().st_size
    agent.configure({"agent": {"checkpoint_interval": "20ms"},
                     "outputs": {"main": {"type": "discard"}},
                     "inputs": {"logs": {"paths": str(log), "topic": "t"}}})
    agent.start()
    for n in range(3):
        append(log, f"line {n}")
        agent.wait_acked(log, timeout=10)
    agent.stop()


def threads(agent):
    return len(os.listdir(f"/proc/{agent.pid}/task"))


def test_workers_are_threads(following, log):
    log.write_bytes(text(numbered(0, 1000)))
    counts = {}
    for workers in (1, 9):
        agent = following(workers=workers).start()
        agent.wait_acked(log)
        counts[workers] = threads(agent)
        agent.stop()
    assert counts[9] - counts[1] == 8


def test_host_name_is_the_systems_unless_it_is_said(following, tmp_path, log):
    for settings, name in (({}, socket.gethostname()), ({"host_name": "web-7"}, "web-7")):
        agent = following({"key": "${host.name}"}, **settings).start()
        agent.wait_acked(log)
        agent.stop()
        assert {r["key"] for r in written(tmp_path)} == {name}
        (tmp_path / "out").unlink()
        append(log, "another")


LEVELS = {"debug": True, "info": True, "warn": False, "error": False}


@pytest.mark.parametrize("level", LEVELS)
def test_log_level_leaves_out_what_is_less_important(following, log, level):
    agent = following(log={"level": level}).spawn()
    agent.wait_acked(log)
    agent.stop()
    assert bool(agent.said("level=info")) == LEVELS[level]
    if level in ("warn", "error"):
        assert agent.log() == ""


def test_a_log_line_is_key_value_or_one_json_object(following, log):
    shapes = {"text": r'time=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg="[^"]+"$',
              "json": r"\{.*\}$"}
    for shape, pattern in shapes.items():
        agent = following(log={"format": shape}).start()
        agent.wait_acked(log)
        agent.stop()
        lines = agent.log().splitlines()
        assert len(lines) >= 2
        for line in lines:
            assert re.match(pattern, line), line
            if shape == "json":
                said = json.loads(line)
                assert {"time", "level", "message"} <= set(said) and said["level"] == "info"


def test_a_secret_in_use_is_in_no_log_however_much_is_logged(agents, kafka, topic, tmp_path, log):
    """The login works, then the broker goes away; librdkafka tells everything it can."""
    append(log, "one")
    (tmp_path / "password").write_text("shipper-secret\n")
    agent = agents({
        "agent": {"log": {"level": "debug"}},
        "outputs": {"main": {
            "bootstrap.servers": kafka.sasl, "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN", "sasl.username": "shipper", "debug": "security,broker,conf",
            "sasl.password": f"${{file:{tmp_path}/password}}"}},
        "inputs": {"logs": {"paths": str(log), "topic": topic}}}).start()
    agent.wait_acked(log)
    kafka.kill()
    agent.wait_log("level=(warn|error)")
    agent.stop()
    done = agent.command("check")
    assert done.returncode == DONE
    for said in (agent.log(), done.stdout + done.stderr):
        assert "shipper-secret" not in said
    for path in agent.state.iterdir():
        assert b"shipper-secret" not in path.read_bytes(), path
