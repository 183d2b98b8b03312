import pytest

from bench.competitors.logstash import pipeline
from bench.competitors.task import Competitor, Task
from tests.support.logstash_pipeline import FOLDER

TASK = Task(Competitor.LOGSTASH, "crate://localhost:4200", "http://localhost:9200", "bench.some", "", "some")
SHIPPED = (FOLDER / "pipeline" / "logs.conf").read_text("utf-8")


def test_the_pipeline_that_is_measured_is_the_one_that_is_shipped_but_for_its_table_and_its_template() -> None:
    pairs = zip(SHIPPED.splitlines(), pipeline(SHIPPED, TASK).splitlines(), strict=True)
    assert [(one.strip(), other.strip()) for one, other in pairs if one != other] == [
        ("FROM logs", "FROM bench.some"),
        ("manage_template => true", "manage_template => false"),
    ]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (SHIPPED.replace("FROM logs", "FROM rows"), "'FROM logs' 0 times"),
        (SHIPPED.replace("manage_template => true", ""), "'manage_template => true' 0 times"),
        (SHIPPED + "FROM logs\n", "'FROM logs' 2 times"),
    ],
)
def test_a_pipeline_without_what_is_replaced_is_an_error(text: str, times: str) -> None:
    with pytest.raises(ValueError, match=times):
        pipeline(text, TASK)
