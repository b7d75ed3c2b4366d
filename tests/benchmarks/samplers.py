"""What each sampler brings: whole searches of equal budgets, by our own code, on a surrogate of recorded trials.

    python tests/benchmarks/samplers.py --recorded trials.csv --out runs/bench/samplers
    python tests/benchmarks/samplers.py --storage sqlite:///runs/study.db --study age --out runs/bench/samplers

Prints a table and writes it as samplers.json, with samplers.png: the true score of the best trial so far.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import numpy as np

from model.figures.plotting import PALETTE, new_figure, plain, png
from search.errors import SearchError
from search.results.choice import choose
from search.run.loop import work
from search.space.samplers import LEARNING
from search.storage.database import quieten_optuna
from search.study.slots import Slots
from tests.benchmarks.surrogate import NAMES, Surrogate, from_csv, from_study
from tests.integration import fake_study as fake
from tests.integration.fake_study import finalist_budget
from tests.integration.warm_processes import warm_processes
from tests.outcomes import outcome_of

SAMPLERS = ("random", "sobol", "tpe", "gp", "cmaes")


@dataclass(frozen=True)
class Outcome:
    """One search: the true scores of its choice, of the best trial so far after each one, and of the trials."""

    sampler: str
    seed: int
    chosen: float
    so_far: tuple[float, ...]
    trials: tuple[float, ...]
    seconds: float


def trial_on(surrogate, seconds=0.0):
    """A trial that scores what the surrogate says, with the noise of its own seeds and parameters."""

    def run(trial):
        Event().wait(seconds)
        point = np.log10([trial.params[name] for name in NAMES])
        stream = np.random.default_rng([trial.seeds.weights, *(point * 1e6).astype(np.int64) % 2**32])
        score = float(surrogate.true(point)[0] + surrogate.noise * stream.standard_normal())
        return outcome_of(score, score, score, 0.0)

    return run


def work_on(url, surrogate, seconds):
    """What one of several workers does."""
    work(Slots(fake.reopen(url)), trial_on(surrogate, seconds), Event())


def search(surrogate, sampler, seed, trials, finalists, workers=1, context=None):
    """Run one search to its end, and say what it came to."""
    with fake.in_memory() as folder:
        budget = finalist_budget(finalists, 3, 500, 5) if finalists else None
        settings = {"box": surrogate.box, "sampler": sampler, "seed": seed, "finalists": budget}
        study = fake.new_study(folder, fake.spec_of(*trials, **settings))
        began = time.perf_counter()
        if workers == 1:
            work(Slots(study), trial_on(surrogate), Event())
        else:
            study.storage.engine.dispose()
            team = [context.Process(target=work_on, args=(study.storage.url, surrogate, 0.2)) for _ in range(workers)]
            for one in team:
                one.start()
            for one in team:
                one.join()
                assert one.exitcode == 0
        seconds = time.perf_counter() - began
        found = [(place, trial) for place, trial in fake.finished(study) if place[0] <= len(trials)]
        scores = np.array([value for _, (_, value) in found])
        true = surrogate.true(np.log10([[params[name] for name in NAMES] for _, (params, _) in found]))
        chosen = surrogate.true(np.log10([choose(study).params[name] for name in NAMES]))[0]
        study.storage.engine.dispose()
    so_far = true[[scores[: count + 1].argmin() for count in range(len(scores))]]
    return Outcome(sampler, seed, float(chosen), tuple(so_far.tolist()), tuple(true.tolist()), seconds)


def reached(outcome, goal):
    """How many trials it took until one was as good as `goal`; None if none was."""
    return next((count for count, true in enumerate(outcome.trials, start=1) if true <= goal), None)


def table(outcomes, best, within):
    """The table, the heading first: means over the repetitions with their standard errors."""
    near = f"trials to within {within:.3g}"
    rows = [("sampler", "searches", "chosen ± s.e.", "behind the optimum ± s.e.", near, "s a search")]
    for sampler in dict.fromkeys(each.sampler for each in outcomes):
        own = [each for each in outcomes if each.sampler == sampler]
        chosen = np.array([each.chosen for each in own])
        error = chosen.std(ddof=1) / len(own) ** 0.5
        counts = [reached(each, best + within) for each in own]
        there = [count for count in counts if count is not None]
        # One that never came so near counts as longer than all, which a median bears.
        middle = float(np.median([np.inf if count is None else count for count in counts]))
        shown = f"{middle:g}" if np.isfinite(middle) else f"more than {len(own[0].trials)}"
        rows.append(
            (
                sampler,
                str(len(own)),
                f"{chosen.mean():.3f} ± {error:.3f}",
                f"{chosen.mean() - best:.3f} ± {error:.3f}",
                f"{shown} ({len(there)} of {len(own)} came there)",
                f"{np.mean([each.seconds for each in own]):.1f}",
            )
        )
    return rows


def picture(outcomes, best, path):
    """Draw how far behind the optimum the best trial so far truly is, a line for each sampler."""
    figure = new_figure(7, 4)
    axes = figure.subplots()
    plain(axes, "trials", "behind the optimum, of the best trial so far")
    for sampler, colour in zip(dict.fromkeys(each.sampler for each in outcomes), PALETTE, strict=False):
        behind = np.array([each.so_far for each in outcomes if each.sampler == sampler]) - best
        mean, error = behind.mean(axis=0), behind.std(axis=0, ddof=1) / len(behind) ** 0.5
        counts = np.arange(1, len(mean) + 1)
        axes.plot(counts, mean, label=sampler, color=colour, linestyle="-" if sampler in LEARNING else "--")
        axes.fill_between(counts, np.maximum(mean - error, mean / 10), mean + error, color=colour, alpha=0.12, lw=0)
    axes.set(xlim=(1, len(mean)), yscale="log")
    axes.legend(title="mean ± standard error", frameon=False)
    path.write_bytes(png(figure))


def compare(surrogate, samplers, seeds, trials, finalists, workers):
    """Run all searches, repetition by repetition, so that an interruption leaves whole ones; prints each."""
    context = warm_processes() if workers > 1 else None
    for seed in seeds:
        for sampler in samplers:
            outcome = search(surrogate, sampler, seed, trials, finalists, workers, context)
            print(f"seed {seed}, {sampler}: {outcome.chosen:.3f} in {outcome.seconds:.1f} s", flush=True)
            yield outcome


def _recorded(given):
    return from_csv(given.recorded) if given.recorded else from_study(given.storage, given.study, given.variants)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, help="a CSV file with the columns learning_rate, l2, score")
    parser.add_argument("--storage", help="or the URL of a storage")
    parser.add_argument("--study", help="and the name of a study in it, a search or an experiment")
    parser.add_argument("--variants", default="", help='of an experiment, such as "default, 500 images × 5 epochs"')
    parser.add_argument("--trials", default="25,25", help="trials of each stage (default: %(default)s)")
    parser.add_argument("--finalists", type=int, default=5, help="configurations that are tried again (default: 5)")
    parser.add_argument("--repetitions", type=int, default=10, help="searches a sampler (default: 10)")
    parser.add_argument("--workers", type=int, default=1, help="processes a search (default: 1)")
    parser.add_argument("--within", type=float, help="how near to the optimum is near (default: a trial's noise)")
    parser.add_argument("--samplers", default=",".join(SAMPLERS), help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="the folder for samplers.json and samplers.png")
    given = parser.parse_args(arguments)
    quieten_optuna()
    if given.recorded is None and not (given.storage and given.study):
        parser.error("give --recorded FILE.csv, or --storage and --study")
    try:
        recorded = _recorded(given)
    except (OSError, SearchError) as error:
        parser.error(str(error))
    surrogate = Surrogate.fitted(*recorded)
    samplers = [each for each in given.samplers.split(",") if each != "gp" or find_spec("torch")]
    if "gp" in given.samplers.split(",") and "gp" not in samplers:
        print("gp is left out: PyTorch is not installed")
    error, agreement = surrogate.quality()
    print(
        f"{len(recorded[1])} recorded trials, scores {min(recorded[1]):.3f} to {max(recorded[1]):.3f}; {surrogate.box}"
    )
    print(
        f"surrogate: optimum {surrogate.best:.3f}, noise of a trial {surrogate.noise:.3f}; left-out trials are "
        f"predicted to {error:.3f} (root mean square), with a rank correlation of {agreement:.2f}"
    )
    trials = tuple(map(int, given.trials.split(",")))
    outcomes = list(compare(surrogate, samplers, range(given.repetitions), trials, given.finalists, given.workers))
    within = surrogate.noise if given.within is None else given.within
    rows = table(outcomes, surrogate.best, within)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    given.out.mkdir(parents=True, exist_ok=True)
    document = {
        "command": vars(given) | {"recorded": str(given.recorded), "out": str(given.out), "storage": None},
        "surrogate": {
            "trials": len(surrogate.scores),
            "best": surrogate.best,
            "noise": surrogate.noise,
            "left_out_error": error,
            "left_out_rank_correlation": agreement,
        },
        "table": rows,
        "searches": [asdict(each) for each in outcomes],
    }
    (given.out / "samplers.json").write_text(json.dumps(document, indent=1))
    picture(outcomes, surrogate.best, given.out / "samplers.png")
    print(f"\n{given.out / 'samplers.json'}\n{given.out / 'samplers.png'}")


if __name__ == "__main__":
    main()
