"""Where records go, and as what: every key of a route, and the tests that users
write for theirs.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re

import pytest

from samples import append, java_partition, text
from stoker import CONFIG, DONE, FAILED, json_lines, stoker, write_config

OUTPUT = {"main": {"bootstrap.servers": "localhost:9092"}}
PARSER = {"type": "regex", "pattern": r"^(?<a>\w+)(?: (?<b>\w+))?(?: (?<c>\w+))?$"}
REJECTED = re.compile(r"^stoker: rejected: (.*?): (\{.*)$", re.M)


@pytest.fixture
def tried(tmp_path):
    """tried(lines, route, ...) is what `try` shows: the records, and on stderr what else."""

    def run(lines, *routes, arguments=(), name="in", **config):
        file = write_config(tmp_path / "stoker.yaml", {
            "outputs": OUTPUT,
            "inputs": {"in": {"paths": "/x.log", "parser": PARSER}},
            "routes": list(routes), **config})
        done = stoker("try", "-c", file, "--input", name, *arguments, stdin=lines)
        assert done.returncode == DONE, done.stderr
        return json_lines(done.stdout), done.stderr

    return run


@pytest.fixture
def values(tried):
    return lambda *arguments, **config: [r["value"] for r in tried(*arguments, **config)[0]]


# --- from, when, unless

@pytest.mark.parametrize("where, taken", [
    ("web", ["web"]), (["web", "api"], ["web", "api"]), ("a*", ["api", "app-1"]),
    ("app-?", ["app-1"]), (None, ["web", "api", "app-1"]),
])
def test_from_is_a_name_a_list_or_a_glob(tried, where, taken):
    inputs = {name: {"paths": "/x.log"} for name in ("web", "api", "app-1")}
    first = {"topic": "first", **({"from": where} if where else {})}
    for name in inputs:
        records, _ = tried("x\n", first, {"topic": "rest"}, name=name, inputs=inputs)
        assert [r["topic"] for r in records] == ["first" if name in taken else "rest"]


LINES = "get 200 x\nget 404\nput 500 x\nput\n"


@pytest.mark.parametrize("condition, taken", [
    ({"b": "200"}, "get 200 x"), ({"b": ["200", "404"]}, "get 200 x|get 404"),
    ({"b": "/^[45]/"}, "get 404|put 500 x"), ({"b": ["200", "/^5/"]}, "get 200 x|put 500 x"),
    ({"b": 200}, "get 200 x"), ({"b": "20"}, ""), ({"a": "get", "b": "/4/"}, "get 404"),
    ({"b": "/4/", "a": "get"}, "get 404"), ({"c": ""}, ""), ({"c": "/^/"}, "get 200 x|put 500 x"),
    ({"nothing": "/.*/"}, ""), ({"body": "put"}, "put"), ({"input": "in"}, LINES[:-1]),
])
def test_when_takes_what_fulfils_all_entries_and_unless_the_rest(values, condition, taken):
    taken = re.split(r"[|\n]", taken) if taken else []
    rest = [line for line in LINES.splitlines() if line not in taken]
    assert values(LINES, {"when": condition, "topic": "t"}) == taken
    assert values(LINES, {"unless": condition, "topic": "t"}) == rest


def test_a_slash_alone_is_a_text_and_two_are_a_regex(values):
    assert values("/\na\n", {"when": {"body": "/"}, "topic": "t"}) == ["/"]
    assert values("/\na\n", {"when": {"body": "//"}, "topic": "t"}) == ["/", "a"]


def test_when_and_unless_must_both_let_it_pass(values):
    assert values(LINES, {"when": {"a": "get"}, "unless": {"b": "404"}, "topic": "t"}) == [
        "get 200 x"]


def test_a_line_that_does_not_match_can_be_routed_by_its_parse_error(tried):
    records, _ = tried("x\n?!\n", {"when": {"parse.error": "/./"}, "topic": "odd"},
                       {"topic": "fine"})
    assert [r["topic"] for r in records] == ["fine", "odd"]


LIES = {"input": "other", "host.name": "theirs", "parse.error": "no match",
        "k8s": {"namespace.name": "prod"}, "log": {"iostream": "stderr"}, "a": "b"}


@pytest.mark.parametrize("kind, line", [
    ("json", json.dumps(LIES, separators=(",", ":"))),
    ("json", json.dumps(LIES)),
    ("logfmt", "input=other host.name=theirs parse.error=x k8s.namespace.name=prod a=b "
               "log.iostream=stderr"),
])
def test_a_line_cannot_say_what_the_agent_says_of_it(tried, kind, line):
    lies = [{"parse.error": "/./"}, {"input": "other"}, {"k8s.namespace.name": "prod"},
            {"host.name": "theirs"}, {"log.iostream": "stderr"}]
    inputs = {"in": {"paths": "/x.log", "parser": {"type": kind}}}
    records, _ = tried(line + "\n", *({"when": lie, "topic": "fooled"} for lie in lies),
                       {"topic": "${input}", "key": "${host.name}", "value": {"format": "json"}},
                       inputs=inputs, agent={"host_name": "web1"})
    (record,) = records
    assert (record["topic"], record["key"]) == ("in", "web1")
    value = json.loads(record["value"])
    assert value.pop("body") == line
    assert value == LIES if kind == "json" else value["parse.error"] == "x"


def test_what_a_line_calls_as_the_agent_does_can_be_read_by_a_parser(tried):
    parsers = [{"type": "json"}, {"type": "regex", "field": "input", "pattern": "^(?<asked>.*)"}]
    records, _ = tried('{"input":"what?"}\n{"x":1}\n', {
        "topic": "${input}", "value": {"format": "json", "include": ["asked", "input"]}},
        inputs={"in": {"paths": "/x.log", "parser": parsers}})
    assert [(r["topic"], r["value"]) for r in records] == [
        ("in", '{"asked":"what?","input":"in"}'), ("in", '{"asked":"in","input":"in"}')]


# --- who takes it

def test_the_first_route_that_matches_takes_the_record(tried):
    records, said = tried("a\nb\nc\n", {"when": {"a": "a"}, "topic": "one"},
                          {"when": {"a": "b"}, "drop": True}, {"when": {"a": ["a", "b"]},
                                                               "topic": "two"})
    assert [(r["value"], r["topic"]) for r in records] == [("a", "one")]
    assert "filtered: 2 records" in said


def test_continue_tries_the_next_ones_too_and_records_keep_their_order(tried):
    records, _ = tried("b\na\nb\n", {"when": {"a": "a"}, "topic": "one", "continue": True},
                       {"topic": "two", "value": "${a}!"}, {"topic": "three"})
    assert [(r["topic"], r["value"]) for r in records] == [
        ("two", "b!"), ("one", "a"), ("two", "a!"), ("two", "b!")]


def test_a_route_that_drops_and_continues_leaves_the_record_to_the_next(tried):
    records, _ = tried("a\n", {"topic": "one", "continue": True},
                       {"drop": True, "continue": True}, {"topic": "two"})
    assert [r["topic"] for r in records] == ["one", "two"]


def test_the_route_of_an_input_is_its_last_one(tried):
    inputs = {"in": {"paths": "/x.log", "parser": PARSER, "topic": "own", "key": "${a}"}}
    records, _ = tried("a\nb\n", {"when": {"a": "a"}, "topic": "shared"}, inputs=inputs)
    assert [(r["topic"], r["key"]) for r in records] == [("shared", None), ("own", "b")]


def test_output_chooses_among_several(tried):
    outputs = {**OUTPUT, "screen": {"type": "stdout"}}
    records, _ = tried("a\n", {"output": "screen", "continue": True},
                       {"output": "main", "topic": "t"}, outputs=outputs)
    assert [(r["output"], r["topic"]) for r in records] == [("screen", None), ("main", "t")]


# --- topic

def test_a_topic_is_made_from_fields(tried):
    records, _ = tried("x y\nz\n", {"topic": "${a}-${b:-none}.${input}"})
    assert [r["topic"] for r in records] == ["x-y.in", "z-none.in"]


@pytest.mark.parametrize("topics, line, allowed", [
    (None, "any", True), (None, "__any", False), (["logs_*"], "logs_a", True),
    (["logs_*"], "other", False), (["a", "b"], "b", True), (["*"], "__offsets", False),
    (["__my_*"], "__my_topic", True), (["__my_*"], "__offsets", False),
])
def test_topics_says_what_fields_may_name(tried, topics, line, allowed):
    records, said = tried(f"{line}\n", {"topic": "${a}", **({"topics": topics} if topics else {})})
    assert [r["topic"] for r in records] == ([line] if allowed else [])
    assert bool(REJECTED.search(said)) == (not allowed)


@pytest.mark.parametrize("topic", ["${c}", "${c:-}", "${body}", "${c:-..}", "${c:-" + "x" * 250
                                   + "}"])
def test_a_topic_that_cannot_be_is_rejected_with_its_reason(tried, topic):
    records, said = tried("x y\n", {"topic": topic})
    assert records == []
    assert REJECTED.search(said)[1] == "the topic is not allowed"


# --- key, headers, partition, timestamp

def test_a_key_of_a_missing_field_is_no_key(tried):
    records, _ = tried("x y\nx\n", {"topic": "t", "key": "${a}/${b}"})
    assert [r["key"] for r in records] == ["x/y", None]
    records, _ = tried("x\n", {"topic": "t", "key": "${b:-}"})
    assert records[0]["key"] == ""          # which is another one


def test_a_header_of_a_missing_field_is_left_out(tried):
    records, _ = tried("x y\nx\n", {"topic": "t", "headers": {
        "b": "${b}", "c": "${c:-none}", "at": "${log.file.offset}", "fixed": "$${a}"}})
    assert [r["headers"] for r in records] == [
        {"b": "y", "c": "none", "at": "0", "fixed": "${a}"},
        {"c": "none", "at": "4", "fixed": "${a}"}]


def test_a_record_without_any_header_has_null(tried):
    records, _ = tried("x\n", {"topic": "t", "headers": {"b": "${b}"}})
    assert records[0]["headers"] is None


def test_partition_is_a_number_or_a_template_and_anything_else_is_rejected(tried):
    assert [r["partition"] for r in tried("x\n", {"topic": "t", "partition": 3})[0]] == [3]
    records, said = tried("x 3\nx 8\nx y\nx\nx 4294967299\n",
                          {"topic": "t", "partition": "${b}"}, arguments=["--partitions", "8"])
    assert [r["partition"] for r in records] == [3]
    assert [m[1] for m in REJECTED.finditer(said)] == [
        "the topic has no such partition", *["the partition is not a number"] * 3]
    _, said = tried("x\n", {"topic": "t", "partition": "${a}", "key": "${a}",
                            "key.serializer": "integer"})
    assert REJECTED.search(said)[1] == "the key is not a whole number"      # the first mistake


def test_the_partitioner_chooses_by_key(tried):
    records, _ = tried("x\ny\n", {"topic": "t", "key": "${a}"}, arguments=["--partitions", "12"])
    assert [r["partition"] for r in records] == [java_partition(b"x", 12),
                                                 java_partition(b"y", 12)]


def test_timestamp_is_a_template_of_milliseconds_or_the_time_of_reading(tried):
    lines = "1700000000000\nsoon\n"
    records, _ = tried(lines, {"topic": "t", "timestamp": "${a}"})
    assert [(r["timestamp"], r["headers"]) for r in records] == [
        (1700000000000, None), (None, {"stoker.timestamp": "soon"})]
    records, _ = tried("soon\n", {"topic": "t", "timestamp": "${a}", "headers": {"h": "x"}})
    assert records[0]["headers"] == {"h": "x", "stoker.timestamp": "soon"}
    records, _ = tried("5\n", {"topic": "t", "timestamp": "-${a}"})
    assert (records[0]["timestamp"], records[0]["headers"]) == (None, {"stoker.timestamp": "-5"})
    assert [r["timestamp"] for r in tried(lines, {"topic": "t", "timestamp": "read"})[0]] == [
        None, None]
    assert [r["timestamp"] for r in tried(lines, {"topic": "t"})[0]] == [None, None]


def test_a_time_before_1970_is_sent_with_the_time_of_reading(tried):
    parser = {"type": "regex", "pattern": "^(?<t>.+)$",
              "time": {"field": "t", "format": "iso8601"}}
    records, _ = tried("1969-12-31T23:59:59.999Z\n1970-01-01T00:00:00Z\n", {"topic": "t"},
                       inputs={"in": {"paths": "/nowhere", "parser": parser}})
    assert [(r["timestamp"], r["headers"]) for r in records] == [
        (None, {"stoker.timestamp": "-1"}), (0, None)]


def test_the_time_of_the_record_is_its_timestamp_unless_the_route_says_otherwise(tried):
    parser = {"type": "regex", "pattern": "^(?<at>.*)$", "time": {"field": "at",
                                                                  "format": "epoch"}}
    inputs = {"in": {"paths": "/x.log", "parser": parser}}
    records, _ = tried("1700000000.5\n", {"topic": "t", "continue": True},
                       {"topic": "t", "timestamp": "read", "continue": True},
                       {"topic": "t", "timestamp": "7"}, inputs=inputs)
    assert [r["timestamp"] for r in records] == [1700000000500, None, 7]


# --- value

@pytest.mark.parametrize("value, expected", [
    ("body", "x y"), ("raw", "x y\r"), ("none", None), ("${b}${a}", "yx"),
    ({"format": "json"}, '{"a":"x","b":"y","body":"x y"}'),
    ({"format": "json", "include": ["b", "c"]}, '{"b":"y"}'),
    ({"format": "json", "include": ["b", "a"], "exclude": "b", "add": {"a": "1"}}, '{"a":"1"}'),
    ({"format": "json", "exclude": "body", "add": {"n": "${b}!", "c": "${c}"}},
     '{"a":"x","b":"y","n":"y!"}'),
])
def test_value_is_what_is_sent(values, value, expected):
    parser = {"type": "regex", "pattern": r"^(?<a>\w+) (?<b>\w+)"}
    assert values("x y\r\n", {"topic": "t", "value": value},
                  inputs={"in": {"paths": "/x.log", "parser": parser}}) == [expected]


def test_exclude_takes_away_what_a_line_calls_as_the_agent_does(values):
    assert values('{"input":"x","host.name":"y","a":1}\n',
                  {"topic": "t", "value": {"format": "json", "exclude": ["input", "host.name",
                                                                         "body"]}},
                  inputs={"in": {"paths": "/x.log", "parser": {"type": "json"}}}) == ['{"a":1}']


def test_a_value_of_a_missing_field_is_rejected_and_never_a_tombstone(tried):
    records, said = tried("x y\nx\n", {"topic": "t", "key": "${a}", "value": "${b}"})
    assert [r["value"] for r in records] == ["y"]
    assert REJECTED.search(said)[1] == "a field of the value is missing"
    assert json.loads(REJECTED.search(said)[2])["value"] == "x"      # nothing of the line is lost


# --- redact

MAIL = {"pattern": r"(\w)\w*@(?<host>\w+)", "with": "$1***@${host}"}
TALK = {"type": "regex", "pattern": r"^(?<who>\S+) (?<rest>.*)$"}


@pytest.mark.parametrize("value, expected", [
    ("body", "j***@home says a***@work"), ("raw", "j***@home says a***@work\r"),
    ("${who}", "j***@home"),
    ({"format": "json"},
     '{"who":"j***@home","rest":"says a***@work","body":"j***@home says a***@work"}'),
    ({"format": "json", "include": "raw", "add": {"x": "${rest}"}},
     '{"raw":"j***@home says a***@work\\r","x":"says a***@work"}'),
])
def test_what_is_redacted_is_in_nothing_that_is_sent(tried, value, expected):
    records, _ = tried("joe@home says ann@work\r\n",
                       {"topic": "t", "key": "${who}", "headers": {"r": "${rest}", "w": "${raw}"},
                        "value": value, "redact": [MAIL]},
                       inputs={"in": {"paths": "/x.log", "parser": TALK}})
    assert records[0]["value"] == expected
    assert records[0]["key"] == "j***@home"
    assert "joe" not in str(records) and "ann" not in str(records)


def test_a_record_that_is_rejected_is_redacted_too(tried):
    """Dead letters are what would have been sent."""
    _, said = tried("joe@home says\n", {"topic": "${who}", "key": "${who}", "value": "raw",
                                        "redact": MAIL},
                    inputs={"in": {"paths": "/x.log", "parser": TALK}})
    assert REJECTED.search(said)[1] == "the topic is not allowed"
    assert said.count("j***@home") == 3 and "joe" not in said


def test_conditions_see_the_record_as_it_was_read(values):
    inputs = {"in": {"paths": "/x.log", "parser": TALK}}
    assert values("joe@home hi\nmax@home hi\n",
                  {"when": {"who": "/^joe/"}, "topic": "t", "redact": MAIL},
                  inputs=inputs) == ["j***@home hi"]


def test_each_route_redacts_for_itself(values):
    assert values("secret word\n",
                  {"topic": "t", "redact": {"pattern": "secret"}, "continue": True},
                  {"topic": "t", "redact": [{"pattern": "word", "with": ""}], "continue": True},
                  {"topic": "t"}) == ["[REDACTED] word", "secret ", "secret word"]


# --- sample and rate_limit

def test_sample_sends_every_hundredth_record_that_the_route_takes(tried):
    lines = "".join(f"{'odd' if n % 2 else 'even'} {n}\n" for n in range(1000))
    records, said = tried(lines, {"when": {"a": "odd"}, "topic": "t", "sample": "1/100",
                                  "value": "${b}"})
    assert [int(r["value"]) for r in records] == [1, 201, 401, 601, 801]
    assert "filtered: 995 records" in said


def test_a_rate_limit_sends_its_burst_the_same_every_time(tried):
    lines = "".join(f"x {n}\n" for n in range(300))
    for _ in range(2):
        records, said = tried(lines, {"topic": "t", "rate_limit": "100/s"})
        assert [r["value"] for r in records] == lines.splitlines()[:100]
        assert "filtered: 200 records" in said
    records, _ = tried(f"{200 * 'x'}\n" * 50000, {"topic": "t", "rate_limit": "1000/s"})
    assert len(records) == 1000             # however long it took


# --- tests: in a configuration

CONFIG_WITH_TESTS = """\
outputs: {main: {bootstrap.servers: "localhost:9092"}}
parsers:
  access: {type: regex, pattern: '^(?<client>\\S+) (?<path>\\S+) (?<status>\\d+)'}
