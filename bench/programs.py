"""Every way and the program that runs it: in which environment, with what beside it, and why it is skipped."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.environment import Environment, Jar
from bench.run import Task, Way
from bench.ways.reindexing import reindex_command
from indexer.errors import UsageError
from indexer.sandbox.docker import docker_answers

__all__ = ["OTHERS", "Program", "Skipped", "command", "killable", "program", "split"]

_POSTGRESQL: Final = Jar("org.postgresql", "postgresql", "42.7.8")
_CONNECTOR: Final = Jar("org.elasticsearch", "elasticsearch-spark-30_2.12", "9.5.6")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A way that did not run, or did not end well.

    Attributes:
        way: which.
        reason: why.
    """

    way: Way
    reason: str

    def __str__(self) -> str:
        return f"{self.way}: skipped: {self.reason}"


@dataclass(frozen=True, slots=True)
class Program:
    """What runs a way.

    Attributes:
        module: of `bench.ways`.
        environment: whose Python runs it; None for this one.
        needs: what must be there besides, as arguments; it raises UsageError with the reason where it cannot be had.
        outside: whether its memory and CPU are measured from outside, with those of all that it starts.
    """

    module: str
    environment: Environment | None = None
    needs: Callable[[], Sequence[Path]] = tuple
    outside: bool = False

    def words(self, task: Task) -> list[str]:
        """The program and its arguments.

        Raises:
            UsageError: where something that it needs cannot be had.
        """
        python = self.environment.python() if self.environment else sys.executable
        told = json.dumps(asdict(task))
        return [str(python), "-m", f"bench.ways.{self.module}", told, *map(str, self.needs())]

    @property
    def reason(self) -> str | None:
        """Why it cannot run; None where it can. The first look installs what is missing."""
        try:
            if self.environment:
                self.environment.python()
            self.needs()
        except UsageError as refused:
            return str(refused)
        return None


def _jars() -> Sequence[Path]:
    return _CONNECTOR.path(), _POSTGRESQL.path()


def _pair() -> Sequence[Path]:
    tap, target = Environment("singer-tap"), Environment("singer-target")
    return tap.program("tap-cratedb"), target.program("target-elasticsearch")


def _logstash() -> Sequence[Path]:
    home = os.environ.get("LOGSTASH_HOME")
    if home and not (Path(home) / "bin" / "logstash").is_file():
        raise UsageError(f"LOGSTASH_HOME is {home}, which has no bin/logstash: unpack Logstash there.")
    if not home and not docker_answers():
        raise UsageError("there is no Logstash: set LOGSTASH_HOME to an unpacked one, or start Docker.")
    return (_POSTGRESQL.path(),)


_PROGRAMS: Final = {
    Way.READ: Program("reading"),
    Way.WRITE: Program("writing"),
    Way.BULK: Program("naive_bulk"),
    Way.TUNED: Program("naive_bulk"),
    Way.PARALLEL: Program("naive_parallel"),
    Way.OFFSET_BULK: Program("naive_bulk"),
    Way.OFFSET_PARALLEL: Program("naive_parallel"),
    Way.STAND_IN: Program("logstash_sql"),
    Way.LOGSTASH: Program("logstash_pipeline", None, _logstash, outside=True),
    Way.SPARK: Program("spark_job", Environment("spark"), _jars, outside=True),
    Way.DLT: Program("dlt_pipeline", Environment("dlt"), outside=True),
    Way.SINGER: Program("singer_pair", None, _pair, outside=True),
}
"""All but `reindex`, which is a console script."""

OTHERS: Final = tuple(way for way, one in _PROGRAMS.items() if one.outside)
"""Products of others, each of which may be missing."""


def program(way: Way) -> Program:
    """What runs it.

    Raises:
        KeyError: for `reindex`.
    """
    return _PROGRAMS[way]


def command(task: Task) -> list[str]:
    """The program of one way, and its arguments.

    Raises:
        UsageError: where something that it needs cannot be had.
    """
    return reindex_command(task) if task.way is Way.REINDEX else _PROGRAMS[task.way].words(task)


def split(ways: Iterable[Way]) -> tuple[tuple[Way, ...], tuple[Skipped, ...]]:
    """Those that can run here, and those that cannot, each with its reason."""
    reasons = {way: None if way is Way.REINDEX else _PROGRAMS[way].reason for way in ways}
    able = tuple(way for way, reason in reasons.items() if reason is None)
    return able, tuple(Skipped(way, reason) for way, reason in reasons.items() if reason is not None)


def killable(ways: Iterable[Way]) -> tuple[tuple[Way, ...], tuple[Skipped, ...]]:
    """Those that a kill reaches, and those that it does not: what runs in Docker is no child of the client."""
    in_docker = {Way.LOGSTASH} if not os.environ.get("LOGSTASH_HOME") else set[Way]()
    reason = "not killed at half-way: it runs in Docker, where a kill of the client does not reach it"
    some = tuple(ways)
    return (
        tuple(way for way in some if way not in in_docker),
        tuple(Skipped(way, reason) for way in some if way in in_docker),
    )
