from dataclasses import replace

import pytest
from pydantic import ValidationError

from search.space.narrowing import FinishedTrial
from search.space.seeds import trial_seeds, uniforms
from search.storage.documents import to_json
from search.study.plans import Candidate, Finalists, Sampled, Variants, candidates, plan_from_json
from search.study.variants import Experiment
from search.tasks.images.options import Keeping, curve_of, keeping_of
from search.tasks.images.parameters import FIRST_BOX
from tests.integration.fake_study import variant

FIRST, SECOND = {"learning_rate": 1e-4, "l2": 1e-3}, {"learning_rate": 1e-5, "l2": 1e-2}
SAMPLED = Sampled(4, FIRST_BOX, None, {"images": 500, "epochs": 5})
FINALISTS = Finalists(
    (Candidate(FIRST, (3,), 9.0), Candidate(SECOND, (1,), 9.5)), FIRST_BOX, 3, {"images": 700, "epochs": 8}
)


KEEPING = Keeping((1, 4), best_until=3)
EXPERIMENT = Experiment(
    "batch-size",
    (
        variant("32", {"batch_size": 32}, 20, 3, 2),
        variant("64", {"batch_size": 64}, 10, 4, 2, "training", keeping=KEEPING),
    ),
)


@pytest.mark.parametrize("plan", [SAMPLED, FINALISTS, Variants(EXPERIMENT)])
def test_a_plan_survives_being_written_as_json(plan):
    assert plan_from_json(to_json(plan)) == plan


def test_a_plan_of_an_unknown_kind_is_refused():
    with pytest.raises(ValidationError):
        plan_from_json(to_json(SAMPLED).replace('"sampled"', '"guessed"'))


def test_a_sampled_slot_gets_the_draw_of_its_own_seed_and_the_stages_budget():
    given = SAMPLED.assignment(7, 1, 2)
    assert given.seeds == trial_seeds(7, 1, 2)
    assert given.params == FIRST_BOX.at(uniforms(given.seeds.parameters, 2))
    assert (given.box, given.budget) == (FIRST_BOX, {"images": 500, "epochs": 5})


def test_every_candidate_is_trained_with_the_same_seeds_and_another_in_each_repeat():
    given = [FINALISTS.assignment(7, 3, slot) for slot in range(FINALISTS.slots)]
    assert [each.params for each in given] == [FIRST, SECOND] * 3
    assert [each.seeds for each in given] == [trial_seeds(7, 3, repeat) for repeat in (0, 0, 1, 1, 2, 2)]
    assert len({each.seeds for each in given}) == 3
    assert all(each.budget == {"images": 700, "epochs": 8} for each in given)


def test_a_finalists_seeds_are_those_of_no_sampled_trial():
    sampled = {seed for slot in range(4) for seed in vars_of(SAMPLED.assignment(7, 1, slot))}
    finalists = {seed for slot in range(6) for seed in vars_of(FINALISTS.assignment(7, 2, slot))}
    assert not sampled & finalists


def vars_of(assignment):
    seeds = assignment.seeds
    return seeds.subset, seeds.weights, seeds.order


def test_every_variant_gets_its_own_parameters_budget_and_curve_and_says_which_it_is():
    given = [Variants(EXPERIMENT).assignment(7, 1, slot) for slot in range(4)]
    assert [each.params for each in given] == [{"variant": "32", "batch_size": 32}] * 2 + [
        {"variant": "64", "batch_size": 64}
    ] * 2
    assert [(*each.budget.values(), curve_of(each.options), each.repeat) for each in given] == [
        (20, 3, "validation", 0), (20, 3, "validation", 1), (10, 4, "training", 0), (10, 4, "training", 1),
    ]  # fmt: skip
    assert [keeping_of(each.options) for each in given] == [Keeping()] * 2 + [KEEPING] * 2


@pytest.mark.parametrize(("paired", "places"), [(True, [0, 1, 0, 1]), (False, [0, 1, 2, 3])])
def test_variants_share_the_seeds_of_a_repeat_where_they_are_paired(paired, places):
    plan = Variants(replace(EXPERIMENT, paired=paired))
    assert [plan.assignment(7, 1, slot).seeds for slot in range(4)] == [trial_seeds(7, 1, place) for place in places]


def trial(number, value, learning_rate):
    return FinishedTrial(slot=number, number=number, value=value, params={"learning_rate": learning_rate})


def test_the_best_configurations_come_first_and_no_more_than_asked_for():
    found = candidates([trial(0, 3.0, 1e-3), trial(1, 1.0, 1e-4), trial(2, 2.0, 1e-5)], 2)
    assert found == (Candidate({"learning_rate": 1e-4}, (1,), 1.0), Candidate({"learning_rate": 1e-5}, (2,), 2.0))


def test_a_configuration_that_was_tried_twice_is_one_with_its_mean_score():
    found = candidates([trial(0, 1.0, 1e-3), trial(1, 2.5, 1e-4), trial(2, 5.0, 1e-3)], 5)
    assert found == (Candidate({"learning_rate": 1e-4}, (1,), 2.5), Candidate({"learning_rate": 1e-3}, (0, 2), 3.0))


def test_ties_go_to_the_configuration_that_was_tried_first():
    assert [each.trials for each in candidates([trial(4, 1.0, 1e-3), trial(2, 1.0, 1e-4)], 1)] == [(4,)]


def test_without_trials_there_is_none():
    assert candidates([], 5) == ()
