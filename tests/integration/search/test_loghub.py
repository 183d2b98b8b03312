"""Real log files, from the loghub project (https://github.com/logpai/loghub; Zhu et al., ISSRE 2023): what a search
finds in the index is what a scan of the files finds.
"""

import csv
import json
import os
from pathlib import Path

import pytest

from indexer.sandbox.cratedb_table import Cursor
from indexer.sandbox.loghub import SYSTEMS, load_system
from tests.support.commands import run

pytestmark = [pytest.mark.cratedb, pytest.mark.elasticsearch]

FOLDER = Path(os.environ.get("INDEXER_LOGHUB") or Path(__file__).parents[4] / "shared" / "data" / "loghub")

WORDS = {
    "Apache": "error",
    "BGL": "parity",
    "HDFS": "terminating",
    "HealthApp": "onExtend",
    "Linux": "authentication",
    "OpenSSH": "webmaster",
    "Spark": "memory",
    "Zookeeper": "connection",
}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> str:
    if not FOLDER.is_dir():
        pytest.skip(f"no loghub files at {FOLDER}: set INDEXER_LOGHUB to a folder with {', '.join(SYSTEMS)}.csv")
    name: str = request.param
    return name


def test_a_search_finds_the_rows_of_the_files(
    crate_cursor: Cursor, schema: str, cratedb_url: str, elasticsearch_url: str, alias: str, tmp_path: Path, system: str
) -> None:
    table = load_system(crate_cursor, FOLDER, system, schema)
    servers = ("--source", cratedb_url, "--target", elasticsearch_url)
    ended = run("reindex", *servers, "--table", table, "--index", alias, "--page", "300", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    with (FOLDER / f"{system}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert json.loads(ended.out)["rows_indexed"] == len(rows) == 2000
    word = WORDS[system]
    found = run(
        "indexer",
        "search",
        f"content:{word}",
        "--index",
        alias,
        "--size",
        "3000",
        "--json",
        "--target",
        elasticsearch_url,
        cwd=tmp_path,
    )
    hits = {int(hit["line_id"]): hit["content"] for hit in map(json.loads, found.out.splitlines())}
    expected = {int(row["LineId"]): row["Content"] for row in rows if has_word(row["Content"], word)}
    assert expected, word
    assert hits == expected


def has_word(text: str, word: str) -> bool:
    """Whether the standard analyzer would make this word one of the text's terms: letters and digits around it end it,
    and a full stop, an apostrophe or an underscore between letters does not.
    """
    folded, word = text.lower(), word.lower()
    at = folded.find(word)
    while at >= 0:
        before, after = folded[:at], folded[at + len(word) :]
        if not _joined(before[::-1]) and not _joined(after):
            return True
        at = folded.find(word, at + 1)
    return False


def _joined(rest: str) -> bool:
    if not rest:
        return False
    if rest[0].isalnum() or rest[0] == "_":
        return True
    return rest[0] in ".':" and len(rest) > 1 and rest[1].isalpha()
