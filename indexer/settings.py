"""What the user can set, and from where.

Each setting is stated once, as a field of `Settings`: its name, type, default, unit, help and group. Its name makes its
other names: `source_password` in `indexer.toml` is `--source-password` on the command line and
INDEXER_SOURCE_PASSWORD in the environment. The command line (`indexer.cli.options`), its help, the shell completion and
the table in `docs/options.md` are made from these fields.

An option beats the environment, and the environment beats the file, which is `indexer.toml` in the working directory or
the one that INDEXER_CONFIG names. Settings are read once, in `indexer.cli`; the rooms below are handed the values.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import (
    AliasChoices,
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from indexer.access import ServerAccess, SourceAccess, TargetAccess
from indexer.errors import UsageError, did_you_mean
from indexer.model.table.table import parse_table_name
from indexer.option import Option, OptionGroup

__all__ = [
    "Settings",
    "Strategy",
    "config_key",
    "environment_variables",
    "load_settings",
    "option_name",
    "option_of",
]

ENV_PREFIX: Final = "INDEXER_"
MIB: Final = 1024 * 1024

_SECRET = frozenset({"source", "target", "source_password", "source_jwt", "target_password", "target_api_key"})
"""The settings that are, or may hold, a secret."""

_SOURCE_TIMEOUT: Final[float] = SourceAccess.model_fields["timeout"].default
_TARGET_TIMEOUT: Final[float] = TargetAccess.model_fields["timeout"].default


class Strategy(StrEnum):
    """How pages advance through the source."""

    WINDOW = "window"
    """Bounded windows of the key: a page costs the same at any depth."""
    KEYSET = "keyset"
    """`key > last ORDER BY key LIMIT page`: in CrateDB the cost of a page grows with the rows that remain."""
    OFFSET = "offset"
    """`LIMIT page OFFSET n`, as Logstash pages: the cost of a page grows with its depth."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode]
Secret = SecretStr | None
File = Path | None

_TABLE, _INDEX, _LIMITS, _JOB, _SOURCE, _TARGET, _OUTPUT = OptionGroup


