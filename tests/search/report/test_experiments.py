import pytest

from search.report import proxy
from search.report.declared import DECLARED, Size, experiment_of
from search.report.experiments import TITLES, experiment_section, experiments_beside
from search.report.sections import Figure, LeftOut, Section
from search.run.loop import work
from search.study.slots import Slots
from search.study.trial import Diverged
from tests.integration import fake_study
from tests.search.declared_experiments import BY_NAME
from tests.search.tiny import run_variant, work_some

SMALL = {each.name: experiment_of(each, Size(5, 3, 2), 40) for each in DECLARED}
SMALL[proxy.NAME] = proxy.experiment_of(proxy.Design(4, (proxy.Budget(5, 2),), proxy.Budget(9, 3), 2), seed=0)
FIGURES = {
    "capacity": "figure-2-capacity",
    "batchnorm": "figure-3-batchnorm-1",  # four variants are two rows
    "training-length": "figure-5-6-lengths",
    "augmentation": "augmentation-1",
}


@pytest.fixture
def study_named():
    """Make the study of a small experiment in a storage of its own."""
    with fake_study.in_memory() as folder:
        storage = fake_study.new_storage(folder)

        def create(name):
            experiment = SMALL[name]
            spec = fake_study.spec_of(experiment.slots, experiment=experiment, box=experiment.box)
            return fake_study.create_or_resume(storage, f"age-{name}", spec)

        yield create
        storage.engine.dispose()


@pytest.mark.parametrize("name", SMALL)
def test_every_experiment_has_a_section_with_a_figure_and_a_table(name, study_named, no_stop):
    study = study_named(name)
    work(Slots(study), run_variant, no_stop)
    section = experiment_section(study)
    assert isinstance(section, Section)
    assert section.title == TITLES[name]
    figures = [part.name for part in section.parts if isinstance(part, Figure)]
    assert figures[0] == FIGURES.get(name, name)
    assert section.tables
    assert any(f"in the study age-{name}." in line for line in section.text)
    assert not any("have no value" in line for line in section.text)


def test_an_experiment_that_is_under_way_shows_what_there_is_and_says_what_is_missing(study_named):
    study = study_named("batch-size")
    work_some(study, 3, run_variant)
    section = experiment_section(study)
    assert "1 of them have no value: they diverged, failed, or have not been run." in section.text[0]
    (table,) = section.tables
    assert [(row[0], row[1]) for row in table.rows] == [("32", 2), ("64", 1)]


def test_a_search_with_the_name_of_an_experiment_is_none(study_named):
    study = study_named("capacity")
    fake_study.create_or_resume(study.storage, "age-dropout", fake_study.spec_of(2))
    found = experiments_beside(study.storage, "age")
    assert [name for name, each in found.items() if each] == ["capacity"]


def test_capacity_counts_a_seed_that_diverged_as_missing(study_named, no_stop):
    study = study_named("capacity")
    work(Slots(study), lambda trial: Diverged("nan") if trial.slot == 1 else run_variant(trial), no_stop)
    section = experiment_section(study)
    assert [row[0] for row in section.tables[0].rows] == ["seed 0"]
    assert "1 of them have no value" in section.text[1]


@pytest.mark.parametrize(
    ("done", "reason"), [(0, "no trial of it has finished with a value yet"), (9, "there are 0 configurations")]
)
def test_an_experiment_that_cannot_be_shown_yet_is_left_out_with_the_reason(done, reason, study_named):
    study = study_named(proxy.NAME)
    if done:
        work_some(study, done, run_variant)
    left_out = experiment_section(study)
    assert isinstance(left_out, LeftOut)
    assert reason in left_out.reason


def test_the_experiments_beside_a_search_are_found_by_its_name(study_named):
    study = study_named("dropout")
    found = experiments_beside(study.storage, "age")
    assert list(found) == [*BY_NAME, proxy.NAME]
    assert [name for name, each in found.items() if each] == ["dropout"]
    assert not any(experiments_beside(study.storage, "faces").values())


def test_a_search_is_no_experiment():
    with fake_study.in_memory() as folder:
        study = fake_study.new_study(folder, fake_study.spec_of(1))
        with pytest.raises(ValueError, match="is not an experiment"):
            experiment_section(study)
        study.storage.engine.dispose()
