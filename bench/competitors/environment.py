"""What other products need: a virtual environment each, and jars, made once in the cache folder."""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.meter.servers import bench_folder
from indexer.errors import UsageError
from indexer.sandbox.cache import file_lock
from indexer.sandbox.download import maven_artifact

__all__ = ["Environment", "Jar"]

_PINS: Final = Path(__file__).parent
_LOCK: Final = "environments.lock"
_DONE: Final = "installed"
_PATIENCE: Final = 900
"""Seconds for the packages of one environment."""

_PIP: Final = ("--quiet", "--disable-pip-version-check", "--no-input")
"""So that its last words are the reason, not that there is a newer pip; nobody is there to answer questions."""

_REASON: Final = 200
"""Characters of an installer's last words that are shown."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with all the packages that `NAME.txt` beside this file pins."""

    name: str

    def python(self) -> Path:
        """Its interpreter; the first call installs the packages.

        Raises:
            UsageError: where they cannot be installed, with the installer's last words.
        """
        pins = _PINS / f"{self.name}.txt"
        digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
        folder = _folder() / f"{self.name}-{digest}"
        python = folder / "bin" / "python"
        with file_lock(_folder(), _LOCK):
            if not (folder / _DONE).exists():
                # Without a pip of its own, which takes longer to install than a few packages.
                _install(pins, sys.executable, "-m", "venv", "--without-pip", "--clear", folder)
                _install(pins, sys.executable, "-m", "pip", "--python", python, "install", *_PIP, "--requirement", pins)
                (folder / _DONE).touch()
        return python


@dataclass(frozen=True, slots=True)
class Jar:
    """A library from Maven Central: its group, its artifact and its version."""

    group: str
    name: str
    version: str

    def path(self) -> Path:
        """Where it is; the first call fetches it.

        Raises:
            UsageError: where it cannot be fetched.
        """
        kept = _folder() / f"{self.name}-{self.version}.jar"
        with file_lock(_folder(), _LOCK):
            if not kept.exists():
                self._fetch(kept)
        return kept

    def _fetch(self, kept: Path) -> None:
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            try:
                maven_artifact(self.group, self.name, self.version, "jar", Path(folder)).rename(kept)
            except (OSError, RuntimeError) as error:  # jgo raises RuntimeError for what it does not find
                raise UsageError(
                    f"{kept.name} cannot be fetched from Maven Central: try again when it answers."
                ) from error


def _folder() -> Path:
    folder = bench_folder() / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _install(pins: Path, *command: str | Path) -> None:
    try:
        subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=_PATIENCE)
    except subprocess.CalledProcessError as error:
        told = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        raise UsageError(f"{pins.name} cannot be installed: {(told or ['no reason'])[-1][:_REASON]}") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{pins.name} was not installed within {_PATIENCE} s.") from error
