"""What the producer's settings cost: acks by compression by size of line.

Stoker and the floor ship the same file to a real Kafka with the same settings.
Bytes on the wire are those of the record batches, as the broker stores them:
what Kafka's protocol puts around a batch, a hundred bytes or so, is not in them.

SPDX-License-Identifier: Apache-2.0
"""
import json
import subprocess
from collections import namedtuple

ACKS = ["0", "1", "all"]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
SIZES = [100, 1024]             # bytes a line, the LF included

Run = namedtuple("Run", "rate cpu wire")        # MB/s, ms a MB, bytes for each byte of lines


def stored(node, topic):
    """Bytes of the record batches that a topic holds."""
    return sum(path.stat().st_size for path in node.folder.glob(f"data/{topic}-*/*.log"))


class Settings:
    def __init__(self, place, programs, folder, partitions):
        self.place, self.programs, self.folder = place, programs, folder
        self.partitions = partitions

    def floor(self, file, lines, acks, codec, ends_of):
        with self.place.topic() as (bootstrap, topic), ends_of(bootstrap, topic) as ends:
            told = json.loads(subprocess.run(
                [self.programs / "floor", "--bootstrap", bootstrap, "--topic", topic,
                 "--partitions", str(self.partitions), "--acks", acks, "--compression", codec,
                 file], check=True, stdout=subprocess.PIPE, text=True).stdout)
            while ends.count() < lines:         # without acks it does not know
                pass
            wire = stored(self.place.node, topic)
        size = file.stat().st_size
        return Run(size / told["seconds"] / 1e6, told["cpu_seconds"] * 1e9 / size, wire / size)

    def stoker(self, file, lines, acks, codec, ends_of, start):
        with self.place.topic() as (bootstrap, topic), ends_of(bootstrap, topic) as ends:
            output = {"bootstrap.servers": bootstrap, "acks": acks, "compression.type": codec}
            with start(self.programs / "stoker", file, output, topic=topic) as agent:
                size = file.stat().st_size
                agent.wait(lambda: agent.has_read(size), "the end of the file", 0.01)
                agent.wait(lambda: ends.count() >= lines, "all records", 0.01)
                cost = agent.finish(lines)
            wire = stored(self.place.node, topic)
        return Run(cost.rate * size / lines / 1e6, cost.cpu * lines * 1e3 / size, wire / size)


def measure(settings, write_lines, mib, start, ends_of, say):
    """The lines of a table."""
    table = ["", f"settings: {mib} MiB a run to a real Kafka, {settings.partitions} partitions; "
             "MB/s, CPU ms a MB, bytes on the wire for each byte of lines",
             f"{'line':>6} {'acks':>4} {'codec':>6}   {'MB/s':>6} {'floor':>6} {'ratio':>5}   "
             f"{'CPU':>6} {'floor':>6} {'ratio':>5}   {'wire':>6} {'floor':>6}"]
    for size in SIZES:
        file = settings.folder / f"settings-{size}.log"
        lines = mib * 1024 * 1024 // size
        write_lines(file, lines, size)
        for acks in ACKS:
            for codec in CODECS:
                say(f"settings: {size} bytes, acks {acks}, {codec}")
                s = settings.stoker(file, lines, acks, codec, ends_of, start)
                f = settings.floor(file, lines, acks, codec, ends_of)
                table.append(
                    f"{size:>6} {acks:>4} {codec:>6}   "
                    f"{s.rate:6.0f} {f.rate:6.0f} {s.rate / f.rate:5.2f}   "
                    f"{s.cpu:6.2f} {f.cpu:6.2f} {s.cpu / f.cpu:5.2f}   {s.wire:6.3f} {f.wire:6.3f}")
        file.unlink()
    return table
