"""A network that misbehaves, between clients and one broker.

It passes on whole requests and answers of Kafka's protocol, and so can lose
exactly the answer to a request that the broker has already carried out.
Without TLS only.  Threads: one that accepts, two for each connection.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import socket
import struct
import threading
import time

PRODUCE = 0                     # ApiKey
PRODUCE_VERSION = 7             # librdkafka 2.0.2 speaks no later one
LONGEST_FRAME = 100_000_000

# What a broker answered to one partition of a produce request: `error` is the broker's own.
Answer = collections.namedtuple("Answer", "topic partition records error fate")


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


class Proxy:
    """Everything passes until told otherwise; what is told holds for every connection."""

    def __init__(self, listen, target):
        self.target = address_of(target)
        self.delay = 0              # seconds that every answer takes longer
        self.answers = []           # to produce requests
        self.fates = []             # of the next of them: "lost", or an error code
        self.passing, self.answering = threading.Event(), threading.Event()
        self.passing.set()
        self.answering.set()
        self.connections = set()
        self.accepted = 0
        self.lock = threading.Lock()
        self.open = True
        self.server = socket.create_server(address_of(listen), backlog=100)
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.open = False
        self.server.shutdown(socket.SHUT_RDWR)      # wakes who accepts
        self.acceptor.join()
        self.server.close()
        self.resume()
        self.cut()

    # --- what can go wrong

    def hang(self):
        """Connections are accepted, and nothing moves on them any more."""
        self.passing.clear()

    def hold_answers(self):
        """The broker hears everything and is not heard."""
        self.answering.clear()

    def resume(self):
        self.delay = 0
        self.passing.set()
        self.answering.set()

    def cut(self):
        """Every connection ends at once."""
        with self.lock:
            ended, self.connections = self.connections, set()
        for connection in ended:
            connection.end()

    def lose_answers(self, count):
        """The broker carries out the next produce requests; instead of its answer the
        connection ends."""
        self.fates += ["lost"] * count

    def spoil_answers(self, count, error):
        """It carries them out, and the client hears that they have failed."""
        self.fates += [error] * count

    def refused(self, error):
        """The broker's own answers with this error."""
        return [a for a in self.answers if a.error == error]

    # --- the way there and back

    def accept(self):
        while self.open:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                connection = Connection(self, client)
            except OSError:         # the broker is away
                client.close()
                continue
            with self.lock:
                self.connections.add(connection)
            connection.begin()

    def fate_of(self, answers):
        with self.lock:
            fate = self.fates.pop(0) if self.fates else None
            self.answers += [a._replace(fate=fate) for a in answers]
            return fate


class Connection:
    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.broker = socket.create_connection(proxy.target, timeout=10)
        self.broker.settimeout(None)
        self.produced = {}          # correlation id: {(topic, partition): records}

    def begin(self):
        for way in (self.pass_requests, self.pass_answers):
            threading.Thread(target=self.carry, args=(way,), daemon=True).start()

    def carry(self, way):
        try:
            way()
        except (OSError, EOFError):
            pass
        self.end()

    def end(self):
        for end in (self.client, self.broker):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def pass_requests(self):
        while True:
            frame = read_frame(self.client)
            key, version, correlation = struct.unpack_from(">hhi", frame)
            if key == PRODUCE:
                assert version == PRODUCE_VERSION, version
                self.produced[correlation] = requested(frame)
            self.proxy.passing.wait()
            write_frame(self.broker, frame)

    def pass_answers(self):
        while True:
            frame = bytearray(read_frame(self.broker))
            correlation, = struct.unpack_from(">i", frame)
            fate = None
            if correlation in self.produced:
                records = self.produced.pop(correlation)
                places = list(answered(frame))
                fate = self.proxy.fate_of([Answer(*where, records[where], error, None)
                                           for where, error, _ in places])
            self.proxy.passing.wait()
            self.proxy.answering.wait()
            if fate == "lost":
                return
            if fate is not None:
                for _, _, at in places:
                    struct.pack_into(">h", frame, at, fate)
            if self.proxy.delay:
                time.sleep(self.proxy.delay)
            write_frame(self.client, frame)


def read(source, count):
    parts = []
    while count > 0:
        part = source.recv(min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(source):
    length, = struct.unpack(">i", read(source, 4))
    if not 0 <= length <= LONGEST_FRAME:
        raise EOFError
    return read(source, length)


def write_frame(sink, frame):
    sink.sendall(struct.pack(">i", len(frame)) + frame)


# --- produce requests and their answers

class Cursor:
    def __init__(self, frame, at):
        self.frame = frame
        self.at = at

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.frame, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        length = max(0, self.take("h"))
        self.at += length
        return bytes(self.frame[self.at - length:self.at]).decode()


def requested(frame):
    """{(topic, partition): records} of a produce request."""
    found = {}
    c = Cursor(frame, 8)
    c.text()                                    # client id
    c.text()                                    # transactional id
    c.at += 6                                   # acks, timeout
    for _ in range(c.take("i")):
        topic = c.text()
        for _ in range(c.take("i")):
            partition, length = c.take("i"), c.take("i")
            found[topic, partition], = struct.unpack_from(">i", frame, c.at + 57)
            c.at += length
    return found


def answered(frame):
    """((topic, partition), error, where the error stands) of the answer."""
    c = Cursor(frame, 4)
    for _ in range(c.take("i")):
        topic = c.text()
        for _ in range(c.take("i")):
            partition, at = c.take("i"), c.at
            yield (topic, partition), c.take("h"), at
            c.at += 24                          # base offset, append time, log start
