"""Mapping files: where they are found, and how they are read."""

import re
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from indexer.errors import UsageError
from indexer.model.mapping.analysis import AnalyzerChoice
from indexer.model.mapping.overlay import Overlay, parse_overlay
from indexer.model.mapping.overlay_check import check_overlay, fit_overlay
from indexer.model.table.table import Table

__all__ = ["find_overlay", "shipped_mappings"]

_FILE_NAME: Final = re.compile(r"\w[\w$ .-]*")
"""Table names that can be a file's name: without a slash or a leading dot, so that none leads out of `mappings/`."""


def find_overlay(table: Table, given: Path | None = None, directory: Path | None = None) -> tuple[Overlay, str]:
    """Find, read and check the overlay of a table.

    In order: the file that `--mapping` names; `mappings/<table>.yaml` in the working directory; the file of that name
    that is shipped with this product, as far as it fits the table; none.

    Args:
        table: the table; its name without the schema is the name of the file.
        given: the file that `--mapping` names.
        directory: a directory in place of the working directory.

    Returns:
        The overlay, and where it came from, for people.

    Raises:
        UsageError: for a file that does not exist, that is not YAML, or that does not fit the table.
    """
    own = Path("mappings")
    path = given or _in(directory / own if directory else own, table)
    shipped = _in(shipped_mappings(), table)
    # In a checkout of this product, the file in the working directory is the shipped one.
    if path is not None and (given or shipped is None or not path.samefile(shipped)):
        overlay = parse_overlay(_load(path), str(path), _analyzers())
        check_overlay(overlay, table)
        return overlay, str(path)
    return _shipped(table)


def shipped_mappings() -> Path:
    """The folder of the mapping files that come with this product: in the package, or beside it in a checkout."""
    package = Path(str(resources.files("indexer")))
    inside = package / "mappings"
    return inside if inside.is_dir() else package.parent / "mappings"


def _shipped(table: Table) -> tuple[Overlay, str]:
    """The shipped overlay as far as it fits: a user's own `logs` need not have the columns of the sample."""
    path = _in(shipped_mappings(), table)
    if path is None:
        return Overlay(analyzers=_analyzers()), "none, by the columns' types alone"
    label = f"mappings/{path.name}, as shipped"
    whole = parse_overlay(_load(path), label, _analyzers())
    overlay = fit_overlay(whole, table)
    unfit = [name for name in whole.fields if name not in overlay.fields]
    return overlay, f"{label}, without {', '.join(unfit)}, which this table does not have" if unfit else label


def _in(folder: Path, table: Table) -> Path | None:
    if not _FILE_NAME.fullmatch(table.name.name):
        return None
    path = folder / f"{table.name.name}.yaml"
    return path if path.is_file() else None


def _analyzers() -> tuple[AnalyzerChoice, ...]:
    paths = sorted((shipped_mappings() / "analysis").glob("*.yaml"))
    return tuple(AnalyzerChoice.model_validate(_load(path)) for path in paths)


def _load(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The mapping file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The mapping file {path} is not UTF-8 text; save it as UTF-8.") from error
    try:
        # The loader is a SafeLoader, which the rule knows only by its own name.
        return yaml.load(text, _StrictLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line} is not YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that appears twice, where YAML's own loader silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002  # yaml's own signature
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} appears twice, keep one", key.start_mark
                    )
                keys.add(key.value)
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping
