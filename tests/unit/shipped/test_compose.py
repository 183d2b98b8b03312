"""compose.yaml without a Docker engine: its schema, its versions and settings, and Kibana's saved objects."""

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from indexer.sandbox import cratedb
from indexer.sandbox import download as distribution
from tests.support.logstash_pipeline import FOLDER, PIPELINES

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "compose.yaml"
OBJECTS = ROOT / "compose" / "kibana.ndjson"
CRATE = ("crate-1", "crate-2", "crate-3")


@cache
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def test_the_file_is_what_the_compose_specification_says() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_docker_compose_takes_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("There is no `docker compose`: install its plugin to have compose.yaml read by it.")
    asked = [docker, "compose", "--file", str(COMPOSE), "--profile", "*", "config", "--quiet"]
    taken = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert taken.returncode == 0, taken.stderr


def test_every_version_is_the_one_that_the_code_pins() -> None:
    text = COMPOSE.read_text("utf-8")
    elastic = set(re.findall(r"(?:docker\.elastic\.co|log-search-indexer)/[\w/]+:(\S+)", text))
    assert elastic == {distribution.VERSION}
    assert set(re.findall(r"\bcrate:([\w.]+)", text)) == {cratedb.VERSION}
    assert cratedb.IMAGE.name == f"crate:{cratedb.VERSION}"


def test_ports_are_open_on_loopback_alone_and_where_the_readme_looks() -> None:
    published = [port.split(":") for service in services().values() for port in service.get("ports", [])]
    assert {address for address, _, _ in published} == {"127.0.0.1"}
    assert {"4200", "9200", "5432", "5601"} <= {port for _, port, _ in published}
    assert services()["crate-1"]["ports"] == ["127.0.0.1:4200:4200", "127.0.0.1:5432:5432"]


def test_three_nodes_find_each_other_and_wait_for_each_other() -> None:
    names = ",".join(CRATE)
    for name in CRATE:
        settings = dict(part[2:].split("=") for part in services()[name]["command"][1:])
        assert settings["discovery.seed_hosts"] == settings["cluster.initial_master_nodes"] == names
        assert settings["gateway.expected_data_nodes"] == "3"
        assert settings["gateway.recover_after_data_nodes"] == "2"
        # The name by which it is elected is its host's, which CrateDB looks up; `$$` is compose's way to write `$`.
        assert (settings["node.name"], services()[name]["hostname"]) == ("$${HOSTNAME}", name)
        assert services()[name]["volumes"] == [f"{name}:/data"]


def test_elasticsearch_has_nori() -> None:
    assert (
        "elasticsearch-plugin install --batch analysis-nori"
        in services()["elasticsearch"]["build"]["dockerfile_inline"]
    )


def test_profiles_keep_the_comparisons_out_of_a_plain_up() -> None:
    profiles = {name: service.get("profiles") for name, service in services().items()}
    assert {name: found for name, found in profiles.items() if found} == {"logstash": ["logstash"], "bench": ["bench"]}


def test_every_service_that_is_waited_for_and_every_file_that_is_mounted_is_there() -> None:
    for service in services().values():
        for other, wanted in service.get("depends_on", {}).items():
            assert "healthcheck" in services()[other]
            assert wanted == {"condition": "service_healthy"}
        mounted = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert [path for path in mounted if path.startswith(".") and not (ROOT / path).exists()] == []


def test_logstash_is_given_what_its_pipelines_ask_for() -> None:
    asked = "".join((FOLDER / "pipeline" / f"{name}.conf").read_text("utf-8") for name in PIPELINES)
    without_default = set(re.findall(r"\$\{(\w+)\}", asked))
    logstash = services()["logstash"]
    assert without_default <= logstash["environment"].keys()
    assert logstash["environment"]["CRATEDB_JDBC_JAR"] in logstash["build"]["dockerfile_inline"]
    places = {volume.split(":")[1] for volume in logstash["volumes"]}
    assert set(re.findall(r"\$\{LOGSTASH_TEMPLATE:([^}]*)\}", asked)) <= places


def fields(mappings: dict[str, Any], parent: str = "") -> set[str]:
    """The dotted names of a mapping's fields, and of their sub-fields."""
    found: set[str] = set()
    for name, body in mappings.items():
        found |= {parent + name, *(f"{parent}{name}.{sub}" for sub in body.get("fields", {}))}
        found |= fields(body.get("properties", {}), f"{parent}{name}.")
    return found


def test_kibana_is_given_a_view_and_a_search_of_fields_that_there_are() -> None:
    view, search = (json.loads(line) for line in OBJECTS.read_text("utf-8").splitlines())
    template = json.loads((FOLDER / "template.json").read_text("utf-8"))
    known = fields(template["template"]["mappings"]["properties"])
    assert (view["type"], view["attributes"]["title"]) == ("index-pattern", "logs")
    assert view["attributes"]["timeFieldName"] in known
    source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    (reference,) = search["references"]
    assert (reference["type"], reference["id"], reference["name"]) == (
        "index-pattern",
        view["id"],
        source["indexRefName"],
    )
    queried = re.findall(r"([\w.]+):", source["query"]["query"])
    assert queried
    assert {*search["attributes"]["columns"], *(name for name, _ in search["attributes"]["sort"]), *queried} <= known
