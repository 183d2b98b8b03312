"""The package's public names."""

import importlib
import pkgutil

import indexer


def test_no_module_shadows_a_public_name() -> None:
    """Importing `indexer.x` sets the attribute `x` of the package: a function of that name would be lost."""
    assert set(indexer.__all__).isdisjoint(module.name for module in pkgutil.iter_modules(indexer.__path__))


def test_every_public_name_is_importable_again_and_again() -> None:
    for _ in range(2):
        for name in indexer.__all__:
            found = getattr(importlib.import_module("indexer"), name)
            assert getattr(found, "__name__", None) == name
