"""`indexer search` on a real server, as a user runs it."""

import csv
import io
import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch

from indexer.model.json import Row
from indexer.sandbox.process import wait_until
from tests.support.commands import Ended, run
from tests.support.search_index import NOON, load_logs

pytestmark = pytest.mark.elasticsearch

MINUTE = 60_000
ROWS: list[Row] = [
    [0, NOON, "ERROR", "payments", 503, 700.5, "timeout: connection pool is full"],
    [1, NOON + MINUTE, "INFO", "payments", 200, 12.0, "payment accepted"],
    [2, NOON + 6 * MINUTE, "ERROR", "checkout", 500, 301.0, "checkout failed: timeout calling payments"],
    [3, NOON + 7 * MINUTE, "WARN", "auth", 429, None, "pool of connections is low"],
    [4, NOON + 20 * MINUTE, "ERROR", "auth", 500, 299.0, "로그인에 실패했습니다"],
    [5, NOON + 21 * MINUTE, "INFO", "auth", 200, 5.0, "line\tone\nand \x1b[31mtwo"],
]


@pytest.fixture(scope="module")
def logs(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    alias = f"test_search_{uuid4().hex[:12]}"
    yield load_logs(elasticsearch_url, alias, ROWS, tmp_path_factory.mktemp("elsewhere")), elasticsearch_url
    with Elasticsearch(elasticsearch_url) as client:
        for index in client.indices.get(index=f"{alias}*"):
            client.indices.delete(index=index)


def ask(logs: tuple[str, str], *arguments: str, columns: str = "200", colours: bool = False) -> Ended:
    alias, url = logs
    asked = ("indexer", "search", *arguments, "--index", alias, "--target", url)
    force, no = ("1", "") if colours else ("", "1")
    return run(*asked, TZ="Asia/Seoul", COLUMNS=columns, FORCE_COLOR=force, NO_COLOR=no)


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["timeout AND service:payments"], "0"),
        (["timeout AND service:payments", "--level", "ERROR", "--sort", "-ts"], "0"),
        (["--level", "ERROR,WARN"], "4320"),
        (["--level=ERROR", "--service", "auth"], "4"),
        (["--where", "status=500", "--where", "latency_ms>300"], "2"),
        (["--where", "status!=500", "--sort", "status"], "1530"),
        (["--where", "message=payment accepted"], "1"),
        (["--since", "2025-11-01T12:06:00Z", "--until", "2025-11-01T12:20:00Z"], "32"),
        (["--since", "2025-11-01 21:20"], "54"),
        (["ts:[2025-11-01T21:20 TO *]", "--sort", "ts"], "45"),
        (['"connection pool"'], "0"),
        (["connec*", "--sort", "id"], "03"),
        (["timeuot~", "--sort", "id"], "02"),
        (["t?meout", "--sort", "id"], "02"),
        (['message.keyword:"payment accepted"'], "1"),
        (["실패", "로그인"], "4"),
        (["-n", "1", "--sort", "latency_ms"], "5"),
        (["nothing"], ""),
    ],
)
def test_a_query_with_options_finds_the_expected_rows(logs: tuple[str, str], arguments: list[str], ids: str) -> None:
    ended = ask(logs, *arguments, "-o", "ndjson")
    assert ended.code == (0 if ids else 1), ended.err
    assert [json.loads(line)["_id"] for line in ended.out.splitlines()] == list(ids)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["servce:auth"], ["no field servce", "column 1", "Did you mean service"]),
        (["timeout AND ("], ["column 14", r"'timeout AND \('"]),
        (["[/v1/login"], ["column 11", r"'\[/v1/login'"]),
        (["10.0.0.1/24"], ["column 13", r"'10.0.0.1\/24'"]),
        (["--since", "1h", "--until", "2h"], ["is not before --until", "swap them"]),
        (["(로그인"], ["column 5", r"'\(로그인'"]),
        (["--top", "message"], ["use message.keyword"]),
        (["--stats", "service"], ["not a number"]),
        (["--sort", "message"], ["message.keyword"]),
        (["--fields", "massage"], ["Did you mean message"]),
        (["--where", "status=many"], ["status is integer"]),
        (["--since", "tomorow"], ["'tomorow' is not a time"]),
        (["--histogram", "5 parsecs"], ["not an interval"]),
        (["--histogram", "100ms"], ["bars", "use 1s"]),
        (["--lvel", "ERROR"], ["--lvel", "Did you mean level"]),
        (["--level"], ["--level VALUE"]),
        (["--index", "no_such_alias_here"], ["no alias no_such_alias_here"]),
        (["--target", "http://127.0.0.1:1"], ["127.0.0.1:1"]),
        (["--count", "--all"], ["are mutually exclusive"]),
    ],
)
def test_bad_input_is_refused_in_one_sentence(logs: tuple[str, str], arguments: list[str], words: list[str]) -> None:
    alias, url = logs
    ended = run("indexer", "search", "--index", alias, "--target", url, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended.err
    assert all(word in ended.err for word in words), ended.err


def test_piped_output_is_plain_and_tab_separated(logs: tuple[str, str]) -> None:
    ended = ask(logs, "--sort", "id", "--all")
    assert "\x1b" not in ended.out
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines[0] == ["2025-11-01 21:00:00.000+09:00", "ERROR", "payments", ROWS[0][6]]
    assert lines[5][3] == "line one and \\x1b[31mtwo"


def test_a_terminal_gets_colours_and_highlights(logs: tuple[str, str]) -> None:
    ended = ask(logs, "pool OR 로그인", colours=True, columns="60")
    assert "\x1b[31mERROR" in ended.out
    assert "\x1b[1;30;43mpool\x1b[0m" in ended.out
    assert "\x1b[1;30;43m로그인" in ended.out
    assert "3 of 3 hits" in ended.err


def test_all_output_formats_contain_the_same_hits(logs: tuple[str, str]) -> None:
    asked = ("--sort", "id", "--fields", "id,message,status")
    whole = json.loads(ask(logs, *asked, "-o", "json").out)
    assert [hit["message"] for hit in whole] == [row[6] for row in ROWS]
    assert set(whole[0]) == {"_id", "_score", "id", "message", "status"}
    rows = list(csv.reader(io.StringIO(ask(logs, *asked, "-o", "csv").out)))
    assert rows == [["id", "message", "status"], *([str(row[0]), row[6], str(row[4])] for row in ROWS)]
    assert ask(logs, "payment AND accepted", "-o", "raw").out == "payment accepted\n"
    assert ask(logs, *asked, "--json").out == ask(logs, *asked, "-o", "ndjson").out


def test_no_hits_is_an_empty_json_array(logs: tuple[str, str]) -> None:
    assert json.loads(ask(logs, "nothing", "-o", "json").out) == []


def test_no_hits_since_a_time_reports_the_newest_document(logs: tuple[str, str]) -> None:
    ended = ask(logs, "timeout AND service:payments", "--since", "2h", "--level", "ERROR", "--sort", "-ts", "-n", "20")
    assert (ended.code, ended.out) == (1, "")
    assert "The newest document is from 2025-11-01 21:21:00.000+09:00." in ended.err


def test_count_prints_only_the_number(logs: tuple[str, str]) -> None:
    assert (ask(logs, "timeout", "--count").out, ask(logs, "nothing", "--count").code) == ("2\n", 1)


def test_top_stats_and_histogram_match_the_rows(logs: tuple[str, str]) -> None:
    ended = ask(logs, "--top", "service", "--stats", "latency_ms", "--histogram", "5m", "-o", "json")
    found = json.loads(ended.out)
    assert found["total"] == 6
    assert found["top"]["service"][0] == {"value": "auth", "count": 3}
    stats = found["stats"]["latency_ms"]
    assert (stats["count"], stats["min"], stats["max"], stats["mean"]) == (5, 5.0, 700.5, 263.5)
    assert stats["p50"] == 299.0
    assert 600 < stats["p95"] <= stats["p99"] <= 700.5
    assert [bar["count"] for bar in found["histogram"]] == [2, 2, 0, 0, 2]
    assert found["histogram"][0]["time"] == "2025-11-01 21:00:00+09:00"


def test_a_terminal_gets_bars(logs: tuple[str, str]) -> None:
    ended = ask(logs, "--top", "service", "--histogram", "1d", colours=True)
    assert "█" in ended.out
    assert "6 hits" in ended.err


def test_explain_shows_the_request(logs: tuple[str, str]) -> None:
    body = json.loads(ask(logs, "timeout", "--level", "ERROR", "--sort", "-ts", "--explain").out)
    assert body["query"]["bool"]["must"]["query_string"]["query"].startswith(("timeout", "(timeout OR"))
    assert body["query"]["bool"]["filter"] == [{"term": {"level": {"value": "ERROR"}}}]
    assert body["sort"] == [{"ts": {"order": "desc", "unmapped_type": "date"}}]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("--top serv", "service"),
        ("--index no_such", ""),
        ("--where level=E", "level=ERROR"),
        ("--level W", "WARN"),
        ("servi", "service:"),
        ("service:ch", "service:checkout"),
        ("--sort ts,-laten", "ts,-latency_ms"),
        ("--fields id,mess", "id,message"),
        ("--histo", "--histogram"),
    ],
)
def test_the_shell_completes(logs: tuple[str, str], words: str, offered: str) -> None:
    alias, url = logs
    tried: list[Ended] = []

    def completed() -> bool:
        ended = run(
            "indexer",
            _INDEXER_COMPLETE="complete_bash",
            COMP_WORDS=f"indexer search {words}",
            COMP_CWORD=str(1 + len(words.split())),
            INDEXER_INDEX=alias,
            ELASTICSEARCH_URL=url,
        )
        tried.append(ended)
        return offered in ended.out.split() if offered else not ended.out.strip()

    # It offers nothing where the server does not answer within 2 s, and never anything else.
    assert wait_until(completed, 60), tried[-1]
    assert all(not ended.out.strip() for ended in tried[:-1]), tried


def test_completion_without_a_server_offers_nothing() -> None:
    ended = run(
        "indexer",
        _INDEXER_COMPLETE="complete_bash",
        COMP_WORDS="indexer search --top serv",
        COMP_CWORD="3",
        ELASTICSEARCH_URL="http://127.0.0.1:1",
    )
    assert (ended.code, ended.out.strip(), ended.err) == (0, "", "")
