from contextlib import nullcontext

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import update

from search.errors import SearchError, SearchFailure
from search.run.loop import work
from search.space.box import Box
from search.space.ranges import LogRange
from search.storage import tables
from search.storage.documents import from_json, to_json
from search.study import study as study_module
from search.study.owner import this_process
from search.study.slots import SlotCounts, Slots
from search.study.spec import StudySpec
from search.study.stages import list_stages, open_next, read_stage
from search.study.study import create_or_resume, load_study, study_names
from tests.integration.fake_study import NAME, finished, run_trial, spec_of
from tests.outcomes import RESULT

HERE = this_process()
GIVEN = Box((LogRange("learning_rate", 1e-5, 1e-3), LogRange("l2", 1e-5, 1e-3)))


def test_a_new_study_is_minimised_and_can_be_loaded(storage):
    study = create_or_resume(storage, NAME, spec_of(3, 3))
    assert storage.rdb.get_study_directions(study.id) == [StudyDirection.MINIMIZE]
    assert load_study(storage, NAME) == study


def test_resuming_with_the_same_settings_gives_the_same_study(storage):
    assert create_or_resume(storage, NAME, spec_of(3, 3)) == create_or_resume(storage, NAME, spec_of(3, 3))


def test_resuming_with_other_settings_names_each_difference(storage):
    create_or_resume(storage, NAME, spec_of(3, 3))
    with pytest.raises(SearchError) as refusal:
        create_or_resume(storage, NAME, spec_of(3, 4, seed=2, ranges=GIVEN))
    assert str(refusal.value) == (
        "the study 'ages' was created with seed = 1, you asked for seed = 2; "
        "trials = 3,3, you asked for trials = 3,4; "
        "ranges = None, you asked for ranges = learning_rate [1e-05, 0.001], l2 [1e-05, 0.001]; use another --study"
    )


def test_an_unknown_study_is_refused_with_the_known_ones(storage):
    for name in ("second", "first"):
        create_or_resume(storage, name, spec_of(1))
    with pytest.raises(SearchError, match=r"no study 'third' in (sqlite|postgresql).*; it has: 'second', 'first'"):
        load_study(storage, "third")
    assert study_names(storage) == ("second", "first")


@pytest.mark.parametrize("written", ['{"colour": "blue"}', "{", ""])
def test_what_another_version_has_written_is_refused_with_the_way_out(written, study_of, storage):
    study, said = study_of(2), r"'ages' in .* was made by another version of agesearch.*; use the version that made it"
    open_next(study, 0)
    with storage.engine.begin() as tx:
        tx.execute(update(tables.stages).values(plan=written))
    for read in (lambda: read_stage(study, 1), lambda: list_stages(study), lambda: open_next(study, 1)):
        with pytest.raises(SearchError, match=said):
            read()
    with storage.engine.begin() as tx:
        tx.execute(update(tables.studies).values(spec=written))
    with pytest.raises(SearchError, match=said):
        load_study(storage, NAME)


def test_an_empty_study_of_that_name_in_optuna_is_taken(storage):
    storage.rdb.create_new_study([StudyDirection.MINIMIZE], NAME)
    assert create_or_resume(storage, NAME, spec_of(2)) == load_study(storage, NAME)


def test_a_study_with_trials_of_another_program_is_left_alone(storage):
    other = storage.rdb.create_new_study([StudyDirection.MINIMIZE], NAME)
    storage.rdb.create_new_trial(other)
    with pytest.raises(SearchError, match="was not made by agesearch; use another --study"):
        create_or_resume(storage, NAME, spec_of(2))


@pytest.mark.parametrize("directions", [["maximize"], ["minimize", "minimize"]])
def test_an_empty_study_that_another_program_made_for_another_end_is_left_alone(directions, storage):
    optuna.create_study(study_name="age", storage=storage.rdb, directions=directions)
    with pytest.raises(SearchError, match=r"'age' in .* was not made by agesearch"):
        create_or_resume(storage, "age", spec_of(2))


def test_a_study_deleted_in_optuna_starts_anew(study_of, storage, no_stop):
    work(Slots(study_of(2)), run_trial, no_stop)
    optuna.delete_study(study_name=NAME, storage=storage.rdb)
    with pytest.raises(SearchError, match=r"no study 'ages' in .*; it has: none"):
        load_study(storage, NAME)
    assert study_names(storage) == ()
    again = study_of(3)
    work(Slots(again), run_trial, no_stop)
    assert len(finished(again)) == 3


