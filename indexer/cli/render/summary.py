"""Summaries as text: lines for grep and awk, JSON or CSV."""

import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo

import orjson
import typer

from indexer.cli.render.hits import safe_text
from indexer.model.json import Json, JsonObject
from indexer.query.summary import Summary

__all__ = ["histogram_time", "print_summary", "shown_number"]


def print_summary(summary: Summary, output: str, zone: tzinfo | None) -> None:
    """Print a summary.

    Args:
        summary: what matched.
        output: as for hits; `raw` prints what `table` does.
        zone: the time zone of the histogram.
    """
    if output in {"json", "ndjson"}:
        indent = orjson.OPT_INDENT_2 if output == "json" else 0
        sys.stdout.buffer.write(orjson.dumps(_object(summary, zone), option=indent | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    rows = _rows(summary, zone)
    if output == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows([("what", "value", "count"), *rows])
        return
    sys.stdout.writelines(f"{name}\t{value}\t{count}\n" for name, value, count in rows)
    typer.echo(f"{summary.total:,} hits", err=True)


def _rows(summary: Summary, zone: tzinfo | None) -> list[tuple[str, str, str]]:
    """Three values a line, whatever the summary is of."""
    tops = [(name, safe_text(str(value)), str(count)) for name, bars in summary.top.items() for value, count in bars]
    stats = [
        (name, statistic, shown_number(value))
        for name, statistics in summary.stats.items()
        for statistic, value in asdict(statistics).items()
    ]
    return tops + stats + [("histogram", histogram_time(start, zone), str(count)) for start, count in summary.histogram]


def shown_number(value: float | None) -> str:
    """A number to six digits; empty for None."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.6g}"


def histogram_time(start: int, zone: tzinfo | None) -> str:
    """The time at which a bar of the histogram starts."""
    return datetime.fromtimestamp(start / 1000, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _object(summary: Summary, zone: tzinfo | None) -> JsonObject:
    shown: JsonObject = {"total": summary.total}
    if summary.top:
        tops: dict[str, list[Json]] = {
            name: [{"value": value, "count": count} for value, count in bars] for name, bars in summary.top.items()
        }
        shown["top"] = dict(tops)
    if summary.stats:
        shown["stats"] = {name: asdict(statistics) for name, statistics in summary.stats.items()}
    if summary.interval:
        shown["histogram"] = [
            {"time": histogram_time(start, zone), "count": count} for start, count in summary.histogram
        ]
    return shown
