"""Local processes: known by more than their pid, stopped with all that they started, run without privileges."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from indexer.errors import UsageError
from indexer.sandbox.process import Process, free_port, free_ports, log_tail, server_account, spawn, wait_until
from indexer.sandbox.server import Launch, Origin
from tests.support.process_state import runs

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

# A server that hears no SIGTERM and has to be killed; of one that a test left behind, its alarm is the end.
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.alarm(600); print('up', flush=True);"
    " signal.pause()"
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop privileges: run the tests as root")


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.fixture
def launch() -> Iterator[Launch]:
    """A server that never answers, in a folder that its account can reach."""
    with tempfile.TemporaryDirectory() as folder:
        yield Launch(
            name="CrateDB",
            url="crate://127.0.0.1:1",
            origin=Origin.HOME,
            command=[],
            environment={},
            folder=Path(folder),
            ready=lambda: False,
            remedy="mend it",
        )


def test_a_stranger_with_the_same_pid_is_neither_ours_nor_stopped(bystander: "subprocess.Popen[bytes]") -> None:
    process = Process(bystander.pid, "another boot:12345")
    assert not process.alive()
    process.stop()
    assert bystander.poll() is None


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn([sys.executable, "-c", STUBBORN], log=log, environment={}, account=None)
    assert process.alive()
    assert wait_until(lambda: log_tail(log) == "up", 20)
    process.stop(grace=0.3)
    assert not process.alive()
    assert not psutil.pid_exists(process.pid)


def test_what_a_process_leaves_behind_is_killed_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = STUBBORN.replace("SIG_IGN", "SIG_DFL")
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {program}"
    process = spawn([sys.executable, "-c", parent], log=log, environment={}, account=None)
    assert wait_until(lambda: log_tail(log) == "up\nup", 20)
    (child,) = psutil.Process(process.pid).children()
    process.stop()
    assert wait_until(lambda: not runs(child), 10)


def test_a_server_that_was_ready_once_is_ready(launch: Launch) -> None:
    looks = iter([False, True])
    server = replace(launch, command=["sleep", "600"], ready=lambda: next(looks, False)).start(timeout=20)
    alive = server.process is not None and server.process.alive()
    server.stop()
    assert alive


def test_a_process_that_ended_by_itself_is_not_alive(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", ""], log=tmp_path / "log", environment={}, account=None)
    assert wait_until(lambda: not process.alive(), 20)
    process.stop()


@as_root
def test_root_runs_servers_as_nobody() -> None:
    account = server_account()
    assert account is not None
    assert account.name == "nobody"
    assert account.can("test", "-r", "/etc/passwd")
    assert not account.can("test", "-w", "/etc/passwd")


@as_root
def test_a_program_that_the_account_cannot_reach_is_refused_by_name(launch: Launch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "server").write_text("#!/bin/sh\n")
    (closed / "server").chmod(0o755)
    with pytest.raises(UsageError, match="CrateDB cannot be run by nobody"):
        replace(launch, command=[closed / "server"]).start()


def test_the_end_of_the_log_tells_why_a_server_did_not_start(launch: Launch) -> None:
    with pytest.raises(
        UsageError, match=r"(?s)CrateDB ended while it was starting: mend it; .*out\.log ends in\n.*no such"
    ):
        replace(launch, command=["sh", "-c", "echo there is no such setting; exit 3"]).start()


def test_a_server_that_is_never_ready_is_stopped(launch: Launch) -> None:
    with pytest.raises(UsageError, match="was not ready within 5 s"):
        replace(launch, command=["sh", "-c", "echo $$ > pid; exec sleep 600"]).start(timeout=5)
    pid = int((launch.folder / "pid").read_text())
    assert not psutil.pid_exists(pid)


def test_a_taken_port_is_not_chosen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken


@pytest.mark.skipif(not EPHEMERAL.exists(), reason="Linux tells which ports it gives to connections: run it there")
def test_a_port_that_a_server_waits_to_listen_on_is_given_to_no_connection_meanwhile() -> None:
    ports = free_ports([None] * 20)
    assert len(set(ports)) == 20
    lowest, highest = map(int, EPHEMERAL.read_text().split())
    assert not set(ports) & set(range(lowest, highest + 1))
