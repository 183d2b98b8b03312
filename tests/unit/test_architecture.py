"""What keeps the product readable: names that mean one thing, nouns for files, and sizes that a reader can hold."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import indexer
from tests.support.documentation import ROOT

PACKAGE = ROOT / "indexer"

MAX_LINES = 350
MAX_MODULES = 16
"""In a folder, `__init__` aside."""

MAX_PARAMETERS = 6
"""Of a constructor, `self` aside: more of them mean that a concept is missing."""

NOUNS = {"mapping", "paging", "string"}
"""Words that end as participles and gerunds do, and are neither."""

TOO_FULL = {"cli"}
SHARED_NAMES = {"reindex"}
"""Exceptions, both to be emptied."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def classes(module: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.ClassDef))


def parameters(function: ast.FunctionDef) -> int:
    arguments = function.args
    named = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    return named + bool(arguments.vararg) + bool(arguments.kwarg) - 1


def test_no_two_public_classes_or_functions_share_a_name() -> None:
    definitions = defaultdict(list)
    for module in modules():
        for node in ast.parse(module.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                definitions[node.name].append(name_of(module))
    shared = {name: places for name, places in definitions.items() if len(places) > 1}
    assert {name: places for name, places in shared.items() if name not in SHARED_NAMES} == {}


def test_files_and_folders_are_nouns() -> None:
    names = {module.stem for module in modules()} | {module.parent.name for module in modules()}
    assert {name for name in names if re.search(r"(ing|ed)$", name) and name.split("_")[-1] not in NOUNS} == set()


def test_the_public_names_are_those_of_the_documentation() -> None:
    page = (ROOT / "docs" / "python-api.md").read_text("utf-8")
    assert sorted(re.findall(r"^::: indexer\.(\w+)$", page, re.MULTILINE)) == sorted(indexer.__all__)
    assert all(hasattr(indexer, name) for name in indexer.__all__)


def test_no_module_is_too_long_to_be_read() -> None:
    lines = {name_of(module): len(module.read_text("utf-8").splitlines()) for module in modules()}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_no_folder_has_too_many_modules() -> None:
    folders = defaultdict(set)
    for module in modules():
        if module.stem != "__init__":
            folders[name_of(module.parent)].add(module.stem)
    assert {
        folder: len(names) for folder, names in folders.items() if len(names) > MAX_MODULES and folder not in TOO_FULL
    } == {}


def test_no_constructor_has_too_many_parameters() -> None:
    counts = {
        f"{name_of(module)}: {class_.name}": parameters(function)
        for module in modules()
        for class_ in classes(module)
        for function in class_.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
    }
    assert {name: count for name, count in counts.items() if count > MAX_PARAMETERS} == {}
