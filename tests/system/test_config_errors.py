"""Every mistake in a configuration is shown where it was made.

In the texts below a « stands directly before the place that the message has to
name; it is taken out before Stoker sees the text.

SPDX-License-Identifier: Apache-2.0
"""
import re

import pytest

from stoker import CONFIG, DONE, stoker, write_config

OUTPUT = "outputs: {main: {type: discard}}\n"
INPUT = "inputs: {logs: {paths: /x.log, topic: t}}\n"
KAFKA = "outputs:\n  main:\n    bootstrap.servers: localhost:9092\n"

# name: (text, what the message says)
MISTAKES = {
    # unknown keys
    "unknown section": ("«output: {main: {type: discard}}\n" + INPUT, "output.*outputs"),
    "unknown key of an input": (
        OUTPUT + "inputs:\n  logs:\n    paths: /x.log\n    topic: t\n    «pathes: /y.log\n",
        "pathes.*did you mean 'paths'"),
    "unknown key of an output": (
        KAFKA + "    «compresion.type: lz4\n" + INPUT, "did you mean 'compression.type'"),
    "a key of an output by its first part": (
        KAFKA + "    «compression: gzip\n" + INPUT, "did you mean 'compression.type'"),
    "a key of an output by its last part": (
        "outputs: {main: {bootstrap.servers: 'x:1', «servers: y}}\n" + INPUT,
        "did you mean 'bootstrap.servers'"),
    "unknown key of the agent": (
        "agent: {«memry: 1MiB}\n" + OUTPUT + INPUT, "did you mean 'memory'"),
    "unknown key of a parser": (
        OUTPUT + INPUT + "parsers:\n  p: {type: regex, pattern: x, «patern: x}\n",
        "did you mean 'pattern'"),
    "unknown key of a route": (
        OUTPUT + INPUT + "routes:\n  - topic: t\n    «unles: {a: b}\n", "did you mean 'unless'"),
    "unknown key of log": (
        "agent: {log: {«levl: info}}\n" + OUTPUT + INPUT, "did you mean 'level'"),
    # unknown values
    "unknown type of input": (
        OUTPUT + "inputs: {logs: {type: «fil, paths: /x.log, topic: t}}\n", "did you mean 'file'"),
    "unknown type of output": (
        "outputs: {main: {type: «kafak}}\n" + INPUT, "did you mean 'kafka'"),
    "unknown type of parser": (
        OUTPUT + INPUT + "parsers:\n  p:\n    type: «regexp\n    pattern: x\n",
        "did you mean 'regex'"),
    "unknown choice": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, start: «begining}}\n",
        "did you mean 'beginning'"),
    "unknown log level": (
        "agent: {log: {level: «inf}}\n" + OUTPUT + INPUT, "did you mean 'info'"),
    # references
    "unknown parser": (
        OUTPUT + "parsers: {access: {type: regex, pattern: x}}\n"
        "inputs: {logs: {paths: /x.log, topic: t, parser: «acces}}\n", "did you mean 'access'"),
    "unknown output": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, output: «mian}}\n",
        "did you mean 'main'"),
    "unknown input": (
        OUTPUT + INPUT + "routes: [{from: «lgs, topic: t}]\n", "did you mean 'logs'"),
    "a section by a wrong name": (
        "«output: {main: {type: discard}}\n" + INPUT, "did you mean 'outputs'"),
    # duplicates
    "duplicate key": (
        OUTPUT + "inputs:\n  logs:\n    paths: /x.log\n    topic: t\n    «topic: u\n", "topic"),
    "duplicate section": (OUTPUT + INPUT + "«outputs: {more: {type: discard}}\n", "outputs"),
    # types and ranges
    "a list where a text belongs": (
        "agent:\n  state_dir: «[a, b]\n" + OUTPUT + INPUT, "state_dir"),
    "a text where a map belongs": ("outputs: «main\n" + INPUT, "outputs"),
    "a map where a list belongs": (OUTPUT + INPUT + "routes: «{topic: t}\n", "routes"),
    "no size": ("agent: {memory: «lots}\n" + OUTPUT + INPUT, "memory"),
    "an encoding that is none": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, encoding: «utf-17}}\n", "utf-17"),
    "no unit of a size": ("agent: {memory: «64Mb}\n" + OUTPUT + INPUT, "memory"),
    "no time": ("agent: {checkpoint_interval: «1 moment}\n" + OUTPUT + INPUT,
                "checkpoint_interval"),
    "a size out of range": ("agent: {memory: «1KiB}\n" + OUTPUT + INPUT, "memory"),
    "a count out of range": ("agent: {workers: «257}\n" + OUTPUT + INPUT, "workers.*256"),
    "a negative count": ("agent: {workers: «-1}\n" + OUTPUT + INPUT, "workers"),
    "a truth that is none": (KAFKA + "    create_topics: «maybe\n" + INPUT, "create_topics"),
    # what is missing
    "no paths": (OUTPUT + "inputs:\n  «logs: {topic: t}\n", "paths"),
    "no broker": ("outputs:\n  «main: {type: kafka}\n" + INPUT, r"bootstrap\.servers"),
    "no topic": (OUTPUT.replace("discard", "kafka, bootstrap.servers: 'x:1'")
                 + INPUT + "routes:\n  - «from: logs\n", "topic"),
    "no route": (KAFKA + "inputs:\n  «logs: {paths: /x.log}\n", "topic|route"),
    "no pattern": (OUTPUT + INPUT + "parsers:\n  p: «{type: regex}\n", "pattern"),
    "several outputs and none named": (
        "outputs: {a: {type: discard}, b: {type: discard}}\ninputs:\n"
        "  logs: «{paths: /x.log, topic: t}\n", "output"),
    # patterns
    "a bad regex": (
        OUTPUT + INPUT + "parsers:\n  p:\n    type: regex\n    pattern: ^(?<client>\\S+«\n",
        "offset 14"),
    "a bad regex in quotes": (
        OUTPUT + INPUT + "parsers: {p: {type: regex, pattern: «'ab[c'}}\n", "offset 4"),
    "a bad regex of a route": (
        OUTPUT + INPUT + "routes: [{when: {a: /x(«/}, topic: t}]\n", "offset 2"),
    # templates
    "a template without its end": (
        OUTPUT + "inputs:\n  logs:\n    paths: /x.log\n    topic: t\n    key: a-«${client\n",
        "not closed"),
    "a template in quotes": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, key: «\"a-${client\"}}\n",
        "not closed"),
    "a template without a name": (
        OUTPUT + "inputs:\n  logs:\n    paths: /x.log\n    topic: t\n    key: a-«${}\n",
        "template"),
    "a lone dollar sign": (
        OUTPUT + "inputs:\n  logs:\n    paths: /x.log\n    topic: t\n    key: cost-«$5\n", r"\$\$"),
    "an illegal topic": (
        KAFKA + "inputs: {logs: {paths: /x.log, topic: «my topic}}\n", "my topic"),
    "a partition that is no number": (
        KAFKA + "inputs: {logs: {paths: /x.log, topic: t, partition: «first}}\n", "partition"),
    # kafka properties
    "a property with a bad value": (KAFKA + "    acks: «some\n" + INPUT, "acks"),
    "a property out of range": (
        KAFKA + "    linger.ms: «-5\n" + INPUT, r"linger\.ms"),
    "idempotence without acks": (
        KAFKA + "    acks: 1\n    enable.idempotence: «true\n" + INPUT, "enable.idempotence"),
    "a Java property that cannot be": (
        KAFKA + "    «ssl.engine.factory.class: com.example.Engine\n" + INPUT, "Java|OpenSSL"),
    "a Java keystore": (
        KAFKA + "    security.protocol: ssl\n    ssl.keystore.type: «JKS\n" + INPUT, "JKS|PEM"),
    "a way to compress that is none": (
        KAFKA + "    compression.type: «lz5\n" + INPUT, "did you mean 'lz4'|lz5"),
    "a property with a number that is none": (
        KAFKA + "    batch.size: «1e6\n" + INPUT, "1 .. 2147483647, not '1e6'"),
    "a property with a number that is too large": (
        KAFKA + "    retries: «99999999999\n" + INPUT, "0 .. 2147483647"),
    "properties that do not go together": (
        KAFKA + "    max.in.flight.requests.per.connection: «10\n" + INPUT,
        "enable.idempotence"),
    "too little buffer.memory": (
        KAFKA + "    buffer.memory: «1024\n" + INPUT, "4MiB.*'memory' of the section 'agent'"),
    "a broker as a URL": (
        "outputs: {main: {bootstrap.servers: «'http://kafka:9092'}}\n" + INPUT, "host:port"),
    "a broker without port behind the colon": (
        "outputs: {main: {bootstrap.servers: [a:1, «'b:']}}\n" + INPUT, "'b:' is not host:port"),
    "a consumer's property": (KAFKA + "    «group.id: x\n" + INPUT, "consumer's"),
    "a Java partitioner of one's own": (
        KAFKA + "    partitioner.class: «com.example.Mine\n" + INPUT, "use 'partitioner'"),
    # what this version has not
    "exactly once": (
        KAFKA + "    send: «transactional\n" + INPUT,
        "'send: transactional' is not supported yet"),
    "a value format of later": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, value: {format: «avro}}}\n",
        "value format 'avro' is not supported yet"),
    "a socket": (
        OUTPUT + "inputs: {logs: {type: «tcp, listen: '0.0.0.0:5140', topic: t}}\n",
        "input type 'tcp' is not supported yet"),
    # what is empty
    "an empty path of an output": (
        "outputs: {main: {type: file, path: «''}}\n" + INPUT, "'path' must not be empty"),
    "an empty pattern": (
        OUTPUT + INPUT + "parsers: {p: {type: regex, pattern: [x, «'']}}\n", "must not be empty"),
    "an empty path": (OUTPUT + "inputs: {logs: {paths: [/x.log, «''], topic: t}}\n", "empty"),
    "a glob that is not closed": (
        OUTPUT + "inputs: {logs: {paths: «'/x/[ab', topic: t}}\n", r"'\[' has no '\]'"),
    "a parser that is nearly a type": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, parser: «jsn}}\n",
        "did you mean 'json'"),
    "a parser by its type that needs more": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, parser: [json, «regex]}}\n",
        "needs a value for 'pattern'"),
    # variables and secrets
    "a variable that is not set": (
        "agent: {host_name: \"«${env:STOKER_NOT_SET}\"}\n" + OUTPUT + INPUT, "STOKER_NOT_SET"),
    "a variable without its end": (
        "agent:\n  host_name: «${env:HOME\n" + OUTPUT + INPUT, "env"),
    "a secret that is missing": (
        KAFKA + "    sasl.password: «${file:/nothing/here}\n" + INPUT, "/nothing/here"),
    "a secret that is a folder": (
        KAFKA + "    sasl.password: «${file:/tmp}\n" + INPUT, "/tmp"),
    # YAML itself
    "a tab": (OUTPUT + "inputs:\n«\tlogs: {}\n", "tab|cannot start any token"),
    "a bracket that stays open": (OUTPUT + "inputs: {logs: {paths: /x.log, topic: t}\n«", ""),
    "an alias without anchor": (OUTPUT + "inputs: «*nothing\n", "nothing"),
    # what routes leave out
    "a redaction without pattern": (
        OUTPUT + "inputs: {logs: {paths: /x.log, topic: t, redact: «{with: x}}}\n",
        "needs a value for 'pattern'"),
    "a bad regex of a redaction": (
        OUTPUT + INPUT + "routes: [{topic: t, redact: [{pattern: a(«}]}]\n", "offset 2"),
    "a group that a redaction has not": (
        OUTPUT + INPUT + "routes: [{topic: t, redact: [{pattern: (a), with: x-«$2}]}]\n",
        "names a group"),
    "a sample that is no part": (
        OUTPUT + INPUT + "routes: [{topic: t, sample: «100}]\n", "1/100"),
    "a rate without its time": (
        OUTPUT + INPUT + "routes: [{topic: t, rate_limit: «1000}]\n", "1000/s"),
    # tests
    "a test of an unknown input": (
        OUTPUT + INPUT + "tests: [{name: n, input: «lgos, given: x, expect: []}]\n",
        "did you mean 'logs'"),
    "a test that expects nothing known": (
        OUTPUT + INPUT + "tests: [{name: n, given: x, expect: [{«tpoic: t}]}]\n",
        "did you mean 'topic'"),
    # includes
    "an include that is missing": (
        OUTPUT + INPUT + "include: «parts/none.yaml\n", r"parts/none\.yaml"),
}


