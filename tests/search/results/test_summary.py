import json
from dataclasses import asdict

from search.results.summary import summary
from search.space.box import Box
from search.space.ranges import LogRange
from search.study.slots import FailedSlot, SlotCounts
from search.study.trial import Diverged
from tests.integration.fake_study import finalist_budget
from tests.search.tiny import work_off, work_some

GIVEN = Box((LogRange("learning_rate", 1e-5, 1e-4), LogRange("l2", 1e-3, 1e-2)))


def test_a_new_study_waits_and_knows_the_box_of_its_first_stage(study_of):
    now = summary(study_of(4, 3))
    assert [stage.counts for stage in now.stages] == [SlotCounts(waiting=4), SlotCounts(waiting=3)]
    assert now.lines()[0].endswith(": no trial has finished with a value yet")
    assert now.lines()[1:] == [
        "stage 1: 0/4 finished; learning_rate [1e-06, 0.001], l2 [1e-06, 10]",
        "stage 2: 0/3 finished; its ranges follow from the stage before",
    ]


def test_ranges_given_by_the_user_are_known_from_the_start(study_of):
    lines = summary(study_of(4, 3, ranges=GIVEN)).lines()
    assert lines[2] == "stage 2: 0/3 finished; learning_rate [1e-05, 0.0001], l2 [0.001, 0.01]"


def test_a_running_trial_is_counted_and_shown_with_its_worker(study_of):
    study, seen = study_of(2), []

    def look(_task):
        seen.append(summary(study))
        return Diverged("nan")

    work_off(study, look)
    assert seen[0].stages[0].counts == SlotCounts(waiting=1, claimed=1)
    assert seen[0].lines()[1].startswith("stage 1: 0/2 finished, 1 running; ")
    assert [(worker.state, worker.runs) for worker in seen[0].workers] == [("running", (1, 0))]


def test_a_failed_slot_is_counted_and_told_with_its_reason(study_of):
    def fail(_task):
        raise OSError("no memory")

    study = study_of(2, max_attempts=1)
    work_off(study, fail)
    now, reason = summary(study), "1 attempts failed, the last one with OSError: no memory"
    assert now.lines()[1].startswith("stage 1: 0/2 finished, 2 failed; ")
    assert now.lines()[2:] == [f"stage 1, slot {slot} was closed as failed: {reason}" for slot in (0, 1)]
    assert now.failed == tuple(FailedSlot(1, slot, reason) for slot in (0, 1))


def test_a_finished_study_has_a_best_score_and_the_box_it_narrowed_to(study_of):
    study = study_of(3, 1)
    work_some(study, 4)
    now = summary(study)
    assert now.best < 20
    assert now.lines()[0] == f"study ages in {study.storage}: best single trial {now.best:.3f} years"
    assert now.lines()[2].startswith("stage 2: 1/1 finished; learning_rate [")


def test_finalists_are_counted_apart_from_the_sampled_trials(study_of):
    study = study_of(3, 1, finalists=finalist_budget(2, 3, 700, 8))
    assert summary(study).lines()[3] == (
        "finalists: 0/6 finished; the best configurations once more, when the stages are done"
    )
    work_some(study, 5)
    now = summary(study)
    assert [stage.counts.finished for stage in now.stages] == [3, 1, 1]
    assert now.lines()[3] == "finalists: 1/6 finished; 2 configurations, 3 seeds each, 700 images, 8 epochs"
    assert now.verdict is None
    work_off(study)
    assert summary(study).verdict.best.mean > 10


def test_of_a_single_one_there_is_no_plural(study_of):
    study = study_of(1, finalists=finalist_budget(1, 2, 1, 1))
    work_off(study)
    assert summary(study).lines()[2] == "finalists: 2/2 finished; 1 configuration, 2 seeds each, 1 image, 1 epoch"


def test_everything_can_be_written_as_json(study_of):
    study = study_of(2)
    work_off(study)
    found = json.loads(json.dumps(asdict(summary(study))))
    assert found["study"] == "ages"
    assert found["stages"][0]["counts"] == {"waiting": 0, "claimed": 0, "finished": 2, "failed": 0}
    assert found["workers"][0]["finished"] == 2
