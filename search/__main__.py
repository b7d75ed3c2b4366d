"""`agesearch`, or `python -m search`: the commands together, and how an error becomes one sentence and an exit code."""

import signal
import sys
import traceback
from typing import Any

import typer

from data.errors import DatasetError
from model.errors import ModelError
from search.commands import data, experiment, fit, move, report, search, study
from search.commands.run import run
from search.errors import SearchError, SearchFailure

UsageError = typer.BadParameter.mro()[1]
"""What every kind of wrong usage is; Typer gives it no public name."""

app = typer.Typer(
    help="Search learning rate and L2 of an image-regression network, in two narrowing stages, by parallel workers.",
    no_args_is_help=True,
    epilog="With --debug, any command prints the traceback of an error.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.add_typer(data.app, name="data")
app.add_typer(experiment.app, name="experiment")
for command in (*search.COMMANDS, *study.COMMANDS, *move.COMMANDS, *fit.COMMANDS, *report.COMMANDS):
    app.command()(command)


def main() -> None:
    """Run one command; exits 0, or 2 on wrong usage or bad input, 1 on failure, 130 on Ctrl-C or SIGTERM."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
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
        return " ".join(str(error).splitlines()), 1 if isinstance(error, SearchFailure) else 2
    if isinstance(error, UsageError):
        return _usage(error), 2
    lines = str(error).strip().splitlines() or ["it says no more"]
    return f"{type(error).__name__}: {lines[0]}{'' if debug else ' (--debug shows where)'}", 1


def _usage(error: Any) -> str:
    """Return what is wrong with the command line; "" where there was nothing on it, and the help has been printed."""
    message = error.format_message().strip().rstrip(".")
    command = error.ctx.command_path if error.ctx else "agesearch"
    return f"{message[0].lower()}{message[1:]} (see '{command} --help')" if message else ""


if __name__ == "__main__":
    main()