inputs:
  web: {paths: /nothing/here.log, parser: access}
routes:
  - {when: {path: /health}, drop: true}
  - {when: {status: /^5/}, topic: errors, continue: true, redact: {pattern: 'token=\\w+'}}
  - {topic: access, key: "${client}", headers: {status: "${status}"}, timestamp: "7"}
  - {topic: "${client}"}
tests:
"""

GOOD_TESTS = r"""
  - name: probes are dropped
    input: web
    given: 192.0.2.1 /health 200
    expect: []
  - name: errors go two ways
    given:
      - 192.0.2.1 /cart?token=x1 500
      - 192.0.2.2 /cart 200
    partitions: 12
    expect:
      - {topic: errors, key: null, value: "192.0.2.1 /cart?[REDACTED] 500", headers: null}
      - topic: access
        key: 192.0.2.1
        headers: {status: 500, other: null}
        value: 192.0.2.1 /cart?token=x1 500
        partition: PARTITION
        timestamp: 7
        output: main
      - {key: 192.0.2.2}
  - name: what is not parsed has no key
    given: |
      nonsense
      ÿ
    expect: [{key: null, headers: {}}, {topic: access, value: "\xff"}]
""".replace("PARTITION", str(java_partition(b"192.0.2.1", 12)))


def checked(tmp_path, tests):
    file = write_config(tmp_path / "stoker.yaml", CONFIG_WITH_TESTS + tests)
    return file, stoker("check", "-c", file)


def test_check_runs_the_tests_of_a_configuration(tmp_path):
    _, done = checked(tmp_path, GOOD_TESTS)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "3 tests passed" in done.stdout and "valid" in done.stdout


# What goes wrong: a piece of the good tests, another one for it with the place that is
# shown («), and what is said.
FAILURES = {
    "topic": ("topic: errors, key", "topic: «erors, key", ['"erors"', '"errors"']),
    "key": ("key: 192.0.2.2}", "key: «192.0.2.3}", ['"192.0.2.3"', '"192.0.2.2"']),
    "no key": ("{key: null, headers", "{key: «a, headers", ['"a"', "null"]),
    "header": ("{status: 500", "{status: «200", ["header 'status'", '"200"', '"500"']),
    "no header": ("other: null", "other: «x", ["header 'other'", '"x"', "null"]),
    "no headers": ("{key: 192.0.2.2}", "{headers: «{}}", ["there are headers"]),
    "value": ('value: "192.0.2.1 /cart?[', 'value: «"192.0.2.1 /cart?(', ["?(RED", "?[RED"]),
    "partition": ("timestamp: 7\n", "timestamp: 7\n      - partition: «99\n",
                  ["expected  99", "partition differs"]),
    "timestamp": ("timestamp: 7\n", "timestamp: «8\n", ["expected  8", "got       7"]),
    "output": ("output: main", "output: «man", ['"man"', '"main"']),
    "bytes": ('value: "\\xff"', "value: «{base64: gA==}", ['{"base64":"gA=="}', '"ÿ"']),
    "reason": ("{key: null, headers: {}}", "{rejected: «no}", ['"no"', "null", "the reason"]),
    "another topic": ("- {key: 192.0.2.2}", "- {topic: «x y}", ["topic differs", '"x y"']),
    "missing": ("- {key: 192.0.2.2}", "- {key: 192.0.2.2}\n      - «{key: x}",
                ["record 4 is missing (3 came)"]),
    "too many": ("/health 200\n    expect: []", "/x 200\n    expect: «[]",
                 ["record 1 (line 1 of 'given') is not expected", '"key":"192.0.2.1"']),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_test_that_fails_shows_both_values_at_their_place(tmp_path, name):
    right, wrong, shown = FAILURES[name]
    assert GOOD_TESTS.count(right) == 1
    tests = GOOD_TESTS.replace(right, wrong)
    before = (CONFIG_WITH_TESTS + tests).partition("«")[0]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    file, done = checked(tmp_path, tests.replace("«", ""))
    assert done.returncode == FAILED
    assert f"{file}:{line}:{column}: test '" in done.stderr, done.stderr
    for words in shown:
        assert words in done.stderr, done.stderr
    assert "1 of 3 tests failed" in done.stderr and "valid" not in done.stdout


def test_the_caret_stands_under_the_first_difference(tmp_path):
    _, done = checked(tmp_path, "  - {name: n, given: žluť ÿ, expect: {value: žlut ÿ}}\n")
    expected, got, caret = done.stderr.splitlines()[1:4]
    assert expected.index("t ÿ") == got.index("ť ÿ") == caret.index("^") == len(caret) - 1
    _, done = checked(tmp_path, "  - {name: n, given: aš, expect: {value: až}}\n")
    expected, got, caret = done.stderr.splitlines()[1:4]
    assert expected.index("ž") == got.index("š") == caret.index("^")


def test_a_difference_far_behind_is_shown_once_more(tmp_path):
    _, done = checked(tmp_path, f"  - {{name: n, given: {'x' * 500}yz, expect: "
                                f"{{value: {'x' * 500}z}}}}\n")
    assert "they differ from character 502 on" in done.stderr
    assert '...z"' in done.stderr and '...yz"' in done.stderr


def test_a_rejected_record_fails_a_test_unless_it_is_expected(tmp_path):
    tests = "  - {name: n, input: in, given: a b, expect: {topic: a b%s}}\n"
    config = ("outputs: {main: {bootstrap.servers: 'x:1'}}\n"
              "inputs: {in: {paths: /x, topic: '${body}'}}\ntests:\n")
    file = write_config(tmp_path / "rejected.yaml", config + tests % "")
    done = stoker("check", "-c", file)
    assert done.returncode == FAILED
    assert "record 1 (line 1 of 'given') is rejected: the topic is not allowed" in done.stderr
    write_config(file, config + tests % ", rejected: the topic is not allowed")
    assert stoker("check", "-c", file).returncode == DONE


JSON_TEST = r"""
outputs: {main: {type: stdout}}
inputs: {in: {paths: /x, parser: {type: json}, topic: t, value: {format: json, exclude: body}}}
tests:
  - name: members
    given: '{"status": 200, "who": {"name": "j\u00f6e", "tags": ["a"]}, "ok": true, "no": null}'
    expect:
      - value: {status: 200, who: {name: jöe, tags: '["a"]'}, ok: true, no: null, other: null}
