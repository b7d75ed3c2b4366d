"""What a trial costs the storage, counted: the statements that it sends and the transactions that it writes."""

from dataclasses import dataclass
from threading import Event

import pytest
from sqlalchemy import event

from search.run.loop import work
from search.study.slots import Slots
from tests.integration.fake_study import run_trial
from tests.outcomes import outcome_of

FEW, MANY = 10, 30


@dataclass
class Count:
    """What an engine was asked for."""

    statements: int = 0
    commits: int = 0

    def watch(self, engine):
        event.listen(engine, "before_cursor_execute", self.see_statement)
        event.listen(engine, "commit", self.see_commit)

    def see_statement(self, *_):
        self.statements += 1

    def see_commit(self, *_):
        self.commits += 1


def reporting(trial):
    """Run a trial of five epochs."""
    for epoch in range(1, 6):
        trial.report(epoch, 30.0 / epoch)
    return run_trial(trial)


@pytest.fixture
def cost_of(study_of, storage):
    """Count what a trial of a study costs, free of what beginning and ending the study do."""

    def counted(run, **settings):
        counts = []
        for trials in (FEW, MANY):
            count, study = Count(), study_of(trials, seed=trials, **settings)
            count.watch(storage.engine)
            work(Slots(study), run, Event())
            event.remove(storage.engine, "before_cursor_execute", count.see_statement)
            event.remove(storage.engine, "commit", count.see_commit)
            counts.append(count)
            storage.rdb.delete_study(study.id)
        few, many = counts
        trials = MANY - FEW
        return (many.statements - few.statements) / trials, (many.commits - few.commits) / trials

    return counted


def test_a_trial_of_five_epochs_is_two_transactions_of_a_dozen_statements(cost_of, tell):
    statements, commits = cost_of(reporting)
    tell(f"a trial of five epochs: {statements:.1f} statements, {commits:.1f} commits")
    assert commits == pytest.approx(2, abs=0.3)
    assert statements <= 14  # one of them now and again: a look for dead workers, once a second


def test_with_pruning_each_epoch_is_two_more(cost_of):
    def asking(trial):
        for epoch in range(1, 6):
            trial.report(epoch, 30.0 / epoch)
            trial.should_prune()
        return outcome_of(20.0, 20.0, 1.0, 0.5)

    statements, commits = cost_of(asking, pruning="median")
    assert commits == pytest.approx(2 + 5 * 2, abs=0.3)
    # The slot, the value, the other trials' values, how many of them there are; PostgreSQL's settings twice.
    assert statements <= 14 + 5 * 6


def test_a_sampler_that_learns_takes_one_more_for_what_it_reads_and_one_for_its_answer(cost_of):
    statements, commits = cost_of(reporting, sampler="cmaes")
    assert 3 <= round(commits) <= 4  # SQLite reads without a transaction
    assert statements <= 21
