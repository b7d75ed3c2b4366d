import io
import os
import uuid

import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import delete, update

from search.storage.artifacts import ArtifactFolder
from search.storage.tables import slots as table
from search.study.claims import NoClaim
from search.study.findings import find
from search.study.finished import seen_trials
from search.study.owner import this_process
from search.study.repair import open_failed, repair
from search.study.slots import SlotCounts, Slots
from search.study.stages import read_stage
from tests.integration.exactness import assert_exact
from tests.integration.fake_study import finalist_budget, run_trial
from tests.outcomes import RESULT
from tests.search.tiny import attach, work_off, work_some

HERE = this_process()
ELSEWHERE = "elsewhere/boot/1:7:1"


def die_within_a_trial(slots, lease_seconds):
    """Leave what a worker of another machine leaves that dies within a trial; returns its claim."""
    return Slots(slots.study, lease_seconds).claim(ELSEWHERE)


def state_of(slots, trial):
    return slots.study.storage.rdb.get_trial(trial).state


def repaired(slots):
    """Repair everything; nothing may be left."""
    repair(slots, find(slots))
    return find(slots) == ()


@pytest.mark.parametrize("lease", [-5.0, 4000.0])
def test_an_abandoned_slot_is_free_again_and_its_trial_failed(slots, lease):
    claim = die_within_a_trial(slots, lease)
    assert repaired(slots)
    assert slots.counts(1) == SlotCounts(waiting=2)
    assert state_of(slots, claim.trial) is TrialState.FAIL
    work_off(slots.study)
    assert_exact(slots.study)


def test_a_slot_that_its_worker_has_renewed_meanwhile_is_left_to_it(slots):
    claim = die_within_a_trial(slots, -5.0)
    findings = find(slots)
    slots.renew(claim)
    repair(slots, findings)
    assert slots.counts(1) == SlotCounts(waiting=1, claimed=1)
    assert state_of(slots, claim.trial) is TrialState.RUNNING
    slots.finish(claim, RESULT)


@pytest.mark.parametrize("stage", [1, 2])
def test_a_closed_slot_without_a_trial_is_run_again_with_the_same_result(slots, stage):
    work_off(slots.study)
    lost = slots.study.storage.rdb.create_new_trial(slots.study.id, create_trial(state=TrialState.FAIL))
    at = (table.c.stage == stage, table.c.slot == 1)
    with slots.study.storage.engine.begin() as tx:
        tx.execute(update(table).where(*at).values(trial_id=lost))
    repair(slots, find(slots))
    assert slots.counts(stage) == SlotCounts(waiting=1, finished=1)
    ran = []
    work_off(slots.study, lambda trial: ran.append((trial.stage, trial.slot)) or run_trial(trial))
    assert ran == [(stage, 1)]
    assert slots.claim(HERE) is NoClaim.DONE


def test_a_slot_that_is_not_there_is_made_and_run_again(slots):
    work_off(slots.study)
    with slots.study.storage.engine.begin() as tx:
        tx.execute(delete(table).where(table.c.stage == 1, table.c.slot == 0))
    repair(slots, find(slots))
    assert slots.counts(1) == SlotCounts(waiting=1, finished=1)
    work_off(slots.study)
    assert slots.counts(1) == SlotCounts(finished=2)


def test_what_another_repair_has_repaired_meanwhile_is_left_alone(slots):
    die_within_a_trial(slots, -5.0)
    findings = find(slots)
    repair(slots, findings)
    repair(slots, findings)
    assert slots.counts(1) == SlotCounts(waiting=2)


def test_failed_slots_are_opened_again_as_if_nobody_had_tried_yet(study_of):
    def fail(_trial):
        raise OSError("no memory")

    slots = Slots(study_of(2, max_attempts=1))
    work_off(slots.study, fail)
    assert slots.counts(1) == SlotCounts(failed=2)
    assert (open_failed(slots), open_failed(slots)) == (2, 0)
    assert (slots.counts(1), slots.failed()) == (SlotCounts(waiting=2), ())
    work_off(slots.study)
    assert_exact(slots.study)


