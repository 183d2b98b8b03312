"""Summaries of what matched: the most frequent values, statistics of numbers, and a histogram over time."""

import re
from dataclasses import dataclass
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.index_fields import IndexFields

__all__ = [
    "MOST_BARS",
    "Interval",
    "Statistics",
    "Summary",
    "SummaryRequest",
    "aggregations",
    "parse_interval",
    "read_summary",
]

MOST_BARS: Final = 2_000
"""Bars of a histogram: more are no picture, and Elasticsearch refuses beyond 65,536."""

_NUMBERS: Final = frozenset(
    {"long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float", "scaled_float"}
)
_PERCENTS: Final = (50.0, 95.0, 99.0)
_INTERVAL: Final = re.compile(r"([1-9]\d{0,5})(ms|s|m|h|d|w)")
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True, slots=True)
class Interval:
    """The width of a histogram's bars.

    Attributes:
        text: as written, `5m`.
        milliseconds: its length.
    """

    text: str
    milliseconds: int

    def definition(self) -> JsonObject:
        """How a `date_histogram` is asked for it; one day or week is the calendar's, where the clocks change too."""
        if self.text in {"1d", "1w"}:
            return {"calendar_interval": self.text}
        return {"fixed_interval": f"{self.milliseconds}ms"}

    def refuse_too_many(self, span: float) -> None:
        """Refuse a time span, in milliseconds, that would have too many bars."""
        if span / self.milliseconds > MOST_BARS:
            fit = next((unit for unit in _STEPS if span / unit[1] <= MOST_BARS), _STEPS[-1])
            raise UsageError(
                f"--histogram {self.text} would draw {span / self.milliseconds:,.0f} bars, and {MOST_BARS:,} is the"
                f" most: use {fit[0]}, or less time with --since and --until."
            )


_STEPS: Final = tuple(
    (text, int(text[:-1]) * _MILLISECONDS[text[-1]])
    for text in ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "6h", "1d", "1w", "4w", "52w")
)


def parse_interval(text: str) -> Interval:
    """Read `30s`, `5m`, `1h`, `1d`, `1w`.

    Raises:
        UsageError: where it is none.
    """
    found = _INTERVAL.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--histogram {text!r} is not an interval: write 30s, 5m, 1h, 1d or 1w.")
    return Interval(found[0], int(found[1]) * _MILLISECONDS[found[2]])


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """What is asked for.

    Attributes:
        top: fields whose most frequent values are wanted.
        stats: fields of numbers whose statistics are wanted.
        interval: the width of the histogram's bars, or None for no histogram.
        count: how many values of a `top` field.
    """

    top: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    interval: Interval | None = None
    count: int = 10

    def __bool__(self) -> bool:
        return bool(self.top or self.stats or self.interval)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of a field's numbers; None where no document has the field. Percentiles are approximate (t-digest)."""

    count: int
    min: float | None
    max: float | None
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What matched, in numbers.

    Attributes:
        total: how many documents match, exactly.
        top: by field, the most frequent values with their counts, the most frequent first.
        others: by field, how many documents have other values.
        stats: by field.
        histogram: where each bar begins, in milliseconds since 1970, and its count.
        interval: the bars' width, or None where there is no histogram.
    """

    total: int
    top: dict[str, tuple[tuple[Json, int], ...]]
    others: dict[str, int]
    stats: dict[str, Statistics]
    histogram: tuple[tuple[int, int], ...]
    interval: Interval | None


def aggregations(wanted: SummaryRequest, fields: IndexFields, time: str | None, zone: str) -> JsonObject:
    """The body's `aggs`.

    Args:
        wanted: what is asked for.
        fields: what the index has.
        time: the field of the histogram.
        zone: the user's time zone as an offset, `+09:00`: days begin there.

    Raises:
        UsageError: for an unknown field, text, or statistics of what is no number.
    """
    aggs: JsonObject = {}
    for name in wanted.top:
        aggs[f"top:{name}"] = {"terms": {"field": fields.exact(name, "--top"), "size": wanted.count}}
    for name in wanted.stats:
        number: JsonObject = {"field": _number(fields, name)}
        aggs[f"stats:{name}"] = {"stats": number}
        aggs[f"percentiles:{name}"] = {"percentiles": {**number, "percents": list(_PERCENTS)}}
    if wanted.interval:
        width = wanted.interval.definition()
        aggs["histogram"] = {"date_histogram": {"field": time, **width, "time_zone": zone, "min_doc_count": 0}}
    return aggs


def _number(fields: IndexFields, name: str) -> str:
    kind = fields.type(fields.exact(name, "--stats"))
    if kind not in _NUMBERS:
        numbers = [other for other in fields.definitions if fields.type(other) in _NUMBERS]
        raise UsageError(f"--stats {name}: {name} is {kind}, not a number: name one of {', '.join(numbers) or 'none'}.")
    return name


def read_summary(total: int, answer: dict[str, dict[str, Json]], wanted: SummaryRequest) -> Summary:
    """Read the `aggregations` of an answer."""
    return Summary(
        total=total,
        top={name: tuple(_bars(answer[f"top:{name}"], "key_as_string")) for name in wanted.top},
        others={name: _whole(answer[f"top:{name}"].get("sum_other_doc_count")) for name in wanted.top},
        stats={name: _statistics(answer[f"stats:{name}"], answer[f"percentiles:{name}"]) for name in wanted.stats},
        histogram=tuple((_whole(key), count) for key, count in _bars(answer.get("histogram", {}), "key")),
        interval=wanted.interval,
    )


def _bars(answer: dict[str, Json], named: str) -> list[tuple[Json, int]]:
    buckets = answer.get("buckets")
    found = [bucket for bucket in (buckets if isinstance(buckets, list) else []) if isinstance(bucket, dict)]
    return [(bucket.get(named, bucket["key"]), _whole(bucket["doc_count"])) for bucket in found]


def _whole(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _statistics(stats: dict[str, Json], percentiles: dict[str, Json]) -> Statistics:
    values = percentiles.get("values")
    at = values if isinstance(values, dict) else {}
    p50, p95, p99 = (_real(at.get(str(percent))) for percent in _PERCENTS)
    least, most, mean = (_real(stats.get(name)) for name in ("min", "max", "avg"))
    return Statistics(_whole(stats.get("count")), least, most, mean, p50, p95, p99)


def _real(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
