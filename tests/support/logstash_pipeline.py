"""A parser for the shipped Logstash pipelines, so that tests can compare them with the table and the mapping."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER", "PIPELINES", "Pipeline", "Plugin", "Setting", "read_pipeline"]

FOLDER = Path(__file__).parents[2] / "logstash"
PIPELINES = ("logs", "logs_explicit")

Setting = str | list[str]

_TOKEN = re.compile(r'#[^\n]*|"(?P<text>[^"]*)"|(?P<word>[\w.]+)|(?P<mark>=>|[{}\[\],])|\s+')


@dataclass(frozen=True)
class Plugin:
    """A plugin of a section, with its settings; numbers and booleans stay text."""

    name: str
    settings: dict[str, Setting]

    def text(self, name: str) -> str:
        value = self.settings[name]
        assert isinstance(value, str)
        return value


@dataclass(frozen=True)
class Pipeline:
    """A pipeline: its input, its filters and its output."""

    input: Plugin
    filters: tuple[Plugin, ...]
    output: Plugin

    @property
    def select(self) -> str:
        """The SQL, in one line."""
        return " ".join(self.input.text("statement").split())

    @property
    def columns(self) -> dict[str, str]:
        """The expressions that the statement selects, by their names."""
        listed = re.fullmatch(r"SELECT (.*) FROM logs\b.*", self.select)
        assert listed
        expressions = re.split(r", (?![^(]*\))", listed[1])
        return {text.rpartition(" AS ")[2]: text.rpartition(" AS ")[0] or text for text in expressions}

    @property
    def nested(self) -> dict[str, str]:
        """The expressions in the column of JSON text, by the fields that the filter turns them into."""
        (parsed,) = (plugin for plugin in self.filters if plugin.name == "json")
        text = re.fullmatch(r"CAST\(\{(.*)\} AS TEXT\)", self.columns[parsed.text("source")])
        assert text
        return dict(pair.split(" = ") for pair in text[1].split(", "))

    @property
    def removed(self) -> list[str]:
        (mutate,) = (plugin for plugin in self.filters if plugin.name == "mutate")
        removed = mutate.settings["remove_field"]
        assert isinstance(removed, list)
        return removed


def read_pipeline(name: str) -> Pipeline:
    """The pipeline of this name.

    Raises:
        AssertionError: for syntax that this parser does not support.
    """
    tokens = _tokens((FOLDER / "pipeline" / f"{name}.conf").read_text("utf-8"))
    sections = {section: tuple(_plugins(tokens)) for section in tokens}
    (source,), filters, (target,) = sections["input"], sections["filter"], sections["output"]
    return Pipeline(source, filters, target)


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found, text[place : place + 40]
        place = found.end()
        if found.lastgroup:
            yield found[found.lastgroup]


def _plugins(tokens: Iterator[str]) -> Iterator[Plugin]:
    assert next(tokens) == "{"
    while (name := next(tokens)) != "}":
        yield Plugin(name, dict(_settings(tokens)))


def _settings(tokens: Iterator[str]) -> Iterator[tuple[str, Setting]]:
    assert next(tokens) == "{"
    while (name := next(tokens)) != "}":
        assert next(tokens) == "=>"
        value = next(tokens)
        yield name, list(_items(tokens)) if value == "[" else value


def _items(tokens: Iterator[str]) -> Iterator[str]:
    while (item := next(tokens)) != "]":
        if item != ",":
            yield item
