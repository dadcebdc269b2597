"""What the torture test is made of: writers that rotate their files in every way
there is, a consumer that accounts for every line, and somebody who stops and kills.

Every record says which run of the agent has sent it, so that what is found is
exact: within one run no line comes twice and every file keeps its order in
each partition; a line that two runs have sent was in flight when the first was
killed.

Some things lose lines by nature, whatever follows the file: a file that is
deleted before anybody opened it, or unread when the agent dies; a file out of
the patterns that nobody has met; a copy of a content that nobody has begun.
Writers do these only when the agent has what it takes (`Writer.is_known`,
`is_open`), and while what was deleted is not delivered the agent is not
killed (`World.fragile`).

SPDX-License-Identifier: Apache-2.0
"""
import array
import contextlib
import gzip
import os
import random
import re
import shutil
import sqlite3
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import confluent_kafka

INTERVAL = 0.2                  # seconds: agent.checkpoint_interval
LINGER = 3                      # seconds: of the inputs
IN_FLIGHT = 8                   # seconds of undisturbed work after which nothing is in flight
HEAD = 1024                     # bytes: what a copy is known by at its best
MORE_LINES = 100_000            # by which a writer's account grows


class Content:
    """The bytes of one file from the creation, or a truncation, to the next."""

    def __init__(self, writer, number, first, offset=0):
        self.name = f"{writer.name}.{number}"
        self.writer = writer
        self.first = self.last = first      # its lines: [first, last)
        self.offset = offset                # where its first line begins in the file
        self.seen = 0                       # different lines that have arrived
        self.path = None

    def arrived(self):
        return self.seen == self.last - self.first


class World:
    """What everybody knows."""

    def __init__(self, seed, folder):
        self.seed = seed
        self.folder = folder
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.failure = None
        self.began = time.monotonic()
        self.story = []                     # (seconds, who, what)
        self.agent = None
        self.watching = False               # the agent runs, and has met every file
        self.gentle = False                 # nothing fragile is begun: a kill is wanted
        self.fragile = []                   # contents that a kill would lose
        self.contents = {}
        self.shapes = {}

    def random(self, who):
        return random.Random(f"{self.seed} {who}")

    def tell(self, who, what):
        self.story.append((time.monotonic() - self.began, who, what))

    def fail(self, what):
        with self.lock:
            self.failure = self.failure or what
        self.over.set()

    @contextlib.contextmanager
    def fragile_turn(self):
        """True if what a kill would lose may be begun now; none comes before the end."""
        with self.lock:
            yield self.watching and not self.gentle

    def is_fragile(self):
        with self.lock:
            self.fragile = [c for c in self.fragile if not c.arrived()]
            return bool(self.fragile)


class Actor(threading.Thread):
    """A thread whose failure is the test's."""

    def __init__(self, world, name):
        super().__init__(daemon=True)
        self.world, self.name = world, name
        self.rng = world.random(name)

    def run(self):
        try:
            self.act()
        except Exception:
            self.world.fail(f"{self.name}: {traceback.format_exc()}")

    def tell(self, what):
        self.world.tell(self.name, what)

    def pause(self, seconds):
        self.world.over.wait(seconds)


# --- writers