"""


@pytest.mark.parametrize("right, wrong, shown", [
    ("", "", None), ("status: 200", "status: «201", ["'status' in the value", '"201"', '"200"']),
    ("name: jöe", "name: «joe", ["'who.name' in the value", '"joe"', '"jöe"']),
    ("other: null", "other: «x", ["'other' in the value", '"x"', "null"]),
    ("ok: true", "ok: «{a: b}", ["'ok' in the value", "an object", '"true"']),
    ("value: {status: 200, who", "value: «{who", None),
    ("format: json, exclude: body}", "format: json, include: ok}", ["'status' in the value"]),
    ("value: {format: json, exclude: body}", "value: none", ["the value is no JSON object"]),
])
def test_members_of_a_json_value_can_be_named_one_by_one(tmp_path, right, wrong, shown):
    text = JSON_TEST.replace(right, wrong, 1) if right else JSON_TEST
    before = text.partition("«")[0]
    file = write_config(tmp_path / "stoker.yaml", text.replace("«", ""))
    done = stoker("check", "-c", file)
    assert done.returncode == (DONE if shown is None else FAILED), done.stderr
    if "«" in text and shown:
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        assert f"{file}:{line}:{column}: test 'members': " in done.stderr
    for words in shown or []:
        assert words in done.stderr, done.stderr


def test_counting_begins_anew_with_every_test(tmp_path):
    test = "  - {name: n%d, given: [a, b, c], expect: [{value: a}, {value: c}]}\n"
    file = write_config(tmp_path / "stoker.yaml",
                        "outputs: {main: {type: stdout}}\n"
                        "inputs: {in: {paths: /x, topic: t, sample: 1/2, rate_limit: 2/h}}\n"
                        "tests:\n" + test % 1 + test % 2)
    assert stoker("check", "-c", file).returncode == DONE


def test_the_end_of_the_given_lines_is_their_finish(tmp_path):
    file = write_config(tmp_path / "stoker.yaml", r"""
