"""The final fit of a program: it runs once more with the chosen parameters, and its folder is kept."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeAlias

from data.files import check_writable, replacing_any_file, write_bytes
from search.errors import SearchError, SearchFailure
from search.settings.settings import Settings
from search.space.seeds import TrialSeeds
from search.study.spec import require_budget
from search.study.trial import Ending, Outcome, Pruned, Trial
from search.tasks.alone import LOCK, alone_in
from search.tasks.program.configuration import Configuration
from search.tasks.program.digests import digests
from search.tasks.program.failure import ProgramFailure
from search.tasks.program.program import Program
from search.tasks.program.runner import ProgramRunner
from search.tasks.program.specifying import changed_since

BEGUN, RESULT, FILES = "fit.json", "result.json", "files"
"""What the fit is, from its beginning on; what it came to; and the folder that the program gets."""

OF_IMAGES: Final = ("data", "fit_epochs", "fit_patience", "fit_minutes", "fit_threads", "ensemble")
"""Settings that say nothing to a program."""

SEEDS: Final = 2**31

Report: TypeAlias = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class ProgramFit:
    """A fit of a program: the program, and everything that decides what comes of it."""

    program: Program
    params: Mapping[str, Any]
    budget: Mapping[str, int | float]
    seed: int
    number: int
    files: Mapping[str, str]

    def about(self) -> dict[str, Any]:
        """Return by name what no other fit has."""
        own = {"params": dict(self.params), "budget": dict(self.budget), "seed": self.seed}
        return {**own, "command": self.program.command, "files": dict(self.files)}


def fit_of(settings: Settings, chosen: Configuration) -> ProgramFit:
    """Return the fit that the settings ask for.

    Raises SearchError for a setting that says nothing to a program, or, unless the settings allow it, files that are
    others than those that the search saw.
    """
    for name in OF_IMAGES:
        if name in settings.model_fields_set:
            raise SearchError(f"{name} is a setting for images, and this is the fit of a program; see the setting fit")
    if settings.seed >= SEEDS:
        raise SearchError(f"seed is {settings.seed}; a program's is a whole number below {SEEDS}")
    program = program_of(settings, chosen)
    if not settings.allow_changed and (changed := changed_since(chosen.origin.files, program)):
        raise SearchError(f"{', '.join(changed)} since the search; restore it, or go on with --allow-changed")
    budget = {**chosen.budget, **(settings.fit or {})}
    require_budget(budget)
    return ProgramFit(program, chosen.params, budget, settings.seed, chosen.number, digests(program))


def program_of(settings: Settings, chosen: Configuration) -> Program:
    """Return the program of a configuration, with what the settings say otherwise of where it is and its limits."""
    origin = chosen.origin
    path = (settings.program or origin.path) if origin.command is None else None
    if path is not None and not path.is_file():
        raise SearchError(f"the program {path} is not a file; say by --program where it is now")
    python = settings.python or origin.python
    return Program(
        path=Path(path.name) if path else None,
        command=origin.command,
        watch=tuple(origin.watch.split(",")) if origin.watch else (),
        folder=path.absolute().parent if path else Path.cwd(),
        minutes=settings.trial_minutes,
        memory=settings.trial_memory,
        threads=origin.threads,
        **({"python": python} if python else {}),
    )


def run_fit(fit: ProgramFit, out: Path, stop: Event, show: Report) -> dict[str, Any]:
    """Run a fit in its folder, and return what it came to; where it has ended before, it is not run again.

    `show(step, value)` is called for what the program reports. Raises SearchError if the folder holds another fit, or
    one is at work there; SearchFailure if the program fails or gives no value; KeyboardInterrupt if `stop` is set.
    """
    require_no_other(fit, out)
    check_writable(out / RESULT)
    with alone_in(out):
        if (out / RESULT).is_file():
            return read_result(out)
        if not (out / BEGUN).is_file():
            write_bytes(out / BEGUN, _json(fit.about()))
        (out / FILES).mkdir(exist_ok=True)
        reported: list[tuple[int, float | None]] = []

        def report(step: int, value: float) -> None:
            reported.append((step, value if isfinite(value) else None))  # JSON has no NaN
            show(step, value)

        with ProgramRunner(fit.program, expected=fit.files) as run:
            try:
                ending = run(_trial(fit, out / FILES, stop, report))
            except ProgramFailure as error:
                raise SearchFailure(error.reason) from error  # what it wrote is on the screen already
        result = {**_scored(ending), "reported": reported, **fit.about()}
        with replacing_any_file():  # of an earlier attempt, in a folder that is this fit's own
            for name, content in ending.files.items():
                write_bytes(out / FILES / name, content)
        write_bytes(out / RESULT, _json(result))
        return result


def require_no_other(fit: ProgramFit, out: Path) -> None:
    """Raise SearchError if a folder holds anything but this fit."""
    if not (out / BEGUN).is_file():
        others = sorted(path.name for path in out.iterdir() if path.name != LOCK) if out.is_dir() else []
        if others:
            raise SearchError(f"{out} holds {others[0]}, which is of no program's fit; choose another --out")
        return
    begun = _read(out / BEGUN)
    ours = json.loads(_json(fit.about()))
    if other := [name for name in {**begun, **ours} if begun.get(name) != ours.get(name)]:
        raise SearchError(f"{out} holds a fit with another {other[0]}; choose another --out")


def refuse_program_fit(folder: Path, command: str) -> None:
    """Raise SearchError if a folder holds the fit of a program, of which `command` knows nothing."""
    if (folder / BEGUN).is_file():
        raise SearchError(
            f"{folder} holds the fit of a program, and '{command}' is for images; {RESULT} has what it came to, and "
            f"{FILES} what it left"
        )


def read_result(out: Path) -> dict[str, Any]:
    """Return what a finished fit came to; raises SearchError if it is damaged."""
    return _read(out / RESULT)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SearchError(f"{path} is damaged; remove {path.parent} to start the fit over") from error
    return found if isinstance(found, dict) else {}


def _trial(fit: ProgramFit, folder: Path, stop: Event, report: Report) -> Trial:
    return Trial(
        number=fit.number,
        stage=0,
        slot=0,
        attempt=1,
        params=fit.params,
        seeds=TrialSeeds(fit.seed, fit.seed, fit.seed, fit.seed),
        budget=fit.budget,
        report=report,
        should_stop=stop.is_set,
        should_prune=lambda: "",
        folder=folder,
        final=True,
    )


def _scored(ending: Ending) -> dict[str, Any]:
    if isinstance(ending, Outcome):
        return {"value": ending.score, "measures": dict(ending.measures)}
    how = "ended early" if isinstance(ending, Pruned) else "diverged"
    raise SearchFailure(f"the fit has no value, as it {how}: {ending.reason}")


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode() + b"\n"
