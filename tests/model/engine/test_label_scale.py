"""The unit in which labels are learnt: small and large ones give the same network, and errors in their own unit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from model.arrays import Examples
from model.engine.engine import Engine, Hyperparameters
from model.engine.label_scale import label_scale, times
from model.engine.setup import Setup
from model.errors import ModelError
from model.network.layers import Conv2D, Dense, Expectation, Flatten, Layer
from model.network.network import Network
from model.results.age_model import AgeModel
from model.training.recipe import DEFAULT
from model.training.short_training import Budget, Score, ShortTraining, TrainingSeeds
from tests.model.values import ignore

SHAPE = (12, 12, 1)
OUTPUTS: dict[str, tuple[Layer, ...]] = {
    "linear": (Dense(1, "linear"),),
    "relu": (Dense(1, "relu"),),
    "normalised": (Dense(1, "linear", batch_norm=True),),
    "normalised relu": (Dense(1, "relu", batch_norm=True),),
    "expectation": (Dense(20, "softmax"), Expectation()),
}
Draw = Callable[..., Examples]


def small(output: str) -> Network:
    return Network((Conv2D(3, batch_norm=True), Flatten(), *OUTPUTS[output]), SHAPE)


@pytest.mark.parametrize(
    ("spread", "scale"),
    [
        (18.0, 1.0),
        (1.0, 1.0),
        (100.0, 1.0),
        (0.3, 2.0**-5),
        (0.005, 2.0**-11),
        (160.0, 16.0),
        (5e5, 2.0**16),
        (0.0, 1.0),
    ],
)
def test_labels_that_spread_as_ages_do_are_learnt_as_they_are_and_others_by_a_power_of_two(
    spread: float, scale: float
) -> None:
    labels = np.array([300 - spread, 300 + spread], np.float32)
    assert label_scale(labels, small("linear")) == scale


@pytest.mark.parametrize(
    ("labels", "scale"),
    [
        (np.linspace(-9e17, 9e17, 5400, dtype=np.float32), 2.0**56),  # whose squares are beyond float32
        (np.linspace(1e-27, 9e-27, 5400, dtype=np.float32), 2.0**-92),  # whose squares float32 takes for 0
        (np.full(5400, 0.1, np.float32), 1.0),  # whose mean is not quite what they are
    ],
)
def test_the_scale_does_not_suffer_from_float32(labels: np.ndarray, scale: float) -> None:
    assert label_scale(labels, small("linear")) == scale


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_labels_of_a_bounded_output_are_learnt_as_they_are(activation: str) -> None:
    network = replace(small("linear"), layers=(Flatten(), Dense(1, activation)))  # type: ignore[arg-type]
    assert label_scale(np.array([0.1, 0.2], np.float32), network) == 1


@pytest.mark.parametrize("output", OUTPUTS)
def test_weights_times_a_factor_answer_that_many_times_as_much(output: str, draw_examples: Draw) -> None:
    examples, network = draw_examples(8), small(output)
    engine = Engine(network, examples, Setup(4, 0.9, "float32"))
    engine.reset(1, 35.0)
    once, eightfold = (AgeModel(network).build(rescale=True) for _ in range(2))
    once.set_weights(engine.weights)
    eightfold.set_weights(times(network, engine.weights, np.float32(8)))
    images = examples.images.astype(np.float32)
    assert np.ptp(once.predict(images, verbose=0)) > 0
    assert np.array_equal(eightfold.predict(images, verbose=0), 8 * once.predict(images, verbose=0))


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_same_labels_in_another_unit_give_the_same_network_and_its_answers_in_that_unit(
    output: str, draw_examples: Draw
) -> None:
    drawn, factor = draw_examples(30), np.float32(2.0**14)
    trained = []
    for unit in (np.float32(2.0**7), 2**7 * factor):
        examples = Examples(drawn.images, drawn.labels * unit)
        engine = Engine(small(output), examples, Setup(8, 0.9, "float32"))
        engine.reset(1, 35.0 * float(unit))
        error = engine.train(np.arange(30, dtype=np.int32), Hyperparameters(1e-3, 1e-3))
        stock = AgeModel(engine.network).build(rescale=True)
        stock.set_weights(engine.weights)
        exported = stock.predict(examples.images.astype(np.float32), verbose=0)[:, 0]
        answers = engine.predict(examples.images)
        assert exported == pytest.approx(answers, rel=1e-4)
        trained.append((error, answers, engine.snapshot().weights[0], engine.penalised_sum()))
    small_unit, large = trained
    assert large[0] == pytest.approx(small_unit[0] * factor, rel=1e-6)
    assert np.array_equal(large[1], small_unit[1] * factor)
    assert np.array_equal(large[2], small_unit[2])
    assert large[3] == pytest.approx(small_unit[3] * factor, rel=1e-6)


def test_a_score_is_in_the_labels_unit_with_its_penalty(draw_examples: Draw) -> None:
    drawn = draw_examples(60)

    def scored(unit: float) -> Score:
        examples = Examples(drawn.images, drawn.labels * np.float32(unit))
        layers = small("linear").layers
        recipe = replace(DEFAULT, layers=layers, variant=replace(DEFAULT.variant, input_shape=SHAPE))
        training = ShortTraining(recipe, 8, examples, examples, "float32")
        return training.run(Hyperparameters(1e-3, 1e-3), Budget(40, 2), TrainingSeeds(1, 2, 3), ignore)

    few, many = scored(2.0**-12), scored(2.0**12)
    for name in ("training_mae", "validation_mae", "penalty"):
        assert getattr(many, name) == pytest.approx(getattr(few, name) * 2**24, rel=1e-6)


def test_what_was_learnt_in_another_unit_is_not_gone_on_with(draw_examples: Draw) -> None:
    engine = Engine(small("linear"), draw_examples(8), Setup(4, 0.9, "float32"))
    engine.reset(1)
    with pytest.raises(ModelError, match="was learnt in units of 8, and labels are learnt in units of 1; start over"):
        engine.restore(replace(engine.snapshot(), scale=8.0))
