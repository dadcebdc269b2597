"""Builds, runs every kind of test, and counts.

System tests mostly wait, builds and unit tests never do: beside each other they take little
more time than the longer of the two.  What only computes gives way (nice), so that it does
not change what a system test sees.

One cmocka test, one pytest test, one fuzzer, one build count as one each.  Output of
parts that pass is kept in build/logs/ and not shown.  The last line is the
sum; the exit status is 0 only if something passed and nothing failed.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import concurrent.futures
import contextlib
import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JOBS = str(os.cpu_count() or 1)

BUILDS = {
    "release": [],
    "asan": ["-DSTOKER_SANITIZE=address,undefined"],
    "tsan": ["-DSTOKER_SANITIZE=thread"],
    "clang": ["-DCMAKE_C_COMPILER=clang"],
    "fuzz": ["-DCMAKE_C_COMPILER=clang", "-DSTOKER_FUZZ=ON"],
}
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:suppressions={ROOT}/tests/tsan-suppressions",
}
FUZZ_SECONDS = 10               # for each, unless --seconds says another
SYSTEM_RUNS = 2                 # beside each other: they share the files of tests


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped):
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class Run:
    """What was counted so far, and how it is shown."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.prefix = []
        self.counts = Counts()
        self.began = time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)

    def niced(self):
        """The same run, for commands that give way to others."""
        other = copy.copy(self)
        other.prefix = ["nice", "-n", "19"]
        return other

    def count(self, passed=0, failed=0, skipped=0):
        self.counts.add(passed, failed, skipped)
        return f"{passed} passed, {failed} failed, {skipped} skipped"

    def skip(self, what, why):
        self.count(skipped=1)
        say(f"skipped: {what}: {why}")

    def command(self, name, command, show=False, **environment):
        """Run it with its output in a log; the log is shown when it fails.  True if it ended
        with 0."""
        log = LOGS / f"{name}.log"
        show = show or self.verbose
        with open(log, "w") as file:
            child = subprocess.Popen(list(map(str, [*self.prefix, *command])), cwd=ROOT, text=True,
                                     errors="replace", stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     env={**os.environ, **environment})
            for line in child.stdout:
                file.write(line)
                if show:
                    sys.stdout.write(line)
                    sys.stdout.flush()
        if child.wait() != 0 and not show:
            say(f"the end of {os.path.relpath(log, ROOT)}:")
            print("".join(log.read_text().splitlines(True)[-80:]))
        return child.returncode == 0

    def result(self):
        seconds = time.monotonic() - self.began
        say(f"all parts took {seconds:.0f} s")
        print(self.counts, flush=True)
        return 0 if self.counts.passed and not self.counts.failed else 1


def say(text):
    print(f"-- {text}", flush=True)


@contextlib.contextmanager
def part(name):
    say(name)
    began = time.monotonic()
    yield
    say(f"{name}: {time.monotonic() - began:.0f} s")


def build(run, name):
    """Warnings are errors in every build.  True if it can be tested."""
    folder = BUILD / name
    with part(f"build {name}"):
        configure = ["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja",
                     "-DCMAKE_BUILD_TYPE=Release", "-DSTOKER_TESTS=ON", *BUILDS[name]]
        good = (run.command(f"configure-{name}", configure) and
                run.command(f"build-{name}", ["cmake", "--build", folder, "-j", JOBS]))
        say(f"build {name}: {run.count(passed=int(good), failed=int(not good))}")
    return good


# --- unit tests

def unit(run, name):
    results = LOGS / f"unit-{name}.xml"
    results.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", BUILD / name, "-j", JOBS, "--timeout", "300",
               "--no-tests=error", "--output-junit", results,
               "--test-output-size-passed", "10000000", "--test-output-size-failed", "10000000",
               "--output-on-failure"]
    with part(f"unit tests, {name}"):
        good = run.command(f"unit-{name}", [*without_aslr(name), *command], **SANITIZERS)
        say(f"unit tests, {name}: {count_unit(run, results, good)}")


def without_aslr(name):
    """ThreadSanitizer of this age cannot live with much randomness of addresses."""
    fixed = ["setarch", "-R"]
    if name == "tsan" and subprocess.run([*fixed, "true"], capture_output=True).returncode == 0:
        return fixed
    return []


def count_unit(run, results, good):
    try:
        cases = xml.parse(results).getroot().findall("testcase")
    except (OSError, xml.ParseError) as e:
        say(f"no results of the unit tests: {e}")
        return run.count(failed=1)
    totals = [count_cmocka(case) for case in cases]
    passed, failed, skipped = (sum(column) for column in zip(*totals)) if totals else (0, 0, 0)
    if not good and not failed:
        failed = 1
    return run.count(passed, failed, skipped)


def count_cmocka(case):
    """(passed, failed, skipped) of one executable; one that says nothing counts as one test."""
    output = case.findtext("system-out") or ""
    passed = total(r"^\[  PASSED  \] (?:.*: )?(\d+) test", output)
    failed = total(r"^\[  FAILED  \] (?:.*: )?(\d+) test", output)
    skipped = total(r"^\[  SKIPPED \] (?:.*: )?(\d+) test", output)
    for reason in re.findall(r"^\[ RUN      \] (.*\n(?:(?!\[).*\n)*)\[  SKIPPED \]", output, re.M):
        say(f"skipped: {case.get('name')}: {' '.join(reason.split())}")
    if case.get("status") == "fail" and not failed:
        failed = 1
    if not passed + failed + skipped:
        passed = 1
    return passed, failed, skipped


