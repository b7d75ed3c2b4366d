"""How long `agesearch --help` takes, in processor time, and beside it what its libraries take on this machine."""

import resource
import subprocess
import sys

HELP_SECONDS = 0.7
SLOWER = 3
"""Times as long as its libraries take, at most, on a machine on which that is longer; loading Optuna would be six."""


def spent():
    """Return the processor time of all ended children in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds_of(*program):
    """Return how long Python takes for a program, and what it prints."""
    start = spent()
    ended = subprocess.run([sys.executable, *program], capture_output=True, text=True, check=True)
    return spent() - start, ended.stdout


def test_help_answers_in_a_moment(tell):
    turns = [
        (seconds_of("-m", "search", "--help"), seconds_of("-c", "import pydantic, typer.rich_utils")) for _ in range(5)
    ]
    assert all("Usage: agesearch" in said for (_, said), _ in turns)
    fastest, libraries = (min(seconds for seconds, _ in each) for each in zip(*turns, strict=True))
    tell(f"agesearch --help: {fastest:.2f} s of a processor, {libraries:.2f} of them its libraries")
    assert fastest < max(HELP_SECONDS, SLOWER * libraries)
