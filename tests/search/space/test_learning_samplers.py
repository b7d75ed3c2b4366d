import math
from dataclasses import replace
from statistics import median

import pytest

from search.space.box import Box
from search.space.learning_samplers import Seen, SlotDraw, _scores, learned
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.space.seeds import shares
from search.tasks.images.parameters import FIRST_BOX

pytestmark = pytest.mark.usefixtures("quiet")

PLACE = SlotDraw(seed=7, stage=1, slot=20, slots=60)
EVERY_KIND = Box(
    (
        *FIRST_BOX.ranges,
        LinearRange("dropout", 0.0, 0.5),
        Choices("batch_size", (16, 32)),
        IntegerRange("width", 8, 64),
        Choices("initializer", ("xavier",)),
    )
)
ENOUGH = {"tpe": 24, "cmaes": 42, "gp": 17}
"""Trials by the end of which each has learnt something; the Gaussian process takes a quarter of a second for each."""


@pytest.fixture(params=list(ENOUGH))
def sampler(request):
    if request.param == "gp":
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[gp]'")
    return request.param


def error_of(params):
    """The lower the nearer to a learning rate of 1e-4 and an L2 of 1e-5."""
    return 10 + (math.log10(params["learning_rate"]) + 4) ** 2 + (math.log10(params["l2"]) + 5) ** 2 / 4


def search(sampler, count, box=FIRST_BOX, place=PLACE, before=()):
    """The trials that one worker would have run by then."""
    seen = list(before)
    for slot in range(count):
        params = learned(sampler, box, replace(place, slot=slot), seen)
        seen.append(Seen(place.stage, slot, params, ended=True, score=error_of(params)))
    return seen


def at(rate):
    return {"learning_rate": rate, "l2": 1e-3}


def mean_score(seen):
    return sum(each.score for each in seen) / len(seen)


@pytest.fixture
def seen(sampler):
    return search(sampler, 14)


def test_what_is_learnt_brings_later_trials_nearer_to_the_best(sampler):
    seen = search(sampler, ENOUGH[sampler])
    assert mean_score(seen[-6:]) < mean_score(seen[:6]) - 0.5


def test_parameters_are_of_the_box_and_its_kinds_whatever_they_are(sampler):
    for each in search(sampler, 13, EVERY_KIND):
        assert list(each.params) == list(EVERY_KIND.names)
        assert all(one.holds(each.params[one.name]) for one in EVERY_KIND.ranges)


def test_the_same_trials_seen_give_the_same_parameters_and_another_slot_gives_others(sampler, seen):
    assert learned(sampler, FIRST_BOX, PLACE, seen) == learned(sampler, FIRST_BOX, PLACE, list(seen))
    others = (replace(PLACE, slot=21), replace(PLACE, seed=8))
    assert learned(sampler, FIRST_BOX, PLACE, seen) not in [learned(sampler, FIRST_BOX, one, seen) for one in others]


def test_a_trial_without_a_score_is_taken_for_worse_than_any_that_has_one(sampler, seen):
    without, *others = seen
    scores = [each.score for each in others]
    worse = 2 * max(scores) - min(scores)
    judged = [learned(sampler, FIRST_BOX, PLACE, [replace(without, score=each), *others]) for each in (None, worse)]
    assert judged[0] == judged[1]


def test_pruned_trials_are_the_better_the_later_they_were_pruned_and_diverged_ones_the_worst():
    trials = [
        Seen(1, slot, at(1e-4), ended=True, score=score, last=last)
        for slot, (score, last) in enumerate(
            [(9.0, None), (None, (2, 30.0)), (None, (4, 40.0)), (None, None), (None, (2, 20.0)), (12.0, None)]
        )
    ]
    scores = _scores(trials)
    assert sorted(range(6), key=scores.__getitem__) == [0, 5, 2, 4, 1, 3]
    assert min(scores[place] for place in (1, 2, 3, 4)) > 12.0


