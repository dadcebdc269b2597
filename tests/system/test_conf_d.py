"""What users copy works: the pieces of conf.d/, and the README's examples.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
from datetime import datetime, timedelta, timezone

import pytest

from samples import access_log, text
from stoker import DONE, ROOT, json_lines, stoker, write_config

PIECES = sorted((ROOT / "conf.d").glob("*.yaml"))
SAMPLES = ROOT / "tests/system/conf_d"
SHARED = ROOT.parent / "shared/data"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text()
                      if (ROOT / "README.md").exists() else "", re.M | re.S)
OUTPUTS = {
    "kafka": {"bootstrap.servers": "localhost:9092"},
    "stdout": {"type": "stdout"},
    "discard": {"type": "discard"},
}


def with_piece(tmp_path, piece, output="stdout"):
    return write_config(tmp_path / "stoker.yaml", {
        "agent": {"host_name": "web-1"}, "include": str(piece),
        "outputs": {"any": OUTPUTS[output]}})


@pytest.mark.parametrize("piece", PIECES, ids=lambda path: path.name)
def test_every_piece_loads_by_itself(tmp_path, piece):
    done = stoker("check", "-c", with_piece(tmp_path, piece, "kafka"))
    assert done.returncode == DONE, done.stderr


@pytest.mark.parametrize("piece", PIECES, ids=lambda path: path.name)
def test_the_header_of_a_piece_says_how_to_take_it_in_and_try_it(tmp_path, piece):
    header = piece.read_text().partition("\n\n")[0]
    assert f"\n#     include: conf.d/{piece.name}\n" in header
    name = re.search(r"stoker try --input (\S+)", header)[1]
    (tmp_path / "conf.d").symlink_to(ROOT / "conf.d")
    file = write_config(tmp_path / "stoker.yaml", {"include": f"conf.d/{piece.name}",
                                                   "outputs": {"any": OUTPUTS["stdout"]}})
    done = stoker("try", "-c", file, "--input", name, SAMPLES / f"{name}.log")
    assert done.returncode == DONE, done.stderr
    assert len(json_lines(done.stdout)) > 1


@pytest.mark.parametrize("output", OUTPUTS)
def test_all_pieces_load_together_with_any_output(tmp_path, output):
    done = stoker("check", "-c", with_piece(tmp_path, ROOT / "conf.d/*.yaml", output))
    assert done.returncode == DONE, done.stderr


# Where a sample would have been found, if that matters.
FOUND_AT = {"kubernetes": f"/var/log/containers/web-7d9f_shop_app-{4 * '0123456789abcdef'}.log"}


def inputs(piece):
    return re.findall(r"^  (\S+):", piece.read_text().partition("\ninputs:\n")[2]
                      .partition("\nroutes:\n")[0], re.M)


def test_every_input_of_a_piece_has_a_sample():
    samples = {path.stem for path in SAMPLES.glob("*.log")}
    assert samples == {path.name.split(".")[0] for path in SAMPLES.glob("*.expected.jsonl")}
    assert samples == {name for piece in PIECES for name in inputs(piece)}


def same_time(got, expected):
    """A text has no year, as syslog: its own is the closest to now, at most two days ahead."""
    if not isinstance(expected, str):
        return got == expected
    moment = datetime.fromtimestamp(got / 1000, timezone.utc)
    ahead = moment - datetime.now(timezone.utc)
    return (moment.strftime("%m-%dT%H:%M:%S.%f")[:-3] == expected and
            timedelta(days=-366) < ahead <= timedelta(days=2))


@pytest.mark.parametrize("piece, name", [(piece, name) for piece in PIECES
                                         for name in inputs(piece)],
                         ids=lambda value: value if isinstance(value, str) else value.stem)
def test_a_piece_makes_of_its_sample_what_is_written_beside_it(tmp_path, piece, name):
    sample = SAMPLES / f"{name}.log"
    done = stoker("try", "-c", with_piece(tmp_path, piece), "--input", name,
                  "--path", FOUND_AT.get(name, sample), sample, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == DONE, done.stderr
    got = json_lines(done.stdout)
    expected = json_lines((SAMPLES / f"{name}.expected.jsonl").read_text())
    for record, wanted in zip(got, expected):
        assert {key: record[key] for key in wanted if key != "timestamp"} == {
            key: wanted[key] for key in wanted if key != "timestamp"}
        assert same_time(record["timestamp"], wanted["timestamp"]), record
    assert len(got) == len(expected)


@pytest.mark.parametrize("piece, parser, line, timestamp", [
    ("mysql", "mariadb-error", "2025-03-01  9:00:00 0 [Note] ready", 1740819600000),
    ("mysql", "mariadb-error", "2025-03-01 12:00:00 0 [Note] ready", 1740830400000),
    ("go", "go-zap-iso8601", '{"level":"info","ts":"2025-03-01T13:00:00.250+0100"}', 1740830400250),
])
def test_a_parser_that_is_there_to_be_chosen_reads_its_lines(tmp_path, piece, parser, line,
                                                             timestamp):
    file = write_config(tmp_path / "stoker.yaml", {
        "include": str(ROOT / f"conf.d/{piece}.yaml"), "outputs": {"any": OUTPUTS["stdout"]},
        "inputs": {"mine": {"paths": "/x", "parser": parser, "topic": "t", "key": "${level}"}}})
    done = stoker("try", "-c", file, "--input", "mine", stdin=line + "\n",
                  env={**os.environ, "TZ": "UTC"})
    (record,) = json_lines(done.stdout)
    assert record["timestamp"] == timestamp
    assert record["key"] in line


@pytest.mark.parametrize("name, log", [("apache", "apache_access.log"), ("auth", "auth.log"),
                                       ("kafka", "kafka_server.log"), ("java", "Hadoop.log")])
def test_a_piece_leaves_no_line_of_a_real_log_unparsed(tmp_path, name, log):
    """`key` or `level` is there; Hadoop's and Kafka's stack traces are one record each."""
    if not (SHARED / log).exists():
        pytest.skip("the real logs are not here")
    piece = next(piece for piece in PIECES if name in inputs(piece))
    done = stoker("try", "-c", with_piece(tmp_path, piece), "--input", name, SHARED / log,
                  env={**os.environ, "TZ": "UTC"})
    records = json_lines(done.stdout)
    assert len(records) > 500
    missed = [r["value"] for r in records
              if r["timestamp"] is None or (name == "java" and "level" not in r["headers"])]
    assert missed == []


def test_nginx_leaves_no_line_of_a_long_log_unparsed(tmp_path):
    lines = [line.replace(b" - \"", b" 0 \"") for line in access_log(2000)]
    (tmp_path / "sample").write_bytes(text(lines))
    done = stoker("try", "-c", with_piece(tmp_path, ROOT / "conf.d/nginx.yaml"), "--input", "nginx",
                  tmp_path / "sample")
    for line, record in zip(lines, json_lines(done.stdout)):
        assert record["key"] == line.split(b" ")[0].decode()


def test_the_readme_has_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_readme_loads(tmp_path, number):
    """An example without outputs is a piece for a bigger file."""
    example = EXAMPLES[number]
    if not re.search("^outputs:", example, re.M):
        example += "\noutputs: {any: {type: stdout}}\n"
    example = example.replace("/etc/stoker/conf.d", str(ROOT / "conf.d"))
    file = write_config(tmp_path / "stoker.yaml", example)
    (tmp_path / "conf.d").symlink_to(ROOT / "conf.d")
    done = stoker("check", "-c", file)
    assert done.returncode == DONE, done.stderr
