import os
from pathlib import Path

import pytest

from bench.competitors import catalog, environment
from bench.competitors.catalog import OTHER_PRODUCTS, available, program
from bench.competitors.environment import Environment, Jar
from bench.competitors.task import Competitor
from bench.scenarios.end_to_end import Plan
from bench.scenarios.kill import MOVERS
from bench.scenarios.suite import SCENARIOS, SMALL, chosen
from indexer.errors import UsageError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr(environment, "_folder", lambda: tmp_path)


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "_PINS", tmp_path)
    return tmp_path / "other.txt"


def test_an_environment_is_made_once_and_anew_when_its_pins_change(pins: Path) -> None:
    pins.write_text("# nothing\n")
    first = Environment("other").python()
    assert first.is_file()
    made = first.parent.stat().st_mtime_ns
    assert (Environment("other").python(), first.parent.stat().st_mtime_ns) == (first, made)
    pins.write_text("# nothing more\n")
    assert Environment("other").python() != first


def test_what_cannot_be_installed_is_refused_with_the_installers_words(pins: Path) -> None:
    pins.write_text("./not-here\n")
    with pytest.raises(UsageError, match=r"other.txt cannot be installed: .*not-here"):
        Environment("other").python()
    with pytest.raises(UsageError, match="cannot be installed"):
        Environment("other").python()  # half of one does not count as made


def test_a_jar_that_was_cut_off_is_not_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*named: str | Path) -> Path:
        (Path(named[-1]) / "one.jar").write_text("ha")
        raise ConnectionError

    def whole(*named: str | Path) -> Path:
        (Path(named[-1]) / "one.jar").write_text("half")
        return Path(named[-1]) / "one.jar"

    jar = Jar("org.one", "one", "1.2")
    monkeypatch.setattr(environment, "maven_artifact", cut_off)
    for _ in range(2):
        with pytest.raises(UsageError, match=r"one-1\.2\.jar cannot be fetched from Maven Central"):
            jar.path()
    monkeypatch.setattr(environment, "maven_artifact", whole)
    assert jar.path().read_text() == "half"
    monkeypatch.setattr(environment, "maven_artifact", cut_off)
    assert jar.path().read_text() == "half", "it is fetched once"


def test_a_jar_that_no_repository_gives_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"one-1\.2\.jar cannot be fetched"):
        Jar("org.one", "one", "1.2").path()
    assert [path.name for path in tmp_path.iterdir()] == ["environments.lock"]


def test_a_competitor_that_cannot_run_is_skipped_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGSTASH_HOME", str(tmp_path))
    able, skipped = available((Competitor.REINDEX, Competitor.TUNED, Competitor.LOGSTASH))
    assert able == (Competitor.REINDEX, Competitor.TUNED)
    assert [str(one) for one in skipped] == [
        f"Logstash: skipped: LOGSTASH_HOME is {tmp_path}, which has no bin/logstash: unpack Logstash there."
    ]
    monkeypatch.delenv("LOGSTASH_HOME")
    assert program(Competitor.LOGSTASH).reason == "there is no Logstash: set LOGSTASH_HOME to an unpacked one."


def test_every_competitor_has_a_program_whose_file_is_there_and_every_environment_its_pins() -> None:
    folder = Path(catalog.__file__).parent
    for competitor in set(Competitor) - {Competitor.REINDEX}:
        one = program(competitor)
        assert (folder / f"{one.module}.py").is_file()
        assert one.environment is None or (folder / f"{one.environment.name}.txt").is_file()
    assert set(OTHER_PRODUCTS) == {Competitor.LOGSTASH, Competitor.SPARK, Competitor.DLT}


def test_pins_name_versions_and_no_host() -> None:
    files = list(Path(catalog.__file__).parent.glob("*.txt"))
    assert len(files) == 2
    for file in files:
        lines = file.read_text("utf-8").split(os.linesep)
        assert all("==" in line and "/" not in line for line in lines if line), file.name


def test_a_small_run_leaves_out_what_would_be_installed_and_says_so() -> None:
    competitors, skipped = SMALL.end_to_end.competitors
    assert set(competitors) == set(Competitor) - set(OTHER_PRODUCTS)
    assert [str(one) for one in skipped] == [f"{one}: skipped: left out by --no-others" for one in OTHER_PRODUCTS]


@pytest.mark.parametrize("others", [True, False])
def test_the_competitors_that_goals_are_about_run_alone_where_asked_to(others: bool) -> None:  # noqa: FBT001
    plan = Plan(1_000, 1, 0, basic=True, others=others)
    competitors, skipped = plan.competitors
    assert not plan.installs
    goals = ("READ", "WRITE", "REINDEX", "BULK", "TUNED", "PARALLEL")
    assert competitors == tuple(Competitor[name] for name in goals)
    assert {one.competitor for one in skipped} == set(Competitor) - set(competitors)
    assert {one.reason for one in skipped} == {"left out by --basic"}


def test_what_cannot_run_is_skipped_where_all_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "python", lambda one: tmp_path / one.name)
    monkeypatch.setattr(Jar, "path", lambda _: tmp_path)
    monkeypatch.setenv("LOGSTASH_HOME", str(tmp_path))
    plan = Plan(1_000, 1, 0)
    competitors, skipped = plan.competitors
    assert plan.installs
    assert set(competitors) == set(Competitor) - {Competitor.LOGSTASH}
    assert [(one.competitor, "bin/logstash" in one.reason) for one in skipped] == [(Competitor.LOGSTASH, True)]


def test_some_benchmarks_are_chosen_by_name_in_their_own_order() -> None:
    assert chosen("") == tuple(SCENARIOS)
    assert chosen("memory, paging") == ("paging", "memory")
    with pytest.raises(UsageError, match="There is no benchmark 'pages': name some of paging, end-to-end"):
        chosen("paging,pages")


def test_every_competitor_that_moves_rows_is_killed() -> None:
    assert set(Competitor) - set(MOVERS) == {Competitor.READ, Competitor.WRITE}
