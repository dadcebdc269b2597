"""Records that will never be taken: kept, dropped, or a reason to halt; and sent again by
`stoker replay`.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import re
import signal

import pytest

from samples import append, number_of, text
from stoker import BINARY, DONE, FAILED, MIB, json_lines, stoker
from waiting import Process, lasting, wait_for
from writer import arrived

LIMIT = 2000
LARGE = b"large " + os.urandom(LIMIT // 2).hex().encode()


@pytest.fixture
def small(kafka, topic_name):
    """A topic that takes no batch above LIMIT."""
    yield kafka.create_topic(f"{topic_name}.small", 1, max_message_bytes=LIMIT)
    kafka.delete_topic(f"{topic_name}.small")


@pytest.fixture
def dead_topic(kafka, topic_name):
    yield kafka.create_topic(f"{topic_name}.dead", 1)
    kafka.delete_topic(f"{topic_name}.dead")


def config(kafka, paths, topic, **output):
    """A line `N text` goes to partition N of the topic."""
    return {"outputs": {"main": {"bootstrap.servers": kafka.bootstrap,
                                 "compression.type": "none", **output}},
            "parsers": {"p": {"type": "regex", "pattern": r"^(?<n>\d+) "}},
            "inputs": {"logs": {"paths": str(paths), "topic": topic, "parser": "p",
                                "partition": "${n:-0}"}}}


def values(kafka, topic):
    return [r.value for r in kafka.read(topic)]


def letters(agent, output="main"):
    path = agent.state / f"dead_letter/{output}.jsonl"
    return json_lines(path.read_text()) if path.exists() else []


def around(kafka, topic, log, agent):
    """The one that the broker does not take stands between others, which arrive in order."""
    append(log, *[b"before %d" % n for n in range(50)], LARGE, *[b"after %d" % n
                                                                 for n in range(50)])
    agent.start()
    kafka.wait_count(topic, 100)
    assert values(kafka, topic) == [b"before %d" % n for n in range(50)] + \
        [b"after %d" % n for n in range(50)]


def test_a_dropped_record_is_counted_and_its_neighbours_arrive(agents, kafka, small, log):
    agent = agents(config(kafka, log, small, on_rejected="drop"))
    around(kafka, small, log, agent)
    agent.wait_log("rejected and dropped: .*too large")
    agent.wait_acked(log)
    agent.stop()
    assert agent.said(r"\b1 records that were dropped")
    assert not letters(agent)
    agent.start()
    append(log, "last")
    agent.wait_acked(log)
    agent.stop()
    assert values(kafka, small)[-1] == b"last" and kafka.count(small) == 101


@pytest.mark.sanitized
def test_a_halted_source_stops_and_others_go_on_and_a_restart_tries_again(
        agents, kafka, small, tmp_path):
    bad, good = tmp_path / "bad.log", tmp_path / "good.log"
    append(good, "good 1")
    agent = agents(config(kafka, tmp_path / "*.log", small, on_rejected="halt",
                          **{"batch.size": 100_000})).start()
    agent.wait_acked(good)
    append(bad, "first", LARGE, "behind")
    agent.wait_log(rf"level=error .*'{bad}' is halted: output 'main' rejected the record at byte 6")
    append(bad, "later")
    append(good, "good 2")
    agent.wait_acked(good)
    lasting(lambda: b"later" not in values(kafka, small), 1, "the halt")
    assert agent.said("is halted") == 1
    agent.wait_acked(bad, 6)
    agent.stop()

    agent.start()                                   # the broker still refuses it
    agent.wait_log("is halted")
    agent.stop()
    assert agent.offset(bad) == 6

    kafka.change_topic(small, max_message_bytes=10 * LIMIT)
    agent.start()
    agent.wait_acked(bad)
    agent.stop()
    found = values(kafka, small)
    assert {b"first", LARGE, b"behind", b"later", b"good 1", b"good 2"} == set(found)
    assert found.count(LARGE) == found.count(b"first") == 1


@pytest.mark.sanitized
def test_rejected_records_go_to_the_topic_for_them_with_where_they_come_from(
        agents, kafka, topic, dead_topic, log):
    append(log, "0 good", "7 nowhere", "0 good too")
    agent = agents(config(kafka, log, topic, dead_letter_topic=dead_topic)).start()
    agent.wait_acked(log)
    agent.stop()
    assert values(kafka, topic) == [b"0 good", b"0 good too"]
    [record] = kafka.read(dead_topic)
    assert record.value == b"7 nowhere" and record.key is None
    headers = dict(record.headers)
    assert "has 4 partitions, not partition 7" in headers.pop("stoker.error").decode()
    assert headers == {"stoker.topic": topic.encode(), "stoker.partition": b"7",
                       "stoker.source": str(log).encode(), "stoker.offset": b"7"}
    assert not letters(agent)


def test_a_dead_letter_topic_that_is_missing_or_too_small_leaves_records_in_the_file(
        agents, kafka, topic, small, log):
    """It neither holds the source up for ever nor loses the record."""
    append(log, "0 good", "7 nowhere")
    agent = agents(config(kafka, log, topic, dead_letter_topic=f"{topic}.none")).start()
    agent.wait_log(rf"topic '{topic}\.none' does not exist")
    agent.wait_acked(log)
    append(log, "8 nowhere")                        # at once now
    agent.wait_acked(log)
    agent.stop()
    assert [(d["value"], d["topic"], d["partition"], d["headers"]) for d in letters(agent)] == \
        [("7 nowhere", topic, 7, None), ("8 nowhere", topic, 8, None)]
    assert "did not take it" in letters(agent)[0]["reason"]

    large = b"9 " + LARGE
    agent.configure(config(kafka, log, topic, dead_letter_topic=small))
    append(log, large)
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    last = letters(agent)[-1]
    assert last["value"].encode() == large and last["topic"] == topic
    assert "partitions" in last["reason"] and "too large" in last["reason"]
    assert kafka.count(small) == 0


def test_replay_sends_the_file_again_and_says_what_is_refused_again(agents, kafka, topic, log):
    append(log, "0 good", "4 later", "9 never")
    agent = agents(config(kafka, log, topic)).start()
    agent.wait_acked(log)
    agent.stop()
    assert [d["value"] for d in letters(agent)] == ["4 later", "9 never"]
    dead = agent.state / "dead_letter/main.jsonl"
    before = dead.read_bytes()
    kafka.add_partitions(topic, 5)
    done = agent.command("replay", dead)
    assert done.returncode == FAILED
    assert f"{dead}:2: refused again: topic '{topic}' has 5 partitions" in done.stderr
    assert "1 records sent and acknowledged, 1 refused again" in done.stdout
    assert dead.read_bytes() == before
    assert [(r.partition, r.value) for r in kafka.read(topic)] == [(0, b"0 good"), (4, b"4 later")]


def write_letters(path, *records):
    path.write_text("".join(json.dumps({"time": "2025-01-01T00:00:00.000Z", "reason": "x",
                                        "source": {"input": "i", "path": "/p", "offset": 0},
                                        "output": "main", "partition": None, "key": None,
                                        "headers": None, "timestamp": None, **record}) + "\n"
                            for record in records))


def in_base64(data):
    return {"base64": base64.b64encode(data).decode()}


BINARY_BYTES = bytes(b for b in range(256) if b != 10) + b"\xff\xfe"


def every_kind_of_record(log, topic):
    """Routes and lines for a partition that is not there yet; what the broker gets later."""
    append(log, b"4,1700000000123,none," + BINARY_BYTES, b"4,1700000000124,\xff\x80," +
           BINARY_BYTES, b"4,1700000000125,,", b"4,1700000000126,tomb,x",
           "5,1700000000127,ä,\t\"\\ ".encode())
    header = [("v", BINARY_BYTES), ("empty", b"")]
    return {
        "parsers": {"p": {"type": "regex",
                          "pattern": r"(?s)^(?<n>\d),(?<t>\d+),(?<k>[^,]*),(?<v>.*)$"}},
        "inputs": {"logs": {"paths": str(log), "parser": "p"}},
        "routes": [{"topic": topic, "partition": "${n}", "timestamp": "${t}",
                    "value": "none" if kind == "tomb" else "${v}", **key, **when,
                    "headers": {"v": "${v}", "empty": "", "missing": "${none}"}}
                   for kind, key, when in (
                       ("tomb", {"key": "${k}"}, {"when": {"k": "tomb"}}),
                       ("none", {}, {"when": {"k": "none"}}),
                       ("any", {"key": "${k}"}, {}))],
    }, [(4, None, BINARY_BYTES, header, 1700000000123),
        (4, b"\xff\x80", BINARY_BYTES, header, 1700000000124),
        (4, b"", b"", [("v", b""), ("empty", b"")], 1700000000125),
        (4, b"tomb", None, [("v", b"x"), ("empty", b"")], 1700000000126),
        (5, "ä".encode(), b'\t"\\ ', [("v", b'\t"\\ '), ("empty", b"")], 1700000000127)]


def all_parts(kafka, topic):
    return [(r.partition, r.key, r.value, r.headers, r.timestamp) for r in kafka.read(topic)]


@pytest.mark.sanitized
def test_what_was_rejected_is_replayed_byte_for_byte(agents, kafka, topic, log):
    """Nothing is lost of a record on its way through the file."""
    settings, records = every_kind_of_record(log, topic)
    agent = agents({"agent": {"checkpoint_interval": "100ms"},
                    "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}}, **settings})
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    ends = [n + 1 for n, byte in enumerate(log.read_bytes()) if byte == 10]
    assert [d["source"] for d in letters(agent)] == \
        [{"input": "logs", "path": str(log), "offset": at} for at in [0, *ends[:-1]]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", d["time"]) and
               f"topic '{topic}' has 4 partitions" in d["reason"] for d in letters(agent))
    dead = agent.state / "dead_letter/main.jsonl"
    assert dead.stat().st_mode & 0o777 == 0o600
    kafka.add_partitions(topic, 6)
    done = agent.command("replay", dead)
    assert done.stdout == f"{len(records)} records sent and acknowledged\n", done.stderr
    assert all_parts(kafka, topic) == records


def test_the_topic_for_dead_letters_gets_every_part_of_a_record(
        agents, kafka, topic, dead_topic, log):
    settings, records = every_kind_of_record(log, topic)
    agent = agents({"agent": {"checkpoint_interval": "100ms"},
                    "outputs": {"main": {"bootstrap.servers": kafka.bootstrap,
                                         "dead_letter_topic": dead_topic}}, **settings})
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    found = all_parts(kafka, dead_topic)
    assert [(key, value, headers[:-5], stamp) for _, key, value, headers, stamp in found] == \
        [record[1:] for record in records]
    assert [dict(headers[-5:])["stoker.partition"] for _, _, _, headers, _ in found] == \
        [b"%d" % record[0] for record in records]
    assert not letters(agent) and kafka.count(topic) == 0


@pytest.mark.sanitized
def test_replay_restores_every_part_of_a_record(agents, kafka, topic, tmp_path):
    dead = tmp_path / "dead.jsonl"
    stamp = 1_700_000_000_123
    write_letters(
        dead,
        {"topic": topic, "value": in_base64(b"\xff\x00\xfe"), "partition": 2, "timestamp": stamp},
        {"topic": topic, "value": None, "key": "tombstone", "partition": 2},
        {"topic": topic, "value": "", "key": "", "partition": 2},
        {"topic": topic, "value": "ä \"\n\t\\ 😀", "key": in_base64(b"\x80"), "partition": 2,
         "headers": [["a", "1"], ["a", in_base64(b"\xff")], ["b", ""]]},
        {"topic": topic, "value": "x" * 700_000, "partition": 2, "headers": {"one": "two"}})
    agent = agents(config(kafka, tmp_path / "none.log", topic))
    done = agent.command("replay", dead)
    assert done.returncode == DONE, done.stderr
    assert done.stdout == "5 records sent and acknowledged\n"
    records = kafka.read(topic)
    assert [r.partition for r in records] == [2] * 5
    assert [r.value for r in records] == \
        [b"\xff\x00\xfe", None, b"", "ä \"\n\t\\ 😀".encode(), b"x" * 700_000]
    assert [r.key for r in records] == [None, b"tombstone", b"", b"\x80", None]
    assert [r.headers for r in records] == \
        [[], [], [], [("a", b"1"), ("a", b"\xff"), ("b", b"")], [("one", b"two")]]
    assert records[0].timestamp == stamp and records[1].timestamp > stamp
    assert not agent.state.exists()                 # a running agent is not in its way


def test_replay_names_every_line_that_cannot_be_sent(agents, kafka, topic, tmp_path):
    dead = tmp_path / "dead.jsonl"
    write_letters(dead, {"topic": topic, "value": "good"}, {"output": "gone", "value": "x"},
                  {"topic": "__consumer_offsets", "value": "x"}, {"topic": "a/b", "value": "x"},
                  {"topic": topic, "value": 7})
    with open(dead, "a") as file:
        file.write('no JSON\n{"output": "main", "topic"')
    agent = agents(config(kafka, tmp_path / "none.log", topic))
    done = agent.command("replay", dead)
    assert done.returncode == FAILED
    told = [line for line in done.stderr.splitlines() if str(dead) in line]
    assert [line.split(":")[2] for line in told] == ["2", "3", "4", "5", "6", "7"], done.stderr
    assert "no such output" in told[0] and "topic" in told[1] and "'value'" in told[3]
    assert values(kafka, topic) == [b"good"]


def test_replay_sends_to_no_topic_that_no_route_would(agents, kafka, topic, topic_name, log):
    """What a line has invented is not made or filled by the way back."""
    kafka.create_topic(f"{topic_name}.invented", 1)
    settings = {"outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                "parsers": {"p": {"type": "regex", "pattern": r"^(?<where>\S+) "}},
                "inputs": {"logs": {"paths": str(log), "parser": "p"}}}
    route = {"topic": f"{topic_name}${{where}}", "topics": [topic, f"{topic_name}.fine*"]}
    append(log, ".invented x", ".fine2 x")
    agent = agents({**settings, "routes": [{**route, "topics": [topic]}]}).start()
    agent.wait_acked(log)
    agent.stop()
    assert [d["reason"] for d in letters(agent)] == ["the topic is not allowed"] * 2
    kafka.create_topic(f"{topic_name}.fine2", 1)
    agent.configure({**settings, "routes": [route]})            # the second was a mistake
    done = agent.command("replay", agent.state / "dead_letter/main.jsonl")
    assert done.returncode == FAILED and "1 records sent and acknowledged" in done.stdout
    assert ":1: no dead letter that can be sent: its topic is not among 'topics'" in done.stderr
    assert values(kafka, f"{topic_name}.fine2") == [b".fine2 x"]
    assert kafka.count(f"{topic_name}.invented") == 0


def test_replay_of_nothing_and_of_no_file(agents, kafka, topic, tmp_path):
    agent = agents(config(kafka, tmp_path / "none.log", topic))
    (tmp_path / "empty").touch()
    assert agent.command("replay", tmp_path / "empty").returncode == DONE
    missing = agent.command("replay", tmp_path / "missing")
    assert missing.returncode == FAILED and "missing" in missing.stderr
    assert stoker("replay", "-c", agent.config).returncode == 64


def test_a_replay_that_is_killed_is_done_again(agents, kafka, topic, tmp_path):
    """It has no state: what had arrived comes twice, the rest once, all of it in order."""
    count = 100_000
    dead = tmp_path / "dead.jsonl"
    with open(dead, "w") as file:
        for n in range(count):
            file.write(f'{{"output": "main", "topic": "{topic}", "partition": {n % 4}, '
                       f'"value": "line {n} {"x" * 80}"}}\n')
    agent = agents(config(kafka, tmp_path / "none.log", topic))
    before = dead.read_bytes()
    cut_short = Process([BINARY, "replay", "-c", agent.config, dead], tmp_path / "replay.out")
    kafka.wait_count(topic, 1)
    cut_short.signal(signal.SIGTERM)
    assert cut_short.wait(20) == FAILED
    told = re.search(r"^(\d+) records sent and acknowledged, (\d+) not acknowledged;",
                     (tmp_path / "replay.out").read_text(), re.M)
    sent, left = map(int, told.groups())
    arrived_first = kafka.count(topic)
    assert sent + left == count and sent <= arrived_first < count
    cut_short = Process([BINARY, "replay", "-c", agent.config, dead], tmp_path / "replay.out")
    kafka.wait_count(topic, arrived_first + 1)
    cut_short.kill()
    arrived_twice = kafka.count(topic)          # at least: more may be on its way to the broker
    assert agent.command("replay", dead).stdout == f"{count} records sent and acknowledged\n"
    assert sum(arrived(kafka, topic, count).values()) >= arrived_twice
    for partition, values in kafka.values(topic).items():
        once = range(partition, count, 4)
        assert [number_of(v) for v in values[-len(once):]] == list(once)
    assert dead.read_bytes() == before


def test_a_line_that_a_kill_has_cut_short_spoils_no_other(agents, kafka, topic, log):
    agent = agents(config(kafka, log, topic))
    dead = agent.state / "dead_letter/main.jsonl"
    dead.parent.mkdir(parents=True)
    dead.write_text('{"time":"2025-01-01T00:00:00.000Z","reason":"to')
    append(log, "8 nowhere", "9 nowhere")
    agent.start()
    wait_for(lambda: dead.read_bytes().count(b"\n") == 3, 30, "the dead letters")
    agent.stop()
    cut, *whole = dead.read_text().splitlines()
    assert cut == '{"time":"2025-01-01T00:00:00.000Z","reason":"to'
    assert [json.loads(line)["value"] for line in whole] == ["8 nowhere", "9 nowhere"]


def with_a_full_disk(agents, kafka, topic, log, **output):
    """Nothing can be written to its dead letters until that file is gone."""
    agent = agents({"agent": {"memory": "16MiB", "checkpoint_interval": "100ms"},
                    **config(kafka, log, topic, **output)})
    full = agent.state / "dead_letter/main.jsonl"
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    return agent, full


def test_dead_letters_that_cannot_be_written_are_waited_for(agents, kafka, topic, log):
    append(log, "0 good", "9 nowhere", "0 good too")
    agent, full = with_a_full_disk(agents, kafka, topic, log)
    agent.start()
    agent.wait_log("cannot write dead letters to '.*': no space left on device")
    kafka.wait_count(topic, 2)
    assert agent.offset(log) == 0
    full.unlink()
    agent.wait_acked(log)
    agent.stop()
    assert [d["value"] for d in letters(agent)] == ["9 nowhere"]
    assert values(kafka, topic) == [b"0 good", b"0 good too"]


def test_nobody_waits_for_them_with_fire_and_forget_but_they_are_counted(
        agents, kafka, topic, log):
    """They neither hold up the file nor grow in memory, which has its limit."""
    count = 120_000
    log.write_bytes(text(b"9 nowhere %d" % n for n in range(count)))
    agent, full = with_a_full_disk(agents, kafka, topic, log, send="fire_and_forget")
    agent.start()
    agent.wait_log("dead letters are lost")
    lasting(lambda: agent.memory("VmHWM") <= (16 + 40) * MIB, 1, "the limit")
    full.unlink()
    agent.wait_acked(log)
    agent.stop()
    lost = int(re.search(r"but for (\d+) records that were", agent.log())[1])
    kept = [int(d["value"].split()[2]) for d in letters(agent)]
    assert lost > 0 and kept == sorted(set(kept)) and len(kept) + lost == count


def test_a_compacted_topic_refuses_records_without_key_and_no_others(agents, kafka, topic, log):
    compacted = kafka.create_topic(f"{topic}.compacted", 1, cleanup_policy="compact")
    append(log, *[f"line {n} {'key' if n % 100 else ''}" for n in range(2000)])
    agent = agents({"agent": {"checkpoint_interval": "100ms"},
                    "outputs": {"main": {"bootstrap.servers": kafka.bootstrap}},
                    "parsers": {"p": {"type": "regex", "pattern": r"^line \d+ (?<k>key)$"}},
                    "inputs": {"logs": {"paths": str(log), "parser": "p", "topic": compacted,
                                        "key": "${k}"}}}).start()
    agent.wait_acked(log)
    agent.stop()
    assert sorted(map(number_of, values(kafka, compacted))) == \
        [n for n in range(2000) if n % 100]
    assert sorted(number_of(d["value"].encode()) for d in letters(agent)) == \
        list(range(0, 2000, 100))
    assert all("without key" in d["reason"] for d in letters(agent))


def test_dead_letters_are_not_lost_when_the_agent_is_killed(agents, kafka, topic, log):
    """What is in the file or behind the offset covers every record."""
    append(log, *[f"{n % 5 + 4} nowhere {n}" for n in range(2000)])
    agent = agents(config(kafka, log, topic))
    agent.start()
    wait_for(lambda: letters(agent), 30, "a dead letter")
    agent.kill()
    agent.start()
    agent.wait_acked(log)
    agent.stop()
    assert {d["value"] for d in letters(agent)} == \
        {f"{n % 5 + 4} nowhere {n}" for n in range(2000)}
