import shlex
from types import SimpleNamespace

import pytest

from search.dashboard.note import OWN_PART, command_of, study_note, with_own_part
from search.results.ranking import best_trials
from search.settings.sources import load_settings
from search.space.box import Box
from search.space.narrowing import RULE
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.study.stages import sampled_stages
from search.study.trial import Diverged
from search.study.variants import Experiment
from search.tasks.images.specifying import spec_of as specified
from tests.integration.fake_study import create_or_resume, finalist_budget, spec_of, variant
from tests.search.tiny import work_off, work_some

MANY = Box(
    (
        LogRange("learning_rate", 1.23456789e-5, 1e-4),
        LogRange("l2", 1e-3, 1.0),
        LinearRange("dropout", 0.0, 0.5),
        Choices("batch_size", (16, 32)),
        Choices("batch_norm", ("blocks", "none")),
        IntegerRange("width", 8, 64),
    )
)
OTHER = Box((LogRange("learning_rate", 1e-5, 1e-4), LogRange("l2", 1e-3, 1.0)))


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is read is put into words alike, whichever it comes from."""
    return sqlite_url


def test_the_narrowing_is_explained_by_both_boxes_the_rule_the_reason_and_the_trials(study_of):
    study = study_of(6, 2)
    work_off(study)
    note, narrowing = study_note(study), sampled_stages(study)[1][1].narrowing
    assert "| parameter | old box | new box |" in note
    for old, new in zip(narrowing.old.ranges, narrowing.new.ranges, strict=True):
        assert f"| {old.name} | [{old.low:g}, {old.high:g}] | [{new.low:g}, {new.high:g}] |" in note
    assert f"Rule: {RULE}." in note
    assert f"Why: {narrowing.reason}." in note
    for trial in narrowing.best:
        assert f"| {trial.number} | {trial.value:.3f} |" in note


def test_the_chosen_configuration_is_named_once_the_search_has_ended(study_of):
    study = study_of(2, 2)
    work_some(study, 3)
    assert "The chosen configuration" not in study_note(study)
    work_off(study)
    (best,) = best_trials(study, 1)
    assert f"|  | trial {best.number} |" in study_note(study)
    assert "Why: the best single trial" in study_note(study)
    assert "agesearch export --study ages" in study_note(study)


def test_the_command_that_exports_it_can_be_pasted_whatever_the_studys_name(storage):
    name = "it's `two` words; $HOME"
    study = create_or_resume(storage, name, spec_of(1))
    work_off(study)
    (line,) = (line for line in study_note(study).splitlines() if line.startswith("agesearch export"))
    assert shlex.split(line) == ["agesearch", "export", "--study", name, "--out", "best.toml"]


def test_the_finalists_are_shown_with_their_verdict_once_they_have_ended(study_of):
    study = study_of(4, finalists=finalist_budget(2, 3, 5, 2))
    work_some(study, 5)
    assert "The 2 best configurations are trained 3 times each (5 images, 2 epochs)" in study_note(study)
    assert "The chosen configuration" not in study_note(study)
    work_off(study)
    note = study_note(study)
    assert "| finalist of trial | mean |" in note
    assert "Why: the best mean of 2 finalists over 3 seeds each." in note


def test_of_a_single_one_the_note_has_no_plural(study_of):
    study = study_of(1, finalists=finalist_budget(1, 2, 1, 1))
    work_off(study)
    note = study_note(study)
    assert "## Stage 1: 1 trial\n" in note
    assert "The best configuration is trained 2 times each (1 image, 1 epoch), with seeds" in note
    assert "Why: the best mean of 1 finalist over 2 seeds each." in note


def test_a_search_without_any_value_has_no_chosen_configuration(study_of):
    study = study_of(1)
    work_off(study, lambda _task: Diverged("the loss is nan"))
    assert "The chosen configuration" not in study_note(study)


@pytest.mark.parametrize(
    ("recipe", "said"), [("default", "at its end. Its"), ("paper", "at its end, and the penalty. Its")]
)
def test_what_a_value_is_depends_on_the_recipe(recipe, said, study_of):
    assert said in study_note(study_of(1, recipe=recipe))
    assert "the training MAE of each epoch, on the trial's own images" in study_note(study_of(1, recipe=recipe))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"trials": (3, 4, 5), "seed": 7, "recipe": "paper", "images": 9, "epochs": 2, "batch_size": 3, "threads": 2},
        {"finalists": finalist_budget(3, 4, 5, 6)},
        {"box": MANY},
        {"enqueued": ((("learning_rate", 1e-4), ("l2", 1e-3)),)},
        {"unit": "mm"},
        {"box": OTHER, "ranges": OTHER, "precision": "bfloat16", "max_attempts": 1},
    ],
)
def test_the_command_says_everything_that_decides_the_results(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = spec_of(**given)
    program, command, *flags = shlex.split(command_of("two words", spec).replace("\\\n", ""))
    assert (program, command) == ("agesearch", "search")
    names = [flag.removeprefix("--").replace("-", "_") for flag in flags[::2]]
    settings = load_settings(None, dict(zip(names, flags[1::2], strict=True)))
    assert settings.study == "two words"
    task = spec.task
    dataset = SimpleNamespace(digest=task.files["data"].digest, unit=task.score.unit)
    assert specified(settings, dataset, settings.precision) == spec


def test_a_network_of_the_users_own_is_asked_for():
    assert "--network NETWORK.toml" in command_of("age", spec_of(network="[]"))


def test_what_people_wrote_below_the_line_stays():
    first = with_own_part(f"one\n{OWN_PART}\n", "")
    assert first == f"one\n{OWN_PART}\n"
    written = first + "\nmine\n"
    second = with_own_part(f"two\n{OWN_PART}\n", written)
    assert second == f"two\n{OWN_PART}\n\nmine\n"
    assert with_own_part(f"two\n{OWN_PART}\n", second) == second


def test_a_note_that_people_wrote_before_or_instead_stays_below_the_line():
    assert with_own_part(f"one\n{OWN_PART}\n", "mine") == f"one\n{OWN_PART}\n\nmine"


def test_the_note_of_an_experiment_lists_its_variants(study_of):
    experiment = Experiment("dropout", tuple(variant(rate, {"dropout": float(rate)}, 5, 2, 3) for rate in ("0", "0.5")))
    note = study_note(study_of(6, experiment=experiment, box=experiment.box))
    assert "| 0.5 | 5 | 2 | 3 | dropout 0.5 |" in note
    assert "`agesearch experiment dropout --help`" in note
