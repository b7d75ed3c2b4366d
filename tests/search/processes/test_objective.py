from types import SimpleNamespace

import numpy as np
import pytest

from data.arrays import Split
from model.engine import Hyperparameters
from model.short_training import Budget, DivergedError, Draws, Score
from search.errors import TrialStopped
from search.processes import objective
from search.processes.loop import TrialTask
from search.processes.objective import Objective
from search.space.box import FIRST_BOX
from search.space.seeds import TrialSeeds
from search.study.assignment import Assignment, Pruning
from search.study.trials import Diverged, Pruned
from search.study.variants import Keeping
from tests.integration.fake_study import spec_of

SCORE = Score(training_mae=7.0, validation_mae=9.0, penalty=0.5)


class FakeTraining:
    """Stands in for the network: keeps what it is given, and ends as it is told to."""

    end = SCORE

    def __init__(self, recipe, batch_size, training, validation, precision):
        self.recipe, self.made_of = recipe, (recipe.name, batch_size, training, validation, precision)
        self.runs, self.parts, self.validated = [], [], iter([12.0, 11.0])
        self.engine = SimpleNamespace(weights="weights", network="network")

    def run(self, training, budget, draws, after_epoch):
        self.runs.append((training, budget, draws))
        for epoch in (1, 2):
            after_epoch(epoch, 6.0 + epoch)
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
        return Objective(spec_of(**settings), split_of(6), split_of(4))

    return create


def split_of(count):
    images, names = np.zeros((count, 91, 91, 1), np.uint8), tuple(map(str, range(count)))
    return Split(images, np.full(count, 30, np.float32), names)


def task_of(
    is_stopping=lambda: False, params=None, report=lambda *_: None, keep=lambda *_: None, why_pruned=str, **own
):
    params = params or {"learning_rate": 1e-4, "l2": 1e-3}
    assignment = Assignment(params, FIRST_BOX, TrialSeeds(1, 2, 3, 4), images=5, epochs=2, **own)
    return TrialTask(1, 0, 1, assignment, report, is_stopping, keep, why_pruned)


def test_the_network_is_made_once_from_the_studys_settings_and_both_splits(objective_of):
    run = objective_of(recipe="paper", batch_size=3, precision="bfloat16")
    recipe, batch_size, training, validation, precision = run.training_for({}).made_of
    assert (recipe, batch_size, precision) == ("paper", 3, "bfloat16")
    assert (len(training), len(validation)) == (6, 4)


def test_a_trial_is_trained_with_its_own_parameters_budget_and_seeds(objective_of):
    run = objective_of()
    run(task_of())
    assert run.training_for({}).runs == [
        (Hyperparameters(1e-4, 1e-3), Budget(5, 2), Draws(subset=2, weights=3, order=4))
    ]


@pytest.mark.parametrize(("recipe", "score"), [("default", 9.0), ("paper", 9.5)])
def test_the_penalty_ranks_trials_in_the_papers_recipe_alone(recipe, score, objective_of):
    outcome = objective_of(recipe=recipe)(task_of())
    assert outcome.score == score
    assert (outcome.validation_mae, outcome.training_mae, outcome.penalty) == (9.0, 7.0, 0.5)
    assert outcome.seconds >= 0


def test_the_networks_that_are_wanted_are_kept_before_the_trial_ends(objective_of, monkeypatch):
    monkeypatch.setattr("model.saved_model.to_bytes", lambda _network, weights, limits, _averaged: (weights, limits))
    kept, keeping = [], Keeping(after=(1, 5), best_until=1)
    objective_of()(task_of(curve="validation", keeping=keeping, keep=lambda *file: kept.append(file)))
    assert kept == [("epoch-1.keras", ("weights", (30.0, 30.0))), ("best.keras", ("weights", (30.0, 30.0)))]


def test_a_training_that_diverges_is_an_outcome_with_its_reason(objective_of, monkeypatch):
    monkeypatch.setattr(FakeTraining, "end", DivergedError("the training error of epoch 2 is nan"))
    assert objective_of()(task_of()) == Diverged("the training error of epoch 2 is nan")


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
    task = task_of(params={**PARAMS, "dropout": 0.3})
    run(task)
    assert run.training_for(task.params).runs[0][0] == Hyperparameters(1e-4, 1e-3, 0.3)


def test_any_other_error_is_left_to_the_worker(objective_of, monkeypatch):
    monkeypatch.setattr(FakeTraining, "end", MemoryError("no memory"))
    with pytest.raises(MemoryError):
        objective_of()(task_of())


def test_a_trial_that_is_told_to_stop_does_so_after_the_epoch(objective_of):
    epochs = iter([False, True])
    with pytest.raises(TrialStopped):
        objective_of()(task_of(lambda: next(epochs)))
    assert next(epochs, None) is None


@pytest.mark.parametrize(
    ("curve", "validated", "kept", "score"),
    [
        ("none", (None, None), (), 9.0),
        ("validation", (12.0, 11.0), (7.0, 8.0), 9.0),
        ("training", (None, None), (7.0, 8.0), 7.0),
    ],
)
def test_a_trial_reports_each_epoch_and_validates_after_it_where_it_is_told_to(
    curve, validated, kept, score, objective_of
):
    told = []
    outcome = objective_of()(task_of(curve=curve, report=lambda *what: told.append(what)))
    assert told == [(1, 7.0, validated[0]), (2, 8.0, validated[1])]
    assert (outcome.training_curve, outcome.score, outcome.validation_mae) == (kept, score, 9.0)


def test_the_penalty_ranks_a_trial_whose_own_recipe_is_the_papers(objective_of):
    params = {"learning_rate": 1e-4, "l2": 1e-3, "recipe": "paper"}
    assert objective_of(recipe="default")(task_of(params=params)).score == 9.5


def test_a_trial_that_may_be_pruned_reports_its_error_on_a_part_of_the_validation_images(objective_of):
    run, told = objective_of(), []
    outcome = run(task_of(pruning=Pruning("median", 3), report=lambda *what: told.append(what)))
    assert told == [(1, 7.0, 12.0), (2, 8.0, 11.0)]
    assert run.training_for({}).parts == [3, 3]
    assert (outcome.score, outcome.training_curve) == (9.0, ())


def test_a_trial_ends_after_the_epoch_for_which_there_is_a_reason_and_is_not_asked_after_the_last(objective_of):
    reasons, pruning = iter(["it is the worst", "nobody asks"]), Pruning("halving", 3)
    outcome = objective_of()(task_of(pruning=pruning, why_pruned=lambda: next(reasons)))
    assert outcome == Pruned("it is the worst", 1, outcome.seconds)
    reasons = iter(["", "nobody asks"])
    assert objective_of()(task_of(pruning=pruning, why_pruned=lambda: next(reasons))).score == 9.0
    assert next(reasons) == "nobody asks"
