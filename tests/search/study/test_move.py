import math
from pathlib import Path

import pytest
from optuna.trial import TrialState
from sqlalchemy import delete, update
from sqlalchemy.schema import CreateSchema

from search.errors import SearchError
from search.run.loop import work
from search.storage.artifacts import ArtifactFolder
from search.storage.database import open_storage
from search.storage.optuna_tables import id_of, trials
from search.storage.tables import slots, workers
from search.study.claims import NoClaim
from search.study.findings import find
from search.study.move import Folders, move_study
from search.study.owner import this_process
from search.study.repair import repair
from search.study.slots import Slots
from search.study.study import load_study
from search.study.trial import Diverged
from search.study.workers import list_workers, present
from tests.integration import fake_study as fake
from tests.integration.exactness import assert_exact
from tests.search.tiny import attach, work_off, work_some

HERE = this_process()
DEAD = HERE.rsplit(":", 1)[0] + ":1"
THERE = "elsewhere/boot/1:1:1"


@pytest.fixture
def target_url(storage_url, tmp_path, request):
    """The URL of an empty database of the other kind."""
    if storage_url.startswith("postgresql"):
        yield f"sqlite:///{tmp_path}/moved.db"
    else:
        with request.getfixturevalue("postgresql").database("moved") as url:
            yield url


@pytest.fixture
def move(storage, target_url):
    """Move the study to the other kind of storage; returns it there."""
    opened = []

    def moved(study):
        result = move_study(storage.url, target_url, study.name)
        opened.append(open_storage(target_url))
        return result, load_study(opened[-1], study.name)

    yield moved
    for each in opened:
        each.engine.dispose()


def eventful(trial):
    """A trial that reports, fails once, or leaves the finite numbers."""
    for epoch, value in ((1, 30.0), (2, math.inf), (3, math.nan), (4, 1 / 3)):
        trial.report(epoch, value)
    if trial.slot == 1 and trial.attempt == 1:
        raise OSError("out of memory: ü")
    return Diverged("the loss is nan") if trial.slot == 2 else fake.run_trial(trial)


def trials_of(study):
    """What Optuna reads of every trial, but for its id in the database."""
    trials = study.storage.rdb.get_all_trials(study.id)
    for trial in trials:
        trial._trial_id = 0
        trial.user_attrs = dict(sorted(trial.user_attrs.items()))  # whose order Optuna leaves to the database
    return [repr(trial) for trial in trials]


def test_a_finished_study_is_the_same_in_another_kind_of_database(study_of, move, no_stop):
    study = study_of(4, 3)
    work(Slots(study), eventful, no_stop)
    study.storage.rdb.set_study_user_attr(study.id, "note", "kept")
    counts, moved = move(study)
    assert (counts.trials, counts.stages, counts.slots) == (9, 2, 7)
    assert trials_of(moved) == trials_of(study)
    assert moved.spec == study.spec
    assert [Slots(moved).counts(stage) for stage in (1, 2)] == [Slots(study).counts(stage) for stage in (1, 2)]
    assert moved.storage.rdb.get_study_user_attrs(moved.id) == {"note": "kept"}
    assert Slots(moved).claim(HERE) is NoClaim.DONE
    assert [view.finished for view in list_workers(moved)] == [7]


def test_a_study_with_artifacts_is_not_moved_to_where_they_have_no_place(study_of, storage, target_url, tmp_path):
    study = study_of(1)
    trial = Slots(study).claim(DEAD).trial
    attach(storage, ArtifactFolder(tmp_path / "here"), trial, "curve.svg", b"<svg/>")
    with pytest.raises(SearchError, match=r"has 1 artifacts, .* give --artifacts DIR"):
        move_study(storage.url, target_url, study.name, Folders((ArtifactFolder(tmp_path / "here"),)))


def test_a_study_half_done_goes_on_where_it_is_and_ends_exact(study_of, move):
    study = study_of(5, 4)
    work_some(study, 3)
    _, moved = move(study)
    work_off(moved)
    assert fake.finished(moved) == sorted(fake.expected(moved.spec).items())
    assert len(fake.finished(study)) == 3


def test_a_dead_workers_slot_is_taken_over_at_once(study_of, move):
    study = study_of(2)
    Slots(study).claim(DEAD)
    _, moved = move(study)
    work_off(moved)
    assert fake.finished(moved) == sorted(fake.expected(moved.spec).items())
    states = [each.state for each in moved.storage.rdb.get_all_trials(moved.id)]
    assert states == [TrialState.FAIL, *[TrialState.COMPLETE] * 2]


def test_a_slot_whose_trial_is_gone_is_moved_without_one_and_mended_there(study_of, move):
    study = study_of(2)
    work_off(study)
    lost = study.storage.rdb.get_all_trials(study.id)[0]
    with study.storage.engine.begin() as tx:
        for table in (*reversed(trials.metadata.sorted_tables),):
            if "trial_id" in table.c and table.name != slots.name:
                tx.execute(delete(table).where(table.c.trial_id == id_of(lost)))
    _, moved = move(study)
    (found,) = find(Slots(moved))
    assert (found.kind, found.slot) == ("slot without a trial", 0)
    repair(Slots(moved), [found])
    work_off(moved)
    assert_exact(moved)


