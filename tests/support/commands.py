"""Runs the console scripts as processes, as a user does, and returns their output and exit code."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.peak_rss import PeakRss

__all__ = ["JOBS_INDEX", "Ended", "environment", "run", "start"]

JOBS_INDEX = "INDEXER_JOBS_INDEX"
"""The variable that names a test's own index of jobs; see the fixture `alias`."""

_KEPT = ("INDEXER_CACHE", JOBS_INDEX)


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code, its output, and its peak memory in bytes, 0 if that was not measured."""

    code: int
    out: str
    err: str
    peak: int = field(default=0, compare=False)


def environment(**more: str) -> dict[str, str]:
    """A user's environment without the product's variables, except those that isolate tests and those in `more`."""
    removed = {"CRATEDB_URL", "ELASTICSEARCH_URL"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or (name not in removed and not name.startswith(("INDEXER_", "COV_")))
    }
    return {**kept, "NO_COLOR": "1", "COLUMNS": "200", **more}


def start(*arguments: str, cwd: Path | None = None, **env: str) -> "subprocess.Popen[str]":
    """Start a console script: `start("reindex", "--table", "logs")`."""
    script = Path(sys.executable).parent / arguments[0]
    return subprocess.Popen(
        [script, *arguments[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=cwd,
        env=environment(**env),
    )


def run(*arguments: str, cwd: Path | None = None, timeout: float = 120, **env: str) -> Ended:
    """Run a console script to its end."""
    with start(*arguments, cwd=cwd, **env) as process, PeakRss(process.pid) as peak:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:  # also if the tests are interrupted: nobody else waits for it
            process.kill()
            raise
    return Ended(process.returncode, out, err, peak.bytes)
