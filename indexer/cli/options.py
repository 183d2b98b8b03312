"""The options of the command line, made from the fields of `Settings`.

Of the libraries that make Typer parameters from a pydantic model, `pydantic-typer` prefixes every option with the
parameter's name, `pydanclick` is for click alone, and both fill in the model's defaults, so that an option that was not
given would beat the environment and the file; hence this module.

`python -m indexer.cli.options docs/options.md` rewrites the table of options between that page's markers.
"""

import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from pydantic import ByteSize, SecretStr

from indexer.cli.completion import complete_index
from indexer.option import OptionGroup
from indexer.settings import Settings, config_key, environment_variables, option_name, option_of

__all__ = ["markdown_table", "rewrite_table", "setting_names", "setting_parameters"]

BEGIN: Final = "<!-- options: begin -->"
END: Final = "<!-- options: end -->"

_METAVARS: Final = {"seconds": "SECONDS", "bytes": "SIZE", int: "N", Path: "FILE", SecretStr: "TEXT"}
"""What stands for a value, by its unit or else by its type."""


def setting_names(options: Iterable[OptionGroup | str]) -> tuple[str, ...]:
    """The settings that a command takes.

    Args:
        options: groups, for all settings of a group, and names of single settings.

    Returns:
        their names, in the order of `Settings`.

    Raises:
        KeyError: for a name that is no setting.
    """
    groups = {option for option in options if isinstance(option, OptionGroup)}
    names = {option for option in options if isinstance(option, str)}
    if unknown := names - Settings.model_fields.keys():
        raise KeyError(*unknown)
    return tuple(name for name in Settings.model_fields if name in names or option_of(name).group in groups)


def setting_parameters(names: Iterable[str]) -> Iterator[Parameter]:
    """Typer's parameters for settings; each is None where its option is not given."""
    return map(_parameter, names)


def _parameter(name: str) -> Parameter:
    kind: Any = bool if _kind(name) is bool else Path if _kind(name) is Path else str
    option = option_of(name)
    typer_option = typer.Option(
        *_flags(name),
        help=f"{option.help} {_facts(name)}",
        metavar=_metavar(name),
        autocompletion=_completion(name),
        rich_help_panel=option.group.value,
        show_default=False,
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, typer_option])


def _kind(name: str) -> type:
    """The type of a setting, without None."""
    annotation = Settings.model_fields[name].annotation
    kinds = [
        kind for kind in get_args(annotation) or (annotation,) if isinstance(kind, type) and kind is not type(None)
    ]
    return kinds[0]


def _flags(name: str) -> tuple[str, ...]:
    flags = option_of(name).flags or (option_name(name),)
    can_be_negated = _kind(name) is bool and not option_of(name).flags
    return (f"{flags[0]}/--no-{flags[0][2:]}",) if can_be_negated else flags


def _metavar(name: str) -> str:
    """What stands for the value; nothing for a flag."""
    option = option_of(name)
    return option.metavar or _METAVARS.get(option.unit) or _METAVARS.get(_kind(name), "")


def _completion(name: str) -> Any:  # noqa: ANN401  # typer takes functions of several shapes
    kind = _kind(name)
    if issubclass(kind, Enum):
        values = [str(item.value) for item in kind]
        return lambda incomplete: [value for value in values if value.startswith(incomplete)]
    return complete_index if name == "index" else None


def _facts(name: str) -> str:
    """`[env: INDEXER_PAGE] [default: 10000]`."""
    default = _default(name)
    return f"[env: {', '.join(environment_variables(name))}]" + (f" [default: {default}]" if default else "")


def _default(name: str) -> str:
    """The default as a user would write it; empty where there is none."""
    option, default = option_of(name), Settings.model_fields[name].default
    match default:
        case bool():
            return "" if option.flags else f"{'' if default else 'no-'}{option_name(name)[2:]}"
        case ByteSize():
            return default.human_readable().replace(".0", "")
        case float():
            return f"{default:g}"
        case None | ():
            return option.default
        case _:
            return str(default)


def markdown_table() -> str:
    """All options as Markdown: a heading for each group, and a table under it."""
    return "\n\n".join(map(_group_table, OptionGroup))


def _group_table(group: OptionGroup) -> str:
    rows = [_row(name) for name in Settings.model_fields if option_of(name).group is group]
    header = ("option", "environment", "`indexer.toml`", "default", "unit", "what it does")
    lines = [header, ("---",) * len(header), *rows]
    return f"### {group.value}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _row(name: str) -> tuple[str, ...]:
    option, default = option_of(name), Settings.model_fields[name].default
    flags = ", ".join(f"`{flag.replace('/', '` / `')}`" for flag in _flags(name))
    variables = ", ".join(f"`{variable}`" for variable in environment_variables(name))
    shown = f"`{str(default).lower()}`" if isinstance(default, bool) else _default(name)
    if shown and default and not isinstance(default, bool):
        shown = f"`{shown}`"
    return flags, variables, f"`{config_key(name)}`", shown, option.unit, option.help.replace("|", "\\|")


def rewrite_table(page: Path) -> None:
    """Put the table of options between the markers of a Markdown page."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown_table()}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    rewrite_table(Path(sys.argv[1]))
