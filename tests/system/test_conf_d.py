"""What users copy works: the pieces of conf.d/, and the README's examples.

SPDX-License-Identifier: Apache-2.0
"""
import re

import pytest

from samples import access_log, text
from stoker import DONE, ROOT, json_lines, stoker, write_config

PIECES = sorted((ROOT / "conf.d").glob("*.yaml"))
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


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("piece", PIECES, ids=lambda path: path.name)
def test_every_piece_loads_with_any_output(tmp_path, piece, output):
    done = stoker("check", "-c", with_piece(tmp_path, piece, output))
    assert done.returncode == DONE, done.stderr


def test_all_pieces_load_together(tmp_path):
    done = stoker("check", "-c", with_piece(tmp_path, ROOT / "conf.d/*.yaml"))
    assert done.returncode == DONE, done.stderr


LINES = b"""\
203.0.113.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 2326 \
"https://example.org/" "Mozilla/5.0 (X11; Linux x86_64)"
2001:db8::1 - - [10/Oct/2025:13:55:37 +0000] "POST /login HTTP/2.0" 302 0 "-" "curl/7.88.1"
198.51.100.9 - - [10/Oct/2025:13:55:38 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"
198.51.100.9 - - [10/Oct/2025:13:55:39 +0000] "" 408 0 "-" "-"
nginx: this is no access line
"""


def test_nginx_gives_key_and_headers(tmp_path):
    (tmp_path / "sample").write_bytes(LINES)
    done = stoker("try", "-c", with_piece(tmp_path, ROOT / "conf.d/nginx.yaml"), "--input", "nginx",
                  tmp_path / "sample")
    assert done.returncode == DONE, done.stderr
    records = json_lines(done.stdout)
    assert [r["value"] for r in records] == LINES.decode().splitlines()
    assert {r["topic"] for r in records} == {"nginx-access"}
    assert [r["key"] for r in records] == ["203.0.113.7", "2001:db8::1", "198.51.100.9",
                                           "198.51.100.9", None]
    host = {"host": "web-1"}
    assert [r["headers"] for r in records] == [
        {**host, "method": "GET", "path": "/a?b=c", "status": "200"},
        {**host, "method": "POST", "path": "/login", "status": "302"},
        {**host, "status": "400"},
        {**host, "status": "408"},
        host]


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
