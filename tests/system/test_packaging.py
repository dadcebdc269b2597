"""The scripts of packaging/, where everything that they would install is there.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import shutil
import subprocess

import pytest

from stoker import BINARY, ROOT

CMAKE = """#!/bin/sh
# Stands for the build, which the other tests have done: leaves the program where it belongs.
echo "cmake $*" >> "$CALLS"
case $1 in
    --build) cp "$STOKER" build/release/stoker ;;
    *)       mkdir -p build/release ;;
esac
"""


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


@pytest.fixture
def no_network(tmp_path):
    """A PATH on which asking for packages is an error."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("apt-get", "apt-cache"):
        (tools / name).write_text("#!/bin/sh\necho \"$0 must not be asked\" >&2\nexit 9\n")
        (tools / name).chmod(0o755)
    return tools


def test_deps_asks_nobody_when_all_is_there(no_network):
    path = f"{no_network}:{os.environ['PATH']}"
    for sets in (["build"], ["test"], []):
        done = run(ROOT / "packaging/deps", *sets, PATH=path)
        assert done.returncode == 0, done.stderr
        assert "installed" in done.stdout


def test_deps_names_its_sets():
    done = run(ROOT / "packaging/deps", "everything")
    assert done.returncode == 1
    assert "'everything'" in done.stderr and "build, test" in done.stderr


def test_quickstart_ends_with_records_and_can_be_run_again(no_network, tmp_path):
    (no_network / "cmake").write_text(CMAKE)
    (no_network / "cmake").chmod(0o755)
    (tmp_path / "clone").mkdir()
    shutil.copytree(ROOT / "packaging", tmp_path / "clone/packaging")
    for _ in range(2):
        done = run(tmp_path / "clone/packaging/quickstart", STOKER=str(BINARY),
                   CALLS=str(tmp_path / "calls"), PATH=f"{no_network}:{os.environ['PATH']}")
        assert done.returncode == 0, done.stdout + done.stderr
        shown = re.findall(r"^ +[0-3] +\d+  \S+ +host\.name=", done.stdout, re.M)
        summary = re.search(r"^records +(\d+) of (\d+) lines came back", done.stdout, re.M)
        assert len(shown) == int(summary[1]) == int(summary[2]) > 0
        assert "check -c stoker.yaml --connect" in done.stdout
    calls = (tmp_path / "calls").read_text()
    assert calls.count("-DCMAKE_BUILD_TYPE=Release") == calls.count("--target stoker") == 2
