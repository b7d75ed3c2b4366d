import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from data.arrays import Split
from model.engine.engine import Hyperparameters
from model.results.answers import Answers
from model.training.short_training import Budget, DivergedError, Score, TrainingSeeds
from search.errors import TrialStopped
from search.space.seeds import TrialSeeds
from search.study.trial import Diverged, Pruned, Trial
from search.tasks.images import objective
from search.tasks.images.objective import Objective
from search.tasks.images.options import NONE_KEPT, Keeping, options_of
from tests.integration.fake_study import spec_of

AGES = Answers("years", 30.0, 30.0)
SCORE = Score(training_mae=7.0, validation_mae=9.0, penalty=0.5)


class FakeTraining:
    """Stands in for the network: keeps what it is given, and ends as it is asked to."""

    end, first = SCORE, 7.0

    def __init__(self, recipe, batch_size, training, validation, precision):
        self.recipe, self.made_of = recipe, (recipe.name, batch_size, training, validation, precision)
        self.runs, self.parts, self.validated = [], [], iter([12.0, 11.0])
        self.engine = SimpleNamespace(weights="weights", network="network")

    def run(self, training, budget, draws, after_epoch):
        self.runs.append((training, budget, draws))
        for epoch in (1, 2):
            after_epoch(epoch, self.first if epoch == 1 else 6.0 + epoch)
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    def validation_error(self, images=None):
        self.parts.append(images)
        return next(self.validated)


@pytest.fixture
def objective_of(monkeypatch):
    monkeypatch.setattr(objective, "ShortTraining", FakeTraining)

    def create(**settings):
        return Objective(spec_of(**settings).task, split_of(6), split_of(4))

    return create


def split_of(count):
    images, names = np.zeros((count, 91, 91, 1), np.uint8), tuple(map(str, range(count)))
    return Split(images, np.full(count, 30, np.float32), names)


def trial_of(params=None, curve="none", keeping=NONE_KEPT, **own):
    params, seeds, budget = (
        params or {"learning_rate": 1e-4, "l2": 1e-3},
        TrialSeeds(1, 2, 3, 4),
        {"images": 5, "epochs": 2},
    )
    calls = {"report": lambda *_: None, "should_stop": lambda: False, "should_prune": str}
    return Trial(7, 1, 0, 1, params, seeds, budget, options=options_of(curve, keeping), **(calls | own))


def test_the_network_is_made_once_from_the_studys_settings_and_both_splits(objective_of):
    run = objective_of(recipe="paper", batch_size=3, precision="bfloat16")
    recipe, batch_size, training, validation, precision = run.training_for({}).made_of
    assert (recipe, batch_size, precision) == ("paper", 3, "bfloat16")
    assert (len(training), len(validation)) == (6, 4)


def test_a_trial_is_trained_with_its_own_parameters_budget_and_seeds(objective_of):
    run = objective_of()
    run(trial_of())
    assert run.training_for({}).runs == [
        (Hyperparameters(1e-4, 1e-3), Budget(5, 2), TrainingSeeds(subset=2, weights=3, order=4))
    ]


@pytest.mark.parametrize(("recipe", "score"), [("default", 9.0), ("paper", 9.5)])
def test_the_penalty_ranks_trials_in_the_papers_recipe_alone(recipe, score, objective_of):
    outcome = objective_of(recipe=recipe)(trial_of())
    assert outcome.score == score
    assert outcome.measures == {"validation_mae": 9.0, "training_mae": 7.0, "penalty": 0.5}


def test_the_networks_that_are_wanted_are_files_of_the_trial(objective_of, monkeypatch):
    monkeypatch.setattr(
        "model.results.keras_file.to_bytes", lambda _network, weights, limits, _averaged: (weights, limits)
    )
    outcome = objective_of()(trial_of(curve="validation", keeping=Keeping(after=(1, 5), best_until=1)))
    assert outcome.files == {"epoch-1.keras": ("weights", AGES), "best.keras": ("weights", AGES)}


def test_a_training_that_diverges_is_an_outcome_with_its_reason(objective_of, monkeypatch):
    monkeypatch.setattr(FakeTraining, "end", DivergedError("the training error of epoch 2 is nan"))
    assert objective_of()(trial_of()) == Diverged("the training error of epoch 2 is nan")


PARAMS = {"learning_rate": 1e-4, "l2": 1e-3}


def test_trials_share_a_compiled_network_whatever_their_learning_rate_penalty_and_dropout(objective_of):
    run = objective_of()
    first = run.training_for({**PARAMS, "dropout": 0.1})
    assert run.training_for({**PARAMS, "l2": 0.5, "dropout": 0.4}) is first
    assert run.training_for(PARAMS) is not first


@pytest.mark.parametrize(
    "varied", [{"width": 16}, {"batch_norm": "blocks"}, {"initializer": "gaussian"}, {"batch_size": 16}]
)
def test_what_is_compiled_is_compiled_once_for_each_value(varied, objective_of):
    run = objective_of()
    own = run.training_for({**PARAMS, **varied})
    assert own is not run.training_for(PARAMS)
    assert run.training_for({**PARAMS, **varied, "l2": 0.5}) is own