outputs: {main: {type: stdout}}
inputs: {in: {paths: /x, topic: t, multiline: {start: '^\S'}, redact: {pattern: '(?m)^ +'}}}
tests:
  - name: a group at the end
    given: |
      first
       second
      third
       fourth
    expect: [{value: "first\n[REDACTED]second"}, {value: "third\n[REDACTED]fourth"}]
""")
    done = stoker("check", "-c", file)
    assert (done.returncode, done.stderr) == (DONE, "")


def test_a_secret_that_a_test_expects_is_not_shown(tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    secret = f"${{file:{tmp_path}/secret}}"
    _, done = checked(tmp_path, f"  - {{name: n, given: x, expect: {{value: '{secret}'}}}}\n")
    assert done.returncode == FAILED
    assert "expected  (secret)" in done.stderr and "hunter2" not in done.stderr + done.stdout


def test_the_last_of_two_members_of_one_name_is_compared(tmp_path):
    file = write_config(tmp_path / "stoker.yaml", """
outputs: {main: {type: stdout}}
inputs: {in: {paths: /x, topic: t}}
tests: [{name: n, given: '{"a":1,"a":2,"b":1,"b":null}', expect: {value: {a: 2, b: null}}}]
""")
    done = stoker("check", "-c", file)
    assert (done.returncode, done.stderr) == (DONE, "")


def test_without_partitions_a_test_says_why_the_partition_is_open(tmp_path):
    _, done = checked(tmp_path, "  - {name: n, given: a /b 200, expect: {partition: 3}}\n")
    assert "expected  3" in done.stderr and "got       null" in done.stderr
    assert "(it is known if the test has 'partitions')" in done.stderr


@pytest.mark.parametrize("encoding", ["iso-8859-2", "utf-16", "utf-16be"])
def test_given_lines_are_text_whatever_the_encoding_of_the_input(tmp_path, encoding):
    file = write_config(tmp_path / "stoker.yaml", f"""
