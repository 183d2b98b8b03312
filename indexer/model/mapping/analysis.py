"""Analyzers by purpose: an overlay says `korean`, and the best analyzer that the cluster has serves it."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue

from indexer.model.json import JsonObject

__all__ = ["ANALYZER_KEYS", "BUILT_IN", "AnalyzerChoice", "Capabilities", "Chosen", "analyzers_of", "choose_analyzer"]

BUILT_IN = frozenset({"default", "keyword", "simple", "standard", "stop", "whitespace"})
"""Analyzers of the server itself: no node is asked for them. Seen on the plain 9.2.0 distribution."""

ANALYZER_KEYS = ("analyzer", "search_analyzer", "search_quote_analyzer")


class AnalyzerChoice(BaseModel):
    """One way to serve a purpose: a file of `mappings/analysis/`.

    Attributes:
        serves: the purpose, and the name of the analyzer that the new index gets for it: `korean`.
        rank: 1 is the best way; the first whose need is met is taken.
        needs: the analyzer that every node must have for it, or None where all have what it takes.
        label: what it is, in a few words, for the plan.
        analysis: the index settings under `analysis` that define the analyzer.
        field: what a text field analyzed this way gets besides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    serves: str
    rank: int
    label: str
    needs: str | None = None
    analysis: dict[str, JsonValue]
    field: dict[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What stands for an analyzer's name in the new index.

    Attributes:
        name: the analyzer to write into the mapping.
        analysis: the settings that define it; empty where the node does.
        field: what the field gets besides.
        label: what serves a purpose, in a few words; empty for an analyzer of the cluster's own.
        fallback: why it is not what was asked for, as the rest of a sentence, or None.
    """

    name: str
    analysis: JsonObject
    field: JsonObject
    fallback: str | None = None
    label: str = ""


def analyzers_of(name: str, choices: Iterable[AnalyzerChoice]) -> frozenset[str]:
    """The analyzers to ask the cluster for before `choose_analyzer` can decide on this name."""
    ways = [choice for choice in choices if choice.serves == name]
    if ways:
        return frozenset(way.needs for way in ways if way.needs)
    return frozenset({name}) - BUILT_IN


def choose_analyzer(name: str, choices: Iterable[AnalyzerChoice], available: frozenset[str]) -> Chosen:
    """The best way to serve an analyzer's name with the analyzers that the cluster has.

    A name without choices is the cluster's own analyzer, and `standard` where it has none of that name.
    """
    ways = sorted((choice for choice in choices if choice.serves == name), key=lambda choice: choice.rank)
    if not ways:
        return _plain(name, available)
    taken = next((way for way in ways if way.needs is None or way.needs in available), None)
    if taken is None:
        return Chosen(
            "standard", {}, {}, f"the cluster has none of {', '.join(w.label for w in ways)}, so standard", "standard"
        )
    fallback = None if taken is ways[0] else f"the cluster has no {ways[0].label}, so {taken.label}"
    return Chosen(name, dict(taken.analysis), dict(taken.field), fallback, taken.label)


def _plain(name: str, available: frozenset[str]) -> Chosen:
    if name in BUILT_IN or name in available:
        return Chosen(name, {}, {})
    return Chosen("standard", {}, {}, f"the cluster has no analyzer {name}, so standard")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a mapping may use.

    Attributes:
        version: the oldest node's version, for example `9.2.0`.
        analyzers: the names of the analyzers and tokenizers that were asked for and that every node has.
        field_types: the field types that were asked for and that the cluster has.
    """

    version: str
    analyzers: frozenset[str]
    field_types: frozenset[str]
