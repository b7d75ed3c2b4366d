"""`agesearch`, or `python -m search`: the commands together, and how an error becomes one sentence and an exit code."""

import signal
import sys
import traceback
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from data.errors import DatasetError, WriteFailure
from model.errors import ModelError
from search.cli import data, experiment
from search.cli.check import check
from search.cli.compare import compare
from search.cli.fit import fit
from search.cli.fitted import evaluate, predict
from search.cli.move import move
from search.cli.printing import answer
from search.cli.report import report
from search.cli.run import run
from search.cli.search import init, search, worker
from search.cli.study import dashboard, export, repair, status
from search.cli.summary import summary
from search.cli.trials import trials
from search.errors import SearchError, SearchFailure

UsageError = typer.BadParameter.mro()[1]
"""What every kind of wrong usage is; Typer gives it no public name."""

PANELS: dict[str, tuple[Any, ...]] = {
    "From images to a network": (
        data.app,
        run,
        check,
        search,
        status,
        trials,
        dashboard,
        export,
        fit,
        evaluate,
        predict,
    ),
    "On more machines, and after crashes": (init, worker, move, repair),
    "Reports, and the paper's studies": (report, compare, experiment.app, summary),
}
"""The commands in the order in which the help shows them."""


class InOrder(TyperGroup):
    """The commands in the order of `PANELS`; Typer has commands that have commands of their own last."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return the names of all commands."""
        return [_name(each) for commands in PANELS.values() for each in commands]


app = typer.Typer(
    cls=InOrder,
    help="Search the hyperparameters of an image-regression network with parallel workers, in narrowing stages.",
    no_args_is_help=True,
    epilog="With --debug, any command prints the traceback of an error.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in PANELS.items():
    for each in commands:
        if isinstance(each, typer.Typer):
            app.add_typer(each, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(each)


def _name(command: Any) -> str:
    return str(command.info.name if isinstance(command, typer.Typer) else command.__name__)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        answer(f"agesearch {version('agesearch')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what stands before a command."""


def main() -> None:
    """Run one command; exits 0, or 2 on wrong usage or bad input, 1 on failure, 130 on Ctrl-C or SIGTERM."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        # Not every terminal has a ± to show; stderr is made so by Python.
        sys.stdout.reconfigure(errors="backslashreplace")
    # As Ctrl-C does, so that half-written files are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(app(prog_name="agesearch", standalone_mode=False))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        sentence, code = _told(error, debug)
        if sentence:
            print(f"agesearch: {sentence}", file=sys.stderr)  # noqa: T201 - where errors go
        sys.exit(code)


def _told(error: Exception, debug: bool) -> tuple[str, int]:
    """Return an error as one line for people, and the exit code it ends with."""
    if isinstance(error, DatasetError | ModelError | SearchError):
        return " ".join(str(error).splitlines()), 1 if isinstance(error, SearchFailure | WriteFailure) else 2
    if isinstance(error, UsageError):
        return _usage(error), 2
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return f"{error.strerror}; let TMPDIR name a folder that exists, is yours to write in, and is not full", 1
    lines = str(error).strip().splitlines() or ["it says no more"]
    return f"{type(error).__name__}: {lines[0]}{'' if debug else ' (--debug shows where)'}", 1


def _usage(error: Any) -> str:
    """Return what is wrong with the command line; "" where there was nothing on it, and the help has been printed."""
    message = error.format_message().strip().rstrip(".")
    command = error.ctx.command_path if error.ctx else "agesearch"
    return f"{message[0].lower()}{message[1:]} (see '{command} --help')" if message else ""


if __name__ == "__main__":
    main()
