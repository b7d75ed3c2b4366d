"""Short trainings: a score that follows from the arguments alone, and budgets that make no sense."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace

import numpy as np
import pytest

from model.arrays import Examples
from model.engine.engine import Engine, Hyperparameters
from model.engine.setup import Setup
from model.errors import ModelError
from model.network.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPool
from model.network.network import Network
from model.network.paper import PaperVariant
from model.training.recipe import DEFAULT, PAPER, Recipe
from model.training.short_training import Budget, DivergedError, Score, ShortTraining, TrainingSeeds, mean_error, spread
from tests.model.values import ignore


class SmallRecipe(Recipe):
    """A recipe for a network that trains in an instant."""

    def network(self) -> Network:
        layers = (Conv2D(4, batch_norm=True), MaxPool(), Flatten(), Dropout(0.2), Dense(5), Dense(1, self.output))
        return Network(layers, (12, 12, 1))


SMALL_DEFAULT, SMALL_PAPER = SmallRecipe(**asdict(DEFAULT)), SmallRecipe(**asdict(PAPER))
BATCH = 8
BUDGET = Budget(images=50, epochs=3)
TRAINING, DRAWS = Hyperparameters(2e-3, 1e-3), TrainingSeeds(subset=1, weights=2, order=3)
ABSURD = Hyperparameters(1e25, 1e-3)
Draw = Callable[..., Examples]


@pytest.fixture(scope="module")
def splits(draw_examples: Draw) -> tuple[Examples, Examples]:
    return draw_examples(90, seed=1), draw_examples(40, seed=2)


@pytest.fixture(scope="module")
def default(splits: tuple[Examples, Examples]) -> ShortTraining:
    return ShortTraining(SMALL_DEFAULT, BATCH, *splits, "float32")


@pytest.fixture(scope="module")
def paper(splits: tuple[Examples, Examples]) -> ShortTraining:
    return ShortTraining(SMALL_PAPER, BATCH, *splits, "float32")


@pytest.fixture(params=["default", "paper"])
def short(request: pytest.FixtureRequest) -> ShortTraining:
    found: ShortTraining = request.getfixturevalue(request.param)
    return found


def by_hand(short: ShortTraining, splits: tuple[Examples, Examples], mean: float, recompute: bool) -> Score:
    """Do what a recipe promises, with an engine of its own."""
    training, validation = splits
    engine = Engine(short.recipe.network(), training, Setup(8, short.recipe.momentum, "float32"))
    engine.reset(2, mean)
    subset = np.random.default_rng(1).permutation(90)[:50].astype(np.int32)
    orders = np.random.default_rng(3)
    maes = [engine.train(orders.permutation(subset), TRAINING) for _ in range(3)]
    if recompute:
        engine.precise_batch_norm(subset)
    error = np.abs(engine.predict(validation.images).astype(np.float64) - validation.labels).mean()
    return Score(maes[-1], float(error), 1e-3 * engine.penalised_sum())


def test_the_default_recipe_starts_at_the_mean_label_and_recomputes_statistics(
    default: ShortTraining, splits: tuple[Examples, Examples]
) -> None:
    mean = float(splits[0].labels.mean())
    assert default.run(TRAINING, BUDGET, DRAWS, ignore) == by_hand(default, splits, mean, recompute=True)


def test_the_papers_recipe_starts_at_0_and_keeps_its_moving_statistics(
    paper: ShortTraining, splits: tuple[Examples, Examples]
) -> None:
    assert paper.run(TRAINING, BUDGET, DRAWS, ignore) == by_hand(paper, splits, 0.0, recompute=False)


def test_the_papers_output_is_never_below_0(paper: ShortTraining, splits: tuple[Examples, Examples]) -> None:
    paper.run(TRAINING, BUDGET, DRAWS, ignore)
    assert paper.engine.predict(splits[1].images).min() >= 0


def test_the_penalty_is_reported_beside_the_validation_error_and_not_in_it(short: ShortTraining) -> None:
    without = short.run(replace(TRAINING, l2=0.0), BUDGET, DRAWS, ignore)
    assert without.penalty == 0
    score = short.run(replace(TRAINING, l2=1e-9), BUDGET, DRAWS, ignore)
    assert score.validation_mae == pytest.approx(without.validation_mae, rel=1e-4)
    assert score.penalty == pytest.approx(1e-9 * short.engine.penalised_sum())
    assert score.penalty > 0


def test_the_score_depends_on_the_arguments_alone(short: ShortTraining) -> None:
    first = short.run(TRAINING, BUDGET, DRAWS, ignore)
    short.run(Hyperparameters(0.1, 1.0), BUDGET, TrainingSeeds(7, 8, 9), ignore)
    assert short.run(TRAINING, BUDGET, DRAWS, ignore) == first
    assert short.engine.traces == 1


@pytest.mark.parametrize("name", ["subset", "weights", "order"])
def test_each_seed_matters(default: ShortTraining, name: str) -> None:
    other = replace(DRAWS, **{name: 11})
    assert default.run(TRAINING, BUDGET, other, ignore) != default.run(TRAINING, BUDGET, DRAWS, ignore)


def test_both_coefficients_matter(default: ShortTraining) -> None:
    settings = (TRAINING, replace(TRAINING, learning_rate=1e-3), replace(TRAINING, l2=0.5))
    assert len({default.run(training, BUDGET, DRAWS, ignore).training_mae for training in settings}) == 3


def test_every_epoch_learns_from_the_same_subset_once_in_another_order(
    default: ShortTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[list[int]] = []
    train = default.engine.train

    def recorded(order: np.ndarray, training: Hyperparameters, rates: np.ndarray) -> float:
        orders.append(order.tolist())
        assert rates.tolist() == [1.0] * -(-BUDGET.images // BATCH)
        return train(order, training, rates)

    monkeypatch.setattr(default.engine, "train", recorded)
    default.run(TRAINING, BUDGET, DRAWS, ignore)
    assert len(orders) == 3
    assert orders[0] != orders[1] != orders[2]
    subsets = [set(order) for order in orders]
    assert subsets[0] == subsets[1] == subsets[2]
    assert len(subsets[0]) == len(orders[0]) == BUDGET.images
    assert max(subsets[0]) < 90


def test_epochs_are_told_from_1_on_with_their_training_error(default: ShortTraining) -> None:
    told: list[tuple[int, float]] = []
    score = default.run(TRAINING, BUDGET, DRAWS, lambda epoch, mae: told.append((epoch, mae)))
    assert [epoch for epoch, _ in told] == [1, 2, 3]
    assert told[-1][1] == score.training_mae


def test_a_training_stopped_from_outside_ends_there_and_leaves_no_trace(default: ShortTraining) -> None:
    expected = default.run(TRAINING, BUDGET, DRAWS, ignore)

    def stop(epoch: int, _mae: float) -> None:
        if epoch == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        default.run(Hyperparameters(0.1, 0.1), BUDGET, DRAWS, stop)
    assert default.run(TRAINING, BUDGET, DRAWS, ignore) == expected


def test_an_absurd_learning_rate_diverges_and_leaves_no_trace(short: ShortTraining) -> None:
    expected = short.run(TRAINING, BUDGET, DRAWS, ignore)
    with pytest.raises(DivergedError, match=r"the (training error of epoch \d|validation error|penalty) is (nan|inf)"):
        short.run(ABSURD, BUDGET, DRAWS, ignore)
    assert short.run(TRAINING, BUDGET, DRAWS, ignore) == expected


def test_a_learning_rate_that_is_no_number_diverges(short: ShortTraining) -> None:
    with pytest.raises(DivergedError):
        short.run(Hyperparameters(float("nan"), 1e-3), BUDGET, DRAWS, ignore)


@pytest.mark.parametrize("name", ["images", "epochs"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_a_budget_that_makes_no_sense_is_refused(name: str, value: int) -> None:
    with pytest.raises(ModelError, match=f"{name} is {value}; it must be a whole number of at least 1"):
        replace(BUDGET, **{name: value})


def test_a_budget_of_all_the_images_is_allowed_and_one_more_is_refused(default: ShortTraining) -> None:
    default.run(TRAINING, replace(BUDGET, images=90), DRAWS, ignore)
    with pytest.raises(ModelError, match="images is 91; the training split has 90: choose 1 to that many"):
        default.run(TRAINING, replace(BUDGET, images=91), DRAWS, ignore)


def test_trainings_of_different_budgets_share_one_compiled_network(default: ShortTraining) -> None:
    before = default.run(TRAINING, BUDGET, DRAWS, ignore)
    default.run(TRAINING, Budget(images=61, epochs=1), DRAWS, ignore)
    assert default.run(TRAINING, BUDGET, DRAWS, ignore) == before
    assert default.engine.traces == 1


def test_a_step_of_no_images_is_refused(splits: tuple[Examples, Examples]) -> None:
    with pytest.raises(ModelError, match="batch_size is 0; it must be a whole number of at least 1"):
        ShortTraining(SMALL_DEFAULT, 0, *splits, "float32")


@pytest.mark.parametrize("wrong", ["training", "validation"])
def test_images_of_another_shape_are_refused(draw_examples: Draw, wrong: str) -> None:
    shapes = {"training": (12, 12, 1), "validation": (12, 12, 1), wrong: (12, 12, 3)}
    training, validation = draw_examples(60, shape=shapes["training"]), draw_examples(9, shape=shapes["validation"])
    with pytest.raises(ModelError, match=rf"the {wrong} images are \(12, 12, 3\); the network takes \(12, 12, 1\)"):
        ShortTraining(SMALL_DEFAULT, BATCH, training, validation, "float32")


@pytest.mark.parametrize(
    ("activation", "low", "high", "reached"),
    [
        ("relu", 0, 80, True),
        ("relu", -1, 80, False),
        ("sigmoid", 0, 1, True),
        ("sigmoid", 0, 2, False),
        ("tanh", -1, 1, True),
        ("tanh", -2, 1, False),
        ("linear", -50, 50, True),
    ],
)
def test_labels_that_the_output_cannot_answer_are_refused(
    draw_examples: Draw, activation: Activation, low: float, high: float, reached: bool
) -> None:
    images = draw_examples(20)
    examples = Examples(images.images, np.linspace(low, high, 20, dtype=np.float32))
    recipe = replace(DEFAULT, layers=(Flatten(), Dense(1, activation)), variant=PaperVariant(input_shape=(12, 12, 1)))
    with nullcontext() if reached else pytest.raises(ModelError, match=f"activation '{activation}' answers"):
        ShortTraining(recipe, BATCH, examples, examples, "float32")


def test_the_mean_error_is_summed_in_double_precision() -> None:
    stream = np.random.default_rng(1)
    predictions, labels = (stream.uniform(0, 80, 10_000).astype(np.float32) for _ in range(2))
    assert mean_error(predictions, labels) == np.abs(predictions.astype(np.float64) - labels).mean()


def test_the_validation_error_on_the_way_is_that_of_a_training_that_ends_there(short: ShortTraining) -> None:
    seen: list[float] = []
    score = short.run(TRAINING, BUDGET, DRAWS, lambda _epoch, _mae: seen.append(short.validation_error()))
    ends = [short.run(TRAINING, replace(BUDGET, epochs=count), DRAWS, ignore).validation_mae for count in (1, 2, 3)]
    assert seen == ends
    assert score == short.run(TRAINING, BUDGET, DRAWS, ignore)


def test_an_error_on_a_part_of_the_validation_images_changes_nothing_of_how_the_training_ends(
    short: ShortTraining,
) -> None:
    seen: list[float] = []
    score = short.run(TRAINING, BUDGET, DRAWS, lambda _epoch, _mae: seen.append(short.validation_error(3)))
    assert score == short.run(TRAINING, BUDGET, DRAWS, ignore)
    assert score.validation_mae not in seen
    again: list[float] = []
    short.run(TRAINING, BUDGET, DRAWS, lambda _epoch, _mae: again.append(short.validation_error(3)))
    assert again == seen
    short.run(TRAINING, BUDGET, DRAWS, lambda _epoch, _mae: again.append(short.validation_error(10**6)))
    assert again[-1] == score.validation_mae


def test_a_part_has_rows_at_equal_distances_in_the_order_of_the_labels() -> None:
    labels = np.array([5, 1, 4, 2, 3, 6], np.float32)
    assert labels[spread(labels, 3)].tolist() == [2, 4, 6]
    assert labels[spread(labels, 1)].tolist() == [4]
    assert labels[spread(labels, 6)].tolist() == labels[spread(labels, None)].tolist() == labels.tolist()


def test_a_validation_error_on_the_way_that_is_no_number_ends_the_training(default: ShortTraining) -> None:
    def validate(_epoch: int, _mae: float) -> None:
        engine = default.engine
        engine.restore(replace(engine.snapshot(), weights=[weight * np.nan for weight in engine.weights]))
        default.validation_error()

    with pytest.raises(DivergedError, match="the validation error is nan"):
        default.run(TRAINING, BUDGET, DRAWS, validate)
