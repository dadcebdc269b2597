"""What applications write becomes fields: JSON, logfmt, columns, regular expressions, one after
the other; and the fields become JSON again, whatever bytes they hold.

Python's json and csv are the second opinion.

SPDX-License-Identifier: Apache-2.0
"""
import csv
import json
import random
from datetime import datetime

import pytest

from samples import text
from stoker import CONFIG, DONE, ROOT, json_lines, stoker, write_config

DATA = ROOT.parent / "shared/data"
ALL = {"format": "json", "exclude": ["body"]}


def tried(folder, lines, **given):
    """What `try` makes of lines: a list of records."""
    config = write_config(folder / "stoker.yaml", {
        "outputs": {"any": {"type": "stdout"}},
        "inputs": {"app": {"paths": "/none", **given}}})
    (folder / "sample").write_bytes(text(lines))
    done = stoker("try", "-c", config, "--input", "app", folder / "sample")
    assert done.returncode == DONE, done.stderr
    return json_lines(done.stdout)


def values(records):
    return [json.loads(r["value"], parse_int=Number, parse_float=Number) for r in records]


class Number(str):
    """Digits, as they are written."""

    def __eq__(self, other):
        return isinstance(other, Number) and str(self) == str(other)

    __hash__ = str.__hash__


# --- JSON

LETTERS = "abc.\"\\/\n\t\x00\x1f \x7f\u00e9\u20ac\U0001f600"
NUMBERS = ["0", "-0", "7", "-12", "1.50", "1e400", "-0.1E-7", "123456789012345678901234567890",
           "2.0e+3"]


def some_text(rng):
    return "".join(rng.choice(LETTERS) for _ in range(rng.choice([0, 1, 3, 9, 40])))


def written_text(rng):
    """As it may be written: some characters as escapes that need none."""
    parts = []
    for char in some_text(rng):
        plain = json.dumps(char, ensure_ascii=rng.random() < 0.5)[1:-1]
        parts.append(f"\\u{ord(char):04X}" if rng.random() < 0.1 and ord(char) < 0x10000 else plain)
    if rng.random() < 0.05:
        parts.append(rng.choice(["\\ud800", "\\udc00x", "\\ud800\\ud83d\\ude00", "\\/"]))
    return '"' + "".join(parts) + '"'


def written_value(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind < 2:
        return written_text(rng)
    if kind < 4:
        return rng.choice(NUMBERS)
    if kind < 6:
        return rng.choice(["true", "false", "null"])
    if kind == 6:
        return "[" + blank(rng).join(
            ("," if n else "") + written_value(rng, depth + 1)
            for n in range(rng.randrange(4))) + "]"
    return written_object(rng, depth + 1)


def blank(rng):
    return rng.choice(["", "", "", " ", "\t", "  \r "]) if rng.spaced else ""


def some_object(rng):
    """Half of them without blanks, as most logs are written: they are read another way."""
    rng.spaced = rng.random() < 0.5
    return written_object(rng).encode()


def written_object(rng, depth=0):
    members = (f"{written_text(rng) if rng.random() < 0.4 else json.dumps(rng.choice('abcxyz'))}"
               f"{blank(rng)}:{blank(rng)}{written_value(rng, depth)}"
               for _ in range(rng.randrange(6)))
    return "{" + blank(rng) + f"{blank(rng)},{blank(rng)}".join(members) + blank(rng) + "}"


def mangled(rng, line):
    """With a few bytes changed, left out, or put in."""
    line = bytearray(line)
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(line))
        piece = bytes([rng.choice(b'{}[]",:\\ 0.eE-+tfnu\x01\xff\xc3a')])
        line[at:at + rng.randrange(2)] = rng.choice([b"", piece])
    return bytes(line)


def loaded(line):
    """What Python makes of it: an object, or None."""
    def never(_):
        raise ValueError
    try:
        found = json.loads(line.decode(errors="surrogateescape"), parse_int=Number,
                           parse_float=Number, parse_constant=never)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_surrogate(char):
    return "\ud800" <= char <= "\udfff"


