"""Times as others write them, against another implementation: Python's datetime.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from stoker import DONE, json_lines, stoker, write_config

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
LORD_HOWE = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
UTC = timezone.utc

# A format of ours; the same for strftime, if that is another.
FORMATS = {
    "%d/%b/%Y:%H:%M:%S %z": None,                   # access logs
    "%a %b %d %H:%M:%S.%f %Y": None,                # Apache's error log
    "%Y/%m/%d %H:%M:%S": None,                      # nginx's error log
    "%Y-%m-%d %H:%M:%S,%f": None,                   # log4j, Python
    "%d %b %Y %H:%M:%S.%f": None,                   # Redis
    "%A, %d %B %Y %I:%M:%S %p": None,
    "%Y-%jT%T": "%Y-%jT%H:%M:%S",
    "%D %R": "%m/%d/%y %H:%M",
    "%c": "%a %b %d %H:%M:%S %Y",
    "iso8601": "%Y-%m-%dT%H:%M:%S.%f%z",
}
# Without a zone, and in two words.
ISO = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y%m%dT%H%M%S%z", "%Y-%m-%d %H:%M",
       "%Y-%m-%d", "%Y%m%d %H%M%S"]


def ms(moment):
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def moments(count=300):
    """From 1970 to 2068, leap days and ends of years among them, in many zones."""
    rng = random.Random(7)
    for _ in range(count):
        zone = timezone(timedelta(minutes=rng.randrange(-12 * 60, 14 * 60 + 1, 15)))
        yield datetime.fromtimestamp(rng.randrange(86400, 3_100_000_000), zone).replace(
            microsecond=rng.randrange(1_000_000))
    for year in (1972, 2000, 2024):
        yield datetime(year, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
        yield datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)


def read(tmp_path, texts, form, zone="UTC", **environment):
    """What stoker makes of each text: epoch milliseconds, or None."""
    config = write_config(tmp_path / "stoker.yaml", {
        "outputs": {"o": {"type": "stdout"}},
        "inputs": {"in": {"paths": "/none", "topic": "t", "parser": {
            "type": "regex", "pattern": "^(?<at>.*)$",
            "time": {"field": "at", "format": form, "zone": zone}}}}})
    done = stoker("try", "-c", config, "--input", "in", env={**os.environ, **environment},
                  stdin="".join(text + "\n" for text in texts))
    assert done.returncode == DONE, done.stderr
    records = json_lines(done.stdout)
    assert [r["value"] for r in records] == list(texts)
    return [r["timestamp"] for r in records]


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_reads_what_strftime_writes(tmp_path, form):
    strftime = FORMATS[form] or form
    texts, expected = [], []
    for moment in moments():
        text = moment.strftime(strftime)
        texts.append(text)
        back = datetime.strptime(text, strftime)
        expected.append(ms(back if back.tzinfo else back.replace(tzinfo=UTC)))
    assert read(tmp_path, texts, form) == expected


def test_iso8601_reads_what_fromisoformat_reads(tmp_path):
    texts, expected = [], []
    for moment in moments(60):
        for form in ISO:
            text = moment.strftime(form)
            back = datetime.strptime(text, form)
            texts.append(text)
            expected.append(ms(back if back.tzinfo else back.replace(tzinfo=UTC)))
        texts.append(moment.isoformat())
        expected.append(ms(moment))
    assert read(tmp_path, texts, "iso8601") == expected


@pytest.mark.parametrize("tz", [BERLIN, LORD_HOWE, "EST5EDT,M3.2.0,M11.1.0", "UTC0"])
def test_local_is_what_python_takes_the_wall_clock_for(tmp_path, tz, monkeypatch):
    """Every half hour of a year, those that are skipped or there twice among them."""
    monkeypatch.setenv("TZ", tz)
    time.tzset()
    try:
        walls = [datetime(2024, 1, 1) + timedelta(minutes=30 * n) for n in range(2 * 24 * 366)]
        walls = [w for w in walls if w.month in (3, 4, 10, 11) or w.day == 1]
        expected = [round(w.timestamp() * 1000) for w in walls]
    finally:
        monkeypatch.undo()
        time.tzset()
    texts = [w.strftime("%Y-%m-%d %H:%M:%S") for w in walls]
    assert read(tmp_path, texts, "%Y-%m-%d %H:%M:%S", "local", TZ=tz) == expected


def test_a_year_that_is_missing_is_the_closest_at_most_two_days_ahead(tmp_path):
    now = datetime.now(UTC).replace(microsecond=0)
    days = [now + timedelta(days=n, hours=h) for n in range(-360, 3) for h in (0, -1)
            if not (n == 2 and h == 0)]
    texts = [day.strftime("%b %e %H:%M:%S") for day in days]
    got = read(tmp_path, texts, "%b %d %H:%M:%S")
    assert [t for t, day in zip(got, days) if (day.month, day.day) != (2, 29)] == [
        ms(day) for day in days if (day.month, day.day) != (2, 29)]
    leap = max(y for y in range(now.year - 8, now.year + 1)
               if y % 4 == 0 and datetime(y, 2, 29, tzinfo=UTC) <= now + timedelta(days=2))
    assert read(tmp_path, ["Feb 29 12:00:00", "Feb 30 12:00:00"], "%b %d %H:%M:%S") == [
        ms(datetime(leap, 2, 29, 12, tzinfo=UTC)), None]


def test_epochs_in_their_units(tmp_path):
    for form, unit in {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6,
                       "epoch_ns": 10**9}.items():
        numbers = [n * unit // 7 for n in (0, 1, 7, 1_728_568_416 * 7 + 3, 2**32)]
        assert read(tmp_path, [str(n) for n in numbers], form) == [
            n * 1000 // unit for n in numbers]
    assert read(tmp_path, ["1728568416.123456", "1e9", ""], "epoch") == [
        1728568416123, None, None]


def test_months_have_english_names_whatever_the_locale(tmp_path):
    assert read(tmp_path, ["10/mar/2024:00:00:00 +0000", "10/MARCH/2024:00:00:00 +0000",
                           "10/Mär/2024:00:00:00 +0000"], "%d/%b/%Y:%T %z",
                LC_ALL="de_DE.UTF-8") == [1710028800000, 1710028800000, None]
