from search.space.narrowing import FinishedTrial
from search.study.candidates import Candidate, candidates


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