def test_other_studies_of_the_source_stay_where_they_are(storage, study_of, move):
    study = study_of(1)
    other = fake.create_or_resume(storage, "other", study.spec)
    work_off(other)
    work_off(study)
    _, moved = move(study)
    assert trials_of(moved) == trials_of(study)
    assert [each.study_name for each in moved.storage.rdb.get_all_studies()] == [study.name]


@pytest.mark.parametrize("owner", [HERE, THERE], ids=["ours", "elsewhere"])
def test_a_study_with_a_slot_that_somebody_holds_is_not_moved(owner, study_of, move, target_url):
    study = study_of(2)
    Slots(study).claim(owner)
    with pytest.raises(SearchError, match=r"is being worked on by .*: stop its workers"):
        move(study)
    if target_url.startswith("sqlite"):
        assert not Path(target_url.removeprefix("sqlite:///")).exists()


def test_a_study_with_a_worker_that_waits_is_not_moved(study_of, move):
    study = study_of(2)
    with present(study, HERE, "cpu"), pytest.raises(SearchError, match="is being worked on"):
        move(study)


def test_a_worker_that_fell_silent_does_not_keep_a_study_from_being_moved(storage, study_of, move):
    study = study_of(1)
    Slots(study).claim(THERE)
    with storage.engine.begin() as tx:
        tx.execute(update(slots).values(lease_expires=1.0))
    _, moved = move(study)
    assert Slots(moved).claim(HERE).losses == 1


def test_a_worker_seen_in_the_future_is_of_a_clock_that_was_set_back(storage, study_of, move):
    study = study_of(2)
    presence = present(study, THERE, "")
    presence.__enter__()
    with storage.engine.begin() as tx:
        tx.execute(update(workers).values(last_seen=workers.c.last_seen + 3600))
    _, moved = move(study)
    work_off(moved)
    assert len(fake.finished(moved)) == 2


def test_a_study_that_is_there_already_is_not_written_over(study_of, move):
    study = study_of(2)
    _, moved = move(study)
    work_off(moved)
    with pytest.raises(SearchError, match="has a study 'ages' already: move to another storage"):
        move(study)
    assert len(fake.finished(moved)) == 2


def test_a_study_that_was_deleted_where_it_was_moved_to_can_be_moved_there_again(study_of, move):
    study = study_of(2)
    work_off(study)
    _, moved = move(study)
    moved.storage.rdb.delete_study(moved.id)
    _, again = move(study)
    assert trials_of(again) == trials_of(study)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_study_can_be_moved_to_another_schema_of_its_database(study_of, storage):
    study = study_of(2)
    work_off(study)
    with storage.engine.begin() as tx:
        tx.execute(CreateSchema("two"))
    url = f"{storage.url}{'&' if '?' in storage.url else '?'}options=-csearch_path%3Dtwo"
    move_study(storage.url, url, study.name)
    moved = open_storage(url)
    assert trials_of(load_study(moved, study.name)) == trials_of(study)
    moved.engine.dispose()


def test_a_copy_that_comes_out_different_is_no_copy(study_of, move, monkeypatch):
    study = study_of(2)
    work_off(study)

    def spoil(tx, rows):
        first, *others = rows["trial_values"]
        write(tx, rows | {"trial_values": [{**first, "value": first["value"] + 1e-9}, *others]})

    write = move_study.__globals__["write_rows"]
    monkeypatch.setitem(move_study.__globals__, "write_rows", spoil)
    with pytest.raises(SearchError, match="differs in trial_values: nothing was copied"):
        move(study)
    monkeypatch.setitem(move_study.__globals__, "write_rows", write)
    _, moved = move(study)
    assert trials_of(moved) == trials_of(study)


def test_an_unknown_study_is_refused_and_nothing_is_made(storage, target_url):
    with pytest.raises(SearchError, match="no study 'ages'"):
        move_study(storage.url, target_url, "ages")


def test_a_note_on_a_trial_stays_with_it_whatever_number_the_other_database_gives_it(storage, study_of, move):
    other = fake.create_or_resume(storage, "another", fake.spec_of(3))
    work_off(other)  # so that the trials have other ids than numbers
    study = study_of(2)
    work_off(study)
    of_second = id_of(storage.rdb.get_all_trials(study.id)[1])
    storage.rdb.set_study_system_attr(study.id, f"dashboard:{of_second}:note_str:0", "look at this")
    storage.rdb.set_study_system_attr(study.id, "dashboard:note_str:0", "of the study")
    _, there = move(study)
    moved = id_of(there.storage.rdb.get_all_trials(there.id)[1])
    notes = there.storage.rdb.get_study_system_attrs(there.id)
    assert moved != of_second
    assert notes[f"dashboard:{moved}:note_str:0"] == "look at this"
    assert notes["dashboard:note_str:0"] == "of the study"