class Writer(Actor):
    """Writes numbered lines into one name, and lets that happen to it what happens to logs."""

    shapes = ()                 # (method, weight)
    appends = True              # or goes on where it was, whatever became of the file

    def __init__(self, world, name):
        super().__init__(world, name)
        self.folder = world.folder / "logs" / name
        self.folder.mkdir(parents=True)
        self.path = self.folder / "app.log"
        self.number = 0                     # of the next line
        self.made = 0                       # contents
        self.old = []                       # (path, content) of what was rotated
        self.file = None
        self.rest = b""                     # of a line whose beginning is written
        self.runs = array.array("H", bytes(2 * MORE_LINES))     # who sent line n last; 0: nobody
        self.times = array.array("d", bytes(8 * MORE_LINES))    # when that came
        self.begin_content()

    def begin_content(self, offset=0):
        self.made += 1
        self.content = Content(self, self.made, self.number, offset)
        self.content.path = self.path
        self.world.contents[self.content.name] = self.content

    # --- lines

    def open(self, path=None):
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.appends else 0)
        self.file = os.open(path or self.path, flags, 0o644)

    def line(self):
        pad = self.rng.choice([0, 10, 60, 60, 100, 200])
        if self.rng.random() < 0.0005:
            pad = self.rng.randrange(100_000, 400_000)
        text = b"%s %d %s\n" % (self.content.name.encode(), self.number, b"x" * pad)
        self.number += 1
        return text

    def write(self, count):
        """The last line may be left unfinished: the next write finishes it."""
        text = self.rest + b"".join(self.line() for _ in range(count))
        self.rest = b""
        if self.rng.random() < 0.2:
            cut = self.rng.randrange(1, min(len(text), 60) + 1)
            text, self.rest = text[:-cut], text[-cut:]
        self.put(text)
        self.content.last = self.number - (1 if self.rest else 0)

    def put(self, text):
        while text:
            text = text[os.write(self.file, text):]

    def finish_line(self):
        self.put(self.rest)
        self.rest = b""
        self.content.last = self.number

    def burst(self):
        """A time of writing: slow, steady, or as a flood."""
        times, count, wait = self.rng.choice([
            (3, 1, 0.05), (20, 5, 0.01), (40, 20, 0.005), (10, 200, 0.01), (1, 5000, 0), (5, 3, 0)])
        for _ in range(self.rng.randrange(1, times + 1)):
            self.write(self.rng.randrange(1, count + 1))
            if wait:
                self.pause(self.rng.random() * 2 * wait)

    # --- what the agent has

    def is_known(self):
        """Does the database remember this content?  A kill does not change that."""
        try:
            state = os.fstat(self.file)
            with open(f"/proc/self/fd/{self.file}", "rb") as file:
                head = file.read(HEAD)
            with contextlib.closing(sqlite3.connect(
                    f"file:{self.world.agent.state}/stoker.db?mode=ro", uri=True)) as db:
                rows = db.execute("select head_len, head_hash, offset from file where inode = ?",
                                  [state.st_ino]).fetchall()
        except (OSError, sqlite3.Error):
            return False
        return any(0 < length <= len(head) and fnv(head[:length]) == hash_ % (1 << 64) and
                   offset > self.content.offset for length, hash_, offset in rows)

    def is_begun(self):
        """Has the agent that runs now read some of it, and so knows it by its bytes?"""
        return self.content.seen > 0 and self.size() >= HEAD

    def is_open(self):
        """Does the agent hold a descriptor of it?"""
        agent, mine = self.world.agent, os.fstat(self.file)
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{agent.pid}/fd"):
                with contextlib.suppress(OSError):
                    theirs = os.stat(f"/proc/{agent.pid}/fd/{fd}")
                    if (theirs.st_dev, theirs.st_ino) == (mine.st_dev, mine.st_ino):
                        return True
        return False

    def size(self):
        return os.fstat(self.file).st_size - self.content.offset

    # --- shapes: each is True if it was done

    def next_content(self, still=None):
        """Its writer may go on with the old file for a while before it opens the new one."""
        for _ in range(self.rng.randrange(3) if still is None else still):
            self.write(self.rng.randrange(1, 30))
        self.finish_line()
        os.close(self.file)
        self.begin_content()
        self.open()

    def old_name(self):
        return self.folder / f"app.log.{self.made}"

    def rename(self):
        self.tell(f"renames {self.content.name}")
        target = self.old_name()
        self.path.rename(target)
        self.old.append((target, self.content))
        self.next_content()
        return True

    def rename_quickly(self):
        for _ in range(self.rng.randrange(2, 6)):
            self.rename()
            self.write(self.rng.randrange(1, 20))
        return True

    def move(self):
        """To another folder."""
        with self.world.fragile_turn() as may:
            if not may or not self.is_open():
                return False
            self.tell(f"moves {self.content.name} away")
            target = self.world.folder / "away" / f"{self.name}.{self.made}"
            self.path.rename(target)
            self.world.fragile.append(self.content)
            self.old.append((target, self.content))
            self.next_content()
        return True

    def delete(self):
        with self.world.fragile_turn() as may:
            if not may or not self.is_open():
                return False
            self.tell(f"deletes {self.content.name} with {self.content.seen} of "
                      f"{self.content.last - self.content.first} arrived")
            self.path.unlink()
            self.world.fragile.append(self.content)
            self.next_content()
        return True

    def replace(self):
        """Another file takes its name."""
        with self.world.fragile_turn() as may:
            if not may or not self.is_open():
                return False
            self.finish_line()
            self.tell(f"replaces {self.content.name}")
            self.world.fragile.append(self.content)
            os.close(self.file)
            self.begin_content()
            other = self.folder / self.rng.choice(["next.tmp", "app.log.next"])
            self.open(other)
            self.write(self.rng.randrange(1, 50))
            other.rename(self.path)
        return True

    def copy_truncate(self):
        """Nobody writes in between: what a writer puts there is lost without us."""
        self.finish_line()
        if self.size() < HEAD:
            return False
        self.tell(f"copies and truncates {self.content.name}")
        target = self.old_name()
        shutil.copyfile(self.path, target)
        self.old.append((target, self.content))
        self.begin_content(0 if self.appends else os.lseek(self.file, 0, os.SEEK_CUR))
        os.truncate(self.path, 0)
        return True

    def truncate(self):
        """When all of it has arrived."""
        self.finish_line()
        if not self.content.arrived() or self.size() == 0:
            return False
        self.tell(f"truncates {self.content.name}")
        self.begin_content(0 if self.appends else os.lseek(self.file, 0, os.SEEK_CUR))
        os.truncate(self.path, 0)
        return True

    def compress(self):
        """The last one that was rotated, whatever of it has arrived."""
        if not self.old or self.old[-1][0].suffix == ".gz" or \
                self.old[-1][0].parent != self.folder:
            return False
        path, content = self.old.pop()
        self.tell(f"compresses {content.name}")
        target = path.with_name(path.name + ".gz")
        with open(path, "rb") as plain, gzip.open(target, "wb", 1) as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
        self.old.append((target, content))
        return True

    def clean_up(self):
        """As logrotate deletes what is old; here only when it has arrived."""
        if len(self.old) > 8:
            path, content = self.old[0]
            if content.arrived():
                path.unlink()
                self.old.pop(0)

    # --- life

    def act(self):
        self.open()
        methods, weights = zip(*self.shapes)
        while not self.world.over.is_set():
            self.burst()
            if self.rng.random() < 0.6:
                shape = self.rng.choices(methods, weights)[0]
                if getattr(self, shape)():
                    self.world.shapes[shape] = self.world.shapes.get(shape, 0) + 1
            if self.rng.random() < 0.1:
                self.pause(self.rng.random() * 3)
            self.clean_up()
            self.pause(self.rng.random() * 0.3)
        self.finish_line()


