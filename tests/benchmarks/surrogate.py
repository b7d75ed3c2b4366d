"""A surrogate of recorded trials: a Gaussian process over log learning rate and log L2, and the noise of one trial."""

import csv
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.stats import norm, qmc, spearmanr

from search.errors import SearchError
from search.space.box import Box
from search.space.ranges import LogRange
from search.storage.database import open_storage
from search.study.finished import finished_trials
from search.study.stages import list_stages
from search.study.study import load_study
from search.study.variants import VARIANT

NAMES = ("learning_rate", "l2")
LEAST = 8
"""Recorded trials without which there is nothing to fit."""


def from_csv(path):
    """Return points, (n, 2) log10, and scores, (n,), from a table with the columns learning_rate, l2 and score."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {*NAMES, "score"} <= rows[0].keys():
        raise SearchError(f"{path} has no columns {', '.join(NAMES)}, score")
    return _arrays([({name: float(row[name]) for name in NAMES}, float(row["score"])) for row in rows])


def from_study(storage, name, variants=""):
    """Return the same from the finished trials of a study; of an experiment's, from variants whose name begins so."""
    study = load_study(open_storage(storage), name)
    found = []
    for stage in list_stages(study):
        with study.storage.engine.begin() as tx:
            trials = finished_trials(tx, study.name, stage.number)
        if stage.plan.kind == "variants" or stage.plan.budget == study.spec.budget:
            found += [(t.params, t.value) for t in trials if str(t.params.get(VARIANT, "")).startswith(variants)]
    return _arrays(found)


def _arrays(trials):
    if len(trials) < LEAST:
        raise SearchError(f"there are {len(trials)} recorded trials; a surrogate needs {LEAST} at least")
    points = np.log10([[params[name] for name in NAMES] for params, _ in trials])
    return points, np.array([score for _, score in trials])


@dataclass(frozen=True)
class Surrogate:
    """What stands for the trials: `true(points)` is a configuration's score but for noise, `noise` a trial's deviation.

    A Matérn kernel (5/2) with a length for each parameter; variances and lengths are the most probable ones under broad
    priors. Outside of the recorded points it knows nothing, so `box` is their range.
    """

    points: np.ndarray
    scores: np.ndarray
    logs: np.ndarray  # of signal, two lengths, and noise, all as shares of the scores' deviation or the box

    @classmethod
    def fitted(cls, points, scores):
        starts = qmc.Sobol(4, rng=np.random.default_rng(0)).random(8) * 3 - [1.5, 2.5, 2.5, 3.5]

        def unlikely(logs):
            return cls(points, scores, logs)._unlikely

        ends = [minimize(unlikely, start, method="L-BFGS-B") for start in starts]
        return cls(points, scores, min(ends, key=lambda end: end.fun).x)

    @cached_property
    def box(self):
        low, high = 10 ** self.points.min(axis=0), 10 ** self.points.max(axis=0)
        return Box(tuple(LogRange(name, float(low[i]), float(high[i])) for i, name in enumerate(NAMES)))

    @property
    def noise(self):
        return float(np.exp(self.logs[3]) * self.scores.std())

    def true(self, points):
        """The most probable scores at points, (n, 2) log10."""
        return self._mean + self._kernel(np.atleast_2d(points), self.points) @ self._weights * self.scores.std()

    @cached_property
    def best(self):
        """The lowest true score in the box, over 65,536 points of it."""
        shares = qmc.Sobol(2, rng=np.random.default_rng(0)).random(2**16)
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(np.concatenate([self.true(part) for part in np.split(low + shares * (high - low), 64)]).min())

    def left_out(self):
        """Each recorded trial's score as the others predict it, without fitting anew (Rasmussen & Williams, 5.12)."""
        inverse = cho_solve((self._factor, True), np.eye(len(self.scores)))
        return self.scores - self._weights / np.diag(inverse) * self.scores.std()

    def quality(self):
        """How far left-out trials are predicted: the root mean square, and Spearman's rank correlation."""
        left = self.left_out()
        return float(np.sqrt(np.square(left - self.scores).mean())), float(spearmanr(left, self.scores).statistic)

    @property
    def _mean(self):
        return self.scores.mean()

    def _kernel(self, some, others):
        span = np.ptp(self.points, axis=0)
        distance = np.sqrt(5) * cdist(some / span / np.exp(self.logs[1:3]), others / span / np.exp(self.logs[1:3]))
        return np.exp(2 * self.logs[0]) * (1 + distance + distance**2 / 3) * np.exp(-distance)

    @cached_property
    def _factor(self):
        noise = (np.exp(2 * self.logs[3]) + 1e-8) * np.eye(len(self.points))
        return cholesky(self._kernel(self.points, self.points) + noise, lower=True)

    @cached_property
    def _weights(self):
        return cho_solve((self._factor, True), (self.scores - self._mean) / self.scores.std())

    @property
    def _unlikely(self):
        """The negative logarithm of the posterior, but for a constant."""
        standard = (self.scores - self._mean) / self.scores.std()
        fit = standard @ self._weights / 2 + np.log(np.diag(self._factor)).sum()
        return fit - norm.logpdf(self.logs, [0.0, -1.0, -1.0, -2.0], [1.0, 1.0, 1.0, 1.0]).sum()
