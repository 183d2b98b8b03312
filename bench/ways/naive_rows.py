"""How a competent user reads a table with the `crate` cursor: keyset pages, and OFFSET to compare."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from crate.client import connect

from bench.run import Task, Way
from indexer.sandbox.cratedb_table import Cursor

__all__ = ["PAGE", "NaiveRow", "actions", "keyset_pages", "open_cursor"]

PAGE: Final = 10_000
"""Rows a page, as `reindex` has by default."""

_BY_OFFSET: Final = {Way.OFFSET_BULK, Way.OFFSET_PARALLEL}

NaiveRow = Mapping[str, object]


def actions(task: Task) -> Iterator[dict[str, object]]:
    """The table's rows as the client's helpers take them, each a dict."""
    for page in (_by_offset if task.way in _BY_OFFSET else keyset_pages)(task):
        for row in page:
            yield {"_index": task.index, "_id": row["id"], "_source": row}


def open_cursor(task: Task) -> Cursor:
    """A cursor on a connection of its own."""
    url = urlsplit(task.source.split(",", maxsplit=1)[0])
    server = f"http://{url.hostname}:{url.port or 4200}"
    user, password = unquote(url.username) if url.username else None, unquote(url.password or "")
    cursor: Cursor = connect(server, username=user, password=password).cursor()
    return cursor


def keyset_pages(task: Task) -> Iterator[list[NaiveRow]]:
    """The table in pages by `id`, each from where the one before it ended."""
    cursor, where, last = open_cursor(task), "", list[object]()
    while True:
        cursor.execute(f"SELECT {', '.join(task.columns)} FROM {task.table} {where} ORDER BY id LIMIT {PAGE}", last)
        page = _fetched(task, cursor)
        yield page
        if len(page) < PAGE:
            return
        where, last = "WHERE id > ?", [page[-1]["id"]]


def _by_offset(task: Task) -> Iterator[list[NaiveRow]]:
    cursor, passed = open_cursor(task), 0
    while True:
        cursor.execute(
            f"SELECT {', '.join(task.columns)} FROM {task.table} ORDER BY id LIMIT {PAGE} OFFSET {passed}", []
        )
        page = _fetched(task, cursor)
        yield page
        if len(page) < PAGE:
            return
        passed += PAGE


def _fetched(task: Task, cursor: Cursor) -> list[NaiveRow]:
    return [dict(zip(task.columns, row, strict=True)) for row in cursor.fetchall()]
