"""Real logs: loads samples of the loghub collection into CrateDB, one table for each system.

The files are the structured 2,000-line samples of https://github.com/logpai/loghub: Jieming Zhu, Shilin He, Pinjia He,
Jinyang Liu, Michael R. Lyu, "Loghub: A Large Collection of System Log Datasets for AI-driven Log Analytics", ISSRE
2023. They are not part of this product; the caller names the folder that contains them.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from indexer.errors import UsageError
from indexer.model.table.table import TableName
from indexer.sandbox.cratedb_table import Cursor, driver_errors, load_rows, quoted_table

__all__ = ["SYSTEMS", "load_system"]

SYSTEMS: Final = ("Apache", "BGL", "HDFS", "HealthApp", "Linux", "OpenSSH", "Spark", "Zookeeper")
"""The systems of the collection that are used; each has a file of its name."""

_LINE_ID: Final = "line_id"
_CAMEL_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def load_system(cursor: Cursor, folder: Path, system: str, schema: str) -> str:
    """Load one system's log into a new table: the line number is the primary key, every other column is text.

    Args:
        cursor: a cursor of CrateDB.
        folder: the folder of the CSV files.
        system: one of `SYSTEMS`.
        schema: the schema of the table; a table of the same name is replaced.

    Returns:
        the table's name, quoted as `--table` takes it: `"schema"."apache"`.

    Raises:
        UsageError: if the folder has no such file.
        SourceError: if CrateDB rejects a statement or a row.
    """
    file = folder / f"{system}.csv"
    if not file.is_file():
        raise UsageError(f"{file} is missing; save loghub's {system}_2k.log_structured.csv there.")
    table = TableName(system.lower(), schema)
    header, *lines = _lines(file)
    columns = [_CAMEL_HUMP.sub("_", name).lower() for name in header]
    with driver_errors(table):
        _create(cursor, table, columns)
        load_rows(cursor, table, columns, lines)
    return quoted_table(table)


def _lines(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8", newline="") as text:
        yield from csv.reader(text)


def _create(cursor: Cursor, table: TableName, columns: list[str]) -> None:
    types = [f'"{column}" {"INTEGER PRIMARY KEY" if column == _LINE_ID else "TEXT"}' for column in columns]
    cursor.execute(f"DROP TABLE IF EXISTS {quoted_table(table)}")
    cursor.execute(f"CREATE TABLE {quoted_table(table)} ({', '.join(types)}) WITH (number_of_replicas = 0)")
