"""Summaries of the matches: the most frequent values, statistics of numbers, and a histogram over time."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from indexer.errors import UsageError
from indexer.model.json import Json, JsonObject
from indexer.model.mapping.field_type import NUMBERS
from indexer.model.mapping.index_fields import IndexFields
from indexer.query.moment import UNITS

__all__ = [
    "MAX_BARS",
    "Interval",
    "Statistics",
    "Summary",
    "SummaryRequest",
    "aggregations",
    "parse_interval",
    "read_summary",
]

MAX_BARS: Final = 2_000
"""The most bars of a histogram that is still readable; Elasticsearch refuses more than 65,536."""

_PERCENTS: Final = (50.0, 95.0, 99.0)
_MILLISECOND: Final = timedelta(milliseconds=1)
_INTERVAL: Final = re.compile(r"([1-9]\d{0,5})(ms|s|m|h|d|w)")


@dataclass(frozen=True, slots=True)
class Interval:
    """The width of a histogram's bars.

    Attributes:
        text: the interval as written, `5m`.
        milliseconds: its length.
    """

    text: str
    milliseconds: int

    def definition(self) -> JsonObject:
        """The parameter of `date_histogram`. One day or week is a calendar unit, which follows clock changes."""
        if self.text in {"1d", "1w"}:
            return {"calendar_interval": self.text}
        return {"fixed_interval": f"{self.milliseconds}ms"}

    def refuse_too_many_bars(self, span: float) -> None:
        """Refuse a time span, in milliseconds, that would have more than `MAX_BARS`."""
        if span / self.milliseconds > MAX_BARS:
            fitting = next((text for text, length in _STEPS if span / length <= MAX_BARS), _STEPS[-1][0])
            raise UsageError(
                f"--histogram {self.text} would draw {span / self.milliseconds:,.0f} bars, more than {MAX_BARS:,}: use"
                f" {fitting}, or a shorter time with --since and --until."
            )


_STEPS: Final = tuple(
    (text, int(text[:-1]) * UNITS[text[-1]] // _MILLISECOND)
    for text in ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "6h", "1d", "1w", "4w", "52w")
)


def parse_interval(text: str) -> Interval:
    """Parse `30s`, `5m`, `1h`, `1d` or `1w`.

    Raises:
        UsageError: if it is not an interval.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--histogram {text!r} is not an interval: write 30s, 5m, 1h, 1d or 1w.")
    return Interval(match[0], int(match[1]) * UNITS[match[2]] // _MILLISECOND)


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """Which numbers to compute about the matches.

    Attributes:
        top: fields to list the most frequent values of.
        stats: number fields to compute statistics of.
        interval: the width of the histogram's bars, or None for no histogram.
        top_size: how many values to list of a `top` field.
    """

    top: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    interval: Interval | None = None
    top_size: int = 10

    def __bool__(self) -> bool:
        return bool(self.top or self.stats or self.interval)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of a number field; None where no document has the field. Percentiles are approximate (t-digest)."""

    count: int
    min: float | None
    max: float | None
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The matches in numbers.

    Attributes:
        total: the exact number of documents that match.
        top: by field, the most frequent values with their counts, in descending order.
        others: by field, how many documents have other values.
        stats: by field, its statistics.
        histogram: the start of each bar, in milliseconds since 1970, and its count.
        interval: the bars' width, or None where there is no histogram.
    """

    total: int
    top: dict[str, tuple[tuple[Json, int], ...]]
    others: dict[str, int]
    stats: dict[str, Statistics]
    histogram: tuple[tuple[int, int], ...]
    interval: Interval | None


def aggregations(request: SummaryRequest, fields: IndexFields, time: str | None, zone: str) -> JsonObject:
    """The body's `aggs`.

    Args:
        request: what to compute.
        fields: the fields of the index.
        time: the time field, for the histogram.
        zone: the user's time zone as an offset, `+09:00`, in which days begin.

    Raises:
        UsageError: for an unknown field, a text field, or statistics of a field that is not a number.
    """
    aggs: JsonObject = {}
    for name in request.top:
        aggs[f"top:{name}"] = {"terms": {"field": fields.sortable(name, "--top"), "size": request.top_size}}
    for name in request.stats:
        number: JsonObject = {"field": _number_field(fields, name)}
        aggs[f"stats:{name}"] = {"stats": number}
        aggs[f"percentiles:{name}"] = {"percentiles": {**number, "percents": list(_PERCENTS)}}
    if request.interval:
        width = request.interval.definition()
        aggs["histogram"] = {"date_histogram": {"field": time, **width, "time_zone": zone, "min_doc_count": 0}}
    return aggs


def _number_field(fields: IndexFields, name: str) -> str:
    kind = fields.type(fields.sortable(name, "--stats"))
    if kind not in NUMBERS:
        numbers = [other for other in fields.definitions if fields.type(other) in NUMBERS]
        raise UsageError(f"--stats {name}: {name} is {kind}, not a number: name one of {', '.join(numbers) or 'none'}.")
    return name


def read_summary(total: int, results: dict[str, dict[str, Json]], request: SummaryRequest) -> Summary:
    """Read the `aggregations` of a response."""
    return Summary(
        total=total,
        top={name: tuple(_bars(results[f"top:{name}"], "key_as_string")) for name in request.top},
        others={name: _integer(results[f"top:{name}"].get("sum_other_doc_count")) for name in request.top},
        stats={name: _statistics(results[f"stats:{name}"], results[f"percentiles:{name}"]) for name in request.stats},
        histogram=tuple((_integer(key), count) for key, count in _bars(results.get("histogram", {}), "key")),
        interval=request.interval,
    )


def _bars(result: dict[str, Json], key: str) -> list[tuple[Json, int]]:
    """The buckets of an aggregation as pairs of a key and a count; `key` is the preferred member for the key."""
    buckets = result.get("buckets")
    valid = [bucket for bucket in (buckets if isinstance(buckets, list) else []) if isinstance(bucket, dict)]
    return [(bucket.get(key, bucket["key"]), _integer(bucket["doc_count"])) for bucket in valid]


def _integer(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _statistics(stats: dict[str, Json], percentiles: dict[str, Json]) -> Statistics:
    values = percentiles.get("values")
    by_percent = values if isinstance(values, dict) else {}
    p50, p95, p99 = (_float(by_percent.get(str(percent))) for percent in _PERCENTS)
    minimum, maximum, mean = (_float(stats.get(name)) for name in ("min", "max", "avg"))
    return Statistics(_integer(stats.get("count")), minimum, maximum, mean, p50, p95, p99)


def _float(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