def read(text_):
    """A string that was read: a half of a pair is U+FFFD."""
    return "".join("\ufffd" if is_surrogate(char) else char for char in text_)


def fields(found):
    """The fields of an object: null is none, and text inside of objects stays as written."""
    return {read(name): read(value) if type(value) is str else value
            for name, value in found.items() if value is not None}


def has_clash(found):
    """Two names that only differ by a lone surrogate."""
    return len({read(name) for name in found}) < len(found)


def test_json_is_read_as_python_reads_it(tmp_path):
    rng = random.Random(4)
    lines = [some_object(rng) for _ in range(2000)]
    lines = [line for line in lines if not line.endswith(b"\r")]
    records = tried(tmp_path, lines, parser={"type": "json"}, value=ALL)
    assert len(records) == len(lines) > 1900
    nested = 0
    for line, value in zip(lines, values(records)):
        found = loaded(line)
        if not has_clash(found):
            assert value == fields(found), line
        nested += any(isinstance(v, (dict, list)) for v in value.values())
    assert nested > 300


def test_what_python_refuses_is_a_parse_error_and_nothing_else_is(tmp_path):
    rng = random.Random(5)
    lines = [mangled(rng, some_object(rng)) for _ in range(2500)]
    lines = [line for line in lines if line and b"\n" not in line and not line.endswith(b"\r")]
    records = tried(tmp_path, lines, parser={"type": "json"}, headers={"error": "${parse.error}"})
    refused = 0
    for line, record in zip(lines, records):
        error = (record["headers"] or {}).get("error")
        assert (loaded(line) is None) == (error is not None), (line, error)
        refused += error is not None
    assert 500 < refused < len(lines) - 300


def nested(found, name):
    """A field by its name with dots, as it is sent in a header."""
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return json.dumps(found)
    return None if isinstance(found, (dict, list)) else found


def test_nested_members_are_fields(tmp_path):
    rng = random.Random(6)
    rng.spaced = True
    lines = [f'{{"a":{written_object(rng)},"b":{{"c":{written_object(rng)}}}}}'.encode()
             for _ in range(800)]
    lines = [line for line in lines if b"." not in line.replace(b"0.", b"").replace(b"1.", b"")
             .replace(b"2.", b"") and b"\\ud" not in line.lower()]
    names = ["a.x", "b.c.x", "b.c.a", "a.y.z"]
    records = tried(tmp_path, lines, parser={"type": "json"},
                    headers={name: f"${{{name}}}" for name in names})
    seen = 0
    for line, record in zip(lines, records):
        found = loaded(line)
        for name in names:
            expected = nested(found, name)
            if expected is not None:
                assert record["headers"][name] == str(expected), (name, line)
                seen += 1
    assert seen > 50


def test_a_deep_line_is_no_trouble(tmp_path):
    lines = [b'{"a":' + b"[" * 100000, b'{"a":' + b'{"a":' * 100000 + b"1" + b"}" * 100001,
             b'{"a":' + b"[" * 1000 + b"]" * 1000 + b',"k":"x"}']
    records = tried(tmp_path, lines, parser={"type": "json"}, key="${k}",
                    headers={"error": "${parse.error}", "deep": "${a.a.a.a}"})
    assert [r["headers"] for r in records] == [{"error": "broken JSON"}, {"error": "broken JSON"},
                                               None]
    assert records[2]["key"] == "x"


@pytest.mark.skipif(not (DATA / "nginxplus_status.jsonl").exists(), reason="no sample data")
def test_a_real_json_log_is_read_without_a_miss(tmp_path):
    lines = (DATA / "nginxplus_status.jsonl").read_bytes().splitlines()
    records = tried(tmp_path, lines, parser={"type": "json", "time": {
        "field": "timestamp", "format": "epoch_ms"}}, value=ALL, key="${connections.accepted}")
    assert len(records) == len(lines) == 500
    for line, record in zip(lines, records):
        found = json.loads(line)
        assert json.loads(record["value"]) == found
        assert record["key"] == str(found["connections"]["accepted"])
        assert record["timestamp"] == found["timestamp"]


