"""The sample logs are the same rows everywhere, and hold what the demo and the tests look for."""

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import orjson
import pytest

from indexer.sandbox.sample_logs import LONG_BURST, SampleRow, sample_rows, start_for

FIRST_THOUSAND = "93db6958e83de12ac86c73632512839a03d80a416e3cfef931c5f0edea45a475"
"""SHA-256 of the first thousand rows as JSON; a change of what is drawn needs a new VERSION too."""


@pytest.fixture(scope="module")
def rows() -> list[SampleRow]:
    return list(sample_rows(80_000))


def test_the_rows_are_the_same_on_every_machine_and_python() -> None:
    digest = hashlib.sha256(b"".join(orjson.dumps(tuple(row)) for row in sample_rows(1000)))
    assert digest.hexdigest() == FIRST_THOUSAND


@pytest.mark.parametrize("count", [0, 1, 999, 65_000])
def test_fewer_rows_are_the_first_of_more(rows: list[SampleRow], count: int) -> None:
    assert list(sample_rows(count)) == rows[:count]


def test_another_seed_makes_other_rows(rows: list[SampleRow]) -> None:
    others = list(sample_rows(1000, seed=1))
    assert not {row.trace_id for row in others} & {row.trace_id for row in rows}


def test_ids_count_from_one_and_time_never_goes_back(rows: list[SampleRow]) -> None:
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier.ts <= later.ts for earlier, later in pairwise(rows))


def test_time_starts_where_it_is_told_to() -> None:
    start = datetime(2020, 2, 3, tzinfo=UTC)
    (row,) = sample_rows(1, start=start)
    assert 0 <= row.ts - start.timestamp() * 1000 < 1000


@pytest.mark.parametrize("count", [1, 3_000])
def test_time_leads_up_to_the_end_that_a_start_is_for(count: int) -> None:
    end = datetime(2020, 2, 3, tzinfo=UTC).timestamp() * 1000
    *_, last = sample_rows(count, start=start_for(count, datetime(2020, 2, 3, tzinfo=UTC)))
    assert end - 5_000 < last.ts < end


def test_time_ties_and_once_for_more_rows_than_a_page_has(rows: list[SampleRow]) -> None:
    sizes = Counter(row.ts for row in rows)
    assert max(sizes.values()) == LONG_BURST > 10_000
    assert len(sizes) < len(rows) / 2


def test_messages_are_in_english_and_in_korean(rows: list[SampleRow]) -> None:
    korean = [row for row in rows if re.search("[가-힣]", row.message)]
    assert 0.2 < len(korean) / len(rows) < 0.8
    assert any(row.message == "삼성전자는 반도체를 개발한다." for row in rows)


def test_the_searches_of_the_demo_find_plenty(rows: list[SampleRow]) -> None:
    late = [row for row in rows if row.ts > rows[-1].ts - 15 * 60_000]
    assert sum(row.service == "payments" and row.level == "ERROR" and "timeout" in row.message for row in late) > 10
    assert sum(row.status == 500 and (row.latency_ms or 0) > 300 for row in late) > 10


def test_every_message_is_filled_in(rows: list[SampleRow]) -> None:
    assert not [row.message for row in rows if "{" in row.message or not row.message]


def test_nullable_columns_have_values_and_nulls(rows: list[SampleRow]) -> None:
    for column in ("status", "latency_ms", "location"):
        filled = sum(getattr(row, column) is not None for row in rows)
        assert 0 < filled < len(rows), column


def test_attributes_nest_and_tags_may_be_empty(rows: list[SampleRow]) -> None:
    assert {len(row.tags) for row in rows} == {0, 1, 2, 3}
    assert {frozenset(row.attrs) for row in rows} == {
        frozenset({"pod", "region"}),
        frozenset({"pod", "region", "http"}),
    }


def test_trace_ids_are_uuids_and_differ(rows: list[SampleRow]) -> None:
    assert len({row.trace_id for row in rows}) == len(rows)
    assert {UUID(row.trace_id).version for row in rows[:1000]} == {4}
