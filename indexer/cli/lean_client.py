"""Imports the official client without what a search never uses, so that a search starts sooner.

Only a command does so, whose process is its own: `import indexer` leaves the client as it is.
"""

import sys
from types import ModuleType
from typing import Final, cast

__all__ = ["import_client"]

_ASYNC: Final = "elasticsearch._async.client"
"""As large as all the rest of the client; nothing but the name is asked of it."""

_OPTIONAL: Final = ("aiohttp", "httpx", "pyarrow", "requests")
"""What the client imports where somebody happens to have installed it, to be another transport or serializer."""


def import_client() -> None:
    """Import `elasticsearch`; a client that is made otherwise than known here is imported as a whole."""
    stubs: dict[str, ModuleType | None] = {_ASYNC: _Asynchronous(_ASYNC), **dict.fromkeys(_OPTIONAL)}
    left_out = {name: stub for name, stub in stubs.items() if name not in sys.modules}
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # None: such an import fails, as of a missing package
    modules.update(left_out)
    try:
        import elasticsearch  # noqa: F401  # for those who import it after this
    finally:
        for name in left_out:
            del modules[name]


class _Asynchronous(ModuleType):
    class AsyncElasticsearch:
        """Stands for the class, of which nothing here makes an instance."""