class Wide(Writer):
    """Rotated names are in the patterns too: nothing is fragile but what is deleted."""
    shapes = (("rename", 5), ("rename_quickly", 2), ("shift", 2), ("move", 1), ("delete", 2),
              ("replace", 2), ("copy_truncate", 3), ("truncate", 1), ("compress", 2))

    def shift(self):
        """app.log.2 becomes app.log.3, app.log.1 becomes app.log.2 ..."""
        self.tell("shifts")
        target = self.folder / f"app.log.s{self.made}"
        for n, (path, content) in enumerate(list(self.old)[-3:], len(self.old[:-3])):
            if path.suffix != ".gz" and path.parent == self.folder:
                other = self.folder / f"app.log.s{self.made}.{n}"
                path.rename(other)
                self.old[n] = (other, content)
        self.path.rename(target)
        self.old.append((target, self.content))
        self.next_content()
        return True


class Sparse(Wide):
    """Goes on at its old offset after copytruncate: a hole."""
    appends = False
    shapes = (("copy_truncate", 5), ("rename", 1), ("truncate", 1))


class Narrow(Writer):
    """Only app.log is meant: what it becomes has to be known by its content."""
    shapes = Wide.shapes[:2] + Wide.shapes[3:8]

    def rename(self):
        if self.is_known():
            return super().rename()
        with self.world.fragile_turn() as may:
            if may:
                self.world.fragile.append(self.content)
                super().rename()
        return may

    def rename_quickly(self):
        done = False
        for _ in range(self.rng.randrange(2, 6)):
            done = self.rename() or done
            self.write(self.rng.randrange(1, 20))
        return done

    def copy_truncate(self):
        if self.is_known():
            return super().copy_truncate()
        with self.world.fragile_turn() as may:
            content = self.content
            done = may and self.is_begun() and super().copy_truncate()
            if done:
                self.world.fragile.append(content)
        return done

    def replace(self):
        """In a folder of its own, and before the agent has met the name: it has no watch there."""
        return super().replace()


class SparseNarrow(Narrow):
    appends = False
    shapes = (("copy_truncate", 5), ("rename", 1), ("truncate", 1))


