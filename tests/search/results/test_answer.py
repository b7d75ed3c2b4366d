import json
from pathlib import Path

import jsonschema
import pytest

from search.results.answer import answer_of
from search.results.ranking import best_trials
from tests.integration.fake_study import finalist_budget
from tests.search.tiny import work_off, work_some

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/answers.schema.json").read_text())


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is read is put into words alike, whichever it comes from."""
    return sqlite_url


def answer(study):
    found = json.loads(json.dumps(answer_of(study), allow_nan=False))
    jsonschema.validate(found, SCHEMA)
    return found


def test_a_study_that_has_not_begun_has_no_best_and_no_rate(study_of):
    found = answer(study_of(3))
    assert [found[name] for name in ("best", "top", "done", "rate", "minutes_left")] == [None, [], False, None, None]


def test_while_it_runs_the_rate_says_what_is_left(study_of):
    study = study_of(6, 2)
    work_some(study, 4)
    found = answer(study)
    assert not found["done"]
    assert found["rate"] > 0
    assert found["minutes_left"] == pytest.approx(4 / found["rate"])


def test_the_best_is_the_first_of_the_top_with_its_parameters(study_of):
    study = study_of(6, finalists=finalist_budget(2, 2))
    work_off(study)
    found, (best, *_) = answer(study), best_trials(study, 1)
    assert (found["done"], found["minutes_left"], len(found["top"])) == (True, 0, 5)
    assert found["best"] == found["top"][0]
    assert (found["best"]["number"], found["best"]["params"]) == (best.number, best.params)
    assert found["verdict"]["finalists"][0]["tied"] is True


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