def places(errors, file):
    """[(line, column, message, source line, caret column)] as printed."""
    pattern = re.compile(rf"^{re.escape(str(file))}:(\d+):(\d+): (.*)\n(.*)\n( *)\^~*$", re.M)
    return [(int(m[1]), int(m[2]), m[3], m[4], len(m[5])) for m in pattern.finditer(errors)]


def marked(text):
    """The text without its mark, and the line and column of the mark."""
    before = text[:text.index("«")]
    line = before.count("\n") + 1
    return text.replace("«", ""), line, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_shown_at_its_place(tmp_path, name):
    text, message = MISTAKES[name]
    text, line, column = marked(text)
    file = write_config(tmp_path / "stoker.yaml", text)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG, done.stdout + done.stderr
    found = places(done.stderr, file)
    assert len(found) == 1, f"one mistake, one message:\n{done.stderr}"
    at_line, at_column, said, shown, caret = found[0]
    assert (at_line, at_column) == (line, column), done.stderr
    assert re.search(message, said), said
    source = text.split("\n")[line - 1]
    assert shown.strip() == source.strip()
    offset = shown.index(source.strip()) - source.index(source.strip()) if source.strip() else 4
    assert caret - offset == column - 1, f"the caret is not under the place:\n{done.stderr}"


def test_the_same_mistakes_end_run_and_try_before_anything_is_made(tmp_path):
    text, _, _ = marked(MISTAKES["unknown key of an input"][0])
    file = write_config(tmp_path / "stoker.yaml",
                        f"agent: {{state_dir: {tmp_path}/state}}\n{text}")
    for command in (["run"], ["try", "--input", "logs"], ["offsets", "list"]):
        done = stoker(*command, "-c", file)
        assert done.returncode == CONFIG
        assert f"{file}:7:5: " in done.stderr
        assert done.stdout == ""
    assert not (tmp_path / "state").exists()


