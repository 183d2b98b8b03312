from pathlib import Path

import pytest

from indexer.access import without_secrets
from indexer.errors import UsageError
from indexer.settings import Settings, Strategy, load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CRATEDB_URL", "ELASTICSEARCH_URL", "INDEXER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_options_override_the_environment_which_overrides_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("indexer.toml").write_text('page = 1\nreaders = 3\nwriters = 4\nkey = "ts,id"\n')
    monkeypatch.setenv("INDEXER_PAGE", "2")
    monkeypatch.setenv("INDEXER_READERS", "5")
    settings = load_settings(page=7, writers=None)
    assert (settings.page, settings.readers, settings.writers, settings.key) == (7, 5, 4, ("ts", "id"))


@pytest.mark.parametrize("name", ["CRATEDB_URL", "INDEXER_SOURCE"])
def test_the_source_is_read_from_either_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "crate://db:4200")
    assert load_settings().source == "crate://db:4200"
    assert load_settings(source="crate://other").source == "crate://other"


@pytest.mark.parametrize("name", ["ELASTICSEARCH_URL", "INDEXER_TARGET"])
def test_the_target_is_read_from_either_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://es:9200")
    assert load_settings().target == "http://es:9200"


def test_every_setting_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"INDEXER_{name.removeprefix('as_').upper()}", "7")
    monkeypatch.setenv("INDEXER_STRATEGY", "keyset")
    monkeypatch.setenv("INDEXER_BATCH_BYTES", "7kB")
    for switch, value in {
        "SWITCH": "no",
        "FRESH": "yes",
        "JSON": "yes",
        "QUIET": "yes",
        "TARGET_SNIFF": "yes",
        "SOURCE_VERIFY": "no",
        "TARGET_VERIFY": "no",
    }.items():
        monkeypatch.setenv(f"INDEXER_{switch}", value)
    settings = load_settings()
    unset = [name for name in Settings.model_fields if getattr(settings, name) == Settings.model_fields[name].default]
    assert not unset


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"page": 0}, "--page: input should be greater than or equal to 1, not 0"),
        ({"page": -5}, "--page.*not -5"),
        ({"memory": "lots"}, "--memory.*not 'lots'"),
        ({"strategy": "fast"}, "--strategy.*'window', 'keyset' or 'offset'"),
        ({"readers": 0}, "--readers"),
    ],
)
def test_an_invalid_value_is_refused_in_one_sentence(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        load_settings(**given)
    assert "\n" not in str(refused.value)


def test_the_file_uses_the_names_of_the_options() -> None:
    Path("indexer.toml").write_text("json = true\nquiet = true\nsource_timeout = 7\n")
    settings = load_settings()
    assert (settings.as_json, settings.quiet, settings.source_timeout) == (True, True, 7)
    assert not load_settings(as_json=False).as_json
    Path("indexer.toml").write_text("json = 5\n")
    with pytest.raises(UsageError, match=r"^--json: "):
        load_settings()


def test_an_unknown_setting_is_refused_and_the_nearest_name_suggested() -> None:
    Path("indexer.toml").write_text("pgae = 5\n")
    with pytest.raises(UsageError, match=r"unknown setting pgae\. Did you mean page"):
        load_settings()


def test_a_file_that_is_not_toml_is_refused() -> None:
    Path("indexer.toml").write_text("page = \n")
    with pytest.raises(UsageError, match=r"indexer\.toml cannot be read"):
        load_settings()


def test_a_missing_config_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEXER_CONFIG", "nowhere.toml")
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        load_settings()


def test_secrets_are_masked() -> None:
    settings = load_settings(source_password="geheim", target_api_key="geheim")
    assert "geheim" not in repr(settings)
    assert "geheim" not in repr(settings.source_access)
    assert without_secrets("crate://me:geheim@a:1,crate://b:2") == "crate://me:***@a:1,crate://b:2"


def test_sizes_are_parsed_with_units() -> None:
    assert load_settings(memory="64MiB").memory == 64 * 2**20
    assert load_settings().strategy is Strategy.WINDOW