outputs: {{main: {{type: stdout}}}}
inputs: {{in: {{paths: /x, encoding: {encoding}, topic: t, key: "${{body}}"}}}}
tests: [{{name: n, given: [žluť, kůň], expect: [{{key: žluť, value: žluť}}, {{key: kun}}]}}]
""")
    done = stoker("check", "-c", file)
    assert done.returncode == FAILED
    assert "record 2 (line 2 of 'given'): the key differs" in done.stderr
    assert '"kůň"' in done.stderr and "1 of 1" in done.stderr
    assert "record 1" not in done.stderr


def test_bytes_that_are_expected_are_compared_as_bytes(tmp_path):
    """Kafka's integers are UTF-8 by chance or not."""
    file = write_config(tmp_path / "stoker.yaml", """
outputs: {main: {type: stdout}}
inputs: {in: {paths: /x, topic: t, key: "${body}", key.serializer: integer}}
tests: [{name: n, given: ["1", "-1", "65"], expect: [{key: {base64: AAAAAQ==}},
         {key: {base64: /////w==}}, {key: {base64: AAAAQg==}}]}]
""")
    done = stoker("check", "-c", file)
    assert done.returncode == FAILED
    assert done.stderr.count("differs") == 1
    assert r'"\u0000\u0000\u0000B"' in done.stderr and r'"\u0000\u0000\u0000A"' in done.stderr


