from dataclasses import replace

import pytest

from bench.meter.usage import Usage
from bench.scenarios.verify import Verified, verify_record
from tests.support.bench_records import MACHINE


def test_verifications_are_judged_by_their_rows_a_second_and_their_memory() -> None:
    usage = Usage(11, 0.01, 0.007, None, machine=0.03)
    slow = Verified(1_000, same=True, seconds=1_000 / 50_000, usage=usage, peak_rss=210_000_000)
    quick = Verified(1_000, same=True, seconds=1_000 / 61_000, usage=usage, peak_rss=150_000_000)
    report = verify_record(1_000, MACHINE, (slow, quick, quick)).report
    assert "verify --full, rows/s: 61,000 (50,000-61,000), wanted at least 60,000: reached" in report
    assert "verify --full, peak memory in MB: 150.0 (150.0-210.0), wanted at most 200: reached" in report
    figures = {one.name: one.samples for one in verify_record(1_000, MACHINE, (slow,)).figures}
    assert figures == {
        "verify --full": (pytest.approx(50_000),),
        "verify --full, peak memory": (210.0,),
        "verify --full, CPU of client": (pytest.approx(10),),
        "verify --full, CPU of CrateDB": (pytest.approx(7),),
    }, "a server elsewhere has no figure"


def test_a_verification_that_found_faults_or_left_rows_out_is_not_judged() -> None:
    good = Verified(1_000, same=True, seconds=0.01, usage=Usage(11, 0.01, 0.007, 0.02, machine=0.04), peak_rss=1)
    assert "reached" in verify_record(1_000, MACHINE, (good,)).report
    for one in (replace(good, same=False), replace(good, rows=999)):
        report = verify_record(1_000, MACHINE, (one,)).report
        assert "- round 1: it did not compare every row, or found faults" in report
        assert "reached" not in report
