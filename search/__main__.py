"""`agesearch`, or `python -m search`: the commands together, and how an error becomes one sentence and an exit code."""

import sys
import traceback

import typer

from data.errors import DatasetError
from model.errors import ModelError
from search.commands import data, fit, search, study
from search.commands.run import run
from search.errors import SearchError

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
for command in (*search.COMMANDS, *study.COMMANDS, *fit.COMMANDS):
    app.command()(command)


def main() -> None:
    """Run one command; exits 0, or 2 on wrong usage or bad input, 1 on failure, 130 on Ctrl-C."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        app(prog_name="agesearch")
    except (DatasetError, ModelError, SearchError) as error:
        _report(error, debug)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # whatever else: one sentence for people, the traceback for whoever asks
        _report(error, debug)
        sys.exit(1)


def _report(error: Exception, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    expected = isinstance(error, DatasetError | ModelError | SearchError)
    kind = "" if expected else f"{type(error).__name__}: "
    hint = "" if expected or debug else " (--debug shows where)"
    print(f"agesearch: {kind}{error}{hint}", file=sys.stderr)  # noqa: T201 - where errors go


if __name__ == "__main__":
    main()
