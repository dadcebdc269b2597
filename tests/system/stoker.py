"""The real binary, as its users see it.

STOKER in the environment names it; build/release/stoker otherwise.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import signal
import subprocess
from pathlib import Path

from waiting import Process, wait_for

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("STOKER", ROOT / "build/release/stoker")).resolve()

MIB = 1024 * 1024

DONE, FAILED, USAGE, CLUSTER, LOCKED, CONFIG = 0, 1, 64, 69, 75, 78


def stoker(*arguments, stdin="", timeout=60, **options):
    """Run one command to its end; its texts are in .stdout and .stderr."""
    return subprocess.run([BINARY, *map(str, arguments)], input=stdin, timeout=timeout,
                          capture_output=True, encoding="utf-8", errors="surrogateescape",
                          **options)


def write_config(path, config):
    """A dictionary, or the YAML text itself (JSON is YAML)."""
    if isinstance(config, bytes):
        path.write_bytes(config)
    else:
        path.write_text(config if isinstance(config, str) else json.dumps(config, indent=2))
    return path


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Agent:
    """`stoker run` with a configuration and a state folder of its own.

    What the configuration does not say of `agent` is set for tests: no admin
    port, and the state beside the configuration.  stderr is kept in `log_path` over
    all starts.
    """

    def __init__(self, folder, config, user=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.log_path = self.folder / "stderr"
        self.log_path.touch()
        self.user = user
        self.process = None
        self.configure(config)

    def configure(self, config):
        """Takes effect at the next start."""
        if isinstance(config, dict):
            agent = {"state_dir": str(self.state), "admin": "off", **config.get("agent", {})}
            self.state = Path(agent["state_dir"])
            config = {**config, "agent": agent}
        self.config = write_config(self.folder / "stoker.yaml", config)

    def spawn(self, **options):
        """Start without asking how it goes."""
        assert not self.running()
        self.started_at = self.log_path.stat().st_size
        self.process = Process([BINARY, "run", "-c", self.config], self.log_path, user=self.user,
                               cwd=self.folder, **options)
        return self

    def start(self, **options):
        """Start; ready when it says so."""
        self.spawn(**options)
        wait_for(self.has_started, 30, lambda: f"the agent to start:\n{self.log()}")
        return self

    def has_started(self):
        said = self.said(r"\bstarted\b")
        if not said and not self.running():
            raise AssertionError(f"the agent ended with {self.process.status()}:\n{self.log()}")
        return said

    def running(self):
        return self.process is not None and self.process.running()

    @property
    def pid(self):
        return self.process.pid

    def stop(self, timeout=30):
        """SIGTERM; a stop is clean unless the test says otherwise."""
        status = self.process.terminate(timeout)
        assert status == DONE, f"the stop ended with {status}:\n{self.log()}"

    def kill(self):
        assert self.running(), f"it has ended already:\n{self.log()}"
        self.process.kill()

    def wait(self, timeout=30):
        """Its exit status, once it ends by itself."""
        return self.process.wait(timeout)

    def signal(self, number=signal.SIGTERM):
        self.process.signal(number)

    def close(self):
        if self.process:
            self.process.kill()

    def memory(self, key="VmRSS"):
        return self.process.memory(key)

    # --- what it tells

    def log(self):
        """stderr since the last start."""
        with open(self.log_path, "rb") as file:
            file.seek(self.started_at if self.process else 0)
            return file.read().decode(errors="replace")

    def wait_log(self, pattern, timeout=15):
        return wait_for(lambda: re.search(pattern, self.log()), timeout,
                        lambda: f"'{pattern}' in the log:\n{self.log()}")

    def said(self, pattern):
        """How many lines of the log match."""
        return sum(bool(re.search(pattern, line)) for line in self.log().splitlines())

    def command(self, name, *arguments, **options):
        return stoker(name, *arguments, "-c", self.config, **options)

    def offsets(self):
        """{path: acknowledged bytes} of every file it remembers."""
        done = stoker("offsets", "list", "-c", self.config)
        assert done.returncode == DONE, done.stderr
        return {line.rsplit(None, 1)[0]: int(line.rsplit(None, 1)[1])
                for line in done.stdout.splitlines()}

    def offset(self, path):
        return self.offsets().get(str(path), 0)

    def wait_acked(self, path, offset=None, timeout=60):
        """Until the checkpoint of `path` stands at `offset` (now: its size)."""
        path = Path(path)
        wanted = path.stat().st_size if offset is None else offset
        wait_for(lambda: self.offset(path) == wanted, timeout,
                 lambda: f"'{path}' at {wanted}; at {self.offset(path)}:\n{self.log()}")
