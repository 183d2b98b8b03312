"""Hits as people read them, and as a line of JSON each."""

from datetime import UTC, datetime

import orjson
import typer
from rich.console import Console
from rich.text import Text

from indexer.model.json import Json
from indexer.model.search import Found, Hit

__all__ = ["hits_as_json", "print_hits"]

_TIMES = ("ts", "timestamp", "@timestamp", "time")
_TEXTS = ("message", "content", "msg")
_LEVELS = {"ERROR": "red", "FATAL": "red", "CRITICAL": "red", "WARN": "yellow", "WARNING": "yellow"}


def hits_as_json(found: Found) -> None:
    """Print one JSON object a hit."""
    for hit in found.hits:
        typer.echo(orjson.dumps({"_id": hit.id, "_score": hit.score, **hit.source}))


def print_hits(found: Found) -> None:
    """Print a line a hit, time, level, service and message first where there are such, then how many matched."""
    console = Console(highlight=False)
    for hit in found.hits:
        console.print(_line(hit), soft_wrap=not console.is_terminal)
    Console(stderr=True, highlight=False).print(f"{len(found.hits):,} of {found.total:,} hits")


def _line(hit: Hit) -> Text:
    source = hit.source
    line = Text()
    time = next((source[name] for name in _TIMES if source.get(name) is not None), None)
    if time is not None:
        line.append(f"{_time(time)} ", style="dim")
    level = source.get("level")
    if isinstance(level, str):
        line.append(f"{level:<5} ", style=_LEVELS.get(level.upper(), ""))
    service = source.get("service")
    if isinstance(service, str):
        line.append(f"{service} ", style="cyan")
    text = next((source[name] for name in _TEXTS if isinstance(source.get(name), str)), None)
    line.append(str(text) if text is not None else orjson.dumps(source).decode())
    return line


def _time(value: Json) -> str:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
    return str(value)
