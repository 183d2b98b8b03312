from dataclasses import astuple, replace

import pytest

from bench.figures import Goal, Spread, bound, goals, lines, spread
from bench.programs import OTHERS
from bench.run import Compared, Run, Spent, Way

ROWS = 1_000
OWN = [way for way in Way if way not in OTHERS]


def run_at(way: Way, rate: float, **other: object) -> Run:
    """A run of 1,000 rows at this rate, with CPU microseconds a row of 4, 8 and 30."""
    documents = None if way is Way.READ else ROWS
    spent = Spent(seconds=ROWS / rate, client=0.004, source=0.008, target=0.030, machine=0.050)
    run = Run(way, ROWS, spent, peak_rss=120_000_000, documents=documents)
    return replace(run, **other)  # type: ignore[arg-type]  # each test knows what it replaces


def round_at(read: float, write: float, reindex: float, bulk: float, parallel: float) -> tuple[Run, ...]:
    rates = (read, write, reindex, bulk, bulk, parallel, bulk, parallel, bulk)
    return tuple(run_at(way, rate) for way, rate in zip(OWN, rates, strict=True))


ROUNDS = (round_at(200, 50, 38, 19, 20), round_at(100, 100, 40, 10, 40), round_at(300, 150, 95, 19, 50))


def test_the_bound_adds_the_times_of_a_row_and_not_the_rates() -> None:
    assert bound(round_at(200, 50, 1, 1, 1)) == pytest.approx(40)


def test_ratios_are_of_one_round_and_not_of_medians() -> None:
    of = {line.way: line for line in lines(ROUNDS, ROWS)}
    assert astuple(of[Way.REINDEX].share) == pytest.approx((0.95, 0.8, 0.95))
    assert astuple(of[Way.BULK].lead) == pytest.approx((4, 2, 5))
    assert of[Way.REINDEX].lead == Spread(1, 1, 1)
    assert astuple(of[Way.BULK].rate) == pytest.approx((19, 10, 19))


def test_a_line_tells_the_cpu_of_a_row_and_the_worst_memory() -> None:
    first, *others = ROUNDS[0]
    line = lines(((replace(first, peak_rss=5), *others), (replace(first, peak_rss=7), *others)), ROWS)[0]
    assert [line.client_us, line.source_us, line.target_us] == pytest.approx([4, 8, 30])
    assert line.peak_rss == 7


def test_cpu_of_a_server_elsewhere_is_unknown() -> None:
    spent = Spent(1, 1, source=None, target=None, machine=3)
    far = tuple(replace(run, spent=spent) for run in ROUNDS[0])
    assert lines((far,), ROWS)[0].source_us is None
    assert far[0].spent.foreign is None


@pytest.mark.parametrize(
    ("run", "complete"),
    [
        (run_at(Way.READ, 10), True),
        (run_at(Way.BULK, 10), True),
        (run_at(Way.BULK, 10, documents=ROWS - 1), False),
        (run_at(Way.BULK, 10, documents=ROWS + 1), False),
        (run_at(Way.READ, 10, rows=ROWS - 1), False),
    ],
)
def test_a_way_is_complete_when_it_moved_every_row_and_the_index_holds_it(run: Run, complete: bool) -> None:  # noqa: FBT001
    assert run.complete(ROWS) is complete


def test_a_way_that_changed_rows_is_not_complete_though_the_count_is_right() -> None:
    run = run_at(Way.BULK, 10)
    assert replace(run, compared=Compared(ROWS, 0, 0, 0)).complete(ROWS)
    for faults in (Compared(ROWS, 1, 0, 0), Compared(ROWS, 0, 1, 0), Compared(ROWS, 0, 0, 1)):
        assert not replace(run, compared=faults).complete(ROWS)


def test_a_way_that_ran_in_the_first_round_alone_has_its_ratios_from_there() -> None:
    slow = run_at(Way.SINGER, 2)
    of = {line.way: line for line in lines(((*ROUNDS[0], slow), *ROUNDS[1:]), ROWS)}
    assert (of[Way.SINGER].rounds, of[Way.REINDEX].rounds) == (1, 3)
    assert of[Way.SINGER].lead == Spread(19, 19, 19)


def test_one_incomplete_round_makes_a_line_incomplete() -> None:
    bad = tuple(replace(run, documents=1) if run.way is Way.BULK else run for run in ROUNDS[1])
    of = {line.way: line.complete for line in lines((ROUNDS[0], bad), ROWS)}
    assert of == {**dict.fromkeys(OWN, True), Way.BULK: False}


def test_goals_are_judged_by_the_median() -> None:
    verdicts = [goal.reached for goal in goals(lines(ROUNDS, ROWS))]
    assert verdicts == [True, True, True, True]
    assert Goal("", 0.9, Spread(0.89, 0.5, 2)).reached is False
    assert Goal("", 1.2, Spread(1.21, 0.5, 2), most=True).reached is False
    assert Goal("", 1.2, Spread(1.19, 0.5, 2), most=True).reached is True


def test_what_others_took_of_the_machine_is_told() -> None:
    spent = run_at(Way.BULK, 10).spent
    assert spent.foreign == pytest.approx(0.16)
    assert spent.noise
    assert replace(spent, machine=0.048).noise == ()
    assert replace(spent, machine=0.04).foreign == 0, "clocks tick unevenly"


def test_a_spread_of_nothing_is_refused() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    with pytest.raises(ValueError, match="no median"):
        spread([])
