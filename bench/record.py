"""What a benchmark leaves behind: one JSON file with where and how it was measured, and every single sample."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson
from pydantic import TypeAdapter, ValidationError

from bench.charts import Chart
from bench.figures import Goal
from bench.machine import Machine
from bench.overhead import Overhead, own_overhead
from indexer.errors import UsageError

__all__ = ["Figure", "Found", "Record", "load", "load_all", "record", "save"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, and can be compared with the same of another day.

    Attributes:
        name: the same in every run of the benchmark with the same settings.
        unit: of the samples.
        samples: one for each repetition.
        more: whether more is better.
    """

    name: str
    unit: str
    samples: tuple[float, ...]
    more: bool = False


class Found(Protocol):
    """What every benchmark returns."""

    @property
    def machine(self) -> Machine:
        """Where."""

    @property
    def figures(self) -> Sequence[Figure]:
        """What can be compared."""

    @property
    def charts(self) -> Sequence[Chart]:
        """What can be drawn."""

    @property
    def goals(self) -> Sequence[Goal]:
        """What is to be reached."""

    @property
    def doubts(self) -> Sequence[str]:
        """Why no goal can be judged."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a benchmark.

    Attributes:
        bench: the command's name.
        settings: what it was told, by the names of its options.
        machine: where it was measured.
        overhead: what measuring costs by itself.
        figures: what can be compared.
        charts: what can be drawn.
        goals: what was to be reached, and what was.
        doubts: why the goals are not judged; empty where they are.
        report: for people, in Markdown.
        measured: every single sample, as the benchmark holds them.
    """

    bench: str
    settings: dict[str, object]
    machine: Machine
    overhead: Overhead
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    goals: tuple[Goal, ...]
    doubts: tuple[str, ...]
    report: str
    measured: object


_RECORD = TypeAdapter(Record)


def record(bench: str, settings: Mapping[str, object], found: Found, report: str) -> Record:
    """Bring together what a benchmark found; the harness's own overhead is measured now, on the same machine."""
    overhead = own_overhead()
    return Record(
        bench,
        dict(settings),
        found.machine,
        overhead,
        tuple(found.figures),
        tuple(found.charts),
        tuple(found.goals),
        tuple(found.doubts),
        f"{report}\n{overhead}",
        found,
    )


def save(made: Record, file: Path) -> None:
    """Write a record as JSON; its folder is made where it is not there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2))


def load(file: Path) -> Record:
    """Read a record.

    Raises:
        UsageError: where the file is not there, or is none of this program's.
    """
    try:
        return _RECORD.validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UsageError(f"{file} was not written by `python -m bench`: name a file that --json made.") from error


def load_all(files: Iterable[Path]) -> dict[str, Record]:
    """Read records, each by its file's name without the suffix, made fit for a link.

    Raises:
        UsageError: as `load`, and where two have the same name, for one would take the other's place.
    """
    found: dict[str, Record] = {}
    for file in files:
        name = re.sub(r"[^\w-]+", "-", file.stem)
        if name in found:
            raise UsageError(f"Two records are called {name}, the second is {file}: rename one of the files.")
        found[name] = load(file)
    return found
