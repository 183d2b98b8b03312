"""The expected results of searches of the sample logs, by SQL on an SQLite file."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["found_ids", "ids_where"]


def ids_where(file: Path, condition: str) -> set[int]:
    """The ids of the sample logs in the file that meet an SQL condition."""
    with closing(sqlite3.connect(file)) as connection:
        return {id_ for (id_,) in connection.execute(f"SELECT id FROM logs WHERE {condition}")}


def found_ids(printed: str) -> list[int]:
    """The ids in the output of `indexer search --json`."""
    return [json.loads(line)["id"] for line in printed.splitlines()]
