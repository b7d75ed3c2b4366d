import pytest

from search.errors import SearchError
from search.space.ranges import Choices, LogRange
from search.storage.documents import from_json, to_json
from search.study.variants import Experiment
from tests.integration import fake_study


def variant(name, images=5, epochs=2, repeats=2, **params):
    return fake_study.variant(name, params or {"l2": 0.0}, images, epochs, repeats)


def test_an_experiment_survives_being_written_as_json():
    experiment = Experiment(
        "batch-size", (variant("32", batch_size=32, l2=0.0), variant("64", batch_size=64, l2=0.0)), paired=False
    )
    again = from_json(Experiment, to_json(experiment))
    assert again == experiment
    assert [type(value) for value in again.variants[0].params.values()] == [int, float]


def test_a_variants_repeats_come_together_so_that_its_network_is_compiled_once():
    experiment = Experiment("e", (variant("a", repeats=2), variant("b", repeats=1)))
    assert experiment.slots == 3
    assert [(slot, one.name, repeat) for slot, one, repeat in experiment.places()] == [
        (0, "a", 0), (1, "a", 1), (2, "b", 0),
    ]  # fmt: skip


def test_trials_choose_among_the_variants_and_their_values():
    experiment = Experiment("e", (variant("a", batch_norm="none", l2=1e-4), variant("b", batch_norm="dense", l2=1e-4)))
    assert experiment.box.ranges == (
        Choices("variant", ("a", "b")),
        Choices("batch_norm", ("none", "dense")),
        Choices("l2", (1e-4,)),
    )


def test_a_learning_rate_that_varies_is_a_range_in_which_the_dashboard_can_show_it():
    rates = [variant(name, learning_rate=rate) for name, rate in (("a", 1e-3), ("b", 1e-5), ("c", 1e-4))]
    assert Experiment("e", tuple(rates), spanned=("learning_rate", "l2")).box.ranges[1] == LogRange(
        "learning_rate", 1e-5, 1e-3
    )


def test_no_penalty_at_all_is_a_choice_since_it_has_no_logarithm():
    experiment = Experiment("e", (variant("a", l2=0.0), variant("b", l2=1e-3)))
    assert experiment.box.ranges[1] == Choices("l2", (0.0, 1e-3))


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ((), "cannot form an experiment"),
        ((variant("a"), variant("a")), "each name once"),
        ((variant("a", l2=0.0), variant("b", width=8)), "must all name the same parameters"),
        ((variant("a", images=0),), "images = 0 must be 1 or more"),
        ((variant("a", epochs=0),), "epochs = 0 must be 1 or more"),
        ((variant("a", repeats=0),), "repeats = 0 must be 1 or more"),
    ],
)
def test_what_is_no_experiment_is_refused(variants, said):
    with pytest.raises(SearchError, match=said):
        Experiment("e", variants)


def test_an_experiment_says_how_large_it_is():
    experiment = Experiment("e", (variant("a"), variant("b", images=7, epochs=9, repeats=1)))
    assert str(experiment) == "2 variants, 3 trials, 5 images, 2 epochs; 7 images, 9 epochs"
