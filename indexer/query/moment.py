"""Moments as users write them: `2h`, `yesterday`, `10:15`, `2026-11-22T10:15:00+09:00`."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final

from indexer.errors import UsageError

__all__ = ["UNITS", "epoch_milliseconds", "parse_time"]

_AGO: Final = re.compile(r"(\d{1,9})\s*(ms|s|m|h|d|w)(?: ago)?")
UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}


def parse_time(text: str, now: datetime, option: str = "--since") -> datetime:
    """Parse a moment. Without a time zone it is in the user's.

    Args:
        text: a time ago (`15m`, `2h`, `7d`), `now`, the beginning of `today` or `yesterday`, a time today, a date,
            or an ISO 8601 time.
        now: the present, with its time zone.
        option: the option that was given, for the message.

    Raises:
        UsageError: if it is none of these.
    """
    normalized = text.strip().lower()
    try:
        for parse in _PARSERS:
            moment = parse(normalized, now)
            if moment is not None:
                return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"{option} {text!r} is not a time: write 2h or 15m for a time ago, yesterday, 2026-11-22, or"
        " 2026-11-22T10:15:00+09:00."
    )


def epoch_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as dates are indexed."""
    return round(moment.timestamp() * 1000)


def _parse_ago(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    match = _AGO.fullmatch(text)
    return now - int(match[1]) * UNITS[match[2]] if match else None


def _parse_day(text: str, now: datetime) -> datetime | None:
    if text not in _DAYS_AGO:
        return None
    # Without a zone, so that midnight is that day's own, even if the clocks have changed since.
    return datetime.combine(now.date() - timedelta(days=_DAYS_AGO[text]), time())


def _parse_time_of_day(text: str, now: datetime) -> datetime | None:
    return datetime.combine(now.date(), time.fromisoformat(text)) if re.match(r"\d\d:", text) else None


def _parse_iso(text: str, _now: datetime) -> datetime:
    return datetime.fromisoformat(text.upper())


_PARSERS: Final[tuple[Callable[[str, datetime], datetime | None], ...]] = (
    _parse_ago,
    _parse_day,
    _parse_time_of_day,
    _parse_iso,
)
