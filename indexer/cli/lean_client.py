"""Imports `elasticsearch` without the parts that no command uses; they would double the time that a search takes.

To import this module before any other that uses the client is enough.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Final, cast

__all__ = ["import_client"]

_ASYNC: Final = "elasticsearch._async.client"
"""As large as the rest of the client; `elasticsearch` only asks for the name of its class."""

_OPTIONAL: Final = ("aiohttp", "httpx", "pyarrow", "requests")
"""What the client imports where it happens to be installed, as another transport or serializer."""


def import_client() -> None:
    """Import `elasticsearch`; a version that is built differently from those known here is imported as a whole."""
    stubs: dict[str, ModuleType | None] = {_ASYNC: _Asynchronous(_ASYNC), **dict.fromkeys(_OPTIONAL)}
    hidden = {name: stub for name, stub in stubs.items() if name not in sys.modules}
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # None makes an import fail, as of a missing package
    modules.update(hidden)
    try:
        import_module("elasticsearch")
    finally:
        for name in hidden:
            del modules[name]


class _Asynchronous(ModuleType):
    class AsyncElasticsearch:
        """Stands for the class, of which nothing here makes an instance."""


import_client()
