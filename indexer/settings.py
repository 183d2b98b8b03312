"""What the user can set, and from where.

One rule names everything: the option `--source-password` is INDEXER_SOURCE_PASSWORD in the environment and
`source_password` in the config file, which is `indexer.toml` or the file that INDEXER_CONFIG names. An option
beats the environment, the environment beats the file. CRATEDB_URL and ELASTICSEARCH_URL name the servers too. Read
once, in `indexer.cli`; the rooms below are handed the values.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ByteSize,
    ConfigDict,
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

from indexer.errors import UsageError
from indexer.model.table.table import nearest

__all__ = ["Settings", "SourceAccess", "Strategy", "TargetAccess", "load_settings", "without_secrets"]

MIB = 1024 * 1024

_SECRET = frozenset({"source", "target", "source_password", "source_jwt", "target_password", "target_api_key"})
"""The settings that are, or may hold, a secret."""


class Strategy(StrEnum):
    """How pages advance through the source."""

    WINDOW = "window"
    """Bounded windows of the key: a page costs the same at any depth."""
    KEYSET = "keyset"
    """`key > last ORDER BY key LIMIT page`: in CrateDB a page costs in proportion to the rows that are left."""
    OFFSET = "offset"
    """`LIMIT page OFFSET n`, as Logstash pages: a page costs in proportion to its depth."""


class SourceAccess(BaseModel):
    """How to reach the source.

    Attributes:
        url: one URL, or several CrateDB servers separated by commas; credentials may be part of it.
        user: the user, where the URL has none.
        password: likewise.
        jwt: a JSON Web Token, in place of a user and password; CrateDB only.
        ca: a file with the certificate authorities to trust, PEM.
        cert: a client certificate, PEM; its key too, where `cert_key` names no other file.
        cert_key: the certificate's key, PEM, not encrypted.
        verify: whether the server's certificate is checked.
        timeout: seconds without an answer after which a request counts as failed.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    user: str | None = None
    password: SecretStr | None = None
    jwt: SecretStr | None = None
    ca: Path | None = None
    cert: Path | None = None
    cert_key: Path | None = None
    verify: bool = True
    timeout: float = 300.0


