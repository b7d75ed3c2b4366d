"""The client of a program's trial: `serve(objective)` runs a search's trials, or one by hand; see docs/program.md."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partialmethod
from pathlib import Path
from typing import Any

__all__ = ["VERSION", "Trial", "TrialPruned", "serve"]

VERSION = 1  # of the protocol


class TrialPruned(Exception):  # noqa: N818  (Optuna's name; and a pruned trial is no error)
    """Raise it to end a trial early, after `should_prune()` has said so."""


class Trial:
    """One trial as an objective sees it; an objective that was written for Optuna runs unchanged.

    `params` has the values by name, `budget` the numbers of `[budget]`. `seed` (31 bits) is for whatever is random.
    `number` is the trial's in the study. `final` says that this is the final fit, and no trial of the search.
    """

    def __init__(self, worker: Any, message: dict[str, Any]) -> None:
        self._worker, self._message, self._steps = worker, message, set[int]()
        self.params, self.budget = message["params"], message["budget"]
        self.seed, self.number, self.final = message["seed"], message["number"], message["final"]
        self.user_attrs: dict[str, Any] = {}

    @property
    def folder(self) -> Path:
        """The trial's own folder, which exists; what is left in it is kept with the trial."""
        if self._message["folder"] is None:
            self._message["folder"] = tempfile.mkdtemp(prefix="trial-")
            _say(f"the trial's folder is {self._message['folder']}, unless you give --folder")
        return Path(self._message["folder"])

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return the value of a parameter; raise ValueError if `[space]` lacks it, or it is no number.

        The bounds are for a run by hand; if the value is outside of them, there is a warning.
        """
        middle = (low * high) ** 0.5 if log else (low + high) / 2
        value = self._value(name, low + (middle - low) // step * step if step else middle)
        if type(value) not in (int, float):
            raise ValueError(f"{name} is {value!r}, but suggest_float takes a number")
        _warn_outside(name, low, value, high)
        return float(value)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return the value of a parameter, a whole number; raise ValueError if `[space]` has none of that name."""
        value = self._value(name, round((low * high) ** 0.5) if log else low + (high - low) // 2 // step * step)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, but suggest_int takes a whole number")  # noqa: TRY004
        _warn_outside(name, low, value, high)
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the one of `choices` that the value is, or is the text of; raise ValueError if there is none."""
        value = self._value(name, choices[0])
        same = [choice for choice in choices if choice == value and isinstance(choice, bool) is isinstance(value, bool)]
        found = same or [choice for choice in choices if str(choice) == str(value)]
        if not found:
            raise ValueError(f"{name} is {value!r}, but suggest_categorical has only {list(choices)}")
        return found[0]

    suggest_uniform, suggest_loguniform = suggest_float, partialmethod(suggest_float, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """Return `suggest_float(name, low, high, step=q)`; Optuna has these three still."""
        return self.suggest_float(name, low, high, step=q)

    def report(self, value: float, step: int) -> None:
        """Store a value on the way, by which pruning judges; of each step, a whole number from 0 on, the first."""
        number = _number(value, "the reported value")
        if int(step) != step or step < 0:
            raise ValueError(f"the reported step is {step!r}; give a whole number from 0 on")
        if step not in self._steps:
            self._steps.add(int(step))
            self._worker.send(type="report", trial=self._message["trial"], step=int(step), value=number)

    def should_prune(self) -> bool:
        """Whether to raise `TrialPruned`, as the trial is not worth its next step, or its worker is stopping."""
        return any(map(self._worker.ask(self._message["trial"]).get, ("prune", "stop")))

    def should_stop(self) -> bool:
        """Whether to end soon, in any way, as the worker is stopping or has lost the trial."""
        return bool(self._worker.ask(self._message["trial"])["stop"])

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep something with the trial, which JSON can hold; a number, or a list of numbers, is a measure."""
        self.user_attrs[str(key)] = json.loads(json.dumps(value, default=_plain))

    def _value(self, name: str, middle: Any) -> Any:
        if name not in self.params:
            self.params[name] = self._worker.unknown(name, middle)
        return self.params[name]


def serve(objective: Callable[..., Any], setup: Callable[[], Any] | None = None) -> None:
    """Run `objective(trial)` for each trial of a search; by hand, run it once and print its value.

    The objective returns one number, of which NaN and infinity mean that the trial diverged. `setup` runs once in a
    process, before its first trial, and what it returns is the objective's second argument.
    """
    pipes = os.environ.pop("AGESEARCH_TRIAL_FDS", "")  # as in "3,4": the one to read from, and the one to write to
    worker = _Worker(*map(int, pipes.split(","))) if pipes else _ByHand(sys.argv[1:])
    shared = () if setup is None else (setup(),)
    worker.send(type="hello", version=VERSION)
    for message in worker.trials():
        trial = Trial(worker, message)
        try:
            ending = {"type": "result", "value": _number(objective(trial, *shared), "what the objective returned")}
        except Exception as error:
            # Optuna's is as good, and not imported for it.
            pruned = "TrialPruned" in (kind.__name__ for kind in type(error).__mro__)
            if not pruned:
                traceback.print_exc()
            ending = {"type": "pruned" if pruned else "error", "reason": f"{type(error).__name__}: {error}"}
        worker.send(**ending, trial=message["trial"], attributes=trial.user_attrs)


class _Worker:
    """The two pipes to a worker; a child of this process gets neither, by fork or by exec."""

    def __init__(self, reading: int, writing: int) -> None:
        self._pipes, self._lines, self._lock = (reading, writing), os.fdopen(reading, "rb"), threading.RLock()
        for pipe in self._pipes:
            os.set_inheritable(pipe, False)
        os.register_at_fork(after_in_child=self._leave)

    def _leave(self) -> None:
        # Not merely closed: a child's next file would get the number, and what a trial sends would go there.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for pipe in self._pipes:
            os.dup2(nowhere, pipe, inheritable=False)
        os.close(nowhere)

    def send(self, **message: Any) -> None:
        line = memoryview(json.dumps(message).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._pipes[1], line) :]

    def trials(self) -> Iterator[Any]:
        while line := self._lines.readline():
            yield json.loads(line)

    def ask(self, trial: int) -> Any:
        with self._lock:
            self.send(type="ask", trial=trial)
            line = self._lines.readline()
        return json.loads(line) if line else sys.exit("agesearch: the worker of this trial has ended")

    def unknown(self, name: str, _middle: Any) -> Any:
        raise ValueError(f"{name} is not in [space]")


