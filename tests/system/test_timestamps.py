"""Times that a broker refuses: too far from its own.

SPDX-License-Identifier: Apache-2.0
"""
import time

import pytest

from samples import append

HOUR = 3600_000
PARSER = {"type": "regex", "pattern": r"^(?<ms>\d+) (?<n>\d+)",
          "time": {"field": "ms", "format": "epoch_ms"}}


@pytest.fixture
def strict(kafka, topic_name):
    """A topic that takes times of the last day and the next hour."""
    name = f"{topic_name}.strict"
    yield kafka.create_topic(name, 1, message_timestamp_before_max_ms=24 * HOUR,
                             message_timestamp_after_max_ms=HOUR)
    kafka.delete_topic(name)


def now():
    return int(time.time() * 1000)


def number(record):
    return int(record.value.split()[1])


@pytest.mark.sanitized
def test_a_time_too_far_becomes_a_header_and_its_batch_arrives_in_order(ship, kafka, strict, log):
    """No request is refused for it, even the first: the topic's limits were asked for.  (With a
    sanitizer the client cuts the batch, so a refusal would change the order.)"""
    begin = now()
    bad = {0: begin + 5 * HOUR, 17: begin + 5 * HOUR, 400: begin - 48 * HOUR, 401: 0,
           999: begin + 5 * HOUR}
    times = [bad.get(n, begin - n) for n in range(1000)]
    append(log, *[f"{ms} {n}" for n, ms in enumerate(times)])
    agent = ship(parser=PARSER, topic=strict, agent={"log": {"level": "debug"}}).start()
    agent.wait_acked(log)
    agent.stop()
    assert agent.said(r"1000 acknowledged, 0 sent again"), agent.log()
    records = kafka.read(strict)
    assert [number(r) for r in records] == list(range(1000))
    for n, record in enumerate(records):
        if n in bad:
            assert begin <= record.timestamp <= now()
            assert record.headers == [("stoker.timestamp", str(bad[n]).encode())]
        else:
            assert record.timestamp == times[n] and not record.headers
    assert not list(agent.state.glob("dead_letter/*"))


@pytest.mark.parametrize("offset", [+5 * HOUR, -48 * HOUR], ids=["ahead", "behind"])
def test_a_file_whose_times_are_all_refused_is_not_slow(ship, kafka, strict, log, offset):
    """A clock that is wrong, or an old log: not two requests for every record."""
    lines = 20_000
    begin = now() + offset
    append(log, *[f"{begin + n} {n}" for n in range(lines)])
    agent = ship(parser=PARSER, topic=strict).start()
    began = time.monotonic()
    agent.wait_acked(log)
    took = time.monotonic() - began
    agent.stop()
    records = kafka.read(strict)
    assert [number(r) for r in records] == list(range(lines))
    assert all(r.headers == [("stoker.timestamp", str(begin + n).encode())]
               for n, r in enumerate(records))
    assert took < 15
