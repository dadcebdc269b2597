"""Log lines for tests, the same for the same seed.

SPDX-License-Identifier: Apache-2.0
"""
import random
import time

AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "curl/7.88.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
]
PATHS = ["/", "/index.html", "/images/logo.png", "/api/v1/orders?page=2", "/search?q=k%C3%A4se",
         "/blog/2025/11/why-files-are-buffers/", "/favicon.ico", "/login"]
ACCESS = (r'^(?<client>\S+) \S+ (?<user>\S+) \[(?<time>[^\]]+)\] '
          r'"(?<method>[A-Z]+) (?<path>\S+) (?<protocol>[^"]+)" (?<status>\d{3}) (?<bytes>\d+|-) '
          r'"(?<referer>[^"]*)" "(?<agent>[^"]*)"')


def client(rng):
    if rng.random() < 0.1:
        return f"2001:db8::{rng.randrange(1, 400):x}"
    return f"{rng.choice([10, 83, 172, 198])}.{rng.randrange(4)}.51.{rng.randrange(1, 60)}"


def access_log(count, seed=1):
    """`count` lines of a combined access log as bytes, without line ends."""
    rng = random.Random(seed)
    now = 1_760_000_000
    lines = []
    for _ in range(count):
        now += rng.choice([0, 0, 0, 1, 2])
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
        size = "-" if rng.random() < 0.05 else rng.randrange(10, 90000)
        lines.append(f'{client(rng)} - {rng.choice(["-", "-", "-", "alice", "bob"])} [{stamp}] '
                     f'"{rng.choice(["GET", "GET", "GET", "POST", "HEAD"])} {rng.choice(PATHS)} '
                     f'HTTP/1.1" {rng.choice([200, 200, 200, 301, 404, 500])} {size} '
                     f'"{rng.choice(["-", "https://example.org/"])}" "{rng.choice(AGENTS)}"'
                     .encode())
    return lines


def numbered(first, last, padding=80, who="line"):
    """Lines that say their number: `who 17 xxxx`."""
    fill = b"x" * padding
    return [b"%s %d %s" % (who.encode(), n, fill) for n in range(first, last)]


def number_of(line):
    return int(line.split(b" ", 2)[1])


def text(lines):
    return b"".join(line + b"\n" for line in lines)


def append(path, *lines):
    with open(path, "ab") as file:
        file.write(text(line if isinstance(line, bytes) else line.encode() for line in lines))


def murmur2(data):
    """Kafka's: the signed 32-bit hash that the Java client takes a partition from."""
    m, mask = 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    h ^= h >> 15
    return h - (1 << 32) if h & 0x80000000 else h


def java_partition(key, partitions):
    return (murmur2(key) & 0x7fffffff) % partitions