# --- fields to JSON

def test_any_bytes_make_valid_json(tmp_path):
    rng = random.Random(7)
    lines = [bytes(rng.choice([rng.randrange(256), 0x22, 0x5c, 0xc3, 0xe2, 0x61])
                   for _ in range(rng.randrange(60))).replace(b"\n", b"") for _ in range(2000)]
    records = tried(tmp_path, lines, parser={
        "type": "regex", "pattern": "(?s)^(?<first>.?)(?<rest>.*)"},
                    fields={"static\"": "\\"}, value={"format": "json", "add": {
                        "again": "<${rest}>", "at": "${log.file.offset}"}})
    for line, record in zip(lines, records):
        value = json.loads(record["value"])
        line = line.removesuffix(b"\r")
        assert value["body"] == line.decode(errors="replace")
        assert value["rest"] == line[1:].decode(errors="replace")
        assert value["again"] == f"<{value['rest']}>" and value['static"'] == "\\"


def test_nested_json_is_sent_clean_and_without_what_is_excluded(tmp_path):
    lines = [b'{"user":{"name":"ann","password":"x","a":{"password":"y"}},"n":1.50,"ok":true}',
             b'{"user":{"pass\\u0077ord":"x"},"user.password":"z"}',
             b'{"user": {\t"n" : [ 1 , {"password":"kept"} ]\t}, "bytes":["\xff\xc3\xa9"]}']
    records = tried(tmp_path, lines, parser={"type": "json"},
                    value={"format": "json", "exclude": ["body", "user.password"]})
    assert [r["value"] for r in records] == [
        '{"user":{"name":"ann","a":{"password":"y"}},"n":1.50,"ok":true}',
        '{"user":{}}',
        '{"user":{"n":[1,{"password":"kept"}]},"bytes":["\ufffd\u00e9"]}']


def test_include_takes_nested_names_and_keeps_types(tmp_path):
    record, = tried(tmp_path, [b'{"a":{"b":1.50,"c":true},"d":[1, 2],"e":null}'],
                    parser={"type": "json"}, value={"format": "json", "include": [
                        "d", "a.b", "a.c", "e", "none", "body"], "exclude": ["body"]})
    assert record["value"] == '{"d":[1, 2],"a.b":1.50,"a.c":true}'


# --- logfmt

def logfmt_text(rng):
    return "".join(rng.choice("ab =\"\\\t\n\u00e9[]:/1") for _ in range(rng.randrange(12)))


def test_logfmt_is_read_back(tmp_path):
    rng = random.Random(8)
    expected, lines = [], []
    for _ in range(2000):
        pairs = {rng.choice(["a", "b.c", "level", "\u00e9"]): rng.choice([True, logfmt_text(rng)])
                 for _ in range(rng.randrange(4))}
        pairs["msg"] = logfmt_text(rng)
        expected.append(pairs)
        lines.append(rng.choice([" ", "  ", "\t"]).join(
            key if value is True else
            f"{key}={value}" if value and rng.random() < 0.5 and not set(value) & set(' \t\n"\\')
            else f"{key}={json.dumps(value, ensure_ascii=rng.random() < 0.5)}"
            for key, value in pairs.items()).encode())
    records = tried(tmp_path, lines, parser={"type": "logfmt"}, value=ALL)
    for line, value, pairs in zip(lines, values(records), expected):
        assert value == pairs, line


# --- columns

