"""How a final fit goes, on stderr: a bar in a terminal, else a line an epoch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from model.training.final_fit import FitState
from search.counting import decimal


class FitDisplay:
    """Shows the epochs of one fit; `name` says which of several it is."""

    def __init__(self, epochs: int, unit: str, name: str = "") -> None:
        self._console, self._unit, self._name = Console(stderr=True, markup=False), f" {unit}".rstrip(), name
        columns = (
            TextColumn("epoch"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self._progress = Progress(*columns, console=self._console, disable=not self._console.is_terminal)
        self._bar = self._progress.add_task("", total=epochs, note="")
        self._told: int | None = None

    @contextmanager
    def shown(self) -> Iterator[Callable[[FitState, int, float], None]]:
        """Show it for the length of the block; yields what to pass to `run_fit` as `progress`."""
        if self._name:
            self._console.print(self._name, highlight=False)
        with self._progress:
            yield self._update

    def _update(self, state: FitState, epoch: int, share: float) -> None:
        best = state.best
        note = f"best {decimal(best.validation_mae)}{self._unit}, epoch {best.epoch}" if best else ""
        self._progress.update(self._bar, completed=epoch - 1 + share, note=note)
        if self._told is None and state.history:
            self._console.print(_resumed(len(state.history), share), highlight=False)
        if not self._console.is_terminal and self._told not in (None, len(state.history)):
            last = state.history[-1]
            self._console.print(
                f"epoch {last.epoch}: training {decimal(last.training_mae)}, "
                f"validation {decimal(last.validation_mae)}{self._unit}, "
                f"{last.seconds:.0f} s{', the best so far' if last.best else ''}",
                highlight=False,
                soft_wrap=True,
            )
        self._told = len(state.history)


def _resumed(epochs: int, share: float) -> str:
    """Say how far a fit had come before; whoever hears of a whole epoch first hears of no other."""
    return f"the fit has ended already, after epoch {epochs}" if share == 1.0 else f"going on after epoch {epochs}"
