from math import inf, nan

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from sqlalchemy import event

from search.storage import reading
from search.storage.database import open_storage

RANGES = {
    "rate": FloatDistribution(1e-6, 1e-3, log=True),
    "width": IntDistribution(8, 32),
    "place": CategoricalDistribution(["none", 2, 0.5]),
}
ATTRIBUTES = {"user_attrs": {"seeds": {"order": 2**60}, "reason": "\u00e9"}, "system_attrs": {"artifacts:1": "{}"}}


def trial(state=TrialState.COMPLETE, **parts):
    whole = {"params": {"rate": 1e-4, "width": 9, "place": 0.5}, "distributions": RANGES, **ATTRIBUTES, **parts}
    return create_trial(state=state, **whole)


TRIALS = [
    trial(value=1.5, intermediate_values={3: 1.0, 1: inf, 2: -inf, 9: nan}),
    trial(value=inf),
    trial(value=-inf),
    trial(TrialState.PRUNED, value=None, intermediate_values={1: nan}),
    trial(TrialState.FAIL),
    create_trial(state=TrialState.RUNNING),
    create_trial(state=TrialState.WAITING),
    trial(value=0.1 + 0.2),
]


@pytest.fixture
def study(storage):
    made = optuna.create_study(storage=storage.rdb, study_name="odd")
    made.add_trials(TRIALS)
    optuna.create_study(storage=storage.rdb, study_name="another").add_trial(trial(value=7.0))
    return made._study_id


@pytest.fixture
def quick(storage):
    quickly = open_storage(storage.url, reading=True)
    yield quickly
    quickly.engine.dispose()


def shown(trials):
    """All that trials hold, as text, because nan equals nothing; their attributes have no order."""
    ordered = [
        {key: sorted(each.items()) if isinstance(each, dict) else each for key, each in vars(trial).items()}
        for trial in trials
    ]
    return list(map(repr, ordered))


def test_every_trial_is_read_as_optuna_reads_it(storage, study, quick):
    read, expected = (each.rdb.get_all_trials(study) for each in (quick, storage))
    assert shown(read) == shown(expected)
    assert len(read) == len(TRIALS)


def test_trials_may_be_asked_for_by_state(storage, study, quick):
    for states in ((TrialState.COMPLETE,), (TrialState.RUNNING, TrialState.FAIL), ()):
        read, expected = (each.rdb.get_all_trials(study, states=states) for each in (quick, storage))
        assert shown(read) == shown(expected)


@pytest.mark.parametrize(("included", "newer"), [(set(), 6), ({1, 3}, 7), ({6}, -1), (set(), 99)])
def test_a_cache_may_ask_for_those_alone_that_it_lacks(included, newer, storage, study, quick):
    asked = {"states": None, "included_trial_ids": included, "trial_id_greater_than": newer}
    read, expected = (each.rdb._get_trials(study, **asked) for each in (quick, storage))
    assert shown(read) == shown(expected)


def test_the_trials_of_a_study_that_is_not_there_are_a_key_error_as_optunas(quick):
    with pytest.raises(KeyError):
        quick.rdb.get_all_trials(99)


def test_the_number_of_statements_is_the_same_however_many_trials_there_are(study, quick):
    statements = []
    event.listen(quick.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    quick.rdb.get_all_trials(study)
    assert len([each for each in statements if "trial" in each]) == 6


def test_of_many_trials_only_the_first_and_the_running_ones_come_with_their_reports(storage, study, quick, monkeypatch):
    monkeypatch.setattr(reading, "DRAWN", 3)
    finished, running = (storage.rdb.create_new_trial(study) for _ in range(2))
    for trial_id in (finished, running):
        storage.rdb.set_trial_intermediate_value(trial_id, 1, 5.0)
    storage.rdb.set_trial_state_values(finished, TrialState.COMPLETE, [1.0])
    first, *_, ended, going_on = quick.rdb.get_all_trials(study)
    assert first.intermediate_values.keys() == {1, 2, 3, 9}
    assert (ended.intermediate_values, going_on.intermediate_values) == ({}, {1: 5.0})
