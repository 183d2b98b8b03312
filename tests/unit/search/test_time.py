"""Moments as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.errors import UsageError
from indexer.search.condition import epoch_milliseconds, parse_time

SEOUL = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 22, 10, 15, 30, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("15m", NOW - timedelta(minutes=15)),
        ("7d ago", NOW - timedelta(days=7)),
        (" 2W ", NOW - timedelta(weeks=2)),
        ("now", NOW),
        ("2026-11-22T10:15:00+09:00", datetime(2026, 11, 22, 1, 15, tzinfo=UTC)),
        ("2026-11-22t10:15z", datetime(2026, 11, 22, 10, 15, tzinfo=UTC)),
        ("today", datetime(2026, 11, 22).astimezone()),
        ("yesterday", datetime(2026, 11, 21).astimezone()),
        ("2026-11-20", datetime(2026, 11, 20).astimezone()),
        ("09:30", datetime(2026, 11, 22, 9, 30).astimezone()),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime) -> None:
    assert parse_time(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "tomorow", "2 fortnights", "25:00", "2026-13-01", "99999999w", "-2h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--until .* is not a time: write 2h"):
        parse_time(text, NOW, "--until")


def test_milliseconds_since_1970() -> None:
    assert epoch_milliseconds(datetime(1970, 1, 2, 9, tzinfo=SEOUL)) == 86_400_000
