"""The parts of tests/bench/run that are about many files, and about large ones.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import os
import subprocess
import threading
import time
from statistics import median

PARTS = {
    "idle10k": "10,000 quiet files: time until all is shipped, memory and CPU",
    "active": "1,000 files at 10 lines a second beside one file at 10,000",
    "backlog": "catching up: a file of --backlog bytes beside the main benchmark's speed",
    "latency10k": "append to consumer while 10,000 files are followed, beside one",
}
MIB = 1024 * 1024
FILES = 10_000
ACTIVE, TICK = 1000, 0.1        # files, seconds between two lines of each
SLICES = 20                     # a tick's writes are spread over so many moments
WARM_UP, SECONDS = 3, 10
TARGET_ACTIVE = 1.5             # times the CPU of one file


def add_options(parser):
    parser.add_argument("--backlog", type=int, default=4 << 30, metavar="BYTES",
                        help="size of the file of `backlog` (4294967296)")


class FileParts:
    """`tools` is the module of tests/bench/run, `bench` its Bench."""

    def __init__(self, bench, tools):
        self.bench, self.tools = bench, tools

    def run(self, part):
        getattr(self, part)()

    @contextlib.contextmanager
    def stoker(self, paths):
        """An agent and the ends of its topic on the mock cluster."""
        bench = self.bench
        with bench.mock.topic() as (bootstrap, topic), \
                self.tools.ends_of(bootstrap, topic) as ends, \
                self.tools.Stoker(bench.stoker, paths, bench.kafka_output(bootstrap),
                                  topic=topic) as stoker:
            yield stoker, ends, bootstrap, topic

    def fill(self, folder, files):
        """A line each, of no phase that latency.c would count."""
        folder.mkdir()
        for n in range(files):
            (folder / f"{n}.log").write_bytes(b"9 0 file %d says hello\n" % n)

    # --- quiet files

    def idle10k(self):
        self.tools.say("idle10k")
        folder = self.bench.folder / "idle10k"
        self.fill(folder, FILES)
        with self.stoker(folder / "*.log") as (stoker, ends, *_):
            stoker.wait(lambda: ends.count() >= FILES, "all records", 0.02)
            caught_up = time.monotonic() - stoker.began
            time.sleep(3)               # checkpoints are written
            before = stoker.cpu_ns()
            time.sleep(self.bench.options.idle)
            share = (stoker.cpu_ns() - before) / (self.bench.options.idle * 1e9)
            rss = stoker.memory("VmRSS")
            stoker.stop()
        self.bench.add("10,000 quiet files: caught up", caught_up, 2, "s")
        self.bench.add("10,000 quiet files: memory", rss / MIB, 30, "MiB")
        self.bench.add("10,000 quiet files: CPU, % of a core", share * 100, 0.1, "%")

    # --- active files

    def cost_of(self, files):
        """CPU seconds a second of 10,000 lines a second, in so many files."""
        folder = self.bench.folder / f"active-{files}"
        folder.mkdir(exist_ok=True)
        with self.stoker(folder / "*.log") as (stoker, ends, *_), \
                Appender(folder, files) as appender:
            stoker.wait(lambda: ends.count() >= ACTIVE, "the first records", 0.05)
            time.sleep(WARM_UP)
            before, began, lines = stoker.cpu_ns(), time.monotonic(), appender.lines
            time.sleep(SECONDS)
            cpu = stoker.cpu_ns() - before
            rate = (appender.lines - lines) / (time.monotonic() - began)
            written = appender.stop()
            stoker.wait(lambda: ends.count() >= written, "all records", 0.05)
            stoker.stop()
        for path in folder.iterdir():
            path.unlink()
        return cpu / 1e9 / SECONDS / (rate / (ACTIVE / TICK))

    def active(self):
        pairs = []
        for n in range(self.bench.options.rounds):
            self.tools.say(f"active, round {n + 1} of {self.bench.options.rounds}")
            pairs.append((self.cost_of(ACTIVE) * 100, self.cost_of(1) * 100))
        self.bench.add_ratio("1,000 files, 10 lines/s each (beside: one, 10,000): CPU, % of a core",
                             pairs, f"<= {TARGET_ACTIVE}", lambda ratio: ratio <= TARGET_ACTIVE)

    # --- a backlog

    def backlog(self):
        """The same lines again and again; its rate beside that of the main benchmark's file."""
        tools, bench = self.tools, self.bench
        path = bench.folder / "backlog.log"
        lines = max(1, bench.options.backlog // tools.LINE)
        tools.say(f"writing a backlog of {lines * tools.LINE / MIB:,.0f} MiB")
        tools.write_lines(path, lines)
        bench.file, short = path, bench.file
        try:
            tools.say("backlog")
            cost = bench.stoker_to(bench.mock, lines=lines)
        finally:
            bench.file = short
            path.unlink()
        if not bench.file.exists():
            tools.write_lines(bench.file, bench.options.lines)
        rates = [bench.stoker_to(bench.mock).rate for _ in range(bench.options.rounds)]
        bench.add_ratio("catching up (beside: the main benchmark): thousand lines/s",
                        [(cost.rate / 1e3, median(rates) / 1e3)], ">= 0.95",
                        lambda ratio: ratio >= 0.95)

    # --- latency

    def latency10k(self):
        one = self.latency_beside(0)
        many = self.latency_beside(FILES)
        for key, name in (("p50_ms", "median"), ("p99_ms", "p99")):
            self.bench.add_ratio(f"append to consumer, 10,000 files (beside: one): {name}, ms",
                                 [(many[key], one[key])], "<= 1.2",
                                 lambda ratio: ratio <= 1.2)

    def latency_beside(self, files):
        self.tools.say(f"latency beside {files} quiet files")
        folder = self.bench.folder / f"latency-{files}"
        self.fill(folder, files)
        file = folder / "x.log"
        file.touch()
        with self.stoker(folder / "*.log") as (stoker, ends, bootstrap, topic):
            stoker.wait(lambda: ends.count() >= files, "the quiet files", 0.05)
            time.sleep(3)               # their checkpoints are written: that is no part of it
            done = subprocess.run(
                [self.bench.latency_program, "--bootstrap", bootstrap, "--topic", topic,
                 "--fetch-wait", str(self.bench.mock.fetch_wait), "--firsts", "0", file],
                check=True, stdout=subprocess.PIPE, text=True)
            stoker.stop()
        return json.loads(done.stdout)


class Appender(threading.Thread):
    """10,000 lines a second, one write each, in so many files."""

    def __init__(self, folder, files):
        super().__init__(daemon=True)
        self.files = [os.open(folder / f"{n}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                      for n in range(files)]
        self.lines = 0
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        for file in self.files:
            os.close(file)

    def stop(self):
        self.over.set()
        self.join()
        return self.lines

    def run(self):
        line = b"x" * 199 + b"\n"
        began = time.monotonic()
        for moment in range(1 << 60):
            for n in range(moment * ACTIVE // SLICES, (moment + 1) * ACTIVE // SLICES):
                os.write(self.files[n % len(self.files)], line)
                self.lines += 1
            late = time.monotonic() - began - (moment + 1) * TICK / SLICES
            if self.over.wait(max(0, -late)):
                return
