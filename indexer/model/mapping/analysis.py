"""Analyzers by purpose: an overlay says `korean`, and the best analyzer that the cluster has is used."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, JsonValue

from indexer.model.json import JsonObject

__all__ = ["ANALYZER_KEYS", "BUILT_IN", "AnalyzerChoice", "ChosenAnalyzer", "analyzers_to_probe", "choose_analyzer"]

BUILT_IN = frozenset({"default", "keyword", "simple", "standard", "stop", "whitespace"})
"""Analyzers of the server itself, which need no probe. Seen on the plain 9.2.0 distribution."""

ANALYZER_KEYS = ("analyzer", "search_analyzer", "search_quote_analyzer")


class AnalyzerChoice(BaseModel):
    """One way to serve a purpose: a file of `mappings/analysis/`.

    Attributes:
        serves: the purpose, which is also the analyzer's name in the new index: `korean`.
        rank: 1 is the best choice; the first whose need is met is used.
        needs: the analyzer that every node must have for it, or None if it needs nothing.
        label: what it is, in a few words, for the plan.
        analysis: the index settings under `analysis` that define the analyzer.
        field: further parameters of a text field that uses it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    serves: str
    rank: int
    label: str
    needs: str | None = None
    analysis: dict[str, JsonValue]
    field: dict[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class ChosenAnalyzer:
    """What an analyzer's name stands for in the new index.

    Attributes:
        name: the analyzer to write into the mapping.
        analysis: the settings that define it; empty where the node does.
        field: further parameters of the field.
        fallback: why it is not the requested analyzer, as the beginning of a sentence, or None.
        label: what serves the purpose, in a few words; empty for an analyzer of the cluster's own.
    """

    name: str
    analysis: JsonObject
    field: JsonObject
    fallback: str | None = None
    label: str = ""


def analyzers_to_probe(name: str, choices: Iterable[AnalyzerChoice]) -> frozenset[str]:
    """The analyzers that the cluster must be probed for before `choose_analyzer` can decide about this name."""
    serving = [choice for choice in choices if choice.serves == name]
    if serving:
        return frozenset(choice.needs for choice in serving if choice.needs)
    return frozenset({name}) - BUILT_IN


def choose_analyzer(name: str, choices: Iterable[AnalyzerChoice], available: frozenset[str]) -> ChosenAnalyzer:
    """The best way to serve an analyzer's name with the analyzers that the cluster has.

    A name without choices means the cluster's own analyzer, or `standard` where the cluster has none of that name.
    """
    ranked = sorted((choice for choice in choices if choice.serves == name), key=lambda choice: choice.rank)
    if not ranked:
        return _cluster_analyzer(name, available)
    chosen = next((choice for choice in ranked if choice.needs is None or choice.needs in available), None)
    if chosen is None:
        labels = ", ".join(choice.label for choice in ranked)
        return ChosenAnalyzer("standard", {}, {}, f"the cluster has none of {labels}, so standard", "standard")
    fallback = None if chosen is ranked[0] else f"the cluster has no {ranked[0].label}, so {chosen.label}"
    return ChosenAnalyzer(name, dict(chosen.analysis), dict(chosen.field), fallback, chosen.label)


def _cluster_analyzer(name: str, available: frozenset[str]) -> ChosenAnalyzer:
    if name in BUILT_IN or name in available:
        return ChosenAnalyzer(name, {}, {})
    return ChosenAnalyzer("standard", {}, {}, f"the cluster has no analyzer {name}, so standard")
