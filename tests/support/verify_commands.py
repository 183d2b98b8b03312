"""Runs `reindex` and `indexer verify` as processes on one alias, and reads a verification's report."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import Ended, run, start

__all__ = ["Commands", "difference_counts", "named_ids", "report_of"]


@dataclass(frozen=True)
class Commands:
    """Commands with options for the servers, the alias and the index of jobs."""

    source: str
    target: str
    alias: str
    cwd: Path

    @property
    def jobs(self) -> str:
        """The index of jobs."""
        return f"{self.alias}_jobs"

    def __call__(self, first: str, *words: str, cache: Path | None = None) -> Ended:
        """Run a command to its end, with another cache folder if one is given; `words` may override options."""
        env = {} if cache is None else {"INDEXER_CACHE": str(cache)}
        return run("indexer", first, *self._options, *words, cwd=self.cwd, timeout=120, **env)

    def start(self, first: str, *words: str) -> "subprocess.Popen[str]":
        """Start a command."""
        return start("indexer", first, *self._options, *words, cwd=self.cwd)

    @property
    def _options(self) -> tuple[str, ...]:
        servers = ("--source", self.source, "--target", self.target)
        return (*servers, "--index", self.alias, "--jobs-index", self.jobs, "--json", "--quiet")


def report_of(ended: Ended) -> dict[str, Any]:
    """The JSON report that a command printed."""
    assert "Traceback" not in ended.err
    assert ended.out, ended.err
    report: dict[str, Any] = json.loads(ended.out)
    return report


def difference_counts(report: dict[str, Any]) -> tuple[int, int, int]:
    """The numbers of missing, extra and different documents."""
    return report["missing"], report["extra"], report["different"]


def named_ids(report: dict[str, Any]) -> dict[str, str]:
    """The ids that the report names, and the kind of difference of each."""
    return {difference["_id"]: difference["kind"] for slice_ in report["slices"] for difference in slice_["first"]}
