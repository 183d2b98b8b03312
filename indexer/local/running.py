"""What `indexer up` started, kept in a small file of the cache folder, so that `indexer down` stops that and no more."""

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from indexer.local.cache import REGISTRY, SERVERS, cache_folder, clear, locked
from indexer.local.cratedb import cratedb
from indexer.local.elasticsearch import elasticsearch
from indexer.local.server import Server

__all__ = ["Running", "clean", "down", "running", "up"]
