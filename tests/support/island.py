"""A network and a file system of their own, where no CrateDB is to be found: neither on localhost:4200 nor unpacked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import Ended, environment

__all__ = ["Island", "NoIsland", "island"]

_SETTLE = """
ip link set lo up || exit
if [ -d /opt/crate ]; then mount -t tmpfs none /opt/crate || exit; fi
echo settled
exec cat
"""

_NO_CRATE = {"CRATEDB_HOME": "", "DOCKER_HOST": "tcp://127.0.0.1:1"}


class NoIsland(Exception):
    """This machine lets this user make none; the message says why."""


@dataclass(frozen=True)
class Island:
    """The namespaces of the process that holds them.

    Attributes:
        pid: the process.
    """

    pid: int

    def run(self, *arguments: str, cwd: Path, timeout: float = 120, **env: str) -> Ended:
        """Run a console script there to its end; a server that it starts and leaves running stays there."""
        script = Path(sys.executable).parent / arguments[0]
        there = ["nsenter", f"--target={self.pid}", "--net", "--mount", "env", "-C", str(cwd)]
        done = subprocess.run(
            [*there, script, *arguments[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment(**_NO_CRATE, **env),
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def island() -> Iterator[Island]:
    """Make the namespaces; they end with the block and with the last process in them.

    Raises:
        NoIsland: without the right to make namespaces, or without the programs for it.
    """
    if os.geteuid() != 0:
        raise NoIsland("hiding a CrateDB that is here takes root: namespaces for the network and for mounts")
    command = ["unshare", "--net", "--mount", "sh", "-c", _SETTLE]
    pipe = subprocess.PIPE
    try:
        holder = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError as error:
        raise NoIsland(f"there is no {error.filename}") from error
    with holder:  # at its end the pipes are closed, and `cat` with them
        if holder.stdout is None or holder.stdout.readline() != "settled\n":
            raise NoIsland(holder.communicate()[1].strip())
        yield Island(holder.pid)
