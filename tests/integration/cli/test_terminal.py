"""Progress: a live bar on a terminal, a line every few seconds in a pipe, nothing with --quiet."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import environment
from tests.support.output_stream import Stream, terminal

pytestmark = pytest.mark.elasticsearch

ROWS = 3_000
DECIDES = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Variables that would override terminal detection."""

ESCAPE = "\x1b"
ERASE = "\x1b[2K"
SPEED = r"loading\W+([1-9]\d*) of 3,000 rows · ([\d,]+) rows/s · [\d.]+ MB/s"


@dataclass(frozen=True)
class Job:
    """A `reindex` stalled after its first batch.

    Attributes:
        options: its options.
        alias: its target.
        folder: its working directory.
        go: set to let it continue.
    """

    options: tuple[str, ...]
    alias: str
    folder: Path
    go: Event

    @contextmanager
    def started(self, *more: str, stdin: int, stderr: int) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the job during the block; kill it if it is still running at the end."""
        env = {name: value for name, value in environment(TERM="xterm-256color").items() if name not in DECIDES}
        with subprocess.Popen(
            [Path(sys.executable).parent / "reindex", *self.options, *more],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=self.folder,
            env=env,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def job(elasticsearch_url: str, alias: str, tmp_path: Path) -> Iterator[Job]:
    load_sqlite_sample(tmp_path / "logs.db", ROWS)
    with stalled_bulk(elasticsearch_url, 1) as (proxy, go):
        servers = ("--source", f"sqlite:///{tmp_path}/logs.db", "--target", proxy.url)
        yield Job((*servers, "--index", alias, "--page", "500", "--batch-bytes", "64KiB"), alias, tmp_path, go)


def test_a_terminal_gets_a_live_bar_and_stdout_the_summary(job: Job) -> None:
    with terminal() as (screen, keyboard), job.started(stdin=keyboard, stderr=keyboard) as process:
        os.close(keyboard)
        # The job is stalled: the same figures twice prove that the bar is redrawn.
        first, second = screen.wait_for(SPEED), screen.wait_for(SPEED)
        job.go.set()
        screen.rest()
        out = output(process)
    assert 0 < int(first[1]) == int(second[1]) < ROWS
    assert "━" in screen.text
    assert ERASE in screen.raw, "the bar is not drawn over itself"
    assert screen.raw.endswith(ERASE), "the bar stays when the job has ended"
    assert "3,000 of 3,000 rows of logs are in" in out
    assert f"The alias {job.alias} points to {job.alias}_2" in out
    assert ESCAPE not in out
    assert "rows of logs are in" not in screen.text


def test_a_pipe_gets_a_plain_line_every_few_seconds(job: Job) -> None:
    began = time.monotonic()
    with job.started(stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        log = Stream(process.stderr.fileno())
        log.wait_for(rf"{SPEED}.*\n")
        log.wait_for(rf"{SPEED}.*\n")
        job.go.set()
        log.rest()
        out = output(process)
    seconds = time.monotonic() - began
    headline, *lines = log.raw.split("\n")[:-1]
    assert headline.startswith("logs: 3,000 rows in ")
    assert 2 <= len(lines) <= 2 + seconds / 2, "a line every few seconds, and one as it ends"
    assert all(line.startswith(("planning: ", "loading: ", "verifying: ", "switching: ")) for line in lines)
    assert all(line.isprintable() for line in (headline, *lines)), "the lines have codes for a terminal"
    assert "3,000 of 3,000 rows of logs are in" in out
    assert ESCAPE not in out


def test_quiet_prints_nothing_to_the_terminal_and_json_one_object(job: Job) -> None:
    job.go.set()
    with (
        terminal() as (screen, keyboard),
        job.started("--quiet", "--json", stdin=keyboard, stderr=keyboard) as process,
    ):
        os.close(keyboard)
        screen.rest()
        out = output(process)
    assert json.loads(out)["rows_indexed"] == ROWS
    assert not screen.raw


def output(process: "subprocess.Popen[bytes]") -> str:
    """The stdout of a job; fail unless it exits with 0."""
    assert process.stdout is not None
    out = process.stdout.read().decode()
    assert process.wait(timeout=60) == 0
    return out
