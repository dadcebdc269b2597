"""Records of more than one line: stack traces, and the logs of containers.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import shutil

import pytest

from samples import append
from stoker import CONFIG, DONE, json_lines, stoker, write_config
from waiting import lasting, wait_for

TRACE = ["ERROR it failed", "java.lang.RuntimeException: outer", "\tat a.B.c(B.java:1)",
         "Caused by: java.io.IOException: inner", "\t... 3 more"]
POD = "2d1a7c05-8a1f-4c1d-9d4c-6a3f9b1a2c3d"


def values(kafka, topic):
    return sorted(r.value.decode() for r in kafka.read(topic))


def wait_values(kafka, topic, *expected):
    """Until exactly these have arrived, in any order."""
    kafka.wait_count(topic, len(expected), timeout=20)
    assert values(kafka, topic) == sorted(expected)


def cri(stream, text, tag="F"):
    return f"2016-10-06T00:17:09.669794202Z {stream} {tag} {text}"


def test_a_stack_trace_is_one_record(ship, kafka, topic, log):
    agent = ship(settings={"multiline": {"preset": "java", "timeout": "10m"}}).start()
    append(log, "INFO one", *TRACE, "INFO two", "INFO three")
    wait_values(kafka, topic, "INFO one", "\n".join(TRACE), "INFO two")
    agent.stop()
    assert agent.offset(log) == log.stat().st_size - len("INFO three\n")


def test_a_pending_group_survives_a_stop_and_a_kill(ship, kafka, topic, log):
    agent = ship(settings={"multiline": {"start": "^[A-Z]", "timeout": "10m"}},
                 agent={"checkpoint_interval": "50ms"}).start()
    append(log, "A", "b", "C")
    wait_values(kafka, topic, "A\nb")
    agent.stop()
    append(log, "d")
    agent.start()
    append(log, "e")
    agent.wait_acked(log, len("A\nb\n"))
    agent.kill()
    append(log, "f", "G")
    agent.start()
    wait_values(kafka, topic, "A\nb", "C\nd\ne\nf")
    agent.stop()


def test_a_pending_group_goes_on_after_a_rotation_by_its_old_file(ship, kafka, topic, log):
    """What is written to the new file is no part of it."""
    agent = ship(settings={"multiline": {"start": "^[A-Z]", "timeout": "10m"}, "linger": "1s",
                           "poll": "100ms"}).start()
    append(log, "Z", "A", "b")
    wait_values(kafka, topic, "Z")
    writer = open(log, "ab")
    log.rename(log.with_suffix(".1"))
    append(log, "c", "D", "E")
    writer.write(b"late\n")
    writer.close()
    wait_values(kafka, topic, "Z", "A\nb\nlate", "c", "D")
    agent.stop()


def test_a_pending_group_goes_on_in_the_copy_of_a_truncated_file(ship, kafka, topic, log):
    agent = ship(settings={"multiline": {"start": "^[A-Z]", "timeout": "1s"},
                           "poll": "100ms"}).start()
    append(log, "Z", "A", "b")
    wait_values(kafka, topic, "Z")
    shutil.copy(log, log.with_suffix(".1"))
    os.truncate(log, 0)
    append(log, "C", "d")
    wait_values(kafka, topic, "Z", "A\nb", "C\nd")
    agent.stop()


def test_a_group_is_sent_when_no_line_has_come_for_the_timeout(ship, kafka, topic, log):
    agent = ship(settings={"multiline": {"start": "^[A-Z]", "timeout": "700ms"}}).start()
    append(log, "A")
    lasting(lambda: kafka.count(topic) == 0, 0.3, "waiting for more lines")
    append(log, "b")
    lasting(lambda: kafka.count(topic) == 0, 0.5, "waiting anew")
    kafka.wait_count(topic, 1, timeout=3)
    append(log, "c")
    wait_values(kafka, topic, "A\nb", "c")
    agent.wait_acked(log)
    with open(log, "ab") as writer:
        writer.write(b"D\nunfinis")
    wait_values(kafka, topic, "A\nb", "c", "D")     # the line that is being written waits
    append(log, "hed")
    wait_values(kafka, topic, "A\nb", "c", "D", "unfinished")
    agent.stop()


def test_streams_of_a_container_do_not_mix_and_one_does_not_wait_for_the_other(
        ship, kafka, topic, log):
    agent = ship(settings={"parser": {"type": "cri"},
                           "multiline": {"start": "^\\S", "timeout": "10m"}},
                 headers={"stream": "${log.iostream}"}).start()
    append(log, cri("stderr", "error"), cri("stdout", "A"), cri("stderr", " at x"),
           cri("stdout", "B par", "P"), cri("stdout", " b"), cri("stderr", " at y", "P"),
           cri("stdout", "tial"), cri("stdout", "C"))
    wait_values(kafka, topic, "A", "B par b", "tial")
    assert {dict(r.headers)["stream"] for r in kafka.read(topic)} == {b"stdout"}
    assert {r.timestamp for r in kafka.read(topic)} == {1475713029669}
    agent.stop()
    assert agent.offset(log) == 0       # where the oldest pending group begins
    append(log, cri("stderr", "z"), cri("stderr", "next"))
    agent.start()
    wait_values(kafka, topic, "A", "B par b", "tial", "error\n at x\n at yz")
    agent.wait_acked(log, log.read_text().index(cri("stdout", "C")))
    agent.kill()
    agent.start()
    append(log, cri("stdout", "D"))
    wait_values(kafka, topic, "A", "B par b", "tial", "error\n at x\n at yz", "C")
    agent.stop()


def test_a_quiet_stream_is_sent_after_the_timeout_though_the_other_is_busy(
        ship, kafka, topic, log):
    agent = ship(settings={"parser": {"type": "cri"},
                           "multiline": {"start": "^\\S", "timeout": "500ms"}}).start()
    append(log, cri("stderr", "error"))
    count = 0

    def write_and_look():
        nonlocal count
        append(log, cri("stdout", f"line {count}"))
        count += 1
        return "error" in values(kafka, topic)

    wait_for(write_and_look, 10, "the group of stderr", pause=0.05)
    agent.stop()


@pytest.mark.sanitized
def test_interleaved_streams_through_stops_and_kills(ship, kafka, topic, log):
    """Whatever is pending, each record comes once after stops; kills may repeat records, and never
    lose or change one."""
    agent = ship(settings={"parser": {"type": "cri"}, "linger": "0s",
                           "multiline": {"start": "^\\S", "timeout": "10m"}},
                 agent={"checkpoint_interval": "20ms"})
    chance = random.Random(7)
    records = {"stdout": [], "stderr": []}
    kills = 0
    for round_ in range(8):
        lines = []
        for _ in range(300):
            stream = chance.choice(list(records))
            if not records[stream] or chance.random() < 0.4:
                records[stream].append(f"{stream} {len(records[stream])}")
                lines.append(cri(stream, records[stream][-1]))
            else:
                records[stream][-1] += "\n more"
                lines += [cri(stream, " mo", "P"), cri(stream, "re")]
        append(log, *lines)
        agent.start()
        kafka.wait_count(topic, sum(map(len, records.values())) - 2)
        if round_ % 2:
            agent.kill()
            kills += 1
        else:
            agent.stop()
    agent.start()
    records["stdout"] += ["last but one", "last"]
    append(log, *(cri("stdout", text) for text in records["stdout"][-2:]))
    wait_for(lambda: "last but one" in values(kafka, topic), 20, "the file to be read to its end")
    log.unlink()
    everything = sorted(records["stdout"] + records["stderr"])
    wait_for(lambda: sorted(set(values(kafka, topic))) == everything, 20, "all records")
    agent.stop()
    assert kills == 4 and len(values(kafka, topic)) < 2 * len(everything)


def test_partial_lines_of_a_container_through_a_kill_and_a_rotation(agents, log, tmp_path):
    """A line goes on where it began, also when another agent reads it; what the runtime writes to
    the next file is no part of it."""
    sent = tmp_path / "sent.jsonl"
    agent = agents({"agent": {"checkpoint_interval": "20ms"},
                    "outputs": {"main": {"type": "file", "path": str(sent)}},
                    "inputs": {"logs": {"paths": str(log), "topic": "t", "parser": {"type": "cri"},
                                        "linger": "300ms", "poll": "50ms", "rescan": "100ms"}}})

    def wait_sent(*expected):
        wait_for(lambda: sent.exists() and
                 sorted(r["value"] for r in json_lines(sent.read_text())) == sorted(expected),
                 10, lambda: f"{expected} in {sent.read_text()}")

    append(log, cri("stdout", "zero"), cri("stdout", "one ", "P"))
    agent.start()
    agent.wait_acked(log, len(cri("stdout", "zero\n")))
    agent.kill()
    append(log, cri("stderr", "e ", "P"), cri("stdout", "two "), cri("stdout", "three ", "P"))
    agent.start()
    wait_sent("zero", "one two ")
    log.rename(log.with_suffix(".log.20260301"))
    append(log, cri("stdout", "four"), cri("stderr", "f"))
    wait_sent("zero", "one two ", "three ", "e ", "four", "f")
    agent.stop()


def test_the_logs_of_pods_say_where_they_are_from(ship, kafka, topic, tmp_path):
    """The file of the second pod is a link itself, as on a node that runs Docker."""
    links = tmp_path / "containers"
    links.mkdir()
    for pod, file in (("cart-1", "pods"), ("web.old-0", "docker")):
        place = tmp_path / f"pods/shop_{pod}_{POD}/main/2.log"
        place.parent.mkdir(parents=True)
        (tmp_path / "docker").mkdir(exist_ok=True)
        if file == "docker":
            place.symlink_to(tmp_path / "docker/0123-json.log")
        append(place, cri("stdout", "hello"))
        (links / f"{pod}_shop_main-{'0123456789abcdef' * 4}.log").symlink_to(place)
    names = ["namespace.name", "pod.name", "pod.uid", "container.name", "container.restart_count"]
    agent = ship(links / "*.log", {"parser": {"type": "cri"}},
                 headers={name: f"${{k8s.{name}}}" for name in names}).start()
    kafka.wait_count(topic, 2)
    records = kafka.read(topic)
    assert {r.value for r in records} == {b"hello"}
    assert sorted([value.decode() for _, value in r.headers] for r in records) == [
        ["shop", pod, POD, "main", "2"] for pod in ("cart-1", "web.old-0")]
    agent.stop()


def test_the_logs_of_docker_are_joined(ship, kafka, topic, log):
    agent = ship(settings={"parser": {"type": "docker"}}, key="${attrs.tag}").start()
    ending = '"attrs":{"tag":"web"},"time":"2016-10-06T00:17:09.669794202Z"}'
    append(log, '{"log":"one ","stream":"stdout",' + ending,
           '{"log":"other\\n","stream":"stderr",' + ending,
           '{"log":"\\u003cline\\u003e\\n","stream":"stdout",' + ending)
    wait_values(kafka, topic, "other", "one <line>")
    assert {(r.key, r.timestamp) for r in kafka.read(topic)} == {(b"web", 1475713029669)}
    agent.stop()


def test_a_group_larger_than_a_chunk_is_one_record(ship, kafka, topic, log):
    group = ["A"] + ["x" * 1000] * 700
    agent = ship(settings={"multiline": {"start": "^A", "timeout": "500ms"}},
                 agent={"memory": "4MiB"}).start()
    append(log, *group, *group)
    wait_values(kafka, topic, "\n".join(group), "\n".join(group))
    agent.stop()


def test_groups_of_a_file_in_utf_16(ship, kafka, topic, log):
    agent = ship(settings={"multiline": {"start": "^[A-Z]", "timeout": "10m"},
                           "encoding": "utf-16"}).start()
    log.write_bytes("\ufeffÄ\r\nA\r\n ä\r\nB\r\n".encode("utf-16-le"))
    wait_values(kafka, topic, "Ä", "A\n ä")
    agent.stop()
    with open(log, "ab") as writer:
        writer.write("b\r\nC\r\n".encode("utf-16-le"))
    agent.start()
    wait_values(kafka, topic, "Ä", "A\n ä", "B\nb")
    agent.stop()


def test_mistakes_are_told_where_they_stand(tmp_path):
    config = write_config(tmp_path / "stoker.yaml", """\
