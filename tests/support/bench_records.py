"""Small records of benchmarks, for tests of reports."""

from dataclasses import replace

from bench.meter.machine import Machine, ServerInfo
from bench.report.record import Chart, Figure, Goal, Record, Role, Spread

__all__ = ["BARS", "LINES", "MACHINE", "a_record"]

MACHINE = Machine(
    cores=2,
    cpu="A processor",
    memory=24 * 2**30,
    system="Linux",
    python="3.11.7",
    packages={"crate": "2.3.0"},
    commit="abc1234",
    cratedb=ServerInfo("6.4.3", 2 * 2**30, 1),
    elasticsearch=ServerInfo("9.2.0", 2**30, 1),
)
BARS = Chart("end-to-end", "End to end", "rows/s")
LINES = Chart("paging", "A page by its depth <here>", "rows before it", "ms a page", log_y=True, percent=True)

RATES = (("the bound", Role.CEILING, 29_539.0), ("reindex", Role.OURS, 26_996.0), ("another", Role.OTHER, 11_670.0))
TIMES = {
    "offset": ((0.0, 17.0), (50.0, 2_768.0), (100.0, 5_081.0)),
    "window": ((0.0, 17.0), (50.0, 17.5), (100.0, 18.0)),
}


def bars() -> tuple[Figure, ...]:
    """A bar for each role, with a spread."""
    return tuple(
        Figure(name, "rows/s", (0.9 * rate, rate, 1.2 * rate), more=True, role=role, chart=BARS.name, series=name)
        for name, role, rate in RATES
    )


def lines() -> tuple[Figure, ...]:
    """Two lines in each of two panels, with a spread."""
    return tuple(
        Figure(f"{panel}, {name} {x}", "ms", (y - 1, y, y + 30), chart=LINES.name, panel=panel, series=name, x=x)
        for panel in ("numbers", "text")
        for name, points in TIMES.items()
        for x, y in points
    )


def a_record(*figures: Figure, bench: str = "paging", machine: Machine = MACHINE) -> Record:
    """A record of these figures; of bars and lines, with their charts, where none is given."""
    goal = Goal("the last tenth, in times of the first", 1.2, Spread(1.05, 1.0, 1.1), most=True)
    record = Record(
        bench,
        {"rows": 1_000},
        machine,
        figures or (*bars(), *lines()),
        {"samples": [1.0, 2.0]},
        (goal,),
        report="What it says:\n\n| key | ms |\n| --- | ---: |\n| <b> | 17.0 |\n",
    )
    return record if figures else replace(record, charts=(BARS, LINES))
