"""Process identities: a process is known to run or to have ended only where its boot, namespace and start time fit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from indexer.process_identity import ProcessIdentity

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="identities are read from /proc: run it on Linux")


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_process_that_runs_is_alive() -> None:
    own = ProcessIdentity.of(os.getpid())
    assert (own.is_alive(), own.is_dead()) == (True, False)
    assert own == ProcessIdentity.of(os.getpid())


def test_a_zombie_and_a_reaped_process_are_dead(child: "subprocess.Popen[bytes]") -> None:
    identity = ProcessIdentity.of(child.pid)
    assert identity.is_alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert (identity.is_alive(), identity.is_dead()) == (False, True), "as a zombie"
    child.wait()
    assert (identity.is_alive(), identity.is_dead()) == (False, True), "once it is reaped"


def test_a_process_whose_pid_another_one_has_is_dead(child: "subprocess.Popen[bytes]") -> None:
    earlier = replace(ProcessIdentity.of(child.pid), started=1)
    assert (earlier.is_alive(), earlier.is_dead()) == (False, True)


@pytest.mark.parametrize("place", ["", "another boot, or another pid namespace"])
def test_nothing_is_known_of_a_process_of_another_place(child: "subprocess.Popen[bytes]", place: str) -> None:
    for pid in (child.pid, 2**22 + 1):  # the second is above Linux' highest pid
        elsewhere = replace(ProcessIdentity.of(child.pid), pid=pid, place=place)
        assert (elsewhere.is_alive(), elsewhere.is_dead()) == (False, False)


def test_nothing_is_known_of_a_process_without_a_start_time() -> None:
    unknown = replace(ProcessIdentity.of(os.getpid()), started=0)
    assert (unknown.is_alive(), unknown.is_dead()) == (False, False)
    assert ProcessIdentity.of(2**22 + 1).started == 0


def test_a_program_whose_name_looks_like_fields_is_identified() -> None:
    """The name is in parentheses in /proc, and may contain parentheses and spaces."""
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1 2 (', 0, 0, 0); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        before = ProcessIdentity.of(process.pid)
        process.stdout.readline()
        assert ProcessIdentity.of(process.pid) == before
        assert before.is_alive()
        process.kill()
