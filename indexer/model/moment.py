"""A moment as people write it: 2h, yesterday, 2026-11-22, 2026-11-22T10:15+09:00."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final

from indexer.errors import Refused

__all__ = ["milliseconds", "parse_moment"]

_AGO: Final = re.compile(r"(\d{1,9})\s*(ms|s|m|h|d|w)(?: ago)?")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAYS: Final = {"today": 0, "yesterday": 1}


def parse_moment(text: str, now: datetime, option: str = "--since") -> datetime:
    """Read a moment; what names no time zone is in the user's.

    Args:
        text: a time ago (`15m`, `2h`, `7d`), `now`, `today`, `yesterday` (where they begin), a clock time of today, a
            date, or an ISO 8601 time.
        now: the present, with its time zone.
        option: for the message.

    Raises:
        Refused: where it is none of these.
    """
    said = text.strip().lower()
    try:
        for read in _READERS:
            moment = read(said, now)
            if moment is not None:
                return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        pass
    raise Refused(
        f"{option} {text!r} is not a time: write 2h or 15m for a time ago, yesterday, 2026-11-22, or"
        " 2026-11-22T10:15:00+09:00."
    )


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as dates are indexed."""
    return round(moment.timestamp() * 1000)


def _ago(said: str, now: datetime) -> datetime | None:
    if said == "now":
        return now
    found = _AGO.fullmatch(said)
    return now - int(found[1]) * _UNITS[found[2]] if found else None


def _day(said: str, now: datetime) -> datetime | None:
    if said not in _DAYS:
        return None
    # Without its zone, so that the midnight is that day's own where the clocks changed since.
    return datetime.combine(now.date() - timedelta(days=_DAYS[said]), time())


def _clock(said: str, now: datetime) -> datetime | None:
    return datetime.combine(now.date(), time.fromisoformat(said)) if re.match(r"\d\d:", said) else None


def _iso(said: str, _now: datetime) -> datetime:
    return datetime.fromisoformat(said.upper())


_READERS: Final[tuple[Callable[[str, datetime], datetime | None], ...]] = (_ago, _day, _clock, _iso)
