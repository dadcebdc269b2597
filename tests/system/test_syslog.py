"""Syslog as machines write it.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re

import pytest

from stoker import DONE, ROOT, json_lines, stoker, write_config

SHARED = ROOT.parent / "shared/data"
SIMPLE = re.compile(r"\w{3} [ \d]\d [\d:]{8} (\S+) ([^\s:\[]+)(?:\[(\d+)\])?: (.*)")


def fields(tmp_path, file):
    """The fields of every line, with its timestamp."""
    config = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"o": {"type": "stdout"}},
        "inputs": {"in": {"paths": "/none", "topic": "t", "parser": {"type": "syslog"},
                          "value": {"format": "json", "exclude": ["body"]}}}})
    done = stoker("try", "-c", config, "--input", "in", file)
    assert done.returncode == DONE, done.stderr
    return [{"timestamp": r["timestamp"], **json.loads(r["value"])}
            for r in json_lines(done.stdout)]


@pytest.mark.parametrize("name", ["auth.log", "OpenSSH.log"])
def test_real_logs_leave_no_line_unparsed(tmp_path, name):
    """Checked against a pattern that fits these two files and not much else."""
    if not (SHARED / name).exists():
        pytest.skip("the real logs are not here")
    lines = (SHARED / name).read_bytes().decode().splitlines()
    got = fields(tmp_path, SHARED / name)
    assert len(got) == len(lines) >= 1999
    for line, record in zip(lines, got):
        names = ("hostname", "appname", "procid", "message")
        assert tuple(map(record.get, names)) == SIMPLE.fullmatch(line).groups(), line
        assert "parse.error" not in record and record["timestamp"] is not None


def test_what_is_no_syslog_goes_on_with_its_reason(tmp_path):
    (tmp_path / "sample").write_text(
        "java.lang.Error: x\n"
        "<34>Oct 41 22:14:15 mymachine su: x\n"
        '<34>1 2003-10-11T22:14:15.003Z h a - i [x@1 a="b\n')
    none, time, broken = fields(tmp_path, tmp_path / "sample")
    assert none == {"timestamp": None, "parse.error": "no match"}
    assert time == {"timestamp": None, "facility": 4, "severity": 2, "hostname": "mymachine",
                    "appname": "su", "message": "x", "parse.error": "bad time"}
    assert broken == {"timestamp": None, "parse.error": "broken syslog"}


def test_structured_data_is_a_field_for_routes(tmp_path):
    config = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"o": {"type": "stdout"}},
        "inputs": {"in": {"paths": "/none", "parser": {"type": "syslog"}}},
        "routes": [{"from": "in", "when": {"severity": "5"}, "topic": "notices",
                    "key": "${structured_data.origin@1.2.ip}", "value": "${message}",
                    "headers": {"app": "${appname}", "proc": "${procid}"}}]})
    done = stoker("try", "-c", config, "--input", "in", stdin=(
        '<165>1 2003-10-11T22:14:15.003Z h a - i [origin@1.2 ip="192.0.2.1"] hello\n'
        "<166>Mar 01 2024 18:46:11 fw : %ASA-6-302013: not of interest\n"))
    assert json_lines(done.stdout) == [{
        "output": "o", "topic": "notices", "partition": None, "key": "192.0.2.1",
        "headers": {"app": "a"}, "timestamp": 1065910455003, "value": "hello"}]
