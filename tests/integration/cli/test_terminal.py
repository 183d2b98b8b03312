"""Progress: a live bar for a terminal, a line every few seconds for a pipe, nothing where nothing is wanted."""

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
from tests.support.bulk_faults import standing_still
from tests.support.commands import environment
from tests.support.output_stream import Stream, terminal

pytestmark = pytest.mark.elasticsearch

ROWS = 3_000
DECIDES = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Variables that would decide in the terminal's place."""

ESCAPE = "\x1b"
ERASE = "\x1b[2K"
SPEED = r"loading\W+([1-9]\d*) of 3,000 rows · ([\d,]+) rows/s · [\d.]+ MB/s"


@dataclass(frozen=True)
class Job:
    """A reindex that stands still after its first batch.

    Attributes:
        options: what to start it with.
        alias: the alias that it is for.
        folder: where to start it.
        go: lets it finish.
    """

    options: tuple[str, ...]
    alias: str
    folder: Path
    go: Event

    @contextmanager
    def started(self, *more: str, stdin: int, stderr: int) -> Iterator["subprocess.Popen[bytes]"]:
        """The job as it runs; what is left of it after the block is killed."""
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
    with standing_still(elasticsearch_url, 1) as (proxy, go):
        servers = ("--source", f"sqlite:///{tmp_path}/logs.db", "--target", proxy.url)
        yield Job((*servers, "--index", alias, "--page", "500", "--batch-bytes", "64KiB"), alias, tmp_path, go)


def test_a_terminal_gets_a_live_bar_and_stdout_the_summary(job: Job) -> None:
    with terminal() as (screen, keyboard), job.started(stdin=keyboard, stderr=keyboard) as process:
        os.close(keyboard)
        # The job stands still: to see its state twice is to see a bar that is drawn again and again.
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


def test_quiet_leaves_a_terminal_empty_and_json_is_one_object(job: Job) -> None:
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
    """What a job that ends well prints to stdout."""
    assert process.stdout is not None
    out = process.stdout.read().decode()
    assert process.wait(timeout=60) == 0
    return out