class TargetAccess(BaseModel):
    """How to reach Elasticsearch.

    Attributes:
        url: one URL, or several nodes separated by commas; credentials may be part of it.
        user: the user, where the URL has none.
        password: likewise.
        api_key: an API key, base64 as Elasticsearch returns it; instead of a user and password.
        ca: a file with the certificate authorities to trust, PEM.
        cert: a client certificate, PEM; its key too, where `cert_key` names no other file.
        cert_key: the certificate's key, PEM, not encrypted.
        verify: whether the server's certificate is checked.
        sniff: whether the cluster is asked for all of its nodes, at the start and when one fails.
        timeout: seconds without an answer after which a request counts as failed.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    user: str | None = None
    password: SecretStr | None = None
    api_key: SecretStr | None = None
    ca: Path | None = None
    cert: Path | None = None
    cert_key: Path | None = None
    verify: bool = True
    sniff: bool = False
    timeout: float = 120.0


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Everything that a job can be told; see README for the options.

    Raises:
        pydantic.ValidationError: for a value that cannot be; `load_settings` turns it into one sentence.
    """

    model_config = SettingsConfigDict(
        env_prefix="INDEXER_",
        extra="forbid",
        populate_by_name=True,
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,  # a traceback would show it, whatever it is
    )

    source: str = Field(
        default="crate://localhost:4200", validation_alias=AliasChoices("INDEXER_SOURCE", "CRATEDB_URL")
    )
    source_user: str | None = None
    source_password: SecretStr | None = None
    source_jwt: SecretStr | None = None
    source_ca: Path | None = None
    source_cert: Path | None = None
    source_cert_key: Path | None = None
    source_verify: bool = True
    source_timeout: float = Field(default=300.0, gt=0)

    target: str = Field(
        default="http://localhost:9200", validation_alias=AliasChoices("INDEXER_TARGET", "ELASTICSEARCH_URL")
    )
    target_user: str | None = None
    target_password: SecretStr | None = None
    target_api_key: SecretStr | None = None
    target_ca: Path | None = None
    target_cert: Path | None = None
    target_cert_key: Path | None = None
    target_verify: bool = True
    target_sniff: bool = False
    target_timeout: float = Field(default=120.0, gt=0)

    table: str = "logs"
    index: str | None = None
    mapping: Path | None = None
    key: Names = ()
    where: str | None = None
    columns: Names = ()
    catch_up: str | None = None

    page: int = Field(default=10_000, ge=1, le=1_000_000)
    strategy: Strategy = Strategy.WINDOW
    readers: int = Field(default=2, ge=1, le=64)
    writers: int = Field(default=2, ge=1, le=64)
    memory: ByteSize = Field(default=ByteSize(256 * MIB), ge=1)
    batch_bytes: ByteSize = Field(default=ByteSize(2 * MIB), ge=1024, le=100 * MIB)
    max_failures: int = Field(default=1_000, ge=0)
    keep: int = Field(default=1, ge=0)
    patience: float = Field(default=300.0, ge=0)
    switch: bool = True
    fresh: bool = False
    jobs_index: str = "reindex-jobs"
    dead_letter_index: str | None = None

    as_json: bool = Field(default=False, validation_alias="INDEXER_JSON")  # pydantic has a method `json`
    quiet: bool = False

    _split_names = field_validator("key", "columns", mode="before")(_split)

    @property
    def source_access(self) -> SourceAccess:
        """How to reach the source."""
        return SourceAccess(
            url=self.source,
            user=self.source_user,
            password=self.source_password,
            jwt=self.source_jwt,
            ca=self.source_ca,
            cert=self.source_cert,
            cert_key=self.source_cert_key,
            verify=self.source_verify,
            timeout=self.source_timeout,
        )

    @property
    def target_access(self) -> TargetAccess:
        """How to reach Elasticsearch."""
        return TargetAccess(
            url=self.target,
            user=self.target_user,
            password=self.target_password,
            api_key=self.target_api_key,
            ca=self.target_ca,
            cert=self.target_cert,
            cert_key=self.target_cert_key,
            verify=self.target_verify,
            sniff=self.target_sniff,
            timeout=self.target_timeout,
        )

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
        named = {"as_json" if name == "json" else name: value for name, value in read.items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, named)


def config_file() -> Path:
    """The config file: what INDEXER_CONFIG names, else `indexer.toml` in the working directory."""
    return Path(os.environ.get("INDEXER_CONFIG") or "indexer.toml")


def load_settings(**given: object) -> Settings:
    """The settings from the options that were given (None: not given), the environment and the config file.

    Raises:
        UsageError: for a value that cannot be, or a config file that names an unknown setting.
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
        return f"{config_file()} has the unknown setting {name}.{nearest(name, Settings.model_fields)}"
    shown = "" if name in _SECRET else f", not {first['input']!r}"
    return f"{_option(name)}: {first['msg'][0].lower()}{first['msg'][1:]}{shown}."


def _setting(place: str) -> str:
    """The setting that pydantic names by one of its aliases."""
    for name, info in Settings.model_fields.items():
        alias = info.validation_alias
        if place in (alias.choices if isinstance(alias, AliasChoices) else [alias]):
            return name
    return place


def _option(name: str) -> str:
    return "--json" if name == "as_json" else f"--{name.replace('_', '-')}"


def without_secrets(url: str) -> str:
    """A URL, or several separated by commas, fit to be shown: user names stay, passwords do not."""
    return ",".join(_mask(part) for part in url.split(","))


def _mask(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{unquote(parts.username or '')}:***@{host}").geturl()
