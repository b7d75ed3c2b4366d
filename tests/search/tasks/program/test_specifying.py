from pathlib import Path

import pytest

from search.errors import SearchError
from search.settings.settings import Settings
from search.space.ranges import LinearRange
from search.study.spec import FinalistBudget
from search.tasks.program.specifying import MAIN, changed_since, program_of, spec_of, spec_to_resume

SPACE = {"x": {"linear": [0, 1]}}


@pytest.fixture
def settings(write):
    """Settings for a program that is there."""
    path = write("serve(lambda trial: trial.params['x'])")

    def make(**others):
        return Settings(**{"program": path, "space": SPACE, **others})

    return make


def test_the_study_is_what_the_settings_say(settings):
    asked = settings(
        budget={"epochs": 2},
        finalists=2,
        finalist_budget={"epochs": 9},
        direction="maximize",
        metric="accuracy",
        unit="%",
        threads=3,
        enqueue=[{"x": 0.5}],
        trials=(4, 2),
    )
    spec = spec_of(asked)
    assert (spec.box.ranges, spec.budget, spec.trials) == ((LinearRange("x", 0, 1),), {"epochs": 2}, (4, 2))
    assert spec.finalists == FinalistBudget(2, 3, {"epochs": 9})
    score = spec.task.score
    assert (score.name, score.unit, score.direction) == ("accuracy", "%", "maximize")
    assert (spec.task.settings["threads"], spec.enqueued) == (3, ((("x", 0.5),),))
    assert Path(spec.task.files[MAIN].name) == asked.program


def test_what_is_for_images_is_refused_by_name(settings):
    for name, value in {"epochs": 3, "l2": (1e-5, 1e-3), "images": 100}.items():
        with pytest.raises(SearchError, match=f"{name} is a setting for images"):
            spec_of(settings(**{name: value}))


def test_a_program_without_a_space_is_sent_to_the_command_that_prints_it(settings):
    with pytest.raises(SearchError, match=r"agesearch check .*train\.py"):
        spec_of(settings(space=None))


def test_a_command_that_would_not_be_given_a_parameter_is_refused():
    with pytest.raises(SearchError, match=r"x is searched, but command has no \{x\}"):
        spec_of(Settings(command="echo 1", space=SPACE))


def test_a_resumed_study_has_its_own_settings_for_what_is_not_said(settings):
    stored = spec_of(settings(budget={"epochs": 2}, direction="maximize", watch=("*.py",), finalists=2))
    assert spec_to_resume(Settings(program=settings().program), stored) == stored
    assert spec_to_resume(Settings(), stored) == stored
    assert spec_to_resume(Settings(trials=(3,)), stored).trials == (3,)


def test_a_changed_program_is_refused_by_name_and_keeps_its_first_digest_where_that_is_allowed(settings):
    stored = spec_of(settings())
    with settings().program.open("a") as file:
        file.write("# changed\n")
    with pytest.raises(SearchError, match=r"train\.py has changed"):
        spec_to_resume(settings(), stored)
    assert spec_to_resume(settings(allow_changed=True), stored) == stored


def test_what_has_changed_is_said_of_each_file(settings, tmp_path):
    (tmp_path / "old.txt").touch()
    before = {name: file.digest for name, file in spec_of(settings(watch=("*.txt",))).task.files.items()}
    (tmp_path / "old.txt").rename(tmp_path / "new.txt")
    program = program_of(settings(watch=("*.txt",)))
    assert changed_since(before, program) == ("new.txt is new", "old.txt is missing")


def test_a_program_runs_in_its_folder_and_a_command_where_the_user_is(settings, tmp_path, monkeypatch):
    assert program_of(settings()).folder == tmp_path
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert program_of(Settings(command="echo {x}")).folder == tmp_path / "here"
