import os
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import pytest

from bench.meter.child import ChildFailed, FamilyWatch, kill_family, run_family

SIZE = 100_000_000

HOLD = """
import time
held = bytearray({size}); held[::4096] = b"x" * len(held[::4096])
while time.process_time() < 0.5: pass
with open({go!r}) as go, open({told!r}, "wb", buffering=0) as told:
    told.write(b"held\\n")
    go.read()
"""
"""Takes memory and CPU, says so, and stays until it may go."""

PAIR = """
import subprocess, sys
both = [subprocess.Popen([sys.executable, "-c", {hold!r}]) for _ in range(2)]
for one in both: one.wait()
print("noise"); print(2)
"""


@dataclass(frozen=True)
class Stage:
    """Where a pair of processes says that it holds its memory, and waits; nothing here depends on how fast they are."""

    told: Path
    go: FileIO

    @property
    def pair(self) -> list[str]:
        hold = HOLD.format(size=SIZE, told=str(self.told), go=self.go.name)
        return [sys.executable, "-c", PAIR.format(hold=hold)]

    def held(self) -> FileIO:
        """What they write to, once both hold their memory: it ends when both have ended."""
        told = FileIO(str(self.told))
        assert [told.readline(), told.readline()] == [b"held\n", b"held\n"]
        return told


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """What is still there at the end may go then."""
    told, go = tmp_path / "told", tmp_path / "go"
    os.mkfifo(told)
    os.mkfifo(go)
    with FileIO(str(go), "r+") as held:
        yield Stage(told, held)


def ended(told: FileIO) -> bool:
    """Whether both have ended; time enough is given."""
    ready, _, _ = select.select([told], [], [], 10)
    return bool(ready) and told.read() == b""


def test_memory_and_cpu_are_those_of_all_processes_together(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    look = FamilyWatch.look

    def look_while_both_hold(watch: FamilyWatch) -> None:
        stage.held().close()
        look(watch)
        monkeypatch.setattr(FamilyWatch, "look", look)
        stage.go.close()

    monkeypatch.setattr(FamilyWatch, "look", look_while_both_hold)
    done = run_family(stage.pair)
    assert done.output == b"noise\n2\n"
    assert 2 * SIZE < done.peak_rss < 2 * SIZE + 120_000_000
    assert done.cpu > 0.9  # the clock ticks in hundredths


def test_a_kill_takes_what_the_program_started_with_it(stage: Stage) -> None:
    with subprocess.Popen(stage.pair) as process, stage.held() as told:
        kill_family(process)
        assert ended(told)
    assert process.returncode < 0


def test_what_was_started_does_not_outlive_an_interruption(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[FileIO] = []

    def interrupted(_: FamilyWatch) -> None:
        heard.append(stage.held())
        raise KeyboardInterrupt

    monkeypatch.setattr(FamilyWatch, "look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_family(stage.pair)
    with heard[0] as told:
        assert ended(told)


def test_a_program_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(ChildFailed, match="ended with exit code 3:\nwoe") as told:
        run_family([sys.executable, "-c", "import sys; sys.stderr.write('woe'); sys.exit(3)"])
    assert told.value.short == "woe"
