"""Whether our own statements leave what Optuna's calls leave: every row of every table is compared."""

import math
from dataclasses import asdict
from datetime import datetime

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from sqlalchemy import select

from search.space.box import Box
from search.space.distributions import distribution_of
from search.space.ranges import Choices, IntegerRange, LinearRange, LogRange
from search.storage.optuna_tables import optuna_tables
from search.study.slots import Slots
from search.study.study import create_or_resume
from search.study.trial import Diverged, Outcome, Pruned
from search.study.trials import Result
from tests.integration import fake_study as fake

OWNER = "elsewhere/boot/1:1:1"
BOX = Box(
    (
        LogRange("learning_rate", 1e-6, 1e-3),
        LinearRange("momentum", 0.0, 1.0),
        IntegerRange("width", 1, 9),
        Choices("recipe", ("paper", "default", 3, 0.5)),
    )
)
REPORTS = {1: 30.0, 2: math.nan, 3: math.inf, 5: -math.inf}
MEASURES = {"training_curve": (1.0, 2.5), "rate": 1 / 3}
OUTCOMES = (Outcome(12.75, MEASURES), Outcome(0.0), Diverged("it is ü"), Pruned("it is the worst", 2), "no memory")


def by_optuna(rdb, spec):
    """Write a study and its trials by Optuna's calls."""
    study = rdb.create_new_study([StudyDirection.MINIMIZE], fake.NAME)
    rdb.set_study_system_attr(study, "study:metric_names", ["score (years)"])
    for slot, ending in enumerate(OUTCOMES):
        write_by_optuna(rdb, study, ending, assignment_of(spec, slot), slot)


def assignment_of(spec, slot):
    return fake.Sampled(len(OUTCOMES), spec.box, None, spec.budget).assignment(spec.seed, 1, slot)


def write_by_optuna(rdb, study, ending, given, slot):
    own = {"stage": 1, "slot": slot, "attempt": 1, "token": 1, "worker": OWNER, "device": "a processor"}
    own |= {**given.budget, "repeat": 0, "seeds": asdict(given.seeds)}
    ranges = {each.name: distribution_of(each) for each in given.box.ranges}
    begun = create_trial(state=TrialState.RUNNING, params=given.params, distributions=ranges, user_attrs=own)
    trial = rdb.create_new_trial(study, begun)
    for step, value in REPORTS.items():
        rdb.set_trial_intermediate_value(trial, step, value)
    for name, value in found_in(ending).items():
        rdb.set_trial_user_attr(trial, name, value)
    if ending != "no memory":
        rdb.set_trial_system_attr(trial, "artifacts:7", "a file")
    if isinstance(ending, Outcome):
        rdb.set_trial_state_values(trial, TrialState.COMPLETE, [ending.score])
    else:
        rdb.set_trial_state_values(trial, TrialState.FAIL if ending == "no memory" else TrialState.PRUNED)


def found_in(ending):
    """What is kept of an ending, by name."""
    if isinstance(ending, str):
        return {"reason": ending}
    if isinstance(ending, Diverged):
        return {"reason": ending.reason}
    if isinstance(ending, Pruned):
        return {"reason": ending.reason, "pruned_after": ending.steps, "seconds": 8.0}
    return {**ending.measures, "seconds": 8.0}


def by_us(study):
    """Write the same by our own statements, some of the values on the way before the end."""
    slots = Slots(study)
    for ending in OUTCOMES:
        claim = slots.claim(OWNER, "a processor")
        slots.report(claim, {1: REPORTS[1], 2: REPORTS[2]})
        if isinstance(ending, str):
            slots.fail_attempt(claim, ending, REPORTS)
        else:
            slots.finish(claim, Result(ending, 8.0, REPORTS, {"artifacts:7": "a file"}))


def rows_of(storage):
    """All rows of Optuna's tables but for times, which are checked to be times."""
    found = {}
    with storage.engine.begin() as tx:
        for name, table in optuna_tables.items():
            found[name] = [dict(row) for row in tx.execute(select(table).order_by(*table.primary_key)).mappings()]
    for row in found["trials"]:
        times = [row.pop(key) for key in ("datetime_start", "datetime_complete")]
        assert all((datetime.now() - time).total_seconds() < 600 for time in times)
    for rows in found.values():
        for row in rows:  # numbers that a database draws, with gaps or in an order that are nobody's business
            row.pop("trial_user_attribute_id", None)
            row.pop("trial_intermediate_value_id", None)
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.fixture
def other(request, storage):
    """Another storage of the same kind."""
    if storage.engine.dialect.name == "sqlite":
        with fake.in_memory() as folder:
            yield fake.new_storage(folder)
    else:
        with request.getfixturevalue("postgresql").database("other", "empty") as url:
            opened = fake.open_storage(url)
            yield opened
            opened.engine.dispose()


def test_every_row_of_every_table_is_as_optuna_writes_it(storage, other):
    spec = fake.spec_of(len(OUTCOMES), box=BOX, max_attempts=1)
    by_us(create_or_resume(storage, fake.NAME, spec))
    by_optuna(other.rdb, spec)
    ours, theirs = rows_of(storage), rows_of(other)
    assert len(ours["trials"]) == len(OUTCOMES)
    for name in optuna_tables:
        assert ours[name] == theirs[name], name


def test_optuna_reads_what_we_write_and_goes_on_with_it(storage):
    study = create_or_resume(storage, fake.NAME, fake.spec_of(len(OUTCOMES), box=BOX, max_attempts=1))
    by_us(study)
    theirs = optuna.load_study(study_name=fake.NAME, storage=storage.rdb)
    assert (theirs.best_value, theirs.metric_names) == (0.0, ["score (years)"])
    theirs.enqueue_trial({"learning_rate": 1e-4})
    assert theirs.ask().number == len(OUTCOMES)