class Settings(BaseSettings):
    """Everything that a job can be told; `docs/options.md` lists the options.

    Raises:
        pydantic.ValidationError: for an invalid value; `load_settings` turns it into one sentence.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        extra="forbid",
        populate_by_name=True,
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,  # a traceback would show it, secret or not
    )

    table: Annotated[
        str, Option(_TABLE, "Table to read, as SQL writes it: logs, doc.logs or '\"MyTable\"'.", metavar="NAME")
    ] = "logs"
    where: Annotated[str | None, Option(_TABLE, "Read only rows that meet this SQL condition.", metavar="SQL")] = None
    columns: Annotated[Names, Option(_TABLE, "Read only these columns.", metavar="A,B", default="all")] = ()
    key: Annotated[
        Names,
        Option(
            _TABLE,
            "Column to page by, then its tiebreakers.",
            metavar="COL[,COL]",
            default="chosen; see `indexer plan`",
        ),
    ] = ()
    strategy: Annotated[
        Strategy,
        Option(_TABLE, "How pages advance: window, or the slower keyset and offset for comparison.", metavar="NAME"),
    ] = Strategy.WINDOW
    catch_up: Annotated[
        str | None,
        Option(
            _TABLE,
            "Before the switch, read the rows added during the load: those where COLUMN, an integer or a timestamp, is"
            " at or above its maximum at the start. With a column that every change raises, such as updated_at, changed"
            " rows are read too. Deletions are never noticed.",
            metavar="COLUMN",
        ),
    ] = None

    index: Annotated[
        str | None, Option(_INDEX, "Alias that readers use.", metavar="NAME", default="the table's name")
    ] = None
    mapping: Annotated[
        File, Option(_INDEX, "Mapping file (overlay).", default="mappings/TABLE.yaml, here or shipped")
    ] = None
    switch: Annotated[bool, Option(_INDEX, "Move the alias to the new index once it is verified.")] = True
    keep: Annotated[int, Option(_INDEX, "Previous indexes to keep after the switch.", unit="indexes")] = Field(
        default=1, ge=0
    )

    page: Annotated[int, Option(_LIMITS, "Most rows per page.", unit="rows")] = Field(
        default=10_000, ge=1, le=1_000_000
    )
    readers: Annotated[int, Option(_LIMITS, "Slices to read in parallel.", unit="slices")] = Field(
        default=2, ge=1, le=64
    )
    writers: Annotated[int, Option(_LIMITS, "Bulk requests in flight.", unit="requests")] = Field(
        default=2, ge=1, le=64
    )
    memory: Annotated[ByteSize, Option(_LIMITS, "Most data in flight.", unit="bytes")] = Field(
        default=ByteSize(256 * MIB), ge=1
    )
    batch_bytes: Annotated[ByteSize, Option(_LIMITS, "Largest bulk request.", unit="bytes")] = Field(
        default=ByteSize(2 * MIB), ge=1024, le=100 * MIB
    )
    patience: Annotated[
        float, Option(_LIMITS, "How long to retry an unavailable server before the job fails.", unit="seconds")
    ] = Field(default=300.0, ge=0)
    max_failures: Annotated[int, Option(_LIMITS, "Dead letters to accept before the job fails.", unit="documents")] = (
        Field(default=1_000, ge=0)
    )

    fresh: Annotated[
        bool, Option(_JOB, "Discard an unfinished job with its index, and start over.", flags=("--fresh",))
    ] = False
    jobs_index: Annotated[
        str, Option(_JOB, "Index that holds the jobs, their checkpoints and locks.", metavar="NAME")
    ] = "reindex-jobs"
    dead_letter_index: Annotated[
        str | None,
        Option(_JOB, "Keep dead letters in this index too.", metavar="NAME", default="only in the job's file"),
    ] = None

    source: Annotated[
        str,
        Option(_SOURCE, "CrateDB, several servers separated by commas, or any SQLAlchemy URL.", metavar="URL"),
    ] = Field(default="crate://localhost:4200", validation_alias=AliasChoices("INDEXER_SOURCE", "CRATEDB_URL"))
    source_user: Annotated[str | None, Option(_SOURCE, "User, if the URL has none.", metavar="NAME")] = None
    source_password: Annotated[Secret, Option(_SOURCE, "Password; safer in the environment.")] = None
    source_jwt: Annotated[Secret, Option(_SOURCE, "JSON Web Token, instead of a user; safer in the environment.")] = (
        None
    )
    source_ca: Annotated[File, Option(_SOURCE, "Certificate authorities to trust, PEM.")] = None
    source_cert: Annotated[File, Option(_SOURCE, "Client certificate, PEM.")] = None
    source_cert_key: Annotated[File, Option(_SOURCE, "Its key, if in another file.")] = None
    source_verify: Annotated[bool, Option(_SOURCE, "Check the server's certificate.")] = True
    source_timeout: Annotated[
        float, Option(_SOURCE, "Fail a request that gets no answer for so long.", unit="seconds")
    ] = Field(default=_SOURCE_TIMEOUT, gt=0)

    target: Annotated[str, Option(_TARGET, "Elasticsearch, several nodes separated by commas.", metavar="URL")] = Field(
        default="http://localhost:9200", validation_alias=AliasChoices("INDEXER_TARGET", "ELASTICSEARCH_URL")
    )
    target_user: Annotated[str | None, Option(_TARGET, "User, if the URL has none.", metavar="NAME")] = None
    target_password: Annotated[Secret, Option(_TARGET, "Password; safer in the environment.")] = None
    target_api_key: Annotated[Secret, Option(_TARGET, "API key, instead of a user; safer in the environment.")] = None
    target_ca: Annotated[File, Option(_TARGET, "Certificate authorities to trust, PEM.")] = None
    target_cert: Annotated[File, Option(_TARGET, "Client certificate, PEM.")] = None
    target_cert_key: Annotated[File, Option(_TARGET, "Its key, if in another file.")] = None
    target_verify: Annotated[bool, Option(_TARGET, "Check the server's certificate.")] = True
    target_sniff: Annotated[bool, Option(_TARGET, "Discover the cluster's other nodes and use them.")] = False
    target_timeout: Annotated[
        float, Option(_TARGET, "Fail a request that gets no answer for so long.", unit="seconds")
    ] = Field(default=_TARGET_TIMEOUT, gt=0)

    as_json: Annotated[bool, Option(_OUTPUT, "Print the result as JSON.", flags=("--json",))] = Field(
        default=False,
        validation_alias="INDEXER_JSON",  # pydantic has a method `json`
    )
    quiet: Annotated[bool, Option(_OUTPUT, "Show no progress.", flags=("--quiet", "-q"))] = False

    _split_names = field_validator("key", "columns", mode="before")(_split)

    @property
    def alias(self) -> str:
        """The alias that readers use."""
        return self.index or parse_table_name(self.table).name.lower()

    @property
    def source_access(self) -> SourceAccess:
        """How to reach the source."""
        return self._access(SourceAccess, "source")

    @property
    def target_access(self) -> TargetAccess:
        """How to reach Elasticsearch."""
        return self._access(TargetAccess, "target")

    def _access(self, access: "type[Access]", side: str) -> "Access":
        names = {name: side if name == "url" else f"{side}_{name}" for name in access.model_fields}
        return access.model_validate({name: getattr(self, setting) for name, setting in names.items()})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic-settings calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then the environment, then the config file."""
        read = TomlConfigSettingsSource(settings_cls, config_file())()
        fields = {config_key(name): name for name in Settings.model_fields}
        named = {fields.get(key, key): value for key, value in read.items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, named)