def total(pattern, text):
    return sum(map(int, re.findall(pattern, text, re.M)))


# --- tests in Python

def pytest(run, name, folder, *arguments, **environment):
    results = LOGS / f"{name}.xml"
    results.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-rs", "-v" if run.verbose else "-q",
               "-p", "no:cacheprovider", "--color=no", "--tb=short",
               f"--junitxml={results}", "--rootdir", ROOT / folder, *arguments]
    with part(name):
        good = run.command(name, command, show=True, PYTHONDONTWRITEBYTECODE="1",
                           PYTHONUNBUFFERED="1", **environment)
        say(f"{name}: {count_pytest(run, results, good)}")


def count_pytest(run, results, good):
    try:
        suites = list(xml.parse(results).getroot().iter("testsuite"))
    except (OSError, xml.ParseError) as e:
        say(f"no results: {e}")
        return run.count(failed=1)
    tests, bad, skipped = (sum(int(suite.get(key, 0)) for suite in suites for key in keys)
                           for keys in (["tests"], ["failures", "errors"], ["skipped"]))
    if not good and not bad:
        bad = 1
    return run.count(max(0, tests - bad - skipped), bad, skipped)


def check(run):
    pytest(run, "check", "tests/check", ROOT / "tests/check")


def system(run, name=None):
    folder = ROOT / "tests/system"
    path = folder / f"{(name or '').removesuffix('.py')}.py"
    chosen = [path] if name and path.exists() else [folder, "-k", name] if name else [folder]
    with tempfile.TemporaryDirectory() as shared:
        if not name:
            chosen += ["--shared", shared]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            names = ["system"] if name else [f"system-{n + 1}" for n in range(SYSTEM_RUNS)]
            for done in [pool.submit(pytest, run, each, "tests/system", *chosen,
                                     STOKER=str(BUILD / "release/stoker")) for each in names]:
                done.result()


def system_sanitized(run):
    pytest(run, "system-asan", "tests/system", ROOT / "tests/system", "-m", "sanitized",
           STOKER=str(BUILD / "asan/stoker"), **SANITIZERS)


# --- fuzzers

def fuzz(run, seconds=FUZZ_SECONDS):
    if not (ROOT / "tests/fuzz/CMakeLists.txt").exists():
        return run.skip("fuzzers", "tests/fuzz has no CMakeLists.txt")
    if not build(run, "fuzz"):
        return None
    with part("fuzzers"):
        fuzzers = sorted(path for path in BUILD.glob("fuzz/**/fuzz_*")
                         if path.is_file() and os.access(path, os.X_OK))
        if not fuzzers:
            return run.skip("fuzzers", "the build made no fuzz_*")
        with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
            good = list(pool.map(lambda path: fuzz_one(run, path, seconds), fuzzers))
        say(f"fuzzers: {run.count(passed=sum(good), failed=len(good) - sum(good))}")
    return None


def fuzz_one(run, fuzzer, seconds):
    """On a copy of its corpus: what it finds by chance does not change the tree."""
    name = fuzzer.name
    corpus = LOGS / f"corpus-{name}"
    shutil.rmtree(corpus, ignore_errors=True)
    shutil.copytree(ROOT / "tests/fuzz/corpus" / name.removeprefix("fuzz_"), corpus)
    good = run.command(name, [fuzzer, f"-max_total_time={seconds}", "-timeout=10",
                              "-rss_limit_mb=2048", f"-artifact_prefix={LOGS}/{name}-", corpus])
    say(f"{name}: {'passed' if good else 'FAILED'} ({len(list(corpus.iterdir()))} inputs)")
    return good


# --- which of them

def run_all(run):
    release = build(run, "release")
    if release:
        unit(run, "release")
    check(run)
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        sanitized = beside.submit(build, run.niced(), "asan")
        others = beside.submit(run_others, run.niced(), sanitized)
        if release:
            system(run)
        if sanitized.result():
            system_sanitized(run)
        others.result()


def run_others(run, sanitized):
    """What needs no Kafka."""
    if sanitized.result():
        unit(run, "asan")
    if build(run, "tsan"):
        unit(run, "tsan")
    build(run, "clang")
    fuzz(run)


def main():
    arguments = argparse.ArgumentParser(prog="tests/run")
    arguments.add_argument("part", nargs="?", default="all",
                           choices=["all", "unit", "system", "check", "fuzz"])
    arguments.add_argument("name", nargs="?", help="of a system test")
    arguments.add_argument("-v", "--verbose", action="store_true")
    arguments.add_argument("--seconds", type=int, metavar="N",
                           help=f"how long each fuzzer runs (default: {FUZZ_SECONDS})")
    chosen = arguments.parse_args()
    if chosen.name and chosen.part != "system":
        arguments.error(f"'{chosen.part}' takes no name")
    if chosen.seconds is not None and (chosen.part != "fuzz" or chosen.seconds < 1):
        arguments.error("'--seconds' is for 'fuzz': one at least")

    run = Run(chosen.verbose)
    if chosen.part == "all":
        run_all(run)
    elif chosen.part == "check":
        check(run)
    elif chosen.part == "fuzz":
        fuzz(run, chosen.seconds or FUZZ_SECONDS)
    elif build(run, "release"):
        if chosen.part == "unit":
            unit(run, "release")
        else:
            system(run, chosen.name)
    sys.exit(run.result())


if __name__ == "__main__":
    main()
