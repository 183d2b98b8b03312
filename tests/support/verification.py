"""Runs `reindex` and `indexer verify` as processes on one alias, and reads what a verification found."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import Ended, run, start

__all__ = ["Commands", "found", "named", "wrong"]


@dataclass(frozen=True)
class Commands:
    """Commands with the servers, the alias and the index of jobs given."""

    source: str
    target: str
    alias: str
    cwd: Path

    @property
    def jobs(self) -> str:
        """The index of jobs."""
        return f"{self.alias}_jobs"

    def __call__(self, first: str, *words: str, cache: Path | None = None) -> Ended:
        """Run one to its end, with a cache folder of its own where one is given; the last of two options counts."""
        env = {} if cache is None else {"INDEXER_CACHE": str(cache)}
        return run("indexer", first, *self._options, *words, cwd=self.cwd, timeout=120, **env)

    def start(self, first: str, *words: str) -> "subprocess.Popen[str]":
        """Start one."""
        return start("indexer", first, *self._options, *words, cwd=self.cwd)

    @property
    def _options(self) -> tuple[str, ...]:
        servers = ("--source", self.source, "--target", self.target)
        return (*servers, "--index", self.alias, "--jobs-index", self.jobs, "--json", "--quiet")


def found(ended: Ended) -> dict[str, Any]:
    """The report."""
    assert "Traceback" not in ended.err
    assert ended.out, ended.err
    answer: dict[str, Any] = json.loads(ended.out)
    return answer


def wrong(answer: dict[str, Any]) -> tuple[int, int, int]:
    """How many ids are missing, extra, different."""
    return answer["missing"], answer["extra"], answer["different"]


def named(answer: dict[str, Any]) -> dict[str, str]:
    """The ids that are named, and what is wrong with each."""
    return {one["_id"]: one["kind"] for part in answer["slices"] for one in part["first"]}