Access = TypeVar("Access", bound=ServerAccess)


def option_of(name: str) -> Option:
    """What is said of a setting.

    Raises:
        KeyError: for a name that is no setting.
    """
    [option] = (item for item in Settings.model_fields[name].metadata if isinstance(item, Option))
    return option


def option_name(name: str) -> str:
    """The setting's name on the command line."""
    return next(iter(option_of(name).flags), f"--{name.replace('_', '-')}")


def config_key(name: str) -> str:
    """The setting's name in `indexer.toml`."""
    return option_name(name)[2:].replace("-", "_")


def environment_variables(name: str) -> tuple[str, ...]:
    """The setting's names in the environment; the first wins."""
    match Settings.model_fields[name].validation_alias:
        case AliasChoices(choices=choices):
            return tuple(map(str, choices))
        case _:
            return (f"{ENV_PREFIX}{config_key(name).upper()}",)


def config_file() -> Path:
    """The config file: what INDEXER_CONFIG names, else `indexer.toml` in the working directory."""
    return Path(os.environ.get("INDEXER_CONFIG") or "indexer.toml")


def load_settings(**given: object) -> Settings:
    """The settings from the options (None for one that is not given), the environment and the config file.

    Raises:
        UsageError: for an invalid value, or a config file that names an unknown setting.
    """
    named = os.environ.get("INDEXER_CONFIG")
    if named and not Path(named).is_file():
        raise UsageError(f"INDEXER_CONFIG names {named}, which is not a file.")
    try:
        build: Callable[..., Settings] = Settings
        return build(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError(_sentence(error)) from error
    except (SettingsError, ValueError) as error:
        raise UsageError(f"{config_file()} cannot be read as TOML: {error}") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=True)[0]
    name = _setting(str(first["loc"][0])) if first["loc"] else "settings"
    if first["type"] == "extra_forbidden":
        return f"{config_file()} has the unknown setting {name}.{did_you_mean(name, Settings.model_fields)}"
    shown = "" if name in _SECRET else f", not {first['input']!r}"
    return f"{option_name(name)}: {first['msg'][0].lower()}{first['msg'][1:]}{shown}."


def _setting(place: str) -> str:
    """The setting that pydantic names by its field or by one of its environment variables."""
    return next((name for name in Settings.model_fields if place in environment_variables(name)), place)
