import json

import pytest

from search.study.trial import Diverged, Outcome, Pruned
from tests.integration import fake_study
from tests.search.tiny import work_off


@pytest.fixture
def study(tmp_path):
    """A study whose trials end in every way."""
    (tmp_path / "runs").mkdir()
    spec = fake_study.spec_of(4, max_attempts=1)
    study = fake_study.create_or_resume(fake_study.new_storage(tmp_path / "runs"), "age", spec)

    def run(trial):
        trial.report(1, 8.5)
        ending = {0: Outcome(7.25, {"extra": 2.0}), 1: Diverged("the value is nan"), 2: Pruned("poor", 1)}
        if trial.slot == 3:
            raise ValueError("no value")
        return ending[trial.slot]

    work_off(study, run)
    yield study
    study.storage.engine.dispose()


@pytest.mark.usefixtures("study")
def test_every_trial_is_a_record_however_it_has_ended(agesearch):
    records = json.loads(agesearch("trials", "--json").out)
    assert [record["state"] for record in records] == ["finished", "diverged", "pruned", "failed"]
    assert [(record["stage"], record["slot"]) for record in records] == [(1, 0), (1, 1), (1, 2), (1, 3)]
    first, *others = records
    assert (first["value"], first["measures"], first["reported"]) == (7.25, {"extra": 2.0}, {"1": 8.5})
    assert first["params"].keys() == {"learning_rate", "l2"}
    assert 0 <= first["seed"] < 2**31
    assert first["seconds"] >= 0
    assert [record["value"] for record in others] == [None] * 3
    assert [record["reason"] for record in others] == ["the value is nan", "poor", "ValueError: no value"]


@pytest.mark.usefixtures("study")
def test_the_table_has_a_line_for_each_trial(agesearch):
    heading, first, *others = agesearch("trials").out.splitlines()
    assert heading.split()[:4] == ["trial", "state", "stage", "slot"]
    assert first.split()[:5] == ["0", "finished", "1", "0", "7.250"]
    assert [line.split()[1] for line in others] == ["diverged", "pruned", "failed"]
