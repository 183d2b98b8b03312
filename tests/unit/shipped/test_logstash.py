"""The Logstash pipelines and their template, held against the sample table and its overlay."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from indexer.job.overlay_file import find_overlay
from indexer.model.mapping.analysis import Capabilities
from indexer.model.mapping.mapping import build_mapping, index_template
from indexer.model.table.key import choose_key
from indexer.model.table.selection import select
from indexer.model.table.table import ColumnKind
from indexer.sandbox.sample_logs import SampleRow
from tests.support.logstash_pipeline import FOLDER, PIPELINES, read_pipeline
from tests.support.sample_logs import SAMPLE

PATTERN = "logs_logstash*"
NORI = Capabilities("9.2.0", frozenset({"nori"}), frozenset())
NESTED = frozenset({ColumnKind.OBJECT, ColumnKind.GEO_POINT})


def default(value: str) -> str:
    """A setting where no variable of the environment is set."""
    return re.sub(r"\$\{\w+:([^}]*)\}", r"\1", value)


def test_the_template_is_what_the_overlay_makes_of_the_sample_table(tmp_path: Path) -> None:
    overlay, _ = find_overlay(SAMPLE, directory=tmp_path)
    mapping = build_mapping(select(SAMPLE, choose_key(SAMPLE)), overlay, NORI)
    assert json.loads((FOLDER / "template.json").read_text("utf-8")) == index_template(mapping, PATTERN)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_makes_every_column_a_field_and_nothing_else(name: str) -> None:
    pipeline = read_pipeline(name)
    made = (pipeline.columns.keys() | pipeline.nested.keys()) - set(pipeline.removed)
    assert made == set(SampleRow._fields) == {column.name for column in SAMPLE.columns}
    template = json.loads((FOLDER / "template.json").read_text("utf-8"))
    assert made == template["template"]["mappings"]["properties"].keys()
    assert {"@timestamp", "@version"} < set(pipeline.removed)


@pytest.mark.parametrize("name", PIPELINES)
def test_what_jdbc_has_no_plain_value_for_comes_as_json_text(name: str) -> None:
    pipeline = read_pipeline(name)
    nested = {column.name for column in SAMPLE.columns if column.type.array or column.type.kind in NESTED}
    assert pipeline.nested == {column: f"_doc['{column}']" for column in nested}
    assert pipeline.columns["ts"] == "CAST(ts AS BIGINT)"  # as `reindex` sends it: milliseconds


@pytest.mark.parametrize("name", PIPELINES)
def test_a_document_is_named_by_the_primary_key_and_mapped_by_the_template(name: str) -> None:
    output = read_pipeline(name).output
    assert output.settings["document_id"] == "".join(f"%{{{column}}}" for column in SAMPLE.primary_key)
    assert fnmatch(default(output.text("index")), PATTERN)
    assert default(output.text("template_name")) == "logs_logstash"
    assert Path(default(output.text("template"))).name == "template.json"
    assert (output.settings["manage_template"], output.settings["template_api"]) == ("true", "composable")


def test_the_two_pipelines_differ_in_their_paging_alone() -> None:
    paged, explicit = map(read_pipeline, PIPELINES)
    assert paged.filters == explicit.filters
    assert {**explicit.output.settings, "index": 0} == {**paged.output.settings, "index": 0}
    assert explicit.output.text("index") == f"{paged.output.text('index')}_explicit"
    assert explicit.select == f"{paged.select} ORDER BY id LIMIT :size OFFSET :offset"
    same = {**paged.input.settings, "jdbc_paging_mode": "explicit", "statement": explicit.input.settings["statement"]}
    assert explicit.input.settings == same
    assert (same["jdbc_paging_enabled"], same["jdbc_page_size"]) == ("true", "10000")


def test_pipelines_yml_names_both_files() -> None:
    listed = yaml.safe_load((FOLDER / "pipelines.yml").read_text("utf-8"))
    assert {one["pipeline.id"]: Path(default(one["path.config"])).name for one in listed} == {
        name: f"{name}.conf" for name in PIPELINES
    }
    assert {path.stem for path in (FOLDER / "pipeline").iterdir()} == set(PIPELINES)


def test_logstash_yml_says_the_batches_that_the_benchmark_issues() -> None:
    settings = yaml.safe_load((FOLDER / "logstash.yml").read_text("utf-8"))
    assert (settings["pipeline.batch.size"], settings["pipeline.workers"]) == (125, 2)
    assert settings["dead_letter_queue.enable"] is True