def test_mistakes_in_tests_are_mistakes_of_the_configuration(tmp_path):
    file, done = checked(tmp_path, "  - {name: n, input: wbe, given: x, expct: []}\n")
    assert done.returncode == CONFIG
    for words in (":12:22: test 'n': there is no input 'wbe' (did you mean 'web'?)",
                  ":12:37: test 'n' has no setting 'expct' (did you mean 'expect'?)",
                  ":12:5: test 'n' needs a value for 'expect'"):
        assert f"{file}{words}" in done.stderr, done.stderr
    assert stoker("run", "-c", file).returncode == CONFIG


# --- check

def test_check_shows_where_the_records_of_each_file_go(tmp_path):
    (tmp_path / "key").write_text("hunter2\n")
    append(tmp_path / "a.log", "x")
    append(tmp_path / "b c.log", "x")
    file = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"main": {"bootstrap.servers": "localhost:9092"}},
        "inputs": {"logs": {"paths": str(tmp_path / "*.log")}},
        "routes": [
            {"when": {"a": ["x", "/^y/"], "b": "z"}, "unless": {"c": "w"}, "drop": True},
            {"when": {"a": "b"}, "topic": "logs-${log.file.name}", "continue": True,
             "key": f"${{file:{tmp_path}/key}}"},
            {"when": {"f": "g"}, "topic": f"${{file:{tmp_path}/key}}-${{log.file.name}}"},
            {"when": {"d": "e"}, "topic": "rest", "sample": "1/10", "redact": {"pattern": "x"},
             "headers": {"h": "1", "i": "2"}, "value": {"format": "json"}}]})
    done = stoker("check", "-c", file)
    assert done.returncode == DONE, done.stderr
    assert "hunter2" not in done.stdout
    lines = done.stdout.splitlines()
    for expected in (
            f"  {tmp_path}/a.log  -> topic 'logs-a.log'",
            f"  {tmp_path}/b c.log  -> topic 'logs-b c.log' (not allowed)",
            "  when a is 'x' or /^y/ and b is 'z', unless c is 'w': dropped",
            "  when a is 'b': topic 'logs-${log.file.name}' of output 'main', key '(secret)'; "
            "and on to the next",
            "  when d is 'e': topic 'rest' of output 'main', value as json, sample '1/10', "
            "headers 'h', 'i', redacted",
            "  when f is 'g': topic '(secret)' of output 'main'",
            "  and nowhere if none takes them"):
        assert [line for line in lines if line.partition("  [")[0] == expected], done.stdout


