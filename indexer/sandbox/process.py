"""A server process: started without privileges, recognised by more than its pid, stopped for good."""

import os
import pwd
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from indexer.errors import UsageError

__all__ = ["Account", "Process", "free_port", "free_ports", "log_tail", "server_account", "spawn", "wait_until"]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine.

    Attributes:
        name: the login name, for messages.
        uid: the user's number.
        gid: the number of the user's group.
    """

    name: str
    uid: int
    gid: int

    def can(self, *command: str | Path) -> bool:
        """Whether this account can run a command to a good end.

        Asking the kernel by doing it also covers what mode bits do not show: ACLs, mount options, security modules.
        """
        try:
            done = subprocess.run(  # noqa: S603 - the callers of this room name the program
                [str(part) for part in command],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except PermissionError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can reach a folder and list it; a folder yet to be made counts as its parent."""
        there = next(path for path in (folder, *folder.parents) if path.exists())
        return self.can("test", "-r", there, "-a", "-x", there)

    def own(self, folder: Path) -> None:
        """Give a folder and everything in it to this account."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account() -> Account | None:
    """`nobody` where this program runs as root, else None: a server then runs as whoever starts it."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(name=nobody.pw_name, uid=nobody.pw_uid, gid=nobody.pw_gid)


PAUSE: Final = 0.1
"""Seconds between two looks at a process or server."""

_KILLED: Final = 30.0
"""Seconds that a process may take to be gone once it was killed: its memory is given back first."""

_PORTS: Final = range(20_000, 32_000)
"""Below those that a system gives to whoever asks for any (from 32768 on Linux, from 49152 elsewhere).

A server listens long after its port was chosen, and meanwhile each connection of this machine takes any of those.
"""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_TRIES: Final = 100
"""How many of these are tried before any is taken."""

_FRAME: Final = re.compile(r"\s*(at [\w$.@/]+\(?|\.\.\. \d+ more|$)")

_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""The processes that this interpreter started: only their parent can reap them."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine. Pids are used again, so the moment of its birth is part of its name.

    Attributes:
        pid: its number; it leads a process group of the same number.
        born: the machine's boot and the clock ticks since then at which it started (proc(5), `starttime`).
    """

    pid: int
    born: str

    def alive(self) -> bool:
        """Whether this very process runs; neither a zombie nor a stranger with its pid counts."""
        if _born(self.pid) == self.born:
            return True
        child = _children.pop(self.pid, None)
        if child is not None:
            child.wait()
        return False

    def stop(self, grace: float = 30.0) -> None:
        """Ask it to end, and after `grace` seconds, or for children that it left behind, do not ask.

        Raises:
            UsageError: where it belongs to another user.
        """
        if not self.alive():
            return
        self._signal(signal.SIGTERM)
        if not wait_until(lambda: not self.alive(), grace):
            self._signal(signal.SIGKILL)
            wait_until(lambda: not self.alive(), _KILLED)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to its whole group: no farewell, as where a machine loses its power."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.alive(), _KILLED)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise UsageError(
                f"Process {self.pid} belongs to another user: stop it as the user who started it."
            ) from error


def spawn(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str], account: Account | None
) -> Process:
    """Start a program in a session of its own, so that it outlives its parent, with its output in `log`.

    Args:
        command: the program and its arguments.
        log: the file that its output goes to; its folder becomes the working directory.
        environment: all that it gets of the environment beside PATH and the locale.
        account: whose rights it runs with; None for those of this program.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - starting the program is the purpose
            [str(part) for part in command],
            cwd=log.parent,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    _children[child.pid] = child
    return Process(pid=child.pid, born=_born(child.pid) or "")


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Whether a condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port where nothing listens on it, else any free one, on the loopback interface."""
    (port,) = free_ports([preferred])
    return port


def free_ports(preferred: Iterable[int | None]) -> list[int]:
    """As many ports as are preferred, none twice: each that, where nothing listens on it, else any free one."""
    with ExitStack() as stack:
        probes = [stack.enter_context(_bound(port)) for port in preferred]  # all open, so that none comes twice
        return [int(probe.getsockname()[1]) for probe in probes]


def log_tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log that say something, or a note that there are none."""
    if not log.exists():
        return "(no log was written)"
    told = log.read_text("utf-8", errors="replace").splitlines()
    # A Java server prints so many stack frames that its reason would be out of sight.
    return "\n".join([line for line in told if not _FRAME.match(line)][-lines:]) or "(the log is empty)"


def _bound(preferred: int | None) -> socket.socket:
    probe = socket.socket()
    # Connections in TIME_WAIT keep nobody from listening, as servers themselves set this option.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for port in (*filter(None, [preferred]), *random.sample(_PORTS, k=_TRIES), 0):
        with suppress(OSError):  # somebody listens there
            probe.bind(("127.0.0.1", port))
            break
    return probe


def _born(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else f"{_BOOT_ID.read_text('utf-8').strip()}:{fields[18]}"
