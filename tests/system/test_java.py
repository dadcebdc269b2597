"""Keys against Kafka's own Java code: the partition of thousands of them, and
the bytes of every serializer.

SPDX-License-Identifier: Apache-2.0
"""
import random
import struct
import uuid

import pytest

from samples import murmur2, text
from stoker import CONFIG

PARTITIONS = 4


def random_keys(count, seed=7):
    """Any bytes but the line end, of every length up to 300, and some long ones."""
    rng = random.Random(seed)
    lengths = [n % 300 for n in range(count)] + [4096, 65_536, 200_000]
    keys = [rng.randbytes(length).translate(None, b"\r\n") for length in lengths]
    return keys + [b"", b" ", b"\0", b"\xff" * 3, "ключ".encode(), "日本語".encode()]


def test_every_key_goes_where_the_java_client_puts_it(ship, kafka, topic, log, java_side):
    keys = random_keys(20_000)
    assert sum(murmur2(key) < 0 for key in keys) > len(keys) / 3, "hashes with the sign bit"
    log.write_bytes(text(keys))
    agent = ship(key="${body}").start()
    kafka.wait_count(topic, len(keys))
    agent.wait_acked(log)
    agent.stop()
    records = kafka.read(topic)
    assert sorted(r.key for r in records) == sorted(keys)
    assert [r.partition for r in records] == \
        java_side.partitions([r.key for r in records], PARTITIONS)


def test_the_hash_of_these_tests_is_that_of_the_java_client(java_side):
    """The other tests compare with it."""
    keys = random_keys(3000, seed=8)
    for count in (1, 3, 7, 50, 1000):
        assert [(murmur2(key) & 0x7fffffff) % count for key in keys] == \
            java_side.partitions(keys, count)


# --- serializers

def numbers(bits, seed):
    rng = random.Random(seed)
    least, most = -(1 << bits - 1), (1 << bits - 1) - 1
    return [str(n) for n in (0, 1, -1, 42, least, most)] + \
        [str(rng.randint(least, most) >> rng.randrange(bits)) for _ in range(500)]


def reals(form, seed):
    """Every kind of bit pattern that is a number, as its shortest text."""
    rng = random.Random(seed)
    size = struct.calcsize(form)
    found = [struct.unpack(form, rng.randbytes(size))[0] for _ in range(500)]
    return ["0", "-0.0", "1.5", "-2.25", "1e10", "3.4028235e38", "1e-45", "123456789.125"] + \
        [repr(x) for x in found if x == x and abs(x) != float("inf")]


SERIALIZERS = {
    "short": numbers(16, 1), "integer": numbers(32, 2), "long": numbers(64, 3),
    "float": reals(">f", 4), "double": reals(">d", 5),
    "uuid": [str(uuid.UUID(bytes=random.Random(n).randbytes(16))) for n in range(200)] +
            ["6BA7B810-9DAD-11D1-80B4-00C04FD430C8"],
    "string": ["plain", "é", "日本語", ""],
}


@pytest.mark.parametrize("kind", SERIALIZERS)
def test_a_key_has_the_bytes_that_java_writes(kind, ship, kafka, topic, log, java_side):
    texts = SERIALIZERS[kind]
    log.write_bytes(text(t.encode() for t in texts))
    agent = ship(key="${body}", **{"key.serializer": kind})
    done = agent.command("check")
    if done.returncode == CONFIG and "no setting 'key.serializer'" in done.stderr:
        pytest.skip(f"key.serializer: {done.stderr.splitlines()[0]}")
    agent.start()
    kafka.wait_count(topic, len(texts))
    agent.stop()
    records = kafka.read(topic)
    assert len(records) == len(texts)
    told = [r.value.decode() for r in records]
    written = java_side.serialize(kind, told)
    assert [(r.value, r.key) for r in records] == [(t.encode(), w) for t, w in zip(told, written)]
    assert [r.partition for r in records] == \
        java_side.partitions([r.key for r in records], PARTITIONS)
