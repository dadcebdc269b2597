"""Waiting for conditions, and processes that do not outlive the tests.

SPDX-License-Identifier: Apache-2.0
"""
import os
import signal
import subprocess
import time


class TooLate(AssertionError):
    """A condition did not come true in time."""


def wait_for(condition, timeout=30, what="the condition", pause=0.02):
    """Return the first true value of condition(); fail after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TooLate(f"waited {timeout} s for {what() if callable(what) else what}")
        time.sleep(pause)


def lasting(condition, seconds, what="the condition", pause=0.05):
    """condition() must hold all the time for `seconds`: for things that must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"{what} did not hold for {seconds} s"
        time.sleep(pause)


class Process:
    """A child that the kernel kills when this process dies, whatever the reason."""

    def __init__(self, command, output, user=None, **options):
        wrapper = ["setpriv", "--pdeathsig", "KILL"]
        if user:
            wrapper += ["--reuid", user, "--clear-groups"]
        with open(output, "ab") as sink:
            self.child = subprocess.Popen([*wrapper, "--", *map(str, command)],
                                          stdin=subprocess.DEVNULL, stdout=sink,
                                          stderr=subprocess.STDOUT, **options)
        wait_for(lambda: self.arrived(wrapper[0]), 10, "the start of the program")

    def arrived(self, wrapper):
        """setpriv has become the program, or is gone."""
        return self.status() is not None or os.path.basename(self.exe()) != wrapper

    def exe(self):
        try:
            return os.readlink(f"/proc/{self.pid}/exe")
        except OSError:
            return ""

    @property
    def pid(self):
        return self.child.pid

    def status(self):
        """The exit status, negative for a signal; None while it runs."""
        return self.child.poll()

    def running(self):
        return self.status() is None

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, timeout):
        return self.child.wait(timeout)

    def terminate(self, timeout=30):
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        if self.running():
            self.signal(signal.SIGKILL)     # ends a stopped process too
        return self.wait(30)

    def pause(self):
        self.signal(signal.SIGSTOP)
        wait_for(lambda: self.state() == "T", 10, "the process to stop")

    def resume(self):
        self.signal(signal.SIGCONT)

    def state(self):
        return self.proc("stat").rpartition(")")[2].split()[0]

    def proc(self, name):
        with open(f"/proc/{self.pid}/{name}") as file:
            return file.read()

    def memory(self, key="VmRSS"):
        """Bytes: VmRSS now, VmHWM at its highest."""
        for line in self.proc("status").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(key)

    def cpu_seconds(self):
        fields = self.proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
