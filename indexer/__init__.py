"""Streams CrateDB tables into Elasticsearch at a flat page cost, and proves that every row arrived.

::

    from indexer import Settings, reindex

    report = reindex(Settings(table="logs", page=10_000))

    from indexer import search

    for hit in search("timeout AND service:payments", since="2h", limit=20):
        print(hit.source["message"])

Names are loaded when they are first used, so that `indexer search` does not wait for the database drivers.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from indexer.version import VERSION

if TYPE_CHECKING:
    from indexer.errors import IndexerError
    from indexer.job.reindex import plan, reindex
    from indexer.model.job.plan import Plan
    from indexer.model.job.report import Report
    from indexer.search.api import search
    from indexer.search.hit import Hit
    from indexer.settings import Settings, Strategy

__version__ = VERSION

__all__ = ["Hit", "IndexerError", "Plan", "Report", "Settings", "Strategy", "plan", "reindex", "search"]

_HOMES = {
    "Hit": "indexer.search.hit",
    "IndexerError": "indexer.errors",
    "Plan": "indexer.model.job.plan",
    "Report": "indexer.model.job.report",
    "Settings": "indexer.settings",
    "Strategy": "indexer.settings",
    "plan": "indexer.job.reindex",
    "reindex": "indexer.job.reindex",
    "search": "indexer.search.api",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'indexer' has no attribute {name!r}")