def test_a_worker_keeps_no_more_compiled_networks_than_it_has_room_for(objective_of):
    run = objective_of()
    first = run.training_for({"width": 1})
    for width in range(2, 2 + objective.COMPILED):
        run.training_for({"width": width})
    assert run.training_for({"width": 1}) is not first


def test_the_rate_of_dropout_is_an_argument_of_the_training(objective_of):
    run = objective_of()
    trial = trial_of(params={**PARAMS, "dropout": 0.3})
    run(trial)
    assert run.training_for(trial.params).runs[0][0] == Hyperparameters(1e-4, 1e-3, 0.3)


def test_any_other_error_is_left_to_the_worker(objective_of, monkeypatch):
    monkeypatch.setattr(FakeTraining, "end", MemoryError("no memory"))
    with pytest.raises(MemoryError):
        objective_of()(trial_of())


def test_a_trial_that_is_told_to_stop_does_so_after_the_epoch(objective_of):
    epochs = iter([False, True])
    with pytest.raises(TrialStopped):
        objective_of()(trial_of(should_stop=lambda: next(epochs)))
    assert next(epochs, None) is None


@pytest.mark.parametrize(
    ("curve", "reported", "kept", "score"),
    [
        ("none", (7.0, 8.0), None, 9.0),
        ("validation", (12.0, 11.0), (7.0, 8.0), 9.0),
        ("training", (7.0, 8.0), (7.0, 8.0), 7.0),
    ],
)
def test_a_trial_reports_each_epoch_and_validates_after_it_where_it_is_told_to(
    curve, reported, kept, score, objective_of
):
    stored = []
    outcome = objective_of()(trial_of(curve=curve, report=lambda *what: stored.append(what)))
    assert stored == list(enumerate(reported, start=1))
    assert (outcome.measures.get("training_curve"), outcome.score) == (kept, score)
    assert outcome.measures["validation_mae"] == 9.0


def test_the_penalty_ranks_a_trial_whose_own_recipe_is_the_papers(objective_of):
    params = {"learning_rate": 1e-4, "l2": 1e-3, "recipe": "paper"}
    assert objective_of(recipe="default")(trial_of(params=params)).score == 9.5


def test_a_trial_that_may_be_pruned_reports_its_error_on_a_part_of_the_validation_images(objective_of):
    run, stored = objective_of(pruning_images=3), []
    outcome = run(trial_of(prunes=True, report=lambda *what: stored.append(what)))
    assert stored == [(1, 12.0), (2, 11.0)]
    assert run.training_for({}).parts == [3, 3]
    assert (outcome.score, "training_curve" in outcome.measures) == (9.0, False)


def test_a_trial_ends_after_the_epoch_for_which_there_is_a_reason_and_is_not_asked_after_the_last(objective_of):
    reasons = iter(["it is the worst", "nobody asks"])
    outcome = objective_of()(trial_of(prunes=True, should_prune=lambda: next(reasons)))
    assert outcome == Pruned("it is the worst", 1)
    reasons = iter(["", "nobody asks"])
    assert objective_of()(trial_of(prunes=True, should_prune=lambda: next(reasons))).score == 9.0
    assert next(reasons) == "nobody asks"


@pytest.mark.parametrize("validation", [9.0, math.nan])
def test_a_trial_draws_the_curve_of_its_training_error_with_the_validation_error_at_its_end(
    validation, objective_of, monkeypatch, tmp_path
):
    monkeypatch.setattr(FakeTraining, "end", replace(SCORE, validation_mae=validation))
    files = objective_of(unit="mm")(trial_of(curve="validation", folder=tmp_path)).files
    picture = files["learning_curve.svg"].decode()
    assert {"stage 1, slot 0, attempt 1", "training 8.00", "MAE (mm)"} <= set(re.findall(r">([^<>]+)</text>", picture))
    assert ("validation 9.00" in picture) == (validation == 9.0)


@pytest.mark.parametrize("end", [SCORE, DivergedError("the training error of epoch 3 is nan")])
def test_a_trial_whose_files_go_nowhere_draws_none(end, objective_of, monkeypatch):
    monkeypatch.setattr(FakeTraining, "end", end)
    assert objective_of()(trial_of()).files == {}


def test_trials_that_diverge_or_are_pruned_have_a_curve_as_far_as_they_went(objective_of, monkeypatch, tmp_path):
    pruned = objective_of()(trial_of(prunes=True, should_prune=lambda: "it is the worst", folder=tmp_path))
    assert b"training 7.00" in pruned.files["learning_curve.svg"]
    monkeypatch.setattr(FakeTraining, "end", DivergedError("the training error of epoch 3 is nan"))
    diverged = objective_of()(trial_of(folder=tmp_path))
    assert b"training 8.00" in diverged.files["learning_curve.svg"]


@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_a_curve_that_has_no_place_on_paper_is_not_drawn(lost, objective_of, monkeypatch, tmp_path):
    monkeypatch.setattr(FakeTraining, "first", lost)
    assert objective_of()(trial_of(folder=tmp_path)).files == {}