def strict_csv(line, separator):
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return None
    return rows[0] if rows else []


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_read_as_python_reads_csv(tmp_path, separator):
    rng = random.Random(9)
    names = [f"c{n}" for n in range(9)]
    lines = ["".join(rng.choice(["a", "b c", separator, separator, separator + '"', '"' + separator,
                                 '""', "\u00e9"]) for _ in range(rng.randrange(9)))
             for _ in range(2000)]
    records = tried(tmp_path, [line.encode() for line in lines], headers={"e": "${parse.error}"},
                    parser={"type": "delimited", "separator": separator, "names": names}, value=ALL)
    refused = 0
    for line, value, record in zip(lines, values(records), records):
        columns = strict_csv(line, separator)
        if columns is None or len(columns) > len(names):
            assert record["headers"]["e"], line
            refused += 1
        else:
            assert value == dict(zip(names, columns)), line
    assert 100 < refused < 1900


# --- regular expressions, chains

def test_patterns_are_tried_in_order_and_one_without_end_is_cut_off(tmp_path):
    lines = [b"GET /x", b"user=ann", b"a" * 5000 + b"!", b"neither"]
    records = tried(tmp_path, lines, parser={"type": "regex", "pattern": [
        r"^(?<word>(a+)+)$", r"^(?<method>[A-Z]+) (?<path>\S+)", r"^user=(?<user>\w+)"]}, value={
            "format": "json", "exclude": ["body"]})
    assert values(records) == [{"method": "GET", "path": "/x"}, {"user": "ann"},
                               {"parse.error": "match limit"}, {"parse.error": "no match"}]


def test_searches_that_are_cut_off_are_counted_and_told(agents, tmp_path):
    log = tmp_path / "app.log"
    log.write_bytes(text([b"a" * 5000 + b"!"] * 3 + [b"aaa"]))
    agent = agents({"outputs": {"main": {"type": "discard"}}, "inputs": {"logs": {
        "paths": str(log), "parser": {"type": "regex", "pattern": "^(a+)+$"}, "topic": "t"}}})
    agent.start().wait_acked(log)
    agent.stop()
    told = agent.log_path.read_text()
    assert told.count("match limit") == 1
    assert f"3 searches for a regular expression in '{log}'" in told


def test_parsers_follow_one_another(tmp_path):
    chain = [{"type": "regex", "pattern": r"^(?<at>\S+) (?<level>\w+) (?<rest>.*)",
              "time": {"field": "at", "format": "iso8601"}},
             {"type": "json", "field": "rest"},
             {"type": "logfmt", "field": "inner.pairs"},
             {"type": "delimited", "field": "list", "separator": "|", "names": ["one", "two"]}]
    lines = [b'2024-10-10T13:53:36.5Z info '
             b'{"inner":{"pairs":"a=1 b=\\"x y\\""},"list":"p|q","n":7}',
             b"2024-10-10T13:53:37Z warn no object",
             b"none"]
    records = tried(tmp_path, lines, parser=chain, key="${level}",
                    value={"format": "json", "exclude": ["body", "rest", "inner", "at"]})
    assert [r["key"] for r in records] == ["info", "warn", None]
    assert [r["timestamp"] for r in records] == [1728568416500, 1728568417000, None]
    assert [r["value"] for r in records] == [
        '{"level":"info","list":"p|q","n":7,"a":"1","b":"x y","one":"p","two":"q"}',
        '{"level":"warn","parse.error":"not a JSON object"}',
        '{"parse.error":"no match"}']


@pytest.mark.skipif(not (DATA / "apache_access.log").exists(), reason="no sample data")
def test_a_real_access_log_is_read_without_an_unexplained_miss(tmp_path):
    pattern = (r'^(?<client>\S+) (?<ident>\S+) (?<user>\S+) \[(?<time>[^\]]+)\] '
               r'"(?<method>\S+) (?<path>\S+) (?<protocol>[^"]*)" (?<status>\d{3}) '
               r'(?<bytes>\d+|-) "(?<referer>[^"]*)" "(?<agent>(?:[^"\\]|\\.)*)"$')
    lines = (DATA / "apache_access.log").read_bytes().splitlines()
    records = tried(tmp_path, lines, parser={"type": "regex", "pattern": pattern, "time": {
        "field": "time", "format": "%d/%b/%Y:%H:%M:%S %z"}}, key="${client}",
        value={"format": "json"})
    missed = [line for line, r in zip(lines, records) if "parse.error" in json.loads(r["value"])]
    assert len(records) == len(lines) and all(explained(line) for line in missed), missed[:5]
    assert all(r["timestamp"] for r, line in zip(records, lines) if line not in missed)