class Link(Writer):
    """A symbolic link that is switched."""
    shapes = (("switch", 5), ("truncate", 1))

    def open(self, path=None):
        self.target = self.folder / f"data.{self.made}"
        super().open(self.target)
        fresh = self.folder / "fresh"
        fresh.symlink_to(self.target.name)
        fresh.rename(self.path)

    def switch(self):
        if self.is_known():
            self.do_switch()
            return True
        with self.world.fragile_turn() as may:
            may = may and self.is_open()
            if may:
                self.world.fragile.append(self.content)
                self.do_switch()
        return may

    def do_switch(self):
        self.tell(f"switches from {self.content.name}")
        self.old.append((self.target, self.content))
        before = self.file
        self.finish_line()
        self.begin_content()
        self.open()
        os.close(before)


def fnv(data):
    """agent/base/hash.h"""
    h = 0xcbf29ce484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return h


# --- the account

class Account(Actor):
    """Reads everything that arrives, and holds it against what may be."""

    def __init__(self, world, kafka, topic):
        super().__init__(world, "account")
        self.kafka, self.topic = kafka, topic
        self.done = threading.Event()
        self.last = {}              # (partition, content) -> (run, line)
        self.ends = {}              # run -> (how it ended, good seconds then)
        self.repeats = self.records = 0
        self.good = Clock()

    def act(self):
        consumer = self.kafka.consumer()
        try:
            consumer.assign([confluent_kafka.TopicPartition(self.topic, p, 0) for p in range(4)])
            while not self.done.is_set():
                for message in consumer.consume(2000, timeout=0.1):
                    if message.error() is None:
                        self.take(message.partition(), message.value())
        finally:
            consumer.close()

    def take(self, partition, value):
        run, name, number, *_ = value.split(b" ", 3)
        run, number = int(run), int(number)
        content = self.world.contents.get(name.decode())
        if content is None or not content.first <= number:
            self.world.fail(f"a line that nobody has written: {value[:100]}")
            return
        self.records += 1
        self.check_order(partition, content, run, number)
        self.check_repeat(content, run, number)

    def check_order(self, partition, content, run, number):
        before = self.last.get((partition, content.name), (0, -1))
        if before[0] == run and before[1] >= number:
            runs = content.writer.runs
            again = number < len(runs) and runs[number] != 0
            self.world.fail(f"run {run}: {content.name} in partition {partition}: line {number} "
                            f"after {before[1]}, {'again' if again else 'for the first time'}")
        self.last[partition, content.name] = (run, number)

    def check_repeat(self, content, run, number):
        writer = content.writer
        while number >= len(writer.runs):
            writer.runs.extend(array.array("H", bytes(2 * MORE_LINES)))
            writer.times.extend(array.array("d", bytes(8 * MORE_LINES)))
        before = writer.runs[number]
        if before == 0:
            content.seen += 1
        else:
            self.repeats += 1
            why = self.objection(before, run, writer.times[number])
            if why:
                self.world.fail(f"{content.name}: line {number} of run {before} again in run "
                                f"{run}: {why}")
        if before < run:
            writer.runs[number] = run
            writer.times[number] = self.good.now()

    def objection(self, before, run, came):
        """Why this line may not come again, or None."""
        if before == run:
            return "twice in one run"
        how, at = self.ends.get(min(before, run), ("still runs", 0))
        if how != "kill":
            return f"run {min(before, run)} {how}"
        if before < run and at - came > IN_FLIGHT:
            return f"it had arrived {at - came:.1f} s before the kill"
        return None