def test_later_stages_that_were_planned_from_nothing_are_planned_anew_once_failed_slots_are_opened_again(study_of):
    def fail(_trial):
        raise OSError("no memory")

    slots = Slots(study_of(4, 4, max_attempts=1, finalists=finalist_budget(2, 2, 700, 8)))
    work_off(slots.study, fail)
    assert [each.slots for each in slots.tally()] == [4, 4, 0]
    assert open_failed(slots) == 8
    assert [each.counts for each in slots.tally()] == [SlotCounts(waiting=4)]
    work_off(slots.study)
    assert [each.counts.finished for each in slots.tally()] == [4, 4, 4]
    assert read_stage(slots.study, 2).plan.narrowing.best
    assert_exact(slots.study)


def test_a_later_stage_that_has_begun_stays_as_it_was_planned(study_of):
    def fail(trial):
        if (trial.stage, trial.slot) == (1, 0):
            raise OSError("no memory")
        return run_trial(trial)

    slots = Slots(study_of(4, 2, max_attempts=1))
    work_off(slots.study, fail)
    plan = read_stage(slots.study, 2).plan
    assert open_failed(slots) == 1
    work_off(slots.study)
    assert [each.counts.finished for each in slots.tally()] == [4, 2]
    assert read_stage(slots.study, 2).plan == plan


def test_a_stage_that_is_planned_anew_takes_nothing_from_the_attempts_at_the_one_that_was_forgotten(study_of):
    def fail(_trial):
        raise OSError("no memory")

    study = study_of(4, 1, max_attempts=1, sampler="tpe")
    work_off(study, fail)
    open_failed(Slots(study))
    work_some(study, 4)
    slots = Slots(study)
    first = slots.claim(HERE)
    given = read_stage(study, 2).given(study.spec.seed, first.slot, seen_by(study, first))
    assert (first.stage, first.slot, slots.assigned(first)) == (2, 0, given)
    slots.give_back(first, "stopped")
    work_off(study)
    assert [each.counts.finished for each in slots.tally()] == [4, 1]


def seen_by(study, claim):
    with study.storage.engine.begin() as tx:
        return seen_trials(tx, study, claim.stage, claim.slot)


def test_a_stray_artifact_is_moved_away_and_the_others_stay(slots, tmp_path):
    folder = ArtifactFolder(tmp_path / "artifacts")
    trial = slots.study.storage.rdb.create_new_trial(slots.study.id)
    attach(slots.study.storage, folder, trial, "curve.png", b"attached")
    (attached,) = folder.path.iterdir()
    stray = folder.path / str(uuid.uuid4())
    stray.write_bytes(b"stray")
    for path in (attached, stray):
        os.utime(path, (0, 0))
    (found,) = find(slots, folder)
    assert (found.kind, found.path) == ("stray artifact", stray)
    for _ in range(2):
        repair(slots, [found])
    assert find(slots, folder) == ()
    assert (folder.path / "stray" / stray.name).read_bytes() == b"stray"
    assert attached.read_bytes() == b"attached"


def test_a_stray_artifact_that_cannot_be_moved_is_left_to_you_and_the_rest_is_repaired(slots, tmp_path):
    die_within_a_trial(slots, -5.0)
    folder = ArtifactFolder(tmp_path / "artifacts")
    folder.write(str(uuid.uuid4()), io.BytesIO(b"stray"))
    (stray,) = folder.path.iterdir()
    os.utime(stray, (0, 0))
    (folder.path / "stray").write_bytes(b"a file")
    first, *others = repair(slots, tuple(reversed(find(slots, folder))))
    assert (first.path, first.repairable) == (stray, False)
    assert first.remedy.startswith(f"it cannot be moved to {folder.path / 'stray'} (File exists); make that a folder")
    assert all(each.repairable for each in others)
    assert [each.path for each in find(slots, folder)] == [stray]
