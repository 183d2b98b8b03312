"""What `indexer search` does once its options are read: one of a page, every hit, new hits, a count, a summary."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event

import typer

from indexer.cli.show_hits import print_count, printer, shown_time
from indexer.errors import Refused
from indexer.model.condition import parse_condition
from indexer.model.json import JsonObject
from indexer.model.moment import parse_moment
from indexer.model.question import Question
from indexer.model.search import Hit
from indexer.model.summary import SummaryWanted, parse_interval
from indexer.settings import Settings
from indexer.target.client import connect
from indexer.target.search import Search

__all__ = ["Wanted", "ask", "shorthands"]

_SIZE = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `indexer search`, as given."""

    words: list[str]
    since: str | None
    until: str | None
    where: list[str]
    sort: str | None
    size: int | None
    fields: str | None
    output: str
    count: bool
    exact: bool
    top: list[str]
    stats: list[str]
    histogram: str | None
    explain: bool
    every: bool
    follow: bool

    @property
    def summary(self) -> SummaryWanted:
        """What is asked for in numbers."""
        interval = parse_interval(self.histogram) if self.histogram else None
        size = _SIZE if self.size is None else max(1, self.size)
        return SummaryWanted(_names(self.top), _names(self.stats), interval, size)

    def question(self, now: datetime) -> Question:
        """The question that the options ask."""
        words, short = shorthands(self.words)
        return Question(
            query=" ".join(words) or "*",
            since=parse_moment(self.since, now) if self.since else None,
            until=parse_moment(self.until, now, "--until") if self.until else None,
            where=tuple(map(parse_condition, self.where)),
            shorthands=short,
            sort=_names([self.sort or ""]),
            fields=_names([self.fields or ""]),
        )

    def refuse_together(self) -> None:
        """Refuse options that exclude each other."""
        given = [
            name
            for name, wanted in (
                ("--count", self.count),
                ("--all", self.every),
                ("--follow", self.follow),
                ("--top, --stats and --histogram", bool(self.top or self.stats or self.histogram)),
            )
            if wanted
        ]
        if len(given) > 1:
            raise Refused(f"{given[0]} and {given[1]} cannot be asked for at once: give one of them.")


def ask(wanted: Wanted, settings: Settings) -> int:
    """Ask, print and return the exit code."""
    wanted.refuse_together()
    with connect(settings.target_access) as cluster:
        search = Search(cluster, settings.index or "logs")
        question = wanted.question(search.now)
        if wanted.explain:
            return _explain(search, question, wanted)
        if wanted.count:
            total = search.count(question)
            typer.echo(total)
            return 0 if total else 1
        if wanted.summary:
            from indexer.cli.show_summary import print_summary

            summary = search.summary(question, wanted.summary)
            print_summary(summary, wanted.output, search.now.tzinfo)
            return 0 if summary.total else 1
        return _hits(search, question, wanted)


def shorthands(words: list[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Tell short-hands from the words of the query: `--level ERROR` and `--level=ERROR`, several by commas.

    Raises:
        Refused: for a short-hand without a value.
    """
    query: list[str] = []
    found: dict[str, tuple[str, ...]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            query.append(word)
            continue
        name, given, value = word[2:].partition("=")
        value = value if given else next(rest, "")
        if not value or value.startswith("--"):
            raise Refused(f"--{name} needs a value: write --{name} VALUE, several values separated by commas.")
        found[name] = (*found.get(name, ()), *value.split(","))
    return query, found


def _hits(search: Search, question: Question, wanted: Wanted) -> int:
    show = printer(wanted.output, search.hints, question.fields, following=wanted.follow)
    if wanted.follow:
        with suppress(KeyboardInterrupt):  # how one ends it
            show(_followed(search, question, _SIZE if wanted.size is None else wanted.size))
        return 0
    if wanted.every:
        return 0 if show(_all(search, question)) else 1
    size = _SIZE if wanted.size is None else wanted.size
    found = search.page(question, size, exact=wanted.exact, mark=wanted.output == "table")
    show(iter(found.hits))
    print_count(found)
    if not found.total and question.since:
        _tell_newest(search)
    return 0 if found.total else 1


def _tell_newest(search: Search) -> None:
    """Nothing since then: is it the question, or has nothing been indexed for a while?"""
    time = search.asking(Question()).time("--since")
    newest = search.page(Question(sort=(f"-{time}",), fields=(time,)), 1).hits
    if newest:
        typer.echo(f"The newest document is of {shown_time(newest[0].value(time))}.", err=True)


def _followed(search: Search, question: Question, last: int) -> Iterator[Hit]:
    from indexer.target.follow import follow

    return follow(search, question, last, Event())


def _all(search: Search, question: Question) -> Iterator[Hit]:
    from indexer.cli.hit_progress import counted
    from indexer.target.deep import every_hit

    with counted() as (begin, advance):
        for count, hit in enumerate(every_hit(search, question, begin=begin)):
            advance(count)
            yield hit


def _explain(search: Search, question: Question, wanted: Wanted) -> int:
    import orjson

    body: JsonObject
    if wanted.summary:
        body = search.summary_body(question, wanted.summary)
    else:
        size = 0 if wanted.count else _SIZE if wanted.size is None else wanted.size
        body = search.body(question, size, exact=wanted.exact or wanted.count)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    return 0


def _names(given: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for names in given for name in names.split(",") if name.strip())