def test_all_mistakes_are_shown_at_once_in_the_order_of_the_file(tmp_path):
    file = write_config(tmp_path / "stoker.yaml", """\
agent:
  memry: 64MiB
  workers: 1000
outputs:
  main:
    bootstrap.servers: localhost:9092
    acks: some
parsers:
  bad: {type: regex, pattern: "a("}
inputs:
  logs:
    pathes: /x.log
    paths: /y.log
    topic: "no good"
    parser: bda
    key: ${client
routes:
  - from: lgos
    topic: t
    output: mian
    value: bdy
""")
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert [line for line, *_ in places(done.stderr, file)] == [
        2, 3, 7, 9, 12, 14, 15, 16, 18, 20, 21], done.stderr


def test_columns_count_characters_not_bytes(tmp_path):
    file = write_config(tmp_path / "stoker.yaml",
                        OUTPUT + "inputs: {žluťoučký: {paths: /x.log, topic: t, tpic: u}}\n")
    done = stoker("check", "-c", file)
    (line, column, _, shown, caret), = places(done.stderr, file)
    assert (line, column) == (2, 47)
    assert shown[caret:].startswith("tpic")


def test_a_name_defined_twice_shows_both_places(tmp_path):
    (tmp_path / "more").mkdir()
    other = write_config(tmp_path / "more/a.yaml", "outputs:\n  main: {type: discard}\n")
    file = write_config(tmp_path / "stoker.yaml", "include: more/*.yaml\n" + OUTPUT + INPUT)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert re.search(r"a\.yaml:2:3", done.stderr) and re.search(r"stoker\.yaml:2:11", done.stderr)
    assert str(other) in done.stderr and "'main'" in done.stderr


