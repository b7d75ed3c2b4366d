"""The engine: the training of stock Keras, on any number of images, each training independent of all before it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model.arrays import Examples
from model.engine import engine as engine_module
from model.engine.engine import PREDICTION_BATCH, STATISTICS_BATCH, Engine, Hyperparameters, Snapshot
from model.engine.label_distribution import balancing_weights
from model.engine.operations import Convolve, MatMul, operations
from model.engine.setup import Augmentation, Setup
from model.errors import ModelError
from model.network.initializers import Weights, initial_weights
from model.network.layers import Add, AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, Skip
from model.network.network import Network
from model.network.paper import with_dropout
from model.results.age_model import AgeModel
from tests.model.values import equal

PLAIN = Network(
    (
        Conv2D(4, batch_norm=True),
        MaxPool(),
        Conv2D(4, 2, "same", "tanh"),
        BatchNorm(),
        AveragePool(),
        Flatten(),
        Dense(6, "sigmoid", batch_norm=True),
        Dense(5),
        Dense(1, "linear"),
    ),
    (12, 12, 1),
)
DROPPING = replace(PLAIN, layers=(*PLAIN.layers[:-1], Dropout(0.4), PLAIN.layers[-1]))
TRAINING = Hyperparameters(3e-3, 1e-3)
IMAGES, BATCH = 300, 8
MORE_THAN_A_STATISTICS_BATCH = 2 * STATISTICS_BATCH + 37
Draw = Callable[..., Examples]


@pytest.fixture(scope="module")
def examples(draw_examples: Draw) -> Examples:
    return draw_examples(IMAGES)


@pytest.fixture(scope="module")
def shared(examples: Examples) -> Engine:
    """One engine with dropout for all tests that reset it first."""
    return Engine(DROPPING, examples, Setup(BATCH, 0.9, "float32"))


@pytest.fixture
def engine(shared: Engine) -> Engine:
    shared.reset(1, 35.0)
    return shared


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(IMAGES)[:count].astype(np.int32)


def same(first: Snapshot, second: Snapshot) -> bool:
    pairs = ((first.weights, second.weights), (first.first_moments, second.first_moments))
    moments = equal(first.second_moments, second.second_moments)
    return moments and all(equal(*pair) for pair in pairs) and (first.steps, first.seed) == (second.steps, second.seed)


def keras_fit(
    network: Network, examples: Examples, orders: list[np.ndarray], training: Hyperparameters
) -> tuple[Any, float]:
    """Train as the engine's first epochs from seed 1 go, in stock Keras; the model, and the last epoch's MAE."""
    import keras

    model = AgeModel(network).build(
        rescale=True, momentum=0.9, regularization=0 if network.regularizer == "none" else training.l2
    )
    model.set_weights(initial_weights(network, 1))
    adam = keras.optimizers.Adam(training.learning_rate)
    model.compile(adam, loss="mean_absolute_error", metrics=["mean_absolute_error"], run_eagerly=True)
    mae = 0.0
    for order in orders:
        mae, size = 0.0, BATCH
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            model.reset_metrics()
            pixels, labels = examples.images[batch].astype(np.float32), examples.labels[batch, np.newaxis]
            mae += model.train_on_batch(pixels, labels)[1] * len(batch) / len(order)
    return model, mae


def without_idle_biases(network: Network, weights: Weights) -> Weights:
    """Take each bias before a normalisation away from its mean: Keras trains them on rounding errors, we do not."""
    left = list(weights)
    for operation in operations(network):
        if isinstance(operation, Convolve | MatMul) and operation.norm:
            left[operation.norm.mean] = weights[operation.norm.mean] - weights[operation.bias]
            left[operation.bias] = np.zeros_like(weights[operation.bias])
    return left


@pytest.mark.parametrize("regularizer", ["l2", "l1", "none"])
def test_epochs_with_a_smaller_last_batch_are_those_of_keras_adam_mae_and_penalty(
    examples: Examples, regularizer: str
) -> None:
    network = replace(PLAIN, regularizer=regularizer)
    training, orders = Hyperparameters(1e-3, 0.05), [rows(28, 1), rows(28, 2)]
    engine = Engine(network, examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1)
    maes = [engine.train(order, training) for order in orders]
    model, mae = keras_fit(network, examples, orders, training)
    assert maes[1] == pytest.approx(mae, rel=1e-5)
    theirs = without_idle_biases(network, model.get_weights())
    for spec, own, expected in zip(network.weights, without_idle_biases(network, engine.weights), theirs, strict=True):
        # A moving mean lags behind Keras' drifting idle bias.
        assert own == pytest.approx(expected, rel=1e-3, abs=1e-3 if spec.role == "moving_mean" else 1e-4), spec.name
    answers = model.predict(examples.images.astype(np.float32), verbose=0)[:, 0]
    assert engine.predict(examples.images) == pytest.approx(answers, abs=1e-3)


def test_training_learns(engine: Engine) -> None:
    first = engine.train(rows(IMAGES), TRAINING)
    for seed in range(8):
        last = engine.train(rows(IMAGES, seed), TRAINING)
    assert last < 0.8 * first


def test_an_epoch_is_its_batches_one_after_the_other(engine: Engine) -> None:
    order = rows(2 * BATCH + 3)
    whole = engine.train(order, TRAINING)
    at_once = engine.snapshot()
    engine.reset(1, 35.0)
    pieces = [engine.train(order[start : start + BATCH], TRAINING) for start in (0, BATCH, 2 * BATCH)]
    assert same(engine.snapshot(), at_once)
    assert whole == pytest.approx((pieces[0] * BATCH + pieces[1] * BATCH + pieces[2] * 3) / len(order), rel=1e-6)


def test_a_step_of_one_image_works(engine: Engine) -> None:
    engine.train(rows(1), TRAINING)
    assert all(np.isfinite(weight).all() for weight in engine.weights)


def test_a_reset_draws_the_weights_of_its_seed_and_forgets_all_else(engine: Engine) -> None:
    engine.train(rows(40), TRAINING)
    engine.reset(7, 33.5)
    after = engine.snapshot()
    expected = initial_weights(DROPPING, 7)
    expected[-1] = np.array([33.5], np.float32)
    assert equal(after.weights, expected)
    assert not any(moment.any() for moment in (*after.first_moments, *after.second_moments))
    assert (after.steps, after.seed) == (0, 7)


def test_a_normalised_output_starts_at_the_output_bias_too(examples: Examples) -> None:
    network = Network((Flatten(), Dense(1, "linear", batch_norm=True)), (12, 12, 1))
    engine = Engine(network, examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1, 40.0)
    engine.precise_batch_norm(rows(IMAGES))
    assert engine.predict(examples.images).mean() == pytest.approx(40, abs=0.1)


def test_seeds_of_any_size_are_taken(engine: Engine) -> None:
    engine.reset(2**63 + 5)
    assert engine.snapshot().seed == 5


def test_a_snapshot_restored_goes_on_bit_for_bit(engine: Engine) -> None:
    engine.train(rows(43), TRAINING)
    middle = engine.snapshot()
    mae = engine.train(rows(43, 1), TRAINING)
    end = engine.snapshot()
    engine.reset(99)
    engine.train(rows(16), Hyperparameters(0.1, 0.1))
    engine.restore(middle)
    assert same(engine.snapshot(), middle)
    assert engine.train(rows(43, 1), TRAINING) == mae
    assert same(engine.snapshot(), end)


def test_a_snapshot_does_not_change_with_later_training(engine: Engine) -> None:
    kept = engine.snapshot()
    copies = [weight.copy() for weight in kept.weights]
    engine.train(rows(40), TRAINING)
    assert equal(kept.weights, copies)
    assert not equal(engine.weights, copies)


def test_a_tenth_training_is_the_first_bit_for_bit_and_nothing_is_traced_again(
    engine: Engine, examples: Examples
) -> None:
    def trained(seed: int, count: int, training: Hyperparameters) -> tuple[Snapshot, list[float]]:
        engine.reset(seed, 35.0)
        maes = [engine.train(rows(count, seed + epoch), training) for epoch in range(2)]
        engine.precise_batch_norm(rows(count, seed))
        return engine.snapshot(), [*maes, *engine.predict(examples.images[:count]).tolist()]

    first, answers = trained(1, 45, TRAINING)
    for turn in range(2, 10):
        trained(turn, 7 * turn, Hyperparameters(10.0**-turn, 10.0 ** (turn - 8)))
    again, repeated = trained(1, 45, TRAINING)
    assert same(again, first)
    assert repeated == answers
    assert engine.traces == 1
    compiled = (engine._train, engine._recompute, engine._predict)
    assert [function.experimental_get_tracing_count() for function in compiled] == [1, 1, 1]


def test_dropout_differs_from_step_to_step_and_repeats_with_its_seed(engine: Engine) -> None:
    still = Hyperparameters(0.0, 0.0)
    order = rows(BATCH)
    maes = [engine.train(order, still) for _ in range(3)]
    assert len(set(maes)) == 3
    engine.reset(1, 35.0)
    assert [engine.train(order, still) for _ in range(3)] == maes


def test_recomputed_statistics_are_those_of_keras_batches_averaged_by_size(examples: Examples) -> None:
    engine = Engine(PLAIN, examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1)
    engine.train(rows(80), Hyperparameters(1e-2, 0.1))
    trained = engine.snapshot()
    order = rows(MORE_THAN_A_STATISTICS_BATCH, 3)
    expected = [np.zeros(spec.shape) for spec in PLAIN.weights]
    for start in range(0, len(order), STATISTICS_BATCH):
        batch = order[start : start + STATISTICS_BATCH]
        model = AgeModel(PLAIN).build(rescale=True, momentum=0.0)
        model.set_weights(trained.weights)
        model(examples.images[batch].astype(np.float32), training=True)
        for total, value in zip(expected, model.get_weights(), strict=True):
            total += value * (len(batch) / len(order))
    engine.precise_batch_norm(order)
    after = engine.snapshot()
    for spec, ours, theirs, before in zip(PLAIN.weights, after.weights, expected, trained.weights, strict=True):
        if spec.trainable:
            assert np.array_equal(ours, before), spec.name
        else:
            assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6), spec.name
            assert not np.allclose(ours, before, rtol=1e-3), spec.name
    assert same(replace(after, weights=trained.weights), trained)


def test_recomputed_statistics_of_pixels_are_their_mean_and_variance(examples: Examples) -> None:
    network = Network((Flatten(), BatchNorm(), Dense(1, "linear")), (12, 12, 1))
    engine = Engine(network, examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1)
    order = rows(STATISTICS_BATCH)
    engine.precise_batch_norm(order)
    pixels = examples.images[order].reshape(STATISTICS_BATCH, -1) / 255
    assert engine.weights[2] == pytest.approx(pixels.mean(axis=0), rel=1e-5)
    assert engine.weights[3] == pytest.approx(pixels.var(axis=0), rel=1e-4)


def test_a_network_without_normalisation_has_nothing_to_recompute(examples: Examples) -> None:
    network = Network((Flatten(), Dense(1, "linear")), (12, 12, 1))
    engine = Engine(network, examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1)
    before = engine.snapshot()
    engine.precise_batch_norm(rows(20))
    assert same(engine.snapshot(), before)


def test_statistics_are_measured_on_images_that_are_varied_as_in_no_training_step(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def noted(images: tf.Tensor, seed: tf.Tensor, _how: Augmentation) -> tf.Tensor:
        def note(images: np.ndarray, seed: np.ndarray) -> np.ndarray:
            drawn.append(int(seed[0]))
            return images

        return tf.ensure_shape(tf.numpy_function(note, (images, seed), tf.float32), images.shape)

    monkeypatch.setattr(engine_module, "distorted", noted)
    engine = Engine(PLAIN, examples, Setup(BATCH, 0.9, "float32", Augmentation()))
    engine.reset(1, 35.0)
    engine.train(rows(20), TRAINING)
    engine.precise_batch_norm(rows(20))
    assert len(drawn) == 4
    assert drawn[3] not in drawn[:3]


@pytest.mark.parametrize("count", [1, PREDICTION_BATCH, PREDICTION_BATCH + 1, 2 * PREDICTION_BATCH + 5])
def test_predictions_are_those_of_keras_for_any_number_of_any_images(
    engine: Engine, draw_examples: Draw, count: int
) -> None:
    engine.train(rows(64), TRAINING)
    model = AgeModel(DROPPING).build(rescale=True)
    model.set_weights(engine.weights)
    images = draw_examples(count, seed=9).images
    predictions = engine.predict(images)
    assert (predictions.shape, predictions.dtype) == ((count,), np.float32)
    assert predictions == pytest.approx(model(images.astype(np.float32), training=False).numpy()[:, 0], rel=1e-5)


def test_no_images_get_no_predictions(engine: Engine, examples: Examples) -> None:
    predictions = engine.predict(examples.images[:0])
    assert (predictions.shape, predictions.dtype) == ((0,), np.float32)


def test_predicting_changes_nothing(engine: Engine, examples: Examples) -> None:
    engine.train(rows(20), TRAINING)
    before = engine.snapshot()
    engine.predict(examples.images)
    assert same(engine.snapshot(), before)


def test_training_on_or_measuring_no_images_is_refused(engine: Engine) -> None:
    with pytest.raises(ModelError, match="rows is empty; choose at least one image"):
        engine.train(rows(0), TRAINING)
    with pytest.raises(ModelError, match="rows is empty; choose at least one image"):
        engine.precise_batch_norm(rows(0))


def test_bfloat16_trains_close_to_float32(examples: Examples) -> None:
    maes, answers = {}, {}
    for precision in ("float32", "bfloat16"):
        engine = Engine(DROPPING, examples, Setup(BATCH, 0.9, precision))
        engine.reset(1, 35.0)
        maes[precision] = [engine.train(rows(IMAGES, seed), TRAINING) for seed in range(3)]
        engine.precise_batch_norm(rows(IMAGES))
        answers[precision] = engine.predict(examples.images)
        assert {weight.dtype for weight in engine.weights} == {np.dtype(np.float32)}
    assert maes["bfloat16"] == pytest.approx(maes["float32"], rel=0.02)
    assert maes["bfloat16"] != maes["float32"]
    assert np.abs(answers["bfloat16"] - answers["float32"]).mean() < 0.5


def test_a_rate_of_dropout_that_is_given_is_as_good_as_the_layers_own(examples: Examples, engine: Engine) -> None:
    again = replace(DROPPING, layers=with_dropout(DROPPING.layers, 0.1))
    own = Engine(again, examples, Setup(BATCH, 0.9, "float32"))
    own.reset(1, 35.0)
    expected = own.train(rows(40), TRAINING)
    traces = engine.traces
    engine.train(rows(16), TRAINING)
    engine.reset(1, 35.0)
    assert engine.train(rows(40), replace(TRAINING, dropout=0.1)) == expected
    assert all(map(np.array_equal, engine.weights, own.weights))
    engine.reset(1, 35.0)
    assert engine.train(rows(40), TRAINING) != expected
    assert engine.traces == max(traces, 1)


def test_in_a_balanced_loss_an_image_counts_as_much_as_its_weight(draw_examples: Draw) -> None:
    network = Network((Flatten(), Dense(1)), (12, 12, 1), regularizer="none")
    examples = draw_examples(6, seed=4)
    weights = balancing_weights(examples.labels)
    assert len(np.unique(weights)) > 1
    plain, balanced = (Engine(network, examples, Setup(6, 0.9, "float32", balanced=each)) for each in (False, True))
    moments = []
    for engine in (plain, balanced):
        engine.reset(1)
        engine.train(np.arange(6, dtype=np.int32), Hyperparameters(1e-3, 0.0))
        moments.append(engine.snapshot().first_moments[0])
    pixels = examples.images.reshape(6, -1) / 255
    start = initial_weights(network, 1)[0]
    signs = np.sign(pixels @ start[:, 0] - examples.labels)
    for moment, counted in zip(moments, (np.ones(6), weights), strict=True):
        gradient = (signs * counted) @ pixels / 6
        np.testing.assert_allclose(moment[:, 0], 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_a_sum_of_equals_has_a_prediction_for_every_image(examples: Examples) -> None:
    layers = (Conv2D(8, stride=4), BatchNorm(), Skip(), Dropout(0.2), Add(), Flatten(), Dense(1, "linear"))
    engine = Engine(Network(layers, (12, 12, 1)), examples, Setup(BATCH, 0.9, "float32"))
    engine.reset(1, 35.0)
    stock = AgeModel(engine.network).build(rescale=True)
    stock.set_weights(engine.weights)
    expected = stock(examples.images.astype(np.float32), training=False).numpy()[:, 0]
    assert engine.predict(examples.images) == pytest.approx(expected, rel=1e-4)
