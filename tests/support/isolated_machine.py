"""Network and mount namespaces without a CrateDB, neither on localhost:4200 nor unpacked in /opt/crate."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import Ended, environment

__all__ = ["IsolatedMachine", "IsolationUnavailable", "isolated_machine"]

_SET_UP = """
ip link set lo up || exit
if [ -d /opt/crate ]; then mount -t tmpfs none /opt/crate || exit; fi
echo ready
exec cat
"""

_NO_CRATE = {"CRATEDB_HOME": "", "DOCKER_HOST": "tcp://127.0.0.1:1"}


class IsolationUnavailable(Exception):
    """The namespaces cannot be created; the message says why."""


@dataclass(frozen=True)
class IsolatedMachine:
    """The namespaces of a process that keeps them alive.

    Attributes:
        pid: the process id.
    """

    pid: int

    def run(self, *arguments: str, cwd: Path, timeout: float = 120, **env: str) -> Ended:
        """Run a console script to its end in the namespaces; servers that it leaves running stay in them."""
        script = Path(sys.executable).parent / arguments[0]
        prefix = ["nsenter", f"--target={self.pid}", "--net", "--mount", "env", "-C", str(cwd)]
        completed = subprocess.run(
            [*prefix, script, *arguments[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment(**_NO_CRATE, **env),
            check=False,
        )
        return Ended(completed.returncode, completed.stdout, completed.stderr)


@contextmanager
def isolated_machine() -> Iterator[IsolatedMachine]:
    """Create the namespaces; they end after the block, with their last process.

    Raises:
        IsolationUnavailable: if the user may not create namespaces, or the programs for it are missing.
    """
    if os.geteuid() != 0:
        raise IsolationUnavailable("only root can create network and mount namespaces")
    command = ["unshare", "--net", "--mount", "sh", "-c", _SET_UP]
    pipe = subprocess.PIPE
    try:
        holder = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError as error:
        raise IsolationUnavailable(f"there is no {error.filename}") from error
    with holder:  # closes its pipes at the end, which ends `cat`
        if holder.stdout is None or holder.stdout.readline() != "ready\n":
            raise IsolationUnavailable(holder.communicate()[1].strip())
        yield IsolatedMachine(holder.pid)