def test_a_mistake_in_an_included_file_names_that_file(tmp_path):
    (tmp_path / "conf.d").mkdir()
    part = write_config(tmp_path / "conf.d/10-web.yaml", "inputs:\n  web: {pats: /x, topic: t}\n")
    file = write_config(tmp_path / "stoker.yaml", "include: conf.d/*.yaml\n" + OUTPUT)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert f"{part}:2:9: " in done.stderr and "did you mean 'paths'" in done.stderr


def test_agent_may_stand_in_one_file_only(tmp_path):
    write_config(tmp_path / "a.yaml", "agent: {workers: 1}\n")
    file = write_config(tmp_path / "stoker.yaml",
                        "include: a.yaml\nagent: {workers: 2}\n" + OUTPUT + INPUT)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert "a.yaml:1:1" in done.stderr and "stoker.yaml:2:1" in done.stderr


def test_files_that_include_each_other_are_a_mistake_not_a_loop(tmp_path):
    write_config(tmp_path / "a.yaml", "include: stoker.yaml\n")
    file = write_config(tmp_path / "stoker.yaml", "include: a.yaml\n" + OUTPUT + INPUT)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert "a.yaml:1:" in done.stderr


def test_includes_load_in_sorted_order(tmp_path):
    for name in ("20", "10", "30"):
        write_config(tmp_path / f"{name}.yaml", f'routes: [{{topic: t{name}, continue: true}}]\n')
    file = write_config(tmp_path / "stoker.yaml",
                        "include: ['[0-9]0.yaml']\noutputs: {main: {type: stdout}}\n"
                        "inputs: {logs: {paths: /x.log}}\n")
    done = stoker("try", "-c", file, "--input", "logs", stdin="x\n")
    assert done.returncode == DONE, done.stderr
    assert re.findall(r'"topic":\s*"(t\d+)"', done.stdout) == ["t10", "t20", "t30"]