@pytest.mark.skipif(not (DATA / "HDFS.log").exists(), reason="no sample data")
def test_a_real_log_of_hdfs_is_read_without_a_miss(tmp_path):
    """Its time has no separators at all."""
    pattern = (r"^(?<at>\d{6} \d{6}) (?<thread>\d+) (?<level>[A-Z]+) (?<class>[\w.$]+): "
               r"(?<message>.*)$")
    lines = (DATA / "HDFS.log").read_text().splitlines()
    records = tried(tmp_path, map(str.encode, lines), parser={
        "type": "regex", "pattern": pattern, "time": {"field": "at", "format": "%y%m%d %H%M%S"}},
        value={"format": "json", "exclude": ["body"]})
    assert len(records) == len(lines) == 2000
    for line, record in zip(lines, records):
        day, clock, thread, level, rest = line.split(" ", 4)
        when = datetime.strptime(f"{day} {clock} +0000", "%y%m%d %H%M%S %z")
        assert record["timestamp"] == when.timestamp() * 1000
        found = json.loads(record["value"])
        assert [found[name] for name in ("at", "thread", "level")] == [f"{day} {clock}", thread,
                                                                       level]
        assert f'{found["class"]}: {found["message"]}' == rest


def explained(line):
    """Cut off in its last column."""
    return not line.endswith(b'"')


# --- the whole way

def test_json_lines_arrive_with_key_headers_and_time(ship, kafka, topic, log):
    agent = ship(parser={"type": "json", "time": {"field": "at", "format": "epoch_ms"}},
                 key="${user.id}", headers={"level": "${level}", "trace": "${trace.id:-none}"},
                 value={"format": "json", "include": ["message", "user", "at"]}).start()
    made = [{"at": 1728568416000 + n, "level": "info" if n % 2 else "warn", "user": {"id": n % 7},
             "message": f"line {n} \u00e9\n", "trace": None if n % 3 else {"id": f"t{n}"}}
            for n in range(500)]
    with open(log, "wb") as file:
        file.write(text([json.dumps(line).encode() for line in made] + [b"no JSON"]))
    kafka.wait_count(topic, 501)
    by_time = {r.timestamp: r for r in kafka.read(topic)}
    for line in made:
        record = by_time[line["at"]]
        assert record.key == str(line["user"]["id"]).encode()
        assert json.loads(record.value) == {k: line[k] for k in ("message", "user", "at")}
        assert dict(record.headers) == {"level": line["level"].encode(), "trace":
                                        (line["trace"]["id"] if line["trace"] else "none").encode()}
    agent.stop()


# --- settings

def test_mistakes_are_told_with_their_place(tmp_path):
    config = write_config(tmp_path / "stoker.yaml", """\
outputs: {any: {type: stdout}}
parsers:
  columns: {type: delimited, separator: "", names: [a, a]}
  pairs: {type: logfmt, pattern: x}
  object: {type: json, time: {field: at, format: "%q"}}
inputs: {app: {paths: /none, parser: [columns, pairs, object]}}
""")
    done = stoker("check", "-c", config)
    assert done.returncode == CONFIG
    for place in (":3:41: ", ":3:56: ", ":4:25: ", ":5:50: "):
        assert place in done.stderr, done.stderr


def test_the_reference_shows_every_parser():
    for name in ("json", "logfmt", "delimited", "regex"):
        shown = stoker("reference", f"parsers.{name}").stdout
        assert f"## parsers.{name}" in shown and "`field`" in shown and "`time`" in shown
