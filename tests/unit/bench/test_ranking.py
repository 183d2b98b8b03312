from dataclasses import astuple, replace

import pytest

from bench.competitors.catalog import OTHER_PRODUCTS
from bench.competitors.task import Competitor, Differences, Run
from bench.meter.usage import Usage
from bench.report.record import Goal, Role, Spread, spread
from bench.scenarios.ranking import bound, goals, lines, ranking_figures

ROWS = 1_000
OWN = [one for one in Competitor if one not in OTHER_PRODUCTS]


def run_at(competitor: Competitor, rate: float, **other: object) -> Run:
    """A run of 1,000 rows at this rate, with CPU microseconds a row of 4, 8 and 30."""
    documents = None if competitor is Competitor.READ else ROWS
    usage = Usage(seconds=ROWS / rate, client=0.004, source=0.008, target=0.030, machine=0.050)
    run = Run(competitor, ROWS, usage, peak_rss=120_000_000, documents=documents)
    return replace(run, **other)  # type: ignore[arg-type]  # each test knows what it replaces


def round_at(read: float, write: float, reindex: float, bulk: float, parallel: float) -> tuple[Run, ...]:
    rates = (read, write, reindex, bulk, bulk, parallel, bulk, bulk)
    return tuple(run_at(one, rate) for one, rate in zip(OWN, rates, strict=True))


ROUNDS = (round_at(200, 50, 38, 19, 20), round_at(100, 100, 40, 10, 40), round_at(300, 150, 95, 19, 50))


def test_the_bound_adds_the_times_of_a_row_and_not_the_rates() -> None:
    assert bound(round_at(200, 50, 1, 1, 1)) == pytest.approx(40)


def test_ratios_are_of_one_round_and_not_of_medians() -> None:
    of = {line.competitor: line for line in lines(ROUNDS, ROWS)}
    assert astuple(of[Competitor.REINDEX].share) == pytest.approx((0.95, 0.8, 0.95))
    assert astuple(of[Competitor.BULK].lead) == pytest.approx((4, 2, 5))
    assert of[Competitor.REINDEX].lead == Spread(1, 1, 1)
    assert of[Competitor.BULK].rates == pytest.approx((19, 10, 19))


def test_a_line_tells_the_cpu_of_a_row_and_the_worst_memory() -> None:
    first, *others = ROUNDS[0]
    line = lines(((replace(first, peak_rss=5), *others), (replace(first, peak_rss=7), *others)), ROWS)[0]
    assert line.microseconds == pytest.approx((4, 8, 30))
    assert line.peak_rss == 7


def test_cpu_of_a_server_elsewhere_is_unknown() -> None:
    usage = Usage(1, 1, source=None, target=None, machine=3)
    far = tuple(replace(run, usage=usage) for run in ROUNDS[0])
    assert lines((far,), ROWS)[0].microseconds[1] is None
    assert far[0].usage.foreign is None


@pytest.mark.parametrize(
    ("run", "complete"),
    [
        (run_at(Competitor.READ, 10), True),
        (run_at(Competitor.BULK, 10), True),
        (run_at(Competitor.BULK, 10, documents=ROWS - 1), False),
        (run_at(Competitor.BULK, 10, documents=ROWS + 1), False),
        (run_at(Competitor.READ, 10, rows=ROWS - 1), False),
    ],
)
def test_a_way_is_complete_when_it_moved_every_row_and_the_index_holds_it(run: Run, complete: bool) -> None:  # noqa: FBT001
    assert run.complete(ROWS) is complete


def test_a_way_that_changed_rows_is_not_complete_though_the_count_is_right() -> None:
    run = run_at(Competitor.BULK, 10)
    assert replace(run, differences=Differences(ROWS, 0, 0, 0)).complete(ROWS)
    for faults in (Differences(ROWS, 1, 0, 0), Differences(ROWS, 0, 1, 0), Differences(ROWS, 0, 0, 1)):
        assert not replace(run, differences=faults).complete(ROWS)


def test_a_way_that_ran_in_the_first_round_alone_has_its_ratios_from_there() -> None:
    slow = run_at(Competitor.DLT, 2)
    of = {line.competitor: line for line in lines(((*ROUNDS[0], slow), *ROUNDS[1:]), ROWS)}
    assert (len(of[Competitor.DLT].rates), len(of[Competitor.REINDEX].rates)) == (1, 3)
    assert of[Competitor.DLT].lead == Spread(19, 19, 19)


def test_one_incomplete_round_makes_a_line_incomplete() -> None:
    bad = tuple(replace(run, documents=1) if run.competitor is Competitor.BULK else run for run in ROUNDS[1])
    of = {line.competitor: line.complete for line in lines((ROUNDS[0], bad), ROWS)}
    assert of == {**dict.fromkeys(OWN, True), Competitor.BULK: False}


def test_goals_are_judged_by_the_median() -> None:
    verdicts = [goal.reached for goal in goals(lines(ROUNDS, ROWS))]
    assert verdicts == [True, True, True, True]
    assert Goal("", 0.9, Spread(0.89, 0.5, 2)).reached is False
    assert Goal("", 1.2, Spread(1.21, 0.5, 2), most=True).reached is False
    assert Goal("", 1.2, Spread(1.19, 0.5, 2), most=True).reached is True


def test_what_others_took_of_the_machine_is_told() -> None:
    usage = run_at(Competitor.BULK, 10).usage
    assert usage.foreign == pytest.approx(0.16)
    assert usage.noise
    assert replace(usage, machine=0.048).noise == ()
    assert replace(usage, machine=0.04).foreign == 0, "clocks tick unevenly"


def test_a_spread_of_nothing_is_refused() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    with pytest.raises(ValueError, match="no median"):
        spread([])


def test_bars_are_of_each_competitor_and_the_bound_with_all_their_rounds_and_their_role() -> None:
    of = {one.series: one for one in ranking_figures(ROUNDS, ROWS, "end-to-end") if one.chart}
    assert list(of) == [*OWN, "bound 1/(1/read + 1/write)"]
    assert of["bound 1/(1/read + 1/write)"].samples == pytest.approx((40, 50, 100))
    roles = {one.role: name for name, one in of.items() if name in {Competitor.REINDEX, Competitor.READ}}
    assert roles == {Role.OURS: Competitor.REINDEX, Role.CEILING: Competitor.READ}
