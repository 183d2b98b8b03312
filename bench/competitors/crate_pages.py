"""How a competent user reads a table with the `crate` cursor: keyset pages, and OFFSET to compare."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from crate.client import connect

from bench.competitors.task import Task
from indexer.sandbox.cratedb_table import Cursor

__all__ = ["PAGE", "Document", "keyset_pages", "offset_pages", "open_cursor"]

PAGE: Final = 10_000
"""Rows a page, as `reindex` has by default."""

Document = Mapping[str, object]


def open_cursor(task: Task) -> Cursor:
    """A cursor on a connection of its own."""
    url = urlsplit(task.source.split(",", maxsplit=1)[0])
    server = f"http://{url.hostname}:{url.port or 4200}"
    user, password = unquote(url.username) if url.username else None, unquote(url.password or "")
    cursor: Cursor = connect(server, username=user, password=password).cursor()
    return cursor


def keyset_pages(task: Task) -> Iterator[list[Document]]:
    """The table in pages by `id`, each from where the one before it ended."""
    cursor, where, last = open_cursor(task), "", list[object]()
    while page := _page(task, cursor, f"{where} ORDER BY id LIMIT {PAGE}", last):
        yield page
        if len(page) < PAGE:
            return
        where, last = "WHERE id > ?", [page[-1]["id"]]


def offset_pages(task: Task) -> Iterator[list[Document]]:
    """The table in pages by `id`, each after skipping all rows of those before it."""
    cursor, passed = open_cursor(task), 0
    while page := _page(task, cursor, f"ORDER BY id LIMIT {PAGE} OFFSET {passed}", []):
        yield page
        if len(page) < PAGE:
            return
        passed += PAGE


def _page(task: Task, cursor: Cursor, clauses: str, parameters: list[object]) -> list[Document]:
    cursor.execute(f"SELECT {', '.join(task.columns)} FROM {task.table} {clauses}", parameters)
    return [dict(zip(task.columns, row, strict=True)) for row in cursor.fetchall()]
