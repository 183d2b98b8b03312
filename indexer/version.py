"""The product's name and version, as its indexes, its cache folder and `indexer --version` carry them."""

from typing import Final

__all__ = ["NAME", "VERSION"]

NAME: Final = "log-search-indexer"

VERSION: Final = "0.1.0"
