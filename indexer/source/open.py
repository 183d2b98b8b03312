"""Opens the source that a URL names."""

from indexer.settings import SourceAccess
from indexer.source.address import SCHEMES
from indexer.source.base import Source
from indexer.source.cratedb import CrateSource
from indexer.source.database import DatabaseSource

__all__ = ["open_source"]


def open_source(access: SourceAccess) -> Source:
    """The source behind a URL: CrateDB for `crate://`, `http(s)://` and `host:port`, else what SQLAlchemy knows.

    Nothing is connected before `Source.describe`.

    Raises:
        Refused: for a URL that cannot be; without showing a password.
    """
    scheme, separator, _ = access.url.partition("://")
    crate = not separator or scheme.strip().lower() in SCHEMES
    return CrateSource(access) if crate else DatabaseSource(access)
