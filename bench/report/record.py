"""The record of one benchmark run: one JSON file with where and how it was measured, and every sample."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from bench.meter.machine import Machine
from indexer.errors import UsageError

__all__ = [
    "Chart",
    "Figure",
    "Goal",
    "Record",
    "Role",
    "Spread",
    "load_record",
    "load_records",
    "save_record",
    "spread",
]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, the smallest and the largest of some samples."""

    median: float
    low: float
    high: float


def spread(samples: Iterable[float]) -> Spread:
    """The spread of at least one sample."""
    some = list(samples)
    return Spread(median(some), min(some), max(some))


class Role(StrEnum):
    """What a figure is about; it decides the colour in a chart."""

    OURS = "ours"
    CEILING = "ceiling"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, to be compared with the same thing of another run.

    Attributes:
        name: the same in every run of the benchmark with the same settings.
        unit: of the samples.
        samples: one for each repetition.
        role: ours, a ceiling, or another.
        chart: the name of the chart that shows it; empty where none does.
        panel: the part of that chart, where it has several.
        series: the line or the bar.
        x: the place on the horizontal axis; None for a bar.
        more: whether more is better.
    """

    name: str
    unit: str
    samples: tuple[float, ...]
    role: Role = Role.OTHER
    chart: str = ""
    panel: str = ""
    series: str = ""
    x: float | None = None
    more: bool = False

    @property
    def spread(self) -> Spread:
        """Over the samples."""
        return spread(self.samples)


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of the record's figures.

    Attributes:
        name: of its file, and what figures name.
        title: above it.
        x: the label of the horizontal axis.
        y: the label of the vertical axis; empty for bars, whose values lie along the horizontal one.
        log_x: whether the horizontal axis is logarithmic.
        log_y: whether the vertical axis is.
        percent: whether the horizontal axis counts per cent.
    """

    name: str
    title: str
    x: str
    y: str = ""
    log_x: bool = False
    log_y: bool = False
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A value to reach: at least `wanted`, or at most where `most`."""

    what: str
    wanted: float
    got: Spread
    most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the median is good enough."""
        return self.got.median <= self.wanted if self.most else self.got.median >= self.wanted


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a benchmark.

    Attributes:
        bench: the command's name.
        settings: what it was given, by the names of its options.
        machine: where it was measured.
        figures: what can be compared and drawn.
        measured: every sample, as the benchmark holds them.
        goals: what was to be reached, and what was.
        doubts: why the goals are not judged; empty where they are.
        charts: the pictures of the figures.
        report: for people, in Markdown.
    """

    bench: str
    settings: dict[str, object]
    machine: Machine
    figures: tuple[Figure, ...]
    measured: object
    goals: tuple[Goal, ...] = ()
    doubts: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    report: str = ""

    def charted(self, chart: Chart) -> Sequence[Figure]:
        """The figures of a chart."""
        return [figure for figure in self.figures if figure.chart == chart.name]


_RECORD: Final = TypeAdapter(Record)


def save_record(record: Record, file: Path) -> None:
    """Write a record as JSON; its folder is made where it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))


def load_record(file: Path) -> Record:
    """Read a record.

    Raises:
        UsageError: where the file is missing, or `python -m bench` did not write it.
    """
    try:
        return _RECORD.validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UsageError(f"{file} was not written by `python -m bench`: name a file that --json made.") from error


def load_records(files: Iterable[Path]) -> dict[str, Record]:
    """Read records, each by its file's name without the suffix, made fit for a link.

    Raises:
        UsageError: as `load_record` does, and where two files have the same name.
    """
    found: dict[str, Record] = {}
    for file in files:
        name = re.sub(r"[^\w-]+", "-", file.stem)
        if name in found:
            raise UsageError(f"Two records are called {name}, the second is {file}: rename one of the files.")
        found[name] = load_record(file)
    return found
