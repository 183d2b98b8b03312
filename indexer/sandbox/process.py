"""Server processes: the account they run as, how they start and stop, their ports and the end of their logs."""

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
from indexer.process_identity import ProcessIdentity

__all__ = ["Account", "Process", "free_port", "free_ports", "log_tail", "server_account", "spawn", "wait_until"]

_POLL: Final = 0.1
"""Seconds between two checks of a condition."""

_KILL_TIMEOUT: Final = 30.0
"""Seconds that a killed process may take to end: the kernel frees its memory first."""

_PORTS: Final = range(20_000, 32_000)
"""Below the ephemeral ports (from 32768 on Linux, from 49152 elsewhere).

A server listens long after its port was chosen; until then, any connection of this machine may take an ephemeral port.
"""

_PORT_TRIES: Final = 100
"""Ports of that range that are tried before any other."""

_STACK_FRAME: Final = re.compile(r"\s*(at [\w$.@/]+\(?|\.\.\. \d+ more|$)")


@dataclass(frozen=True, slots=True)
class Account:
    """A user account of this machine.

    Attributes:
        name: the login name, for messages.
        uid: the user id.
        gid: the id of the user's group.
    """

    name: str
    uid: int
    gid: int

    def can(self, *command: str | Path) -> bool:
        """Whether this account can run a command, and the command exits with 0.

        Running it also covers what mode bits do not show: ACLs, mount options, security modules.
        """
        try:
            completed = subprocess.run(  # noqa: S603 - the callers of this room name the program
                [str(word) for word in command],
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
        return completed.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can reach and list a folder; if it does not exist, its nearest parent that does."""
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        return self.can("test", "-r", existing, "-a", "-x", existing)

    def own(self, folder: Path) -> None:
        """Give a folder and everything in it to this account."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account() -> Account | None:
    """`nobody` if this program runs as root, since servers refuse to; else None: a server runs as its starter."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(name=nobody.pw_name, uid=nobody.pw_uid, gid=nobody.pw_gid)


_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""Processes that this interpreter started: only their parent can reap them."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that leads a process group of its own; another program can read this and stop it.

    Attributes:
        identity: which process it is, whoever has its pid later.
    """

    identity: ProcessIdentity

    @property
    def pid(self) -> int:
        """The process id, and the id of its process group."""
        return self.identity.pid

    def alive(self) -> bool:
        """Whether this very process runs; neither a zombie nor another process with its pid counts."""
        if self.identity.is_alive():
            return True
        child = _children.pop(self.pid, None)
        if child is not None:
            child.wait()
        return False

    def stop(self, grace: float = 30.0) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; children that it leaves behind are killed.

        Raises:
            UsageError: if it belongs to another user.
        """
        if not self.alive():
            return
        self._signal(signal.SIGTERM)
        if not wait_until(lambda: not self.alive(), grace):
            self._signal(signal.SIGKILL)
            wait_until(lambda: not self.alive(), _KILL_TIMEOUT)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to its whole group, without a warning, as if the machine had lost its power."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.alive(), _KILL_TIMEOUT)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise UsageError(
                f"Process {self.pid} belongs to another user; stop it as the user who started it."
            ) from error


def spawn(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str], account: Account | None
) -> Process:
    """Start a program in a session of its own, so that it outlives its parent.

    Args:
        command: the program and its arguments.
        log: the file for its output; the file's folder becomes the working directory.
        environment: the program's environment variables, besides PATH and the locale.
        account: the account that it runs as; None for that of this program.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - starting the program is the purpose
            [str(word) for word in command],
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
    return Process(ProcessIdentity.of(child.pid))


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Whether a condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port if nothing listens on it, else any free one, on the loopback interface."""
    (port,) = free_ports([preferred])
    return port


def free_ports(preferred: Iterable[int | None]) -> list[int]:
    """A distinct port for each that is preferred: that one if nothing listens on it, else any free one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(_bound(port)) for port in preferred]  # all bound at once: no port comes twice
        return [int(bound.getsockname()[1]) for bound in sockets]


def _bound(preferred: int | None) -> socket.socket:
    listener = socket.socket()
    # Connections in TIME_WAIT do not keep a port from being listened on, as servers set this option too.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for port in (*filter(None, [preferred]), *random.sample(_PORTS, k=_PORT_TRIES), 0):
        with suppress(OSError):  # another program listens on it
            listener.bind(("127.0.0.1", port))
            break
    return listener


def log_tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log without blank lines and Java stack frames, or a note that there are none."""
    if not log.exists():
        return "(no log was written)"
    text = log.read_text("utf-8", errors="replace").splitlines()
    # A Java server prints so many stack frames that the reason would be out of sight.
    return "\n".join([line for line in text if not _STACK_FRAME.match(line)][-lines:]) or "(the log is empty)"
