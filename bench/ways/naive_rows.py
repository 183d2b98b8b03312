"""How a competent user reads a table with the `crate` cursor: keyset pages, which are kinder than OFFSET."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from crate.client import connect

from bench.run import Task
from indexer.local.crate_table import Cursor
from indexer.local.samples import SampleRow

__all__ = ["PAGE", "actions"]

PAGE: Final = 10_000
"""Rows a page, as `reindex` has by default."""

_NAMES: Final = SampleRow._fields

_Row = dict[str, object]


def actions(task: Task) -> Iterator[_Row]:
    """The table's rows as the client's helpers take them, each a dict."""
    where, last = "", list[object]()
    url = urlsplit(task.source.split(",", maxsplit=1)[0])
    server = f"http://{url.hostname}:{url.port or 4200}"
    cursor: Cursor = connect(server, username=url.username, password=unquote(url.password or "")).cursor()
    while True:
        cursor.execute(f"SELECT {', '.join(_NAMES)} FROM {task.table} {where} ORDER BY id LIMIT {PAGE}", last)
        page: list[_Row] = [dict(zip(_NAMES, row, strict=True)) for row in cursor.fetchall()]
        for row in page:
            yield {"_index": task.index, "_id": row["id"], "_source": row}
        if len(page) < PAGE:
            return
        where, last = "WHERE id > ?", [page[-1]["id"]]
