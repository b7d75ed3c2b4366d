import pytest

from model.training.recipe import DEFAULT
from search.errors import SearchError
from search.report.declared import DECLARED, LENGTHS, Size, epochs_at, experiment_of
from search.tasks.images.options import Keeping, curve_of, keeping_of
from search.tasks.images.variation import varied
from tests.search.declared_experiments import BY_NAME

SHAPE = (91, 91, 1)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_every_variant_makes_a_network_of_its_own_kind(declared):
    made = [
        (varied(DEFAULT, SHAPE, each.params), each.params.get("dropout"), each.params.get("batch_size"))
        for each in experiment_of(declared, Size(), 5400).variants
    ]
    assert len(set(made)) == len(declared.variants)
    assert all(recipe.network().parameters > 1_000_000 for recipe, *_ in made)


@pytest.mark.parametrize(
    ("name", "images", "epochs", "l2"),
    [
        ("capacity", 20, 500, 0.0),
        ("batchnorm", 5400, 50, 1e-5),
        ("batch-size", 5400, 50, 1e-4),
        ("training-length", 5400, 1000, 1e-4),
    ],
)
def test_the_sizes_are_the_papers_unless_others_are_asked_for(name, images, epochs, l2):
    for variant in experiment_of(BY_NAME[name], Size(), 5400).variants:
        assert (*variant.budget.values(), variant.params["l2"]) == (images, epochs, l2)
    for variant in experiment_of(BY_NAME[name], Size(30, 2, 4), 5400).variants:
        assert (*variant.budget.values(), variant.repeats, variant.params["l2"]) == (30, 2, 4, l2)


def test_batch_normalisation_is_tried_in_the_papers_three_places_and_nowhere():
    experiment = experiment_of(BY_NAME["batchnorm"], Size(), 10)
    assert [each.params["batch_norm"] for each in experiment.variants] == ["none", "convolutions", "blocks", "dense"]


def test_capacity_is_judged_by_the_training_error_and_everything_else_by_validation():
    curves = {
        each.name: {curve_of(one.options) for one in experiment_of(each, Size(), 10).variants} for each in DECLARED
    }
    assert curves.pop("capacity") == {"training"}
    assert all(curve == {"validation"} for curve in curves.values())


def test_a_residual_network_has_about_as_many_parameters_as_the_papers():
    counts = [
        varied(DEFAULT, SHAPE, each.params).network().parameters
        for each in experiment_of(BY_NAME["residual"], Size(), 10).variants
    ]
    assert counts[0] == 1_431_905
    assert counts[1] == pytest.approx(counts[0], rel=0.05)


def test_the_lengths_are_shares_of_the_longest():
    assert list(epochs_at(LENGTHS, BY_NAME["training-length"].epochs).values()) == [100, 600, 800, 1000]
    assert list(epochs_at(LENGTHS, 2).values()) == [1, 1, 2, 2]


def test_the_networks_at_the_papers_lengths_are_kept_and_the_best_of_800_epochs():
    for declared in DECLARED:
        (keeping,) = {keeping_of(each.options) for each in experiment_of(declared, Size(), 10).variants}
        assert keeping == (Keeping((100, 600, 800, 1000), 800) if declared.name == "training-length" else Keeping())


def test_a_size_that_makes_no_sense_is_refused():
    with pytest.raises(SearchError, match="epochs = 0"):
        experiment_of(BY_NAME["dropout"], Size(epochs=0), 10)