class _ByHand:
    """One trial with the values of the command line, in the place of a worker."""

    def __init__(self, words: Sequence[str]) -> None:
        self._options = _Options(words)

    def trials(self) -> Iterator[Any]:
        if folder := self._options.get("folder"):
            Path(folder).mkdir(parents=True, exist_ok=True)
        own = {"seed": self._options.get("seed", 0), "folder": folder, "budget": self._options, "params": {}}
        yield {"trial": 0, "number": 0, "final": False, **own}

    def send(self, **message: Any) -> None:
        if message["type"] == "report":
            _say(f"step {message['step']}: {message['value']}")
        if message["type"] in ("error", "pruned"):
            sys.exit(f"agesearch: the trial has no value: {message['reason']}")
        if message["type"] == "result":
            for name, value in message["attributes"].items():
                _say(f"{name} = {value}")
            if self._options.unused:
                _say(f"the trial did not ask for {', '.join(sorted(self._options.unused))}")
            sys.stdout.write(f"{message['value']!r}\n")

    def ask(self, _trial: int) -> Any:
        return {"prune": "", "stop": False}

    def unknown(self, name: str, middle: Any) -> Any:
        if name not in self._options:
            _say(f"{name} = {middle}, unless you give --{name}")
        return self._options.get(name, middle)


class _Options(dict[str, Any]):
    """What a command line says as --name value or --name=value, and which names nobody has asked for."""

    def __init__(self, words: Sequence[str]) -> None:
        rest = list(words)
        while rest:
            name, equals, text = rest.pop(0).partition("=")
            if not name.startswith("--") or not (equals or rest):
                _say(f"{name!r} is no --name with a value; by hand, give a trial's values as in --lr 1e-3", code=2)
            text = text if equals else rest.pop(0)
            try:
                self[name[2:]] = json.loads(text.lower() if text in ("True", "False") else text)
            except ValueError:
                self[name[2:]] = text
        self.unused = set(self)

    def get(self, name: str, default: Any = None) -> Any:
        self.unused.discard(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        return self.get(name) if name in self else _say(f"{name} is missing; by hand, give --{name}", code=2)


def _number(value: Any, what: str) -> float:
    with suppress(TypeError, ValueError):
        if not isinstance(value, (str, bytes)):  # which float() would read
            return float(value)
    raise TypeError(f"{what} is {repr(value)[:80]}; it must be one number (others: trial.set_user_attr)")


def _warn_outside(name: str, low: float, value: float, high: float) -> None:
    if not low <= value <= high:
        warnings.warn(f"{name} is outside of the program's {low} to {high}; [space] decides", stacklevel=3)


def _plain(value: Any) -> Any:
    """Return what JSON has for a number or an array of NumPy's or PyTorch's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{repr(value)[:80]} is no JSON, which is what a trial can keep")


def _say(text: str, code: int | None = None) -> None:
    sys.stderr.write(f"agesearch: {text}\n")
    if code is not None:
        sys.exit(code)
