"""Every competitor and the program that runs it: in which environment, with what beside it, and why it is skipped."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from bench.competitors.environment import Environment, Jar
from bench.competitors.reindex import reindex_command
from bench.competitors.task import Competitor, Jdbc, Task
from bench.meter.servers import query
from indexer.errors import UsageError

__all__ = ["OTHER_PRODUCTS", "Program", "Skipped", "available", "command", "program"]

_POSTGRESQL: Final = Jar("org.postgresql", "postgresql", "42.7.8")
_CONNECTOR: Final = Jar("org.elasticsearch", "elasticsearch-spark-30_2.12", "9.5.6")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A competitor that did not run or failed, and why."""

    competitor: Competitor
    reason: str

    def __str__(self) -> str:
        return f"{self.competitor}: skipped: {self.reason}"


@dataclass(frozen=True, slots=True)
class Program:
    """What runs a competitor.

    Attributes:
        module: of `bench.competitors`.
        environment: whose Python runs it; None for this one.
        needs: the files that it needs besides, as arguments; it raises UsageError where one cannot be had.
        product: whether it is another product: each may be missing, and is measured from outside with all it starts.
    """

    module: str
    environment: Environment | None = None
    needs: Callable[[], Sequence[Path]] = tuple
    product: bool = False

    def words(self, task: Task) -> list[str]:
        """The program and its arguments.

        Raises:
            UsageError: where it cannot run here.
        """
        python, files = self.environment.python() if self.environment else sys.executable, self.needs()
        told = json.dumps(asdict(replace(task, jdbc=_jdbc(task.source)) if files else task))
        return [str(python), "-m", f"bench.competitors.{self.module}", told, *map(str, files)]

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


def _jdbc(source: str) -> Jdbc:
    url = urlsplit(source.split(",", maxsplit=1)[0])
    [[port]] = query(source, "SELECT port['psql'] FROM sys.nodes LIMIT 1")
    user, password = unquote(url.username or "crate"), unquote(url.password or "")
    return Jdbc(f"jdbc:postgresql://{url.hostname}:{port}/doc", user, password)


def _spark_jars() -> Sequence[Path]:
    return _CONNECTOR.path(), _POSTGRESQL.path()


def _logstash() -> Sequence[Path]:
    home = os.environ.get("LOGSTASH_HOME")
    if not home:
        raise UsageError("there is no Logstash: set LOGSTASH_HOME to an unpacked one.")
    logstash = Path(home) / "bin" / "logstash"
    if not logstash.is_file():
        raise UsageError(f"LOGSTASH_HOME is {home}, which has no bin/logstash: unpack Logstash there.")
    return logstash, _POSTGRESQL.path()


_PROGRAMS: Final = {
    Competitor.READ: Program("ceilings"),
    Competitor.WRITE: Program("ceilings"),
    Competitor.BULK: Program("client_helpers"),
    Competitor.TUNED: Program("client_helpers"),
    Competitor.PARALLEL: Program("client_helpers"),
    Competitor.OFFSET: Program("client_helpers"),
    Competitor.LOGSTASH_SQL: Program("logstash_sql"),
    Competitor.LOGSTASH: Program("logstash", None, _logstash, product=True),
    Competitor.SPARK: Program("spark_job", Environment("spark"), _spark_jars, product=True),
    Competitor.DLT: Program("dlt_pipeline", Environment("dlt"), product=True),
}
"""All but `reindex`, which is a console script."""

OTHER_PRODUCTS: Final = tuple(competitor for competitor, one in _PROGRAMS.items() if one.product)
"""Those that have to be installed, and may be missing."""


def program(competitor: Competitor) -> Program:
    """What runs it; there is none for `reindex`."""
    return _PROGRAMS[competitor]


def command(task: Task) -> list[str]:
    """The program of the task's competitor, and its arguments.

    Raises:
        UsageError: where it cannot run here.
    """
    reindex = task.competitor is Competitor.REINDEX
    return reindex_command(task) if reindex else _PROGRAMS[task.competitor].words(task)


def available(competitors: Iterable[Competitor]) -> tuple[tuple[Competitor, ...], tuple[Skipped, ...]]:
    """Those that can run here, and those that cannot, each with its reason."""
    reasons = {one: None if one is Competitor.REINDEX else _PROGRAMS[one].reason for one in competitors}
    able = tuple(one for one, reason in reasons.items() if reason is None)
    return able, tuple(Skipped(one, reason) for one, reason in reasons.items() if reason is not None)
