"""Records as a benchmark leaves them, small enough to read."""

from dataclasses import replace

from bench.charts import Chart, Kind, Series
from bench.figures import Goal, Spread
from bench.machine import Machine, ServerFacts
from bench.overhead import Overhead
from bench.record import Figure, Record

MACHINE = Machine(
    cores=2,
    cpu="A processor",
    memory=24 * 2**30,
    system="Linux",
    python="3.11.7",
    packages={"crate": "2.3.0"},
    commit="abc1234",
    cratedb=ServerFacts("6.4.3", 2 * 2**30, 1),
    elasticsearch=None,
)
CURVE = Chart(
    "paging-id",
    "A page by its depth <here>",
    Kind.LINES,
    "% of the table",
    "ms a page",
    (
        Series("offset", ((0.0, 17.0), (50.0, 2_768.0), (100.0, 5_081.0))),
        Series("window", ((0.0, 17.0), (100.0, 18.0))),
    ),
    log_y=True,
)
BARS = Chart("end-to-end", "End to end", Kind.BARS, "rows/s", "", (Series("reindex", ((0.0, 47_500.0),)),))
MEMORY = replace(CURVE, name="memory", series=(Series("reindex", ((100.0, 90.0), (1e6, 200.0))),))


def a_record(*figures: Figure, bench: str = "paging", machine: Machine = MACHINE) -> Record:
    goal = Goal("the last tenth, in times of the first", 1.2, Spread(1.05, 1.0, 1.1), most=True)
    return Record(
        bench,
        {"rows": 1_000},
        machine,
        Overhead(0.0001, 0.02, 1e-7),
        figures,
        (CURVE, BARS, MEMORY),
        (goal,),
        (),
        "What it says:\n\n| key | ms |\n| --- | ---: |\n| <b> | 17.0 |\n",
        {"samples": [1.0, 2.0]},
    )
