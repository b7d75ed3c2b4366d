from itertools import product

from search.space.seeds import Purpose, TrialSeeds, seed_of, trial_seeds, uniforms


def test_a_slots_seeds_are_the_same_today_and_ever_after():
    assert trial_seeds(1, 1, 0) == TrialSeeds(
        parameters=8114064281633089408, subset=2015355381, weights=341724306, order=1791783544
    )


def test_no_two_purposes_slots_stages_or_studies_share_a_seed():
    places = list(product((0, 1), (1, 2), range(50), Purpose))
    assert len({seed_of(*place) for place in places}) == len(places)


def test_seeds_fit_where_they_are_used():
    for slot in range(100):
        seeds = trial_seeds(2**40, 1, slot)
        assert 0 <= seeds.parameters < 2**63
        assert all(0 <= seed < 2**31 for seed in (seeds.subset, seeds.weights, seeds.order))


def test_more_draws_leave_the_first_ones_as_they_were():
    assert uniforms(5, 4)[:2] == uniforms(5, 2)


def test_draws_are_spread_over_the_unit_interval():
    draws = [draw for slot in range(500) for draw in uniforms(trial_seeds(1, 1, slot).parameters, 2)]
    assert min(draws) >= 0
    assert max(draws) < 1
    assert abs(sum(draws) / len(draws) - 0.5) < 0.03
