from search.report.parallel_figure import draw_parallel
from tests.integration.fake_study import spec_of
from tests.search.tiny import ranked

TASK = spec_of(1).task


def trial(number, error, **params):
    return ranked(number, error, params)


def test_parallel_coordinates_take_choices_and_trials_that_lack_a_parameter():
    mixed = [
        trial(0, 9.0, initializer="xavier", dropout=0.1),
        trial(1, 8.0, initializer="gaussian"),
        trial(2, 7.0, initializer="xavier", dropout=0.5),
    ]
    assert draw_parallel(mixed, TASK) != draw_parallel(mixed[::2], TASK)


def test_a_single_trial_is_drawn():
    assert draw_parallel([trial(0, 9.0, l2=1e-4, learning_rate=1e-3)], TASK).startswith(b"\x89PNG")