outputs: {o: {type: discard}}
parsers: {k: {type: cri}, r: {type: regex, pattern: a}}
inputs:
  a: {paths: /x, topic: t, parser: [r, k]}
  b: {paths: /x, topic: t, multiline: {start: a, continue: b}}
  c: {paths: /x, topic: t, multiline: {start: ^a(}}
  d: {paths: /x, topic: t, multiline: {preset: pyton}}
  e: {paths: /x, topic: t, multiline: {preset: java, max_line: 5}}
  f: {paths: /x, topic: t, multiline: {timeout: 1s}}
""")
    done = stoker("check", "-c", config)
    assert done.returncode == CONFIG
    for place, message in {"4:40": "must be the first one", "5:50": "cannot stand beside 'start'",
                           "6:50": "missing closing parenthesis", "7:48": "did you mean 'python'",
                           "8:54": "did you mean 'max_lines'", "9:28": "needs 'start'"}.items():
        assert f"stoker.yaml:{place}: " in done.stderr and message in done.stderr, place


def test_try_shows_groups_and_a_sample_ends_like_a_finished_file(tmp_path):
    config = write_config(tmp_path / "stoker.yaml", """\
outputs: {o: {type: stdout}}
inputs: {a: {paths: /x, topic: t, parser: {type: cri}, multiline: {preset: python}}}
""")
    sample = "\n".join([cri("stderr", "Traceback (most recent call last):"),
                        cri("stdout", "INFO one"), cri("stderr", '  File "x.py", line 1'),
                        cri("stderr", "Value", "P"), cri("stderr", "Error: x")])
    done = stoker("try", "-c", config, stdin=sample)
    assert done.returncode == DONE, done.stderr
    assert [record["value"] for record in json_lines(done.stdout)] == [
        'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: x', "INFO one"]
