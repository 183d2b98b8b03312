import sys
from pathlib import Path

import pytest

from bench.meter.child import ChildFailed, console_script, run_child
from indexer.pipeline.memory import peak_rss

HOLD = "held = bytearray({size}); print(len(held))"
BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_a_child_is_measured_for_itself() -> None:
    size = peak_rss() + 300_000_000  # more than this process, whose memory a child begins with
    big = run_child([sys.executable, "-c", HOLD.format(size=size)])
    assert big.output == b"%d\n" % size
    assert big.peak_rss > size
    small = run_child([sys.executable, "-c", "pass"])
    assert small.peak_rss < big.peak_rss, "what another child held is not its own"


def test_cpu_and_wall_time_are_those_of_the_child() -> None:
    busy = run_child([sys.executable, "-c", BURN])
    assert busy.cpu >= 0.3
    assert busy.seconds >= 0.3
    idle = run_child([sys.executable, "-c", "import time; time.sleep(0.3)"])
    assert idle.seconds - idle.cpu >= 0.2


def test_a_child_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(ChildFailed, match="ended with exit code 3:\nwoe"):
        run_child([sys.executable, "-c", "import sys; sys.stderr.write('woe'); sys.exit(3)"])


def test_much_output_on_both_sides_does_not_block() -> None:
    done = run_child([sys.executable, "-c", "import sys; sys.stderr.write('e' * 10**6); sys.stdout.write('o' * 10**6)"])
    assert len(done.output) == 10**6


def test_the_high_water_mark_of_a_process_is_its_own() -> None:
    code = "from indexer.pipeline.memory import peak_rss; print(peak_rss())"
    held = bytearray(peak_rss() + 200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    done = run_child([sys.executable, "-c", code])
    assert int(done.output) < 100_000_000 < len(held)


def test_a_console_script_is_the_one_beside_this_python() -> None:
    assert console_script("reindex").parent == Path(sys.executable).parent
    with pytest.raises(ChildFailed, match="reindexx is not installed"):
        console_script("reindexx")


def test_a_benchmark_is_smaller_than_what_it_measures() -> None:
    """A child's peak is at least what its parent held: a drawing library would be part of every figure."""
    code = "import sys, bench.__main__; sys.exit('matplotlib' in sys.modules)"
    assert run_child([sys.executable, "-c", code]).peak_rss > 0
