"""The terminal closes, or the system stops the job: it exits with the right code and can be resumed."""

import fcntl
import itertools
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.sandbox.process import wait_until
from indexer.sandbox.sample_table import load_sqlite_sample
from tests.support.attack_table import AttackRecord
from tests.support.bulk_faults import stalled_bulk
from tests.support.commands import environment, run, start
from tests.support.fault_proxy import Exchange, FaultProxy, hold_until, pass_through, refuse
from tests.support.output_stream import terminal

pytestmark = pytest.mark.elasticsearch

ROWS = 3_000
TAKEN = 12
"""Bulk requests that succeed before the job is stalled: a few pages of 500 rows."""


@dataclass(frozen=True)
class Held:
    """A job stalled soon after its start, and its command."""

    command: tuple[str, ...]
    alias: str
    proxy: FaultProxy
    go: threading.Event
    folder: Path

    @contextmanager
    def started(self, *before: str, screen: int) -> Iterator["subprocess.Popen[bytes]"]:
        """Start the job as session leader on this terminal."""

        def take_terminal() -> None:
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)

        with subprocess.Popen(
            [*before, Path(sys.executable).parent / "reindex", *self.command],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            cwd=self.folder,
            env=environment(TERM="xterm-256color"),
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509  # no thread of the test holds a lock that it could need
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def status(self, client: Elasticsearch) -> str:
        """The status in the job document."""
        return str(client.get(index=f"{self.alias}_jobs", id=f"alias:{self.alias}")["_source"]["status"])

    def is_interrupted(self, client: Elasticsearch) -> bool:
        """Whether the job document says so within 30 s: a stopped job waits only briefly for its last write."""
        return wait_until(lambda: self.status(client) == "interrupted", 30)


@pytest.fixture
def job(elasticsearch_url: str, alias: str, tmp_path: Path) -> Iterator[Held]:
    load_sqlite_sample(tmp_path / "logs.db", ROWS)
    with stalled_bulk(elasticsearch_url, 1) as (proxy, go):
        command = (
            "--source", f"sqlite:///{tmp_path}/logs.db", "--target", proxy.url, "--index", alias,
            "--jobs-index", f"{alias}_jobs", "--page", "500", "--batch-bytes", "64KiB",
        )  # fmt: skip
        yield Held(command, alias, proxy, go, tmp_path)


def test_closing_the_terminal_ends_the_job_with_code_143_and_a_resume_completes_it(
    job: Held, elasticsearch_url: str, record: AttackRecord
) -> None:
    with ExitStack() as stack:
        with terminal() as (screen, keyboard):
            process = stack.enter_context(job.started(screen=keyboard))
            os.close(keyboard)
            screen.wait_for(r"[1-9]\d* of 3,000 rows")
        assert process.wait(timeout=120) == 143
    with Elasticsearch(elasticsearch_url) as client:
        assert job.is_interrupted(client)
    job.go.set()
    again = run("reindex", *job.command, "--json", cwd=job.folder)
    assert again.code == 0, again.err
    assert json.loads(again.out)["resumed"]
    with Elasticsearch(elasticsearch_url) as client:
        record.tried(rows=ROWS, lost=ROWS - client.count(index=job.alias)["count"])


def test_a_stopped_job_checkpoints_the_documents_acknowledged_so_far(job: Held, elasticsearch_url: str) -> None:
    bulks, locks, answers = itertools.count(1), itertools.count(1), threading.Event()

    def fault(exchange: Exchange) -> None:
        """Accept some bulk requests, and only the first write of the lock, until `answers` is set."""
        if "/_bulk" in exchange.request.path:
            (pass_through if next(bulks) <= TAKEN else hold_until(job.go))(exchange)
        else:
            (pass_through if next(locks) == 1 or answers.is_set() else refuse(503))(exchange)

    def read(client: Elasticsearch) -> int:
        found = client.get(index=f"{job.alias}_jobs", id=f"alias:{job.alias}")["_source"]
        return sum(part["read"] for part in found["slices"])

    with (
        FaultProxy(elasticsearch_url, pattern="/_bulk|PUT .*/_doc/alias") as proxy,
        Elasticsearch(elasticsearch_url) as es,
    ):
        proxy.default = fault
        process = start("reindex", *job.command, "--target", proxy.url, cwd=job.folder)
        # Both writers are stalled in their next request, so every request before it is acknowledged.
        assert wait_until(lambda: sum("/_bulk" in one.path for one in proxy.requests) == TAKEN + 2, 180)
        assert read(es) == 0
        answers.set()
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143, err
        assert time.monotonic() - began < 40
        assert job.is_interrupted(es)
        assert read(es) > 0
        job.go.set()
    again = run("reindex", *job.command, "--json", cwd=job.folder)
    assert again.code == 0, again.err
    assert json.loads(again.out)["rows_indexed"] == ROWS


def test_a_job_under_nohup_outlives_its_terminal(job: Held, elasticsearch_url: str, record: AttackRecord) -> None:
    with ExitStack() as stack:
        with terminal() as (screen, keyboard):
            process = stack.enter_context(job.started("nohup", screen=keyboard))
            os.close(keyboard)
            screen.wait_for("nohup")
            assert wait_until(lambda: len(job.proxy.requests) > 1, 60)
        job.go.set()
        assert process.wait(timeout=120) == 0
    with Elasticsearch(elasticsearch_url) as client:
        assert job.status(client) == "done"
        record.tried(rows=ROWS, lost=ROWS - client.count(index=job.alias)["count"])


def test_a_burst_of_signals_still_ends_the_job_with_its_message_and_code(job: Held, elasticsearch_url: str) -> None:
    with terminal() as (screen, keyboard), job.started(screen=keyboard) as process:
        os.close(keyboard)
        screen.wait_for(r"[1-9]\d* of 3,000 rows")
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        screen.wait_for("error: Terminated by SIG(TERM|HUP); run the same command again to continue")
        assert process.wait(timeout=120) == 143
        assert "race condition" not in screen.text, "what Python says of a signal that has come and is to be ignored"
    with Elasticsearch(elasticsearch_url) as client:
        assert job.is_interrupted(client)
