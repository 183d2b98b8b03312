"""The code blocks of README and docs/, and what a test must do with each."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "Block", "blocks", "lesser_roles", "loader_grants", "loader_role", "original_of", "pages"]

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]*) -->\n)?^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```",
    re.DOTALL | re.MULTILINE,
)

_PRIVILEGES = ROOT / "docs" / "privileges.md"

_INDICES = {"logs": 0, "jobs": 1, "letters": 2}
"""The places in the role of the alias, of the index of jobs, and of that of dead letters."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Attributes:
        language: `bash`, `python`, `json`, ...
        text: its lines.
        note: the HTML comment on the line before it, which tells a test what to do: `not run: WHY`, `setup: WHAT`,
            `until: Ctrl-C`, `exit code: N`; empty where there is none.
    """

    language: str
    text: str
    note: str

    @property
    def runs(self) -> bool:
        """Whether a test can run it."""
        return not self.note.startswith("not run: ")

    @property
    def exit_code(self) -> int:
        """What its last command ends with."""
        return int(self.note.removeprefix("exit code: ")) if self.note.startswith("exit code: ") else 0


def pages() -> list[Path]:
    """README and all pages of docs/, in every language, relative to the checkout."""
    found = [*ROOT.glob("README*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    return [page.relative_to(ROOT) for page in found]


def original_of(page: Path) -> Path:
    """The English page that a page is a translation of; an English page itself."""
    return Path(*(part.replace(".ko.", ".") for part in page.parts if part != "ko"))


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The blocks of a page in these languages, in order."""
    for found in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        if found["language"] in languages:
            yield Block(found["language"], found["text"], found["note"] or "")


def loader_role() -> dict[str, Any]:
    """The role in Elasticsearch that a job needs."""
    [block] = blocks(_PRIVILEGES, "json")
    role: dict[str, Any] = json.loads(block.text)
    return role


def lesser_roles() -> dict[str, dict[str, Any]]:
    """That role without one of its privileges, for each of them, by a name for who has it: `no-jobs-read`."""
    role = loader_role()
    lesser: dict[str, dict[str, Any]] = {}
    for kind in ("cluster", *_INDICES):
        for privilege in _privileges(role, kind):
            copy = json.loads(json.dumps(role))
            _privileges(copy, kind).remove(privilege)
            copy["indices"] = [part for part in copy["indices"] if part["privileges"]]
            lesser[f"no-{kind}-{privilege}"] = copy
    return lesser


def _privileges(role: dict[str, Any], kind: str) -> list[str]:
    found: list[str] = role["cluster"] if kind == "cluster" else role["indices"][_INDICES[kind]]["privileges"]
    return found


def loader_grants() -> list[str]:
    """The statements that make the user in CrateDB that a job needs."""
    [block] = blocks(_PRIVILEGES, "sql")
    return [statement.strip() for statement in block.text.split(";") if statement.strip()]
