"""What `status` and `search` answer as JSON, in one shape; docs/answers.schema.json describes it."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import select

from search.results.ranking import best_trials
from search.results.summary import StudySummary, summary
from search.storage.optuna_tables import trials
from search.storage.tables import FINISHED, slots
from search.study.study import Study

SHOWN: Final = 5
"""How many of the best trials are named."""

RECENT: Final = 50
"""Trials whose ends the rate is taken from, the latest."""


def answer_of(study: Study) -> dict[str, Any]:
    """Return where a study stands: its summary, its best trials, whether it is done, and how fast it goes.

    `best` is the best sampled trial and `top` the five best, `rate` the latest trials a minute, and `minutes_left` what
    the open slots take at that rate; each is None while nothing is known.
    """
    now, top = summary(study), [trial.as_dict() for trial in best_trials(study, SHOWN)]
    left, rate = _open(now), _rate(study)
    return {
        **asdict(now),
        "best": top[0] if top else None,
        "top": top,
        "done": left == 0,
        "rate": rate,
        "minutes_left": 0.0 if left == 0 else left / rate if rate else None,
    }


def _open(now: StudySummary) -> int:
    return sum(stage.trials - stage.counts.closed for stage in now.stages)


def _rate(study: Study) -> float | None:
    """Return how many trials a minute the latest have come to, None for fewer than two."""
    latest = (
        select(trials.c.datetime_complete)
        .join(slots, slots.c.trial_id == trials.c.trial_id)
        .where(slots.c.study == study.name, slots.c.state == FINISHED, trials.c.datetime_complete.is_not(None))
        .order_by(trials.c.datetime_complete.desc())
        .limit(RECENT)
    )
    with study.storage.engine.begin() as tx:
        ends = list(tx.scalars(latest))
    if len(ends) < 2 or ends[0] <= ends[-1]:
        return None
    return 60 * (len(ends) - 1) / float((ends[0] - ends[-1]).total_seconds())
