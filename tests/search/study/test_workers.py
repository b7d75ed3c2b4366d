from sqlalchemy import select, update

from search.storage.tables import workers
from search.study.owner import this_process
from search.study.slots import Slots
from search.study.workers import finished_by, list_workers, present
from tests.outcomes import RESULT

HERE = this_process()
DEAD = HERE.rsplit(":", 1)[0] + ":1"


def test_a_worker_is_listed_with_what_it_runs_and_has_finished(study_of):
    study = study_of(2)
    slots = Slots(study)
    with present(study, HERE, "cpu:0"):
        slots.finish(slots.claim(HERE), RESULT)
        slots.claim(HERE)
        (view,) = list_workers(study)
        assert (view.state, view.device, view.finished, view.runs) == ("running", "cpu:0", 1, (1, 1))
        assert 0 <= view.silent_for < 60
    assert list_workers(study)[0].state == "stopped"


def test_a_worker_that_was_killed_is_shown_as_dead(study_of):
    study = study_of(1)
    presence = present(study, DEAD, "")
    presence.__enter__()
    assert list_workers(study)[0].state == "dead"


def test_of_a_worker_it_is_known_how_many_trials_it_has_finished_or_that_it_never_came_to_one(study_of):
    study = study_of(4, max_attempts=1)
    slots = Slots(study)
    assert finished_by(study, HERE) is None
    with present(study, HERE, "cpu:0"):
        slots.finish(slots.claim(DEAD), RESULT)
        slots.fail_attempt(slots.claim(HERE), "no memory")
        slots.claim(HERE)
        assert finished_by(study, HERE) == 0
        slots.finish(slots.claim(HERE), RESULT)
    assert (finished_by(study, HERE), finished_by(study, DEAD)) == (1, None)


def test_a_renewal_is_a_sign_of_life_but_not_every_one_is_written(study_of, storage, monkeypatch):
    study = study_of(1)
    slots = Slots(study)

    def last_seen(as_if=None):
        with storage.engine.begin() as tx:
            if as_if is not None:
                tx.execute(update(workers).values(last_seen=workers.c.last_seen + as_if))
            return tx.scalar(select(workers.c.last_seen))

    with present(study, HERE, ""):
        claim = slots.claim(HERE)
        before = last_seen()
        slots.renew(claim)
        assert last_seen() == before
        monkeypatch.setattr(slots._presence, "_due", 0.0)
        assert last_seen(as_if=-10) < before
        slots.renew(claim)
        assert last_seen() >= before
        monkeypatch.setattr(slots._presence, "_due", 0.0)
        last_seen(as_if=3600)  # the database's clock was set back
        slots.renew(claim)
        assert list_workers(study)[0].silent_for >= 0