def steps_of(slots, claim):
    """Everything that a worker does in the name of a claim."""
    return (
        lambda: slots.claim(claim.owner),
        lambda: slots.renew(claim),
        lambda: slots.report(claim, {1: 99.0}),
        lambda: slots.finish(claim, RESULT),
        lambda: slots.give_back(claim, "stopped"),
        lambda: slots.fail_attempt(claim, "no memory"),
    )


@pytest.mark.parametrize("owner", ["lab/boot/1:1:1", "elsewhere/boot/1:1:1"])
def test_who_works_on_a_study_that_was_deleted_does_nothing_to_the_next_one_of_its_name(owner, study_of, storage):
    old = study_of(2)
    claim = Slots(old).claim("lab/boot/1:1:1")
    optuna.delete_study(study_name=NAME, storage=storage.rdb)
    new = study_of(2)
    running = Slots(new).claim(owner).trial  # in SQLite it has the number of the deleted one
    for step in (*steps_of(Slots(old), claim), lambda: open_next(old, 1)):
        with pytest.raises(SearchError, match="the study 'ages' has been deleted from"):
            step()
    trial = storage.rdb.get_trial(running)
    assert (trial.state, trial.intermediate_values, "reason" in trial.user_attrs) == (TrialState.RUNNING, {}, False)
    assert Slots(new).counts(1) == SlotCounts(waiting=1, claimed=1)


def test_who_works_on_a_study_that_was_deleted_does_nothing_to_another_that_has_its_numbers(study_of, storage):
    old = study_of(2)
    claim = Slots(old).claim("lab/boot/1:1:1")
    optuna.delete_study(study_name=NAME, storage=storage.rdb)  # which leaves our own row of it
    other = create_or_resume(storage, "other", spec_of(2))
    running = Slots(other).claim("lab/boot/1:1:1").trial
    if not storage.url.startswith("postgresql"):
        assert (running, other.id) == (claim.trial, old.id)
    for step in steps_of(Slots(old), claim):
        with pytest.raises(SearchError, match="the study 'ages' has been deleted from"):
            step()
    (trial,) = storage.rdb.get_all_trials(other.id)
    assert (trial.state, trial.intermediate_values) == (TrialState.RUNNING, {})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trials": ()}, "must name at least one trial"),
        ({"trials": (5, 0)}, "trials = 5,0 must name at least one trial"),
        ({"seed": -1}, "seed = -1 must be 0 or more"),
        ({"max_attempts": 0}, "max_attempts = 0 must be 1 or more"),
        ({"ranges": Box((LogRange("l2", 1, 2),))}, "must have the names and kinds of the first box"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(SearchError, match=message):
        spec_of(**settings)


def test_settings_survive_being_written_as_json():
    spec = spec_of(7, 5, ranges=GIVEN)
    assert from_json(StudySpec, to_json(spec)) == spec
    assert to_json(from_json(StudySpec, to_json(spec))) == to_json(spec)


def test_optuna_knows_what_a_value_is(study_of, storage):
    assert optuna.load_study(study_name=study_of(2).name, storage=storage.rdb).metric_names == ["score (years)"]


@pytest.mark.parametrize(("unit", "name"), [("mm", "score (mm)"), ("", "score")])
def test_a_value_has_the_unit_of_the_dataset(unit, name, study_of, storage):
    study = study_of(2, unit=unit)
    assert optuna.load_study(study_name=study.name, storage=storage.rdb).metric_names == [name]


def test_who_loses_the_lock_does_not_write_over_what_another_has_just_created(storage, monkeypatch):
    """As where the connection that held it broke, or its server was restarted."""
    create, rival = study_module._create, []

    def slowly(*arguments):
        monkeypatch.setattr(study_module, "_create", create)
        rival.append(create_or_resume(storage, "ages", spec_of(2)))
        Slots(rival[0]).claim(HERE)
        return create(*arguments)

    monkeypatch.setattr(study_module, "exclusively", nullcontext)
    monkeypatch.setattr(study_module, "_create", slowly)
    with pytest.raises(SearchFailure, match=r"another process has just created the study 'ages' in .*; run the same"):
        create_or_resume(storage, "ages", spec_of(2))
    assert Slots(rival[0]).counts(1) == SlotCounts(waiting=1, claimed=1)
