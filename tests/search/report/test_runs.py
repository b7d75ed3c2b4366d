from dataclasses import replace

import pytest

from search.report.runs import runs_of
from search.run.loop import Workplace, work
from search.storage.artifacts import ArtifactFolder
from search.study.slots import Slots
from search.study.trial import Diverged
from search.study.variants import Experiment
from tests.integration.fake_study import variant
from tests.search.tiny import make_slot_again, run_variant

EXPERIMENT = Experiment(
    "e",
    (
        variant("a", {"l2": 0.0}, 5, 2, repeats=2),
        variant("b", {"l2": 0.0}, 5, 3, repeats=1, curve="training"),
        variant("c", {"l2": 0.0}, 5, 1, repeats=1, curve="none"),
    ),
)


@pytest.fixture
def study(study_of):
    return study_of(EXPERIMENT.slots, experiment=EXPERIMENT)


def test_runs_are_read_by_variant_with_their_curves(study, no_stop):
    work(Slots(study), run_variant, no_stop)
    runs = runs_of(study)
    assert [(run.repeat, run.training, run.validation) for run in runs["a"]] == [
        (0, (10.0, 5.0), (20.0, 10.0)),
        (1, (11.0, 6.0), (21.0, 11.0)),
    ]
    (other,) = runs["b"]
    assert (len(other.training), other.validation) == (3, ())  # what it reported was the training error
    (last,) = runs["c"]
    assert last.score == 23


def test_a_run_has_the_files_that_its_trial_kept(study, no_stop, tmp_path):
    def keeping(trial):
        return replace(run_variant(trial), files={"best.keras": f"slot {trial.slot}".encode()})

    folder = ArtifactFolder(tmp_path)
    work(Slots(study), keeping, no_stop, Workplace(artifacts=folder))
    assert [folder.open_reader(run.files["best.keras"]).read() for run in runs_of(study)["a"]] == [b"slot 0", b"slot 1"]


def test_a_trial_without_a_value_is_no_run(study, no_stop):
    work(Slots(study), lambda trial: Diverged("nan") if trial.slot == 1 else run_variant(trial), no_stop)
    assert [run.repeat for run in runs_of(study)["a"]] == [0]


def test_a_trial_whose_slot_was_made_again_is_no_run(study, no_stop):
    work(Slots(study), run_variant, no_stop)
    make_slot_again(study, 0)
    assert [run.repeat for run in runs_of(study)["a"]] == [1]
    work(Slots(study), run_variant, no_stop)
    assert [run.repeat for run in runs_of(study)["a"]] == [0, 1]


def test_before_the_first_trial_every_variant_has_no_run(study):
    assert runs_of(study) == {"a": [], "b": [], "c": []}


def test_a_search_has_no_runs(study_of):
    with pytest.raises(ValueError, match="is not an experiment"):
        runs_of(study_of(1))
