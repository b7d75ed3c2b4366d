import pytest
from optuna.trial import TrialState

from search.slots.slots import Slots
from search.space.learning import Seen
from search.study.assigning import assigned
from search.study.finished import seen_trials
from search.study.trials import Diverged, Pruned, Trials
from tests.integration import fake_study as fake
from tests.integration.fake_study import run_trial
from tests.search.tiny import work_off, work_some

OWNER = "elsewhere:1:1"


def seen_by(study, claim):
    with study.storage.engine.begin() as tx:
        return seen_trials(tx, study.name, claim)


def test_one_worker_runs_the_search_that_its_seed_decides(study_of):
    study = study_of(9, 6, sampler="tpe")
    work_off(study)
    assert fake.finished(study) == sorted(fake.expected_of_one(study.spec).items())


def test_what_ended_without_a_score_is_seen_and_what_runs_elsewhere(study_of):
    def some_end_badly(task):
        if task.slot == 1:
            raise OSError("out of memory")
        return Diverged("nan") if task.slot == 2 else run_trial(task)

    study = study_of(6, sampler="tpe", max_attempts=1)
    work_some(study, 4, some_end_badly)
    slots, trials = Slots(study), Trials(study)
    running = slots.claim(OWNER)
    slots.attach(running, trials.create(running, assigned(study, running)))
    found = seen_by(study, slots.claim(OWNER))
    assert [(each.slot, each.ended, each.score is None) for each in found] == [
        (0, True, False), (1, True, True), (2, True, True), (3, True, False), (4, False, True),
    ]  # fmt: skip
    params = {trial.user_attrs["slot"]: trial.params for trial in study.storage.rdb.get_all_trials(study.id)}
    assert [each.params for each in found] == [params[slot] for slot in range(5)]
    assert isinstance(found[0], Seen)


def test_of_a_pruned_trial_the_last_report_is_seen(study_of):
    def pruned(task):
        for epoch, error in ((1, 30.0), (2, 25.0)):
            task.report(epoch, error)
        endings = {1: Pruned("it is behind", 2, 1.0), 2: Diverged("nan")}
        return endings.get(task.slot) or run_trial(task)

    study = study_of(6, sampler="tpe")
    work_some(study, 3, pruned)
    found = seen_by(study, Slots(study).claim(OWNER))
    assert [(each.score is None, each.last) for each in found] == [(False, None), (True, (2, 25.0)), (True, None)]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_later_attempt_has_the_parameters_of_the_first_whatever_has_been_learnt_since(sampler, study_of):
    study = study_of(20, sampler=sampler)
    work_some(study, 13)
    slots, trials = Slots(study), Trials(study)
    first = slots.claim(OWNER)
    given = assigned(study, first)
    trial = trials.create(first, given)
    trials.fail(trial, "its worker was stopped")
    work_some(study, 3)  # of other slots
    assert seen_by(study, first)[-1].slot == 16
    slots.give_back(first)
    again = slots.claim(OWNER)
    assert (again.slot, again.token) == (13, 2)
    assert assigned(study, again) == given


def test_a_slot_that_was_claimed_and_got_no_trial_is_sampled_at_its_next_claim(study_of):
    study = study_of(20, sampler="tpe")
    work_some(study, 13)
    slots = Slots(study)
    given = assigned(study, claim := slots.claim(OWNER))
    slots.give_back(claim)
    assert assigned(study, slots.claim(OWNER)) == given


def test_a_configuration_that_is_enqueued_is_tried_by_a_sampler_that_learns_too(study_of):
    study = study_of(3, sampler="cmaes", enqueued=((("l2", 1e-3),),))
    work_off(study)
    values = [params["l2"] for _, (params, _) in fake.finished(study)]
    assert values[0] == 1e-3
    assert 1e-3 not in values[1:]
    assert {trial.state for trial in study.storage.rdb.get_all_trials(study.id)} == {TrialState.COMPLETE}