SECRETS = {
    "empty": b"",
    "only-a-newline": b"\n",
    "binary": b"pass\x00word-7\xff",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_bad_secret_is_named_and_never_shown(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_bytes(SECRETS[kind])
    file = write_config(tmp_path / "stoker.yaml",
                        KAFKA + f"    sasl.password: ${{file:{secret}}}\n" + INPUT)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG
    assert f"{file}:4:20: " in done.stderr and str(secret) in done.stderr
    assert "word-7" not in done.stderr


@pytest.mark.parametrize("where, text", {
    "a size": "agent: {memory: \"${file:%s}\"}\n" + OUTPUT + INPUT,
    "a topic": KAFKA + "inputs: {logs: {paths: /x.log, topic: \"${file:%s}\"}}\n",
    "a regex": OUTPUT + INPUT + "parsers: {p: {type: regex, pattern: \"(${file:%s}\"}}\n",
    "a property": KAFKA + "    acks: ${file:%s}\n" + INPUT,
    "a reference": OUTPUT + "inputs: {logs: {paths: /x, topic: t, parser: \"${file:%s}\"}}\n",
    "a choice": "agent: {log: {level: \"${file:%s}\"}}\n" + OUTPUT + INPUT,
    "a name": "outputs: {main: {type: \"${file:%s}\"}}\n" + INPUT,
    "a route": OUTPUT + INPUT + "routes: [{topic: t, from: \"${file:%s}\"}]\n",
    "a condition": OUTPUT + INPUT + "routes: [{topic: t, when: {a: \"/(${file:%s}/\"}}]\n",
    "a template": OUTPUT + "inputs: {logs: {paths: /x, topic: t, key: \"${file:%s}$ x\"}}\n",
}.items())
def test_the_value_of_a_secret_in_a_wrong_place_is_never_shown(tmp_path, where, text):
    secret = tmp_path / "secret"
    secret.write_text("hunter2 is it\n")
    file = write_config(tmp_path / "stoker.yaml", text % secret)
    done = stoker("check", "-c", file)
    assert done.returncode == CONFIG, done.stderr
    assert "hunter2" not in done.stderr and str(file) in done.stderr


def test_variables_and_secrets_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("STOKER_TEST_TOPIC", "from-env")
    (tmp_path / "key").write_text("from-file\n")
    file = write_config(tmp_path / "stoker.yaml", f"""\
outputs: {{main: {{type: stdout}}}}
inputs:
  logs:
    paths: /x.log
    topic: ${{env:STOKER_TEST_TOPIC}}-${{env:STOKER_NOT_SET:-preset}}
    key: ${{file:{tmp_path}/key}}
""")
    done = stoker("try", "-c", file, "--input", "logs", stdin="x\n")
    assert done.returncode == DONE, done.stderr
    assert '"from-env-preset"' in done.stdout and '"from-file"' in done.stdout


def test_one_scalar_stands_for_a_list(tmp_path):
    file = write_config(tmp_path / "stoker.yaml",
                        OUTPUT + INPUT + "routes: [{from: logs, topic: t}]\n")
    assert stoker("check", "-c", file).returncode == DONE
