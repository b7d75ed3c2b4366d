"""The final fit: the best weights kept, an end by patience or time, and the same end after any interruption."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import numpy as np
import pytest

from model.arrays import Examples
from model.engine.engine import Hyperparameters, Snapshot
from model.errors import ModelError
from model.network.initializers import Weights
from model.network.layers import Conv2D, Dense, Dropout, Flatten, MaxPool
from model.network.network import Network
from model.training import checkpoint, final_fit
from model.training.final_fit import FinalFit, FitSettings, FitState
from model.training.recipe import DEFAULT, PAPER, STRONG, Recipe, factors
from model.training.short_training import DivergedError
from tests.model.values import equal, ignore


class SmallRecipe(Recipe):
    """A recipe for a network that trains in an instant."""

    def network(self) -> Network:
        layers = (Conv2D(4, batch_norm=True), MaxPool(), Flatten(), Dropout(0.2), Dense(5), Dense(1, self.output))
        return Network(layers, (12, 12, 1))


def small(recipe: Recipe) -> SmallRecipe:
    return SmallRecipe(**{field.name: getattr(recipe, field.name) for field in fields(recipe)})


SMALL, SMALL_PAPER = small(DEFAULT), small(PAPER)
SETTINGS = FitSettings(learning_rate=2e-3, l2=1e-4, epochs=4, batch_size=8, seed=5)
Draw = Callable[..., Examples]


class StoppedError(Exception):
    """What a test stops a fit with."""


@pytest.fixture(scope="module", autouse=True)
def _several_calls_an_epoch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(final_fit, "STEPS_A_CALL", 3)
        yield


@pytest.fixture(scope="module")
def splits(draw_examples: Draw) -> tuple[Examples, Examples]:
    return draw_examples(75, seed=1), draw_examples(30, seed=2)


@pytest.fixture(scope="module")
def shared(splits: tuple[Examples, Examples]) -> FinalFit:
    """One fit for all tests, since each starts from a state of its own."""
    return FinalFit(SMALL, SETTINGS, *splits, "float32")


@pytest.fixture
def fit(shared: FinalFit) -> Iterator[FinalFit]:
    yield shared
    shared.settings = SETTINGS


@pytest.fixture(scope="module")
def kept(shared: FinalFit) -> list[FitState]:
    """The states that an undisturbed fit keeps."""
    states: list[FitState] = []
    shared.run(shared.start(), states.append, ignore)
    return states


def trained(weights: Weights) -> Weights:
    """Leave out batch norm's statistics, which are measured anew to judge an epoch."""
    return [value for value, spec in zip(weights, SMALL.network().weights, strict=True) if spec.trainable]


def same(first: FitState, second: FitState) -> bool:
    """Compare everything but the seconds."""

    def arrays(snapshot: Snapshot) -> Weights:
        return [*snapshot.weights, *snapshot.first_moments, *snapshot.second_moments]

    timeless = [[replace(epoch, seconds=0) for epoch in state.history] for state in (first, second)]
    return (
        equal(arrays(first.snapshot), arrays(second.snapshot))
        and equal(first.best_weights, second.best_weights)
        and (first.snapshot.steps, first.snapshot.seed) == (second.snapshot.steps, second.snapshot.seed)
        and timeless[0] == timeless[1]
    )


def judge(fit: FinalFit, monkeypatch: pytest.MonkeyPatch, *errors: float) -> None:
    """Let the validation errors be `errors`, epoch by epoch, all answers within the range of the labels."""
    left, labels = iter(errors), fit.validation.labels
    inwards = np.where(labels < labels.mean(), 1, -1).astype(np.float32)
    monkeypatch.setattr(fit.engine, "predict", lambda _images: labels + inwards * np.float32(next(left)))


