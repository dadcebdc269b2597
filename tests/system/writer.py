"""Lines that keep coming, and the question whether all of them have arrived.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import threading
import time

from samples import append, number_of, numbered
from waiting import wait_for


class Writer:
    """Appends numbered lines while a test does something else."""

    def __init__(self, path, every=0.02, lines=50, padding=80):
        self.path = path
        self.every = every
        self.lines = lines
        self.padding = padding
        self.written = 0
        self.going = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.going:
            append(self.path, *numbered(self.written, self.written + self.lines, self.padding))
            self.written += self.lines
            time.sleep(self.every)

    def wait(self, more):
        """Until it has written `more` lines from now on."""
        wanted = self.written + more
        wait_for(lambda: self.written >= wanted, 60, "lines to be written")

    def stop(self):
        self.going = False
        self.thread.join()
        return self.written


def arrived(kafka, topic, count, ordered=True):
    """Every number below `count` is there; in each partition first arrivals rise.  Returns what
    came more than once: a number -> how often too many."""
    values = kafka.values(topic)
    counts = collections.Counter(number_of(v) for p in values.values() for v in p)
    missing = set(range(count)) - counts.keys()
    assert not missing, f"{len(missing)} lines are missing, the first: {sorted(missing)[:5]}"
    assert len(counts) == count, "lines that nobody wrote"
    for partition in values.values() if ordered else ():
        numbers = list(dict.fromkeys(map(number_of, partition)))
        assert numbers == sorted(numbers)
    return counts - collections.Counter(range(count))


def rests(agent):
    """It has read what it can."""
    before = agent.process.cpu_seconds()
    time.sleep(0.5)
    return agent.process.cpu_seconds() - before <= 0.02
