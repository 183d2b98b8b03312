"""What the README says, where a test must do exactly that."""

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["TEXT", "blocks", "lesser_roles", "loader_grants", "loader_role"]

_INDICES = {"logs": 0, "jobs": 1, "letters": 2}
"""The places in the role of the alias, of the index of jobs, and of that of dead letters."""

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def loader_role() -> dict[str, Any]:
    """The role in Elasticsearch that a job needs."""
    [role] = [found for found in map(json.loads, blocks("json")) if "cluster" in found]
    checked: dict[str, Any] = role
    return checked


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
    [block] = blocks("sql")
    return [statement.strip() for statement in block.split(";") if statement.strip()]