def test_every_epoch_is_kept_with_its_line_of_history(kept: list[FitState]) -> None:
    assert [len(state.history) for state in kept] == [1, 2, 3, 4]
    assert [epoch.epoch for epoch in kept[-1].history] == [1, 2, 3, 4]
    assert all(before.history == after.history[:-1] for before, after in itertools.pairwise(kept))
    assert kept[-1].history[-1].training_mae < kept[-1].history[0].training_mae
    assert all(epoch.seconds > 0 for epoch in kept[-1].history)
    assert kept[-1].snapshot.steps == 4 * math.ceil(75 / 8)


def test_the_last_lines_error_is_that_of_the_kept_weights(fit: FinalFit, kept: list[FitState]) -> None:
    fit.engine.restore(replace(kept[-1].snapshot, weights=kept[-1].best_weights))
    errors = np.abs(fit.engine.predict(fit.validation.images).astype(np.float64) - fit.validation.labels)
    assert kept[-1].best is not None
    assert kept[-1].best.validation_mae == errors.mean()


def test_the_weights_of_the_best_epoch_are_kept_when_validation_worsens(
    fit: FinalFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit.settings = replace(SETTINGS, epochs=6)
    judge(fit, monkeypatch, 5, 4, 6, 3, 7, 3)
    states: list[FitState] = []
    end = fit.run(fit.start(), states.append, ignore)
    assert [epoch.best for epoch in end.history] == [True, True, False, True, False, False]
    assert end.best == end.history[3]
    for state, best in zip(states, (0, 1, 1, 3, 3, 3), strict=True):
        assert equal(trained(state.best_weights), trained(states[best].snapshot.weights))
    assert not equal(trained(end.best_weights), trained(end.snapshot.weights))


def test_answers_beyond_the_training_labels_are_judged_as_the_exported_network_gives_them(
    fit: FinalFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    highest = max(each.max() for each in (fit.engine._labels.numpy(), fit.validation.labels))
    fit.settings = replace(SETTINGS, epochs=1)
    monkeypatch.setattr(fit.engine, "predict", lambda images: np.full(len(images), 1e6, np.float32))
    end = fit.run(fit.start(), ignore, ignore)
    assert end.history[0].validation_mae <= (highest - fit.validation.labels).mean()


def test_patience_ends_a_fit_that_many_epochs_after_its_best(fit: FinalFit, monkeypatch: pytest.MonkeyPatch) -> None:
    fit.settings = replace(SETTINGS, epochs=50, patience=2)
    judge(fit, monkeypatch, 5, 6, 4, 6, 4, 3)
    end = fit.run(fit.start(), ignore, ignore)
    assert [epoch.validation_mae for epoch in end.history] == pytest.approx([5, 6, 4, 6, 4], abs=1e-5)


def test_a_time_limit_ends_a_fit_after_the_epoch_that_reaches_it(fit: FinalFit) -> None:
    fit.settings = replace(SETTINGS, time_limit=1e-9)
    assert len(fit.run(fit.start(), ignore, ignore).history) == 1


def test_a_time_limit_counts_the_seconds_before_an_interruption(fit: FinalFit, kept: list[FitState]) -> None:
    spent = replace(kept[1], history=tuple(replace(epoch, seconds=50.0) for epoch in kept[1].history))
    fit.settings = replace(SETTINGS, time_limit=100)
    assert fit.finished(spent)
    fit.settings = replace(SETTINGS, time_limit=101)
    assert not fit.finished(spent)


def test_a_finished_fit_is_left_as_it_is(fit: FinalFit, kept: list[FitState]) -> None:
    again: list[FitState] = []
    assert fit.run(kept[-1], again.append, ignore) is kept[-1]
    assert again == []


def test_a_finished_fit_given_more_epochs_goes_on(fit: FinalFit, kept: list[FitState]) -> None:
    fit.settings = replace(SETTINGS, epochs=6)
    whole = fit.run(fit.start(), ignore, ignore)
    assert same(fit.run(kept[-1], ignore, ignore), whole)


def test_a_fit_resumed_from_the_bytes_of_any_epoch_ends_as_undisturbed(fit: FinalFit, kept: list[FitState]) -> None:
    for state in (fit.start(), *kept):
        content = checkpoint.to_bytes(state, "this fit")
        fit.engine.reset(77)
        resumed = checkpoint.from_bytes(content, fit.engine.network, "this fit")
        assert same(fit.run(resumed, ignore, ignore), kept[-1])


def test_a_fit_resumed_by_another_engine_ends_as_undisturbed(
    splits: tuple[Examples, Examples], kept: list[FitState]
) -> None:
    content = checkpoint.to_bytes(kept[1], "this fit")
    other = FinalFit(SMALL, SETTINGS, *splits, "float32")
    resumed = checkpoint.from_bytes(content, other.engine.network, "this fit")
    assert same(other.run(resumed, ignore, ignore), kept[-1])


def test_a_fit_stopped_in_mid_epoch_goes_on_from_the_last_kept_state(fit: FinalFit, kept: list[FitState]) -> None:
    states: list[FitState] = []

    def stop(epoch: int, share: float) -> None:
        if epoch == 3 and share > 0.5:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit.run(fit.start(), states.append, stop)
    assert len(states) == 2
    assert same(states[-1], kept[1])
    assert same(fit.run(states[-1], ignore, ignore), kept[-1])


def test_progress_is_told_from_0_up_in_every_epoch(fit: FinalFit) -> None:
    fit.settings = replace(SETTINGS, epochs=2)
    told: list[tuple[int, float]] = []
    fit.run(fit.start(), ignore, lambda epoch, share: told.append((epoch, share)))
    assert told == [(epoch, start / 75) for epoch in (1, 2) for start in (0, 24, 48, 72)]


def test_every_epoch_learns_from_all_the_images_once_in_an_order_of_its_own(
    fit: FinalFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []
    train = fit.engine.train

    def recorded(order: np.ndarray, training: Hyperparameters, rates: np.ndarray) -> float:
        assert training == Hyperparameters(2e-3, 1e-4)
        learnt.extend(order.tolist())
        return train(order, training, rates)

    monkeypatch.setattr(fit.engine, "train", recorded)
    fit.run(fit.start(), ignore, ignore)
    orders = [learnt[start : start + 75] for start in range(0, len(learnt), 75)]
    assert [sorted(order) for order in orders] == [list(range(75))] * 4
    assert len({tuple(order) for order in orders}) == 4


def test_statistics_are_recomputed_on_mixed_images_before_each_validation(
    fit: FinalFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(final_fit, "STATISTICS_IMAGES", 60)
    measured: list[list[int]] = []
    monkeypatch.setattr(fit.engine, "precise_batch_norm", lambda rows: measured.append(rows.tolist()))
    fit.run(fit.start(), ignore, ignore)
    assert len(measured) == 4
    assert measured[0] == measured[-1]
    assert len(set(measured[0])) == len(measured[0]) == 60
    # The dataset is sorted by age: batches of neighbours would have too small a variance.
    assert measured[0] != sorted(measured[0])


def test_the_papers_recipe_recomputes_nothing_and_starts_at_0(
    splits: tuple[Examples, Examples], monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = FinalFit(SMALL_PAPER, replace(SETTINGS, epochs=1), *splits, "float32")
    monkeypatch.setattr(fit.engine, "precise_batch_norm", lambda _rows: pytest.fail("recomputed"))
    start = fit.start()
    assert start.snapshot.weights[-1].tolist() == [0]
    assert len(fit.run(start, ignore, ignore).history) == 1


def test_the_default_recipe_starts_at_the_mean_label(fit: FinalFit, splits: tuple[Examples, Examples]) -> None:
    assert fit.start().snapshot.weights[-1] == pytest.approx(splits[0].labels.mean())


def test_before_the_first_epoch_there_is_no_best(fit: FinalFit) -> None:
    assert fit.start().best is None


def test_the_seed_matters(fit: FinalFit, kept: list[FitState]) -> None:
    fit.settings = replace(SETTINGS, seed=6, epochs=1)
    assert not equal(fit.run(fit.start(), ignore, ignore).snapshot.weights, kept[0].snapshot.weights)


def test_a_diverged_fit_says_so_and_keeps_nothing_of_that_epoch(fit: FinalFit) -> None:
    fit.settings = replace(SETTINGS, learning_rate=1e25)
    states: list[FitState] = []
    with pytest.raises(DivergedError, match=r"epoch 1 has a training error of .* lower the learning rate"):
        fit.run(fit.start(), states.append, ignore)
    assert states == []


def test_a_relu_output_does_not_hide_that_a_fit_has_diverged(splits: tuple[Examples, Examples]) -> None:
    # Its weights are no numbers after the first epoch, but relu(nan) is 0 here: both errors are finite.
    fit = FinalFit(SMALL_PAPER, replace(SETTINGS, learning_rate=1e10), *splits, "float32")
    with pytest.raises(DivergedError, match=r"epoch 1 has .* and a penalty of nan; lower the learning rate"):
        fit.run(fit.start(), ignore, ignore)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be a finite number above 0"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"l2": -1e-4}, "l2 is -0.0001; it must be a finite number of at least 0"),
        ({"l2": math.nan}, "l2 is nan"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5; it must be a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size is 0; it must be a whole number of at least 1"),
        ({"patience": 0}, "patience is 0; it must be a whole number of at least 1"),
        ({"time_limit": 0.0}, "time_limit is 0.0; it must be above 0 seconds"),
        ({"time_limit": math.nan}, "time_limit is nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(SETTINGS, **changes)


def test_a_time_limit_is_refused_where_the_rate_falls_over_the_epochs(splits: tuple[Examples, Examples]) -> None:
    expected = (
        "time_limit is 90 seconds, but the learning rate of the recipe 'strong' falls to 0 over all 4 epochs; "
        "choose as many epochs as there is time for instead"
    )
    with pytest.raises(ModelError, match=expected):
        FinalFit(small(STRONG), replace(SETTINGS, time_limit=90.0), *splits, "float32")


@pytest.mark.parametrize("wrong", ["training", "validation"])
def test_images_of_another_shape_are_refused(draw_examples: Draw, wrong: str) -> None:
    shapes = {"training": (12, 12, 1), "validation": (12, 12, 1), wrong: (11, 12, 1)}
    training, validation = draw_examples(9, shape=shapes["training"]), draw_examples(9, shape=shapes["validation"])
    with pytest.raises(ModelError, match=rf"the {wrong} images are \(11, 12, 1\); the network takes \(12, 12, 1\)"):
        FinalFit(SMALL, SETTINGS, training, validation, "float32")


def test_a_fit_with_every_device_goes_on_from_a_checkpoint_as_if_undisturbed(
    splits: tuple[Examples, Examples],
) -> None:
    recipe = small(STRONG)
    fit, states = FinalFit(recipe, SETTINGS, *splits, "float32"), []
    end = fit.run(fit.start(), states.append, ignore)
    kept = checkpoint.from_bytes(checkpoint.to_bytes(states[1], "it"), recipe.network(), "it")
    again = FinalFit(recipe, SETTINGS, *splits, "float32")
    assert same(again.run(kept, ignore, ignore), end)


def test_the_rate_follows_the_schedule_over_all_epochs(
    splits: tuple[Examples, Examples], monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, used = FinalFit(small(STRONG), SETTINGS, *splits, "float32"), []
    train = fit.engine.train

    def noted(rows: np.ndarray, training: Hyperparameters, rates: np.ndarray) -> float:
        used.append(rates)
        return train(rows, training, rates)

    monkeypatch.setattr(fit.engine, "train", noted)
    fit.run(fit.start(), ignore, ignore)
    steps = 4 * math.ceil(75 / 8)
    assert np.array_equal(np.concatenate(used), factors("cosine", 0, steps, steps))