def test_the_one_trial_that_did_not_diverge_draws_the_next_ones_to_itself(sampler):
    diverged = [Seen(1, slot, at(1e-3 / 1.2**slot), ended=True) for slot in range(11)]
    seen = [*diverged, Seen(1, 11, at(1e-5), ended=True, score=12.0)]
    rates = [learned(sampler, FIRST_BOX, replace(PLACE, slot=slot), seen)["learning_rate"] for slot in range(12, 18)]
    assert median(rates) < 1e-4


def test_trials_that_all_ended_without_a_score_are_borne(sampler, seen):
    nothing = [replace(each, score=None) for each in seen]
    assert all(one.holds(learned(sampler, FIRST_BOX, PLACE, nothing)[one.name]) for one in FIRST_BOX.ranges)


def test_a_stage_learns_within_its_own_box(sampler, seen):
    narrower = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-6, 1e-3)))
    later = search(sampler, 8, narrower, replace(PLACE, stage=2), before=seen)[len(seen) :]
    assert all(one.holds(each.params[one.name]) for each in later for one in narrower.ranges)
    assert mean_score(later) < mean_score(seen)


@pytest.mark.parametrize("sampler", ["tpe", "gp"], indirect=True)
def test_the_first_trials_are_spread_evenly(sampler):
    params = [each.params for each in search(sampler, 10)]
    assert params == [FIRST_BOX.at(shares("sobol", 7, 1, slot, 2)) for slot in range(10)]


@pytest.mark.parametrize("sampler", ["tpe", "gp"], indirect=True)
def test_a_stage_of_few_trials_spreads_a_third_of_them(sampler):
    params = [each.params for each in search(sampler, 6, place=replace(PLACE, slots=9))]
    spread = [FIRST_BOX.at(shares("sobol", 7, 1, slot, 2)) for slot in range(6)]
    assert [one == other for one, other in zip(params, spread, strict=True)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("sampler", ["tpe", "gp"], indirect=True)
def test_a_trial_that_lies_in_the_new_box_is_learnt_from_and_no_other(sampler, seen):
    box = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-6, 1e-1)))
    inside = [each for each in seen if all(one.holds(each.params[one.name]) for one in box.ranges)]
    assert 5 < len(inside) < len(seen)
    place = SlotDraw(7, 2, 0, 15)
    assert learned(sampler, box, place, seen) == learned(sampler, box, place, inside)
    best = min(inside, key=lambda each: each.score)
    assert learned(sampler, box, place, seen) != learned(sampler, box, place, [e for e in inside if e is not best])


@pytest.mark.parametrize("sampler", ["tpe", "gp"], indirect=True)
def test_where_a_trial_is_running_the_next_one_is_elsewhere(sampler, seen):
    alone = learned(sampler, FIRST_BOX, PLACE, seen)
    beside = learned(sampler, FIRST_BOX, PLACE, [*seen, Seen(1, 14, alone, ended=False)])
    assert beside != alone


def test_cma_es_goes_on_from_the_last_generation_that_has_ended():
    seen = search("cmaes", 12)  # two generations of 6
    place = replace(PLACE, slot=12)
    after_one = learned("cmaes", FIRST_BOX, place, seen[:6])
    assert learned("cmaes", FIRST_BOX, place, seen) != after_one
    running = [replace(seen[9], ended=False, score=None)]
    assert learned("cmaes", FIRST_BOX, place, [*seen[:9], *running, *seen[10:]]) == after_one
    assert learned("cmaes", FIRST_BOX, place, seen[1:]) == learned("cmaes", FIRST_BOX, place, [])


def test_cma_es_draws_choices_and_starts_anew_in_another_stage():
    seen = search("cmaes", 12, EVERY_KIND)
    assert {each.params["batch_size"] for each in seen} == {16, 32}
    place = replace(PLACE, stage=2, slot=0)
    assert learned("cmaes", EVERY_KIND, place, seen) == learned("cmaes", EVERY_KIND, place, [])


def test_cma_es_samples_a_single_range_as_well():
    box = Box((LogRange("learning_rate", 1e-6, 1e-3), Choices("l2", (1e-5,))))
    seen = search("cmaes", 20, box)
    assert mean_score(seen[-4:]) < mean_score(seen[:4])
