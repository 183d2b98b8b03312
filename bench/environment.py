"""Environments: what a way needs beside this program, made once under the cache folder, each by itself."""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.servers import FOLDER
from indexer.errors import UsageError
from indexer.sandbox.cache import SERVERS, file_lock, server_cache
from indexer.sandbox.download import maven_artifact

__all__ = ["Environment", "Jar"]

_PINS: Final = Path(__file__).parent / "environments"
_LOCK: Final = "environments.lock"
_DONE: Final = "installed"
_PATIENCE: Final = 900
"""Seconds for the packages of one of them."""

_PIP: Final = ("--quiet", "--disable-pip-version-check", "--no-input")
"""So that its last words are the reason, and not that there is a newer pip; nobody is there to answer questions."""

_REASON: Final = 200
"""Characters of an installer's last words that are shown."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with the packages that `environments/NAME.txt` pins, all of them.

    Attributes:
        name: of the file.
    """

    name: str

    def python(self) -> Path:
        """Its interpreter; the first call installs the packages.

        Raises:
            UsageError: where they cannot be installed, with the installer's last words.
        """
        return self.program("python")

    def program(self, name: str) -> Path:
        """One of its programs, likewise."""
        folder = _folder() / f"{self.name}-{self._digest}"
        with file_lock(_folder(), _LOCK):
            if not (folder / _DONE).exists():
                self._make(folder)
        return folder / "bin" / name

    @property
    def _pins(self) -> Path:
        return _PINS / f"{self.name}.txt"

    @property
    def _digest(self) -> str:
        """Of the pins and of Python: when one of them changes, the environment is another."""
        return hashlib.sha256(self._pins.read_bytes() + sys.version.encode()).hexdigest()[:12]

    def _make(self, folder: Path) -> None:
        self._run(sys.executable, "-m", "venv", "--clear", folder)
        self._run(folder / "bin" / "python", "-m", "pip", "install", *_PIP, "--requirement", self._pins)
        (folder / _DONE).touch()

    def _run(self, *command: str | Path) -> None:
        try:
            subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=_PATIENCE)
        except subprocess.CalledProcessError as error:
            told = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
            raise UsageError(
                f"{self._pins.name} cannot be installed: {(told or ['no reason'])[-1][:_REASON]}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{self._pins.name} was not installed within {_PATIENCE} s.") from error


@dataclass(frozen=True, slots=True)
class Jar:
    """A library from Maven Central.

    Attributes:
        group: its group.
        name: its artifact.
        version: which.
    """

    group: str
    name: str
    version: str

    def path(self) -> Path:
        """Where it is; the first call fetches it.

        Raises:
            UsageError: where it cannot be fetched.
        """
        file = f"{self.name}-{self.version}.jar"
        kept = _folder() / file
        with file_lock(_folder(), _LOCK):
            if not kept.exists():
                self._fetch(file, kept)
        return kept

    def _fetch(self, file: str, kept: Path) -> None:
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            try:
                maven_artifact(self.group, self.name, self.version, "jar", Path(folder)).rename(kept)
            except (OSError, RuntimeError) as error:  # jgo raises RuntimeError for what it does not find
                raise UsageError(f"{file} cannot be fetched from Maven Central: try again when it answers.") from error


def _folder() -> Path:
    folder = server_cache() / SERVERS / FOLDER / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
