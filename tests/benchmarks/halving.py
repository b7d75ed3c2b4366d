"""What pruning by halving leaves and saves: stages simulated with trials of known learning curves, in any order.

python tests/benchmarks/halving.py
"""

from dataclasses import dataclass

import numpy as np

from search.study.pruning import Rivals, by_halving, least_whole

EPOCHS = 8


@dataclass(frozen=True)
class Stage:
    """What one stage came to: trials that came to their end, epochs that were run, and whether the best did."""

    whole: int
    epochs: int
    best_is_whole: bool


def simulate(trials: int, workers: int, seed: int) -> Stage:
    """Run a stage of `trials` with so many workers, of which a random one takes each next step."""
    stream = np.random.default_rng(seed)
    final = stream.lognormal(size=trials)
    curves = final[:, None] * (1 + 1 / np.arange(1, EPOCHS + 1)) * stream.lognormal(sigma=0.2, size=(trials, EPOCHS))
    reported: dict[int, list[float]] = {}
    whole, pruned, waiting, epochs = set(), set(), list(range(trials)), 0
    while waiting or len(reported) > len(whole) + len(pruned):
        running = [trial for trial in reported if trial not in whole | pruned]
        if waiting and len(running) < workers:
            running.append(waiting.pop(0))
            reported[running[-1]] = []
        trial = int(stream.choice(running))
        reported[trial].append(float(curves[trial, len(reported[trial])]))
        epochs += 1
        step = len(reported[trial])
        if step == EPOCHS:
            whole.add(trial)
            continue
        reached = {other: values[step - 1] for other, values in reported.items() if len(values) >= step}
        own = dict(enumerate(reported[trial], start=1))
        del reached[trial]
        rivals = Rivals(
            tuple(value for other, value in reached.items() if other in whole),
            tuple(value for other, value in reached.items() if other not in whole),
            slots=trials,
            pruned=len(pruned),
            running=len(running) - 1,
        )
        if by_halving(own, rivals):
            pruned.add(trial)
    return Stage(len(whole), epochs, int(final.argmin()) in whole)


def main() -> None:
    print("trials  workers  whole at least  wanted  whole in the mean  epochs saved  best is whole")
    for trials in (10, 25, 50):
        for workers in (1, 4):
            found = [simulate(trials, workers, seed) for seed in range(1000)]
            saved = 1 - np.mean([stage.epochs for stage in found]) / (trials * EPOCHS)
            whole = [stage.whole for stage in found]
            best = np.mean([stage.best_is_whole for stage in found])
            print(
                f"{trials:6}  {workers:7}  {min(whole):14}  {least_whole(trials):6}  {np.mean(whole):17.1f}"
                f"  {saved:12.0%}  {best:13.0%}"
            )


if __name__ == "__main__":
    main()