class Clock:
    """Seconds in which nothing disturbed the agent or the broker."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sum, self.since, self.troubles = 0.0, time.monotonic(), 0

    def now(self):
        with self.lock:
            return self.sum + (time.monotonic() - self.since if self.troubles == 0 else 0)

    @contextlib.contextmanager
    def stopped(self):
        with self.lock:
            if self.troubles == 0:
                self.sum += time.monotonic() - self.since
            self.troubles += 1
        try:
            yield
        finally:
            with self.lock:
                self.troubles -= 1
                self.since = time.monotonic() if self.troubles == 0 else self.since


# --- who stops and kills

# The kernel kills a process of these tests when the thread that has started it ends: these
# two do not end before the tests.
STARTERS = {name: ThreadPoolExecutor(1) for name in ("agent", "broker")}


def start_for_good(name, start, **options):
    STARTERS[name].submit(start, **options).result()


class AgentChaos(Actor):
    """The only one who starts and ends the agent."""

    def __init__(self, world, account, inputs):
        super().__init__(world, "chaos")
        self.account, self.inputs = account, inputs
        self.run_number = 0
        self.kills = self.stops = self.pauses = 0

    def start_agent(self):
        self.run_number += 1
        self.tell(f"starts run {self.run_number}")
        agent = self.world.agent
        start_for_good("agent", agent.start, env={**os.environ, "RUN": str(self.run_number)})
        agent.wait_log(rf"(?s)(input '\w+' (follows|finds).*){{{self.inputs}}}", timeout=30)
        self.world.watching = True

    def end_agent(self, how):
        """How it ends goes into the account before anybody can ask."""
        agent, world = self.world.agent, self.world
        world.watching = False
        self.account.ends[self.run_number] = ("kill", self.account.good.now())
        if how == "kill":
            agent.kill()
        else:
            agent.stop()
            if not agent.said("again"):
                self.account.ends[self.run_number] = ("had a clean end", self.account.good.now())
        self.tell(f"{how}: run {self.run_number} ended {self.account.ends[self.run_number][0]}")

    def act(self):
        while not self.world.over.is_set():
            self.pause(self.rng.random() * 4)
            if self.world.over.is_set():
                return
            if not self.world.agent.running():
                self.world.fail(f"the agent ended with {self.world.agent.process.status()}")
                return
            self.rng.choices([self.freeze, self.kill, self.stop, self.kill_frozen],
                             [3, 4, 2, 1])[0]()

    def freeze(self):
        self.tell("SIGSTOP")
        with self.account.good.stopped():
            self.world.agent.process.pause()
            self.pause(self.rng.choice([0.05, 0.3, 1.5]))
            self.world.agent.process.resume()
        self.pauses += 1
        self.tell("SIGCONT")

    def take_down(self, how):
        """Only when no deleted file is on its way."""
        world = self.world
        world.gentle = True
        try:
            until = time.monotonic() + 12
            while world.is_fragile() and time.monotonic() < until:
                self.pause(0.02)
            with world.lock:
                if world.is_fragile():
                    self.tell(f"is not let: {world.fragile[0].name} is on its way")
                    return
                how()
        finally:
            world.gentle = False

    def down(self, how):
        def end():
            self.end_agent(how)
            self.kills += how == "kill"
            self.stops += how == "stop"
        self.take_down(end)
        if not self.world.agent.running():
            self.pause(self.rng.choice([0, 0.1, 1, 2]))
            self.start_agent()

    def kill(self):
        self.down("kill")

    def stop(self):
        self.down("stop")

    def kill_frozen(self):
        self.tell("SIGSTOP before a kill")
        with self.account.good.stopped():
            self.world.agent.process.pause()
            self.pause(0.5)
            self.down("kill")
            if self.world.agent.process.state() == "T":
                self.world.agent.process.resume()


class BrokerChaos(Actor):
    def __init__(self, world, account, kafka):
        super().__init__(world, "broker")
        self.account, self.kafka = account, kafka
        self.restarts = self.pauses = 0

    def act(self):
        while not self.world.over.is_set():
            self.pause(5 + self.rng.random() * 15)
            if not self.world.over.is_set():
                self.rng.choice([self.freeze, self.restart])()

    def freeze(self):
        seconds = self.rng.choice([0.5, 3])
        self.tell(f"hangs for {seconds} s")
        with self.account.good.stopped():
            self.kafka.pause()
            self.pause(seconds)
            self.kafka.resume()
            self.pauses += 1
            self.settle()

    def restart(self):
        how = self.rng.choice(["stop", "kill"])
        self.tell(how)
        with self.account.good.stopped():
            getattr(self.kafka, how)()
            self.pause(self.rng.random() * 3)
            start_for_good("broker", self.kafka.start)
            self.restarts += 1
            self.tell("is back")
            self.settle()

    def settle(self):
        """Lanes rest for up to 5 s after a failure."""
        self.pause(5)


def last_of(story, name, count=40):
    """The end of the story, and what it says of a content."""
    base = re.sub(r"\..*", "", name)
    lines = [f"{at:8.2f} {who}: {what}" for at, who, what in story
             if name in what or who in ("chaos", "broker", base)]
    return "\n".join(lines[-count:])
