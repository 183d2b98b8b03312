"""Mapping files: where they are looked for, and how they are read."""

import re
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from indexer.errors import UsageError
from indexer.model.mapping.analysis import AnalyzerChoice
from indexer.model.mapping.overlay import Overlay, parse_overlay
from indexer.model.mapping.rules import check_overlay, fit_overlay
from indexer.model.table.table import Table

__all__ = ["find_overlay", "shipped_mappings"]

_FILE_NAME: Final = re.compile(r"\w[\w$ .-]*")
"""Table names that can be a file's name in `mappings/`: no slash, no leading dot, so that none leads out of it."""


def find_overlay(table: Table, given: Path | None = None, directory: Path | None = None) -> tuple[Overlay, str]:
    """Find, read and check the overlay of a table.

    In order: the file that `--mapping` names; `mappings/<table>.yaml` in the working directory; the same among those
    shipped with this product, as far as it fits the table; none.

    Args:
        table: the table; its name without the schema is the file's.
        given: the file that `--mapping` names.
        directory: the working directory, if another.

    Returns:
        The overlay, and where it came from, for people.

    Raises:
        UsageError: for a file that does not exist, that is not YAML, or that does not fit the table.
    """
    own = Path("mappings")
    path = given or _in(directory / own if directory else own, table)
    shipped = _in(shipped_mappings(), table)
    # In a checkout of this product, the working directory's is the shipped one.
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
        raise UsageError(f"The mapping file {path} is not UTF-8 text: save it as UTF-8.") from error
    try:
        # The loader is a SafeLoader; the rule knows only the original by name.
        return yaml.load(text, _StrictLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line} is not YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML's loader silently takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002  # yaml's own signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} is given twice, keep one", key.start_mark
                    )
                seen.add(key.value)
        found: dict[object, object] = super().construct_mapping(node, deep)
        return found
