"""A process of a program, its guardian, and what is left of both when their worker is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from search.tasks.program.failure import ProgramFailure
from search.tasks.program.process import ProgramProcess, write_now
from search.tasks.program.program import Program
from tests.waiting import until

WORKER = """
import sys
from pathlib import Path
from search.tasks.program.program import Program
from search.tasks.program.process import ProgramProcess

folder = Path(sys.argv[1])
words = ["/bin/sh", "-c", sys.argv[2]]
process = ProgramProcess(Program(command="sh", folder=folder), words, {"PATH": "/usr/bin:/bin"})
process.listen(lambda _: None, lambda _: None)
process.wait(3600)
"""
PARENT_AND_CHILD = "sleep 3600 & echo $! $$ > started; wait"
STUBBORN = "trap '' TERM; sleep 3600 & echo $! $$ > started; while true; do wait; done"


@pytest.fixture
def process(tmp_path):
    """Start a shell script, and say what it wrote."""
    started, written = [], []

    def start(script, **limits):
        begun = ProgramProcess(Program(command="sh", folder=tmp_path, **limits), ["/bin/sh", "-c", script], os.environ)
        begun.listen(written.append, written.append)
        started.append(begun)
        return begun, written

    yield start
    for begun in started:
        begun.end()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("exit 0", 0, "exit code 0"),
        ("exit 7", 7, "exit code 7"),
        ("kill -KILL $$", -9, "SIGKILL"),
        ("kill -KILL $PPID; sleep 3600", -9, "SIGKILL"),
    ],
)
def test_a_process_says_how_it_ended(process, script, code, said):
    begun, _ = process(script)
    assert begun.wait(60)
    assert begun.exit_code == code
    assert said in begun.why_it_ended()


def test_all_that_was_written_before_the_end_is_read(process):
    begun, written = process("yes | head -c 3000000; echo end")
    begun.wait(60)
    text = b"".join(written)
    assert (len(text.rstrip(b"end\n")) > 2_900_000, text[-4:]) == (True, b"end\n")


def test_a_program_that_cannot_be_run_says_so(tmp_path):
    written = []
    begun = ProgramProcess(Program(command="none", folder=tmp_path), [str(tmp_path / "none")], {})
    begun.listen(written.append, written.append)
    assert begun.wait(60)
    assert "could not be started" in begun.why_it_ended()
    assert b"none cannot be run: No such file" in b"".join(written)
    begun.end()


def test_the_program_has_every_signal_as_usual(process):
    begun, written = process("grep -E 'Sig(Ign|Blk)' /proc/self/status")
    begun.wait(60)
    masks = [int(line.split()[1], 16) for line in b"".join(written).splitlines()]
    changed = [{number for number in signal.valid_signals() if mask >> (number - 1) & 1} for mask in masks]
    assert changed == [set(), set()]  # of the C library's own two, 32 and 33, a process cannot say


def test_ending_a_process_ends_its_group(process, tmp_path, is_alive):
    begun, _ = process(PARENT_AND_CHILD)
    pids = until(lambda: started_in(tmp_path), "its start")
    begun.end()
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("script", [PARENT_AND_CHILD, STUBBORN])
def test_nothing_outlives_a_worker_that_is_killed(script, tmp_path, is_alive):
    worker = subprocess.Popen([sys.executable, "-c", WORKER, tmp_path, script])
    pids = until(lambda: started_in(tmp_path), "the start of the program")
    family = [child.pid for child in psutil.Process(worker.pid).children(recursive=True)]
    assert set(pids) < set(family)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    until(lambda: not any(map(is_alive, family)), "the end of all that the worker had started")


def test_nothing_outlives_a_guardian_that_is_killed(process, tmp_path, is_alive):
    begun, _ = process(PARENT_AND_CHILD)
    pids = until(lambda: started_in(tmp_path), "its start")
    os.kill(psutil.Process(pids[1]).ppid(), signal.SIGKILL)
    assert begun.wait(60)
    until(lambda: not any(map(is_alive, pids)), "the end of the group")


def test_what_left_the_group_and_has_the_pipes_does_not_hang_the_worker(process, tmp_path):
    begun, _ = process("setsid sleep 3600 & echo $! > started")
    assert begun.wait(60)
    (pid,) = until(lambda: started_in(tmp_path), "its start")
    before = time.monotonic()
    begun.end()
    assert time.monotonic() - before < 10
    os.kill(pid, signal.SIGKILL)


def test_a_program_that_reads_nothing_fills_its_pipe():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    write_now(writing, b"x" * 60_000)
    with pytest.raises(ProgramFailure, match="10000 bytes have no room"):
        write_now(writing, b"x" * 10_000)
    os.close(reading)
    write_now(writing, b"x")  # its end is noticed elsewhere
    os.close(writing)


def started_in(folder: Path):
    """The process ids that a script has written, once they are all there."""
    at = folder / "started"
    text = at.read_text() if at.exists() else ""
    return [int(word) for word in text.split()] if text.endswith("\n") else None
