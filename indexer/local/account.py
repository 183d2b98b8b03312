"""The account that local servers run as: CrateDB and Elasticsearch both refuse to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Account", "server_account"]


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
