"""How long `agesearch --help` takes, in processor time: other programs on the machine add nothing to it."""

import resource
import subprocess
import sys

HELP_SECONDS = 0.7


def spent():
    """Return the processor time of all ended children in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def help_seconds():
    start = spent()
    ended = subprocess.run([sys.executable, "-m", "search", "--help"], capture_output=True, text=True)
    assert "Usage: agesearch" in ended.stdout
    return spent() - start


def test_help_answers_in_a_moment(tell):
    fastest = min(help_seconds() for _ in range(5))
    tell(f"agesearch --help: {fastest:.2f} s of a processor")
    assert fastest < HELP_SECONDS
