"""What programs and scripts import: `serve(objective)` runs a search's trials, `search(...)` is a search from Python.

It needs the standard library alone, and imports nothing of the service, which runs in processes of its own. See
docs/program.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partialmethod
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = [
    "VERSION", "CommandError", "Fit", "Study", "Trial", "TrialPruned", "fit", "load_study", "search", "serve",
]  # fmt: skip

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
        if step:
            high = low + (high - low) // step * step
        asked = {"log": [low, high]} if log else {"linear": [low, high], **({"step": step} if step else {})}
        value = self._value(name, low + (middle - low) // step * step if step else middle, asked)
        if type(value) not in (int, float):
            raise ValueError(f"{name} is {value!r}, but suggest_float takes a number")
        _warn_outside(name, low, value, high)
        return float(value)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return the value of a parameter, a whole number; raise ValueError if `[space]` has none of that name."""
        asked = {"integer": [low, low + (high - low) // step * step], **({"log": True} if log else {"step": step})}
        value = self._value(name, round((low * high) ** 0.5) if log else low + (high - low) // 2 // step * step, asked)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, but suggest_int takes a whole number")  # noqa: TRY004
        _warn_outside(name, low, value, high)
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the one of `choices` that the value is, or is the text of; raise ValueError if there is none."""
        plain = (bool, int, float, str)
        value = self._value(name, choices[0], [choice if type(choice) in plain else str(choice) for choice in choices])
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

    def _value(self, name: str, middle: Any, asked: Any) -> Any:
        if self._message.get("check"):  # which wants to know what is asked for, and has no value for all of it
            self._worker.send(type="suggest", trial=self._message["trial"], name=name, range=asked)
            self.params.setdefault(name, middle)
        elif name not in self.params:
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
        trial, began = Trial(worker, message), time.perf_counter()
        try:
            ending: dict[str, Any] = {
                "type": "result",
                "value": _number(objective(trial, *shared), "what the objective returned"),
            }
        except Exception as error:
            # Optuna's is as good, and not imported for it.
            pruned = "TrialPruned" in (kind.__name__ for kind in type(error).__mro__)
            if not pruned:
                traceback.print_exc()
            ending = {"type": "pruned" if pruned else "error", "reason": f"{type(error).__name__}: {error}"}
        if message.get("check"):
            ending["seconds"] = time.perf_counter() - began
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


class CommandError(Exception):
    """A command was refused (`code` is 2), or failed (1); the message is its sentence."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class Study:
    """A study as it is in its storage; `search` and `load_study` return one."""

    def __init__(self, name: str, commands: _Commands) -> None:
        self.name, self._commands = name, commands

    def __repr__(self) -> str:
        return f"<Study {self.name!r}>"

    @property
    def best(self) -> dict[str, Any]:
        """The chosen configuration: its `params`, the `value` of its `trial`, and the `reason`.

        Raises CommandError if no trial has finished with a value.
        """
        found = self._exported()
        own = {"params": found["hyperparameters"], "value": found["trial"]["score"], "trial": found["trial"]["number"]}
        return {**own, "reason": found["choice"]["reason"]}

    @property
    def finalists(self) -> list[dict[str, Any]]:
        """The finalists, the best first: `params`, `mean`, `standard_error`, `scores` and more."""
        return list(self._exported()["finalists"])

    def trials(self) -> list[dict[str, Any]]:
        """Return every trial by name: number, state, stage, slot, params, value, measures, seed, seconds and more."""
        return list(self._commands.run("trials"))

    def to_pandas(self) -> Any:
        """Return the trials as a data frame; parameters and measures are columns. Raises ImportError without pandas."""
        rows = []
        for trial in self.trials():
            parts = {name: trial.pop(name) for name in ("params", "measures")}
            del trial["reported"]
            rows.append({**trial, **{f"{part}_{name}": value for part in parts for name, value in parts[part].items()}})
        return import_module("pandas").DataFrame(rows)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the chosen configuration, and where it comes from, to a TOML file."""
        self._commands.run("export", "--out", path)
        return Path(path)

    def _exported(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            return self._commands.run("export", "--out", Path(folder) / "best.toml")


class Fit:
    """A final fit: its `folder`, and by name what it came to in `result`."""

    def __init__(self, folder: Path, result: dict[str, Any], commands: _Commands) -> None:
        self.folder, self.result, self._commands = folder, result, commands

    def evaluate(self, split: str = "test") -> dict[str, Any]:
        """Return the errors on a split of the dataset that it was fitted on; for images."""
        return dict(self._commands.run("evaluate", self.folder, "--split", split))

    def predict(self, *images: str | os.PathLike[str]) -> list[dict[str, Any]]:
        """Return what it predicts of image files; for images."""
        return list(self._commands.run("predict", self.folder, *images))


def search(program: str | os.PathLike[str] | None = None, **settings: Any) -> Study:
    """Create or resume a study and run it to its end, as `agesearch search` does; return it.

    `settings` are those of agesearch.toml by name: `space` and `budget` as tables, `trials=(20, 20)`, `workers`,
    `storage`, `data="faces.h5"` in the place of a program, `config` for another file. Raises CommandError.
    """
    given = settings if program is None else {"program": program, **settings}
    commands = _Commands(given)
    found = commands.run("search")
    return Study(found["study"], commands.with_study(found["study"]))


def load_study(name: str, **settings: Any) -> Study:
    """Return a study that there is, by its name and its `storage`; raise CommandError if there is none."""
    commands = _Commands({**settings, "study": name})
    return Study(commands.run("status")["study"], commands)


def fit(configuration: Study | str | os.PathLike[str], out: str | os.PathLike[str], **settings: Any) -> Fit:
    """Train a study's choice, or an exported file, to the end, as `agesearch fit` does; raise CommandError."""
    commands = _Commands(settings)
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(configuration, Study):
            commands = _Commands({**configuration._commands.settings, **settings})
            configuration = configuration.export(Path(folder) / "best.toml")
        return Fit(Path(out), commands.run("fit", configuration, "--out", out), commands)


class _Commands:
    """The commands with some settings, each in a process of its own, from the folder of now."""

    def __init__(self, settings: Mapping[str, Any], folder: str | None = None) -> None:
        self.settings, self._folder = dict(settings), folder or str(Path.cwd())

    def with_study(self, name: str) -> _Commands:
        return _Commands({**self.settings, "study": name}, self._folder)

    @cached_property
    def _environment(self) -> dict[str, str]:
        # Not flags: a command line can be read by everybody, and a storage may have a password in it.
        own = {f"AGESEARCH_{name.upper()}": _setting(name, value) for name, value in self.settings.items()}
        return {**os.environ, **own}

    def run(self, command: str, *words: Any) -> Any:
        """Return the answer of a command; what it says on stderr is passed on."""
        line = [sys.executable, "-P", "-m", "search", command, *map(str, words), "--json"]
        pipes: dict[str, Any] = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "encoding": "utf-8",
        }
        said: list[str] = []
        with subprocess.Popen(line, env=self._environment, cwd=self._folder, **pipes) as process:  # noqa: S603
            listener = threading.Thread(target=_pass_on, args=(process.stderr, said))
            listener.start()
            try:
                answer = _read(process.stdout)
            except BaseException:
                process.terminate()  # which hands the running trials back
                raise
            finally:
                process.wait()
                listener.join()
        if process.returncode == 130:
            raise KeyboardInterrupt
        if process.returncode:
            raise CommandError(said[-1].removeprefix("agesearch: ") if said else "it said nothing", process.returncode)
        return json.loads(answer)


def _read(stream: Any) -> Any:
    return stream.read()


def _pass_on(stream: Any, said: list[str]) -> None:
    for line in stream:
        said[:] = [line.rstrip("\n")]
        sys.stderr.write(line)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, Mapping) or (isinstance(value, (list, tuple)) and isinstance(next(iter(value), 0), Mapping)):
        return json.dumps(value, default=_plain)
    if isinstance(value, (list, tuple)):
        return (":" if name in ("learning_rate", "l2") else ",").join(map(str, value))
    return str(value)