def test_check_shows_the_topic_of_a_container_by_its_path(tmp_path):
    log = tmp_path / "pods/shop_web-0_3f2a1b34-1111-2222-3333-444444444444/nginx/0.log"
    log.parent.mkdir(parents=True)
    append(log, "x")
    file = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"main": {"bootstrap.servers": "localhost:9092"}},
        "inputs": {"pods": {"paths": f"{tmp_path}/pods/*/*/*.log", "parser": {"type": "cri"},
                            "topic": "${k8s.namespace.name}.${k8s.container.name}"}}})
    assert f"  {log}  -> topic 'shop.nginx'\n" in stoker("check", "-c", file).stdout


# --- on the way to Kafka

@pytest.mark.sanitized
def test_kafka_gets_what_redact_and_sample_leave(kafka, agents, topic, log):
    """Four workers at once: of 20,000 records of four files exactly every tenth."""
    lines = [b"user%d@example.com did %d" % (n % 7, n) for n in range(5000)]
    for n in range(4):
        (log.parent / f"{n}.log").write_bytes(text(lines))
    agent = agents({
        "agent": {"workers": 4},
        "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
        "inputs": {"logs": {"paths": str(log.parent / "?.log"),
                            "parser": {"type": "regex", "pattern": r"^(?<who>\S+)"}}},
        "routes": [{"topic": topic, "key": "${who}", "headers": {"who": "${who}"}, "value": "raw",
                    "sample": "1/10", "redact": {"pattern": r"user\d", "with": "*"}}],
    }).start()
    kafka.wait_count(topic, 2000)
    for n in range(4):
        agent.wait_acked(log.parent / f"{n}.log")
    agent.stop()
    assert "filtered: 18000 records, for which nothing was sent" in agent.log()
    records = kafka.read(topic)
    assert len(records) == 2000
    for r in records:
        assert r.key == b"*@example.com" and dict(r.headers) == {"who": b"*@example.com"}
        assert re.fullmatch(rb"\*@example.com did \d+", r.value)
