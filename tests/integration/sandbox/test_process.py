"""Server processes: recognised by more than their pid, stopped with their children, run without privileges."""

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
from indexer.process_identity import ProcessIdentity
from indexer.sandbox.process import Process, free_port, free_ports, log_tail, server_account, spawn, wait_until
from indexer.sandbox.server import Launch, ServerOrigin
from tests.support.process_state import is_running

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

# A server that ignores SIGTERM and has to be killed; its alarm ends one that a failed test left behind.
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
    """A server that never becomes ready, in a folder accessible to its account."""
    with tempfile.TemporaryDirectory() as folder:
        yield Launch(
            name="CrateDB",
            url="crate://127.0.0.1:1",
            origin=ServerOrigin.HOME,
            command=[],
            environment={},
            folder=Path(folder),
            ready=lambda: False,
            remedy="fix it",
        )


def test_another_process_with_the_same_pid_is_not_stopped(bystander: "subprocess.Popen[bytes]") -> None:
    process = Process(replace(ProcessIdentity.of(bystander.pid), started=1))
    assert not process.alive()
    process.stop()
    assert bystander.poll() is None


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn([sys.executable, "-c", STUBBORN], log=log, environment={}, account=None)
    assert process.alive()
    assert wait_until(lambda: log_tail(log) == "up", 20)
    process.stop(grace=0.3)
    assert not process.alive()
    assert not psutil.pid_exists(process.pid)


def test_children_that_a_process_leaves_behind_are_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = STUBBORN.replace("SIG_IGN", "SIG_DFL")
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {program}"
    process = spawn([sys.executable, "-c", parent], log=log, environment={}, account=None)
    assert wait_until(lambda: log_tail(log) == "up\nup", 20)
    (child,) = psutil.Process(process.pid).children()
    process.stop()
    assert wait_until(lambda: not is_running(child), 10)


def test_a_server_is_asked_only_once_whether_it_is_ready(launch: Launch) -> None:
    answers = iter([False, True])
    server = replace(launch, command=["sleep", "600"], ready=lambda: next(answers, False)).start(timeout=20)
    alive = server.process is not None and server.process.alive()
    server.stop()
    assert alive


def test_a_process_that_has_exited_is_not_alive(tmp_path: Path) -> None:
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
def test_a_program_not_executable_by_the_server_account_is_refused(launch: Launch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "server").write_text("#!/bin/sh\n")
    (closed / "server").chmod(0o755)
    with pytest.raises(UsageError, match="CrateDB cannot be run by nobody"):
        replace(launch, command=[closed / "server"]).start()


def test_the_error_of_a_server_that_exits_shows_the_end_of_its_log(launch: Launch) -> None:
    with pytest.raises(
        UsageError, match=r"(?s)CrateDB exited during its start; fix it\. The end of .*out\.log:\n.*no such"
    ):
        replace(launch, command=["sh", "-c", "echo there is no such setting; exit 3"]).start()


def test_a_server_that_is_never_ready_is_stopped(launch: Launch) -> None:
    with pytest.raises(UsageError, match="was not ready within 5 s"):
        replace(launch, command=["sh", "-c", "echo $$ > pid; exec sleep 600"]).start(timeout=5)
    pid = int((launch.folder / "pid").read_text())
    assert not psutil.pid_exists(pid)


def test_a_port_in_use_is_not_chosen() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken


@pytest.mark.skipif(not EPHEMERAL.exists(), reason="the range of ephemeral ports is known on Linux only: run it there")
def test_chosen_ports_are_not_ephemeral_ones_that_a_connection_may_take() -> None:
    ports = free_ports([None] * 20)
    assert len(set(ports)) == 20
    lowest, highest = map(int, EPHEMERAL.read_text().split())
    assert not set(ports) & set(range(lowest, highest + 1))
