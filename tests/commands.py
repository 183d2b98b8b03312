"""Runs the console scripts as a user does: as processes, with what they print and their exit code."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.peak import PeakRss

__all__ = ["Ended", "environment", "run", "start"]


@dataclass(frozen=True)
class Ended:
    """A command that ended, and the most memory that it held, in bytes; 0 where nobody looked."""

    code: int
    out: str
    err: str
    peak: int = field(default=0, compare=False)


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has set nothing of ours, and what a test adds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INDEXER_", "COV_"))}
    for name in ("CRATEDB_URL", "ELASTICSEARCH_URL"):
        kept.pop(name, None)
    cache = os.environ.get("INDEXER_CACHE")
    return {**kept, **({"INDEXER_CACHE": cache} if cache else {}), "NO_COLOR": "1", "COLUMNS": "200", **more}


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
    process = start(*arguments, cwd=cwd, **env)
    with PeakRss(process.pid) as peak:
        out, err = process.communicate(timeout=timeout)
    return Ended(process.returncode, out, err, peak.bytes)
