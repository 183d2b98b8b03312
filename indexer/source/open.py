"""Opens the source behind a URL."""

from indexer.access import SourceAccess
from indexer.source.cratedb import CrateSource
from indexer.source.protocol import Source
from indexer.source.sqlalchemy import SqlAlchemySource
from indexer.source.url import SCHEMES

__all__ = ["open_source"]


def open_source(access: SourceAccess) -> Source:
    """The source behind a URL: CrateDB for `crate://`, `http(s)://` and `host:port`, otherwise a SQLAlchemy database.

    The connection is opened by `Source.describe`.

    Raises:
        UsageError: for an invalid URL; the message shows no password.
    """
    scheme, separator, _ = access.url.partition("://")
    crate = not separator or scheme.strip().lower() in SCHEMES
    return CrateSource(access) if crate else SqlAlchemySource(access)
