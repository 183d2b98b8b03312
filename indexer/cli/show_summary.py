"""Summaries as people read them, with bars, and as JSON or CSV."""

import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo

import orjson
import typer

from indexer.cli.show_hits import on_terminal, plain
from indexer.model.json import Json, JsonObject
from indexer.model.summary import Summary

__all__ = ["number", "print_summary", "time_of"]


def print_summary(summary: Summary, output: str, zone: tzinfo | None) -> None:
    """Print a summary: as tables, without bars where stdout is no terminal, or as JSON or CSV.

    Args:
        summary: what matched.
        output: as for hits; `raw` is as `table`.
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
    if on_terminal():
        from indexer.cli.draw_summary import draw_summary

        draw_summary(summary, zone)
    else:
        sys.stdout.writelines(f"{what}\t{value}\t{count}\n" for what, value, count in rows)
    typer.echo(f"{summary.total:,} hits", err=True)


def _rows(summary: Summary, zone: tzinfo | None) -> list[tuple[str, str, str]]:
    """Three values a line, whatever they tell of: for grep, cut and awk."""
    tops = [(name, plain(str(value)), str(count)) for name, bars in summary.top.items() for value, count in bars]
    stats = [(name, what, number(value)) for name, one in summary.stats.items() for what, value in asdict(one).items()]
    return tops + stats + [("histogram", time_of(at, zone), str(count)) for at, count in summary.histogram]


def number(value: float | None) -> str:
    """A number as a person reads it, to six digits; nothing for none."""
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.6g}"


def time_of(at: int, zone: tzinfo | None) -> str:
    """Where a bar of the histogram begins."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _object(summary: Summary, zone: tzinfo | None) -> JsonObject:
    shown: JsonObject = {"total": summary.total}
    if summary.top:
        tops: dict[str, list[Json]] = {
            name: [{"value": value, "count": count} for value, count in bars] for name, bars in summary.top.items()
        }
        shown["top"] = dict(tops)
    if summary.stats:
        shown["stats"] = {name: asdict(one) for name, one in summary.stats.items()}
    if summary.interval:
        shown["histogram"] = [{"time": time_of(at, zone), "count": count} for at, count in summary.histogram]
    return shown
