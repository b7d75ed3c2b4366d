"""The race: ours, a plain Optuna + Keras loop and KerasTuner do the same trials in turns; the machine's ceiling too.

    python tests/benchmarks/race.py --data F.h5 --images 500 --epochs 5 --rounds 3 --out race.json

It prints trials an hour of each (min, median, max), the ratios round by round, where a trial's seconds go, images a
second, peak memory, and how near training comes to the machine's ceiling.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from data.dataset import inspect_dataset
from model.engine.device import cpu_name, usable_cores

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MACHINES_OWN = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}


@dataclass(slots=True)
class Contender:
    """One or more processes that run their trials at the same time, each one trial a turn."""

    name: str
    commands: Sequence[Sequence[str]]
    processes: list["subprocess.Popen[str]"] = field(default_factory=list, init=False)
    words: Any = field(default=None, init=False)
    start_seconds: float = field(default=0.0, init=False)
    turns: list[list[dict[str, Any]]] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start the processes and wait until they are warm."""
        environment = {**os.environ, **MACHINES_OWN}
        self.words = TemporaryFile("w+")  # noqa: SIM115  (closed when the processes are stopped)
        for command in self.commands:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, str(HERE / "contenders" / command[0]), *command[1:]],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.words,
                    text=True, env=environment,
                )
            )  # fmt: skip
        self.start_seconds = max(answer["start"] for answer in self._answers())

    def turn(self) -> list[dict[str, Any]]:
        """Let every process run one trial, and keep what they say."""
        for process in self.processes:
            print("go", file=process.stdin, flush=True)
        self.turns.append(self._answers())
        return self.turns[-1]

    def stop(self) -> None:
        """End the processes: with stdin closed there is nothing left to do."""
        for process in self.processes:
            process.stdin.close()
            process.stdout.close()
            process.wait(timeout=120)
        self.words.close()

    def trials_an_hour(self) -> list[float]:
        """Return the pace of each turn: its trials, over the time of the slowest."""
        return [3600 * len(turn) / max(answer["trial"] for answer in turn) for turn in self.turns]

    def _answers(self) -> list[dict[str, Any]]:
        lines = [process.stdout.readline() for process in self.processes]
        if not all(lines):
            self.words.seek(0)
            raise RuntimeError(f"{self.name} ended early: {self.words.read()[-1000:]}")
        return [json.loads(line) for line in lines]


def race(data: Path, images: int, epochs: int, rounds: int, names: Sequence[str]) -> dict[str, Any]:
    """Run the contenders in turns, `rounds` each, and return every figure."""
    cores = usable_cores()
    with tempfile.TemporaryDirectory() as folder:
        trial = [str(data), str(images), str(epochs)]
        worker = ["ours.py", *trial, f"sqlite:///{folder}/bench.db", "1"]
        commands = {"ours": [worker] * cores, "plain": [["plain.py", *trial]], "tuner": [["tuner.py", *trial]]}
        contenders = [Contender(name, commands[name]) for name in names]
        for contender in contenders:
            contender.start()
        for _ in range(rounds):
            for contender in contenders:
                contender.turn()
        for contender in contenders:
            contender.stop()
    ceiling = measure_ceiling(cores, rounds)
    return _figures(data, images, epochs, contenders, ceiling)


def measure_ceiling(cores: int, rounds: int) -> dict[str, float]:
    """Return images a second of all cores together, in training and prediction, median of `rounds`."""
    asked = subprocess.run(
        [sys.executable, "-m", "model.engine.device"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **MACHINES_OWN},
    )
    precision = json.loads(asked.stdout)["precision"]
    contender = Contender("ceiling", [["ceiling.py", precision, "1"]] * cores)
    contender.start()
    turns = [contender.turn() for _ in range(max(rounds, 3))]
    contender.stop()
    kinds = ("training", "prediction")
    return {kind: statistics.median(sum(answer[kind] for answer in turn) for turn in turns) for kind in kinds}


def _figures(
    data: Path, images: int, epochs: int, contenders: Sequence[Contender], ceiling: dict[str, float]
) -> dict[str, Any]:
    info = inspect_dataset(data)
    ours = contenders[0]
    each = {contender.name: _contender_figures(contender) for contender in contenders}
    for name, figures in each.items():
        parts = figures["parts"]
        if "train" in parts:
            processes = len(next(one for one in contenders if one.name == name).processes)
            figures["training images a second"] = processes * images * epochs / parts["train"]
            figures["validation images a second"] = processes * info.counts["validation"] / parts["validate"]
    return {
        "machine": {"processor": cpu_name(), "cores": usable_cores()},
        "trial": {"data": data.name, "images": images, "epochs": epochs, "validation": info.counts["validation"]},
        "contenders": each,
        "ratios": {
            other.name: [a / b for a, b in zip(ours.trials_an_hour(), other.trials_an_hour(), strict=True)]
            for other in contenders[1:]
        },
        "ceiling images a second": ceiling,
        "share of the ceiling in training": each[ours.name]["training images a second"] / ceiling["training"],
    }


def _contender_figures(contender: Contender) -> dict[str, Any]:
    answers = [answer for turn in contender.turns for answer in turn]
    names = {name for answer in answers for name in answer["parts"]}
    return {
        "trials an hour": contender.trials_an_hour(),
        "seconds a trial": [answer["trial"] for answer in answers],
        "start seconds": contender.start_seconds,
        "parts": {
            name: statistics.median(answer["parts"].get(name, 0.0) for answer in answers) for name in sorted(names)
        },
        "peak memory MiB a process": max(answer["memory"] for answer in answers),
        "processes": len(contender.processes),
    }


def report(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [f"{figures['machine']['processor']}, {figures['machine']['cores']} cores; {figures['trial']}", ""]
    lines.append(
        f"{'':<8}{'trials an hour: min':>20}{'median':>8}{'max':>8}{'s a trial':>11}{'warm after':>12}{'MiB':>7}"
    )
    for name, each in figures["contenders"].items():
        pace = each["trials an hour"]
        lines.append(
            f"{name:<8}{min(pace):>20.0f}{statistics.median(pace):>8.0f}{max(pace):>8.0f}"
            f"{statistics.median(each['seconds a trial']):>11.1f}{each['start seconds']:>10.0f} s"
            f"{each['peak memory MiB a process'] * each['processes']:>7.0f}"
        )
    lines.append("")
    for name, ratios in figures["ratios"].items():
        rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"ours against {name}: {statistics.median(ratios):.2f} times (round by round {rounds})")
    lines.append("")
    for name, each in figures["contenders"].items():
        if each["parts"]:
            parts = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in each["parts"].items())
            lines.append(f"{name}: {parts}; {each['training images a second']:.0f} images/s in training")
    ceiling = figures["ceiling images a second"]
    lines.append(
        f"ceiling: {ceiling['training']:.0f} images/s in training, {ceiling['prediction']:.0f} in prediction; "
        f"ours reaches {figures['share of the ceiling in training']:.0%} of it in training"
    )
    return "\n".join(lines)


def main() -> None:
    """Run the race and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", default="plain,tuner", help="which of plain and tuner, with a comma between")
    parser.add_argument("--out", type=Path, default=Path("runs/race.json"))
    given = parser.parse_args()
    names = ["ours", *given.against.split(",")]
    figures = race(given.data.absolute(), given.images, given.epochs, given.rounds, names)
    print(report(figures))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
