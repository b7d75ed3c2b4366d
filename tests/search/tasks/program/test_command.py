"""A command that is a process for each trial: what its output and its end come to."""

import ast

import pytest

from search.errors import SearchError, TrialStopped
from search.study.trial import Diverged, Outcome
from search.tasks.program.failure import ProgramFailure
from tests.waiting import until


@pytest.fixture
def script(write):
    """Write a shell script train.sh, whose first argument is x."""
    return lambda body: write(body, name="train.sh", head="#!/bin/sh\n")


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        ("0.5", Outcome(0.5)),
        ("  7 ", Outcome(7.0)),
        ('{"value": 0.5}', Outcome(0.5)),
        ('{"value": 0.5, "accuracy": 0.9, "curve": [1, 2]}', Outcome(0.5, {"accuracy": 0.9, "curve": (1.0, 2.0)})),
        ('{"value": 0.5, "why": "early"}', Outcome(0.5, files={"attributes.json": b'{\n "why": "early"\n}'})),
        ("nan", Diverged("the value is nan")),
        ('{"value": -Infinity}', Diverged("the value is -inf")),
    ],
)
def test_the_last_line_on_stdout_is_the_value(script, runner_of, trial_of, last, ending):
    script(f"echo an epoch\necho '{last}'\necho\necho a warning >&2")
    with runner_of(command="./train.sh {x}") as run:
        assert run(trial_of()) == ending


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo good", "last line on stdout is 'good'"),
        ("echo '{\"loss\": 0.5}'", "last line on stdout is"),
        ('echo \'{"value": "0.5"}\'', "last line on stdout is"),
        ("echo '[0.5]'", "last line on stdout is"),
        ("echo 0.5 >&2", "it wrote nothing to stdout"),
        ("exit 0", "it wrote nothing to stdout; it must be a number"),
        ("echo 0.5; exit 3", "exit code 3; it wrote last:\n0.5"),
        ("echo 0.5; kill -SEGV $$", "ended by SIGSEGV"),
        ("yes | head -c 200000 | tr -d '\\n'", "last line on stdout is 'yyy"),
    ],
)
def test_what_is_no_value_is_a_failed_attempt(script, runner_of, trial_of, does, said):
    script(does)
    with runner_of(command="./train.sh {x}") as run, pytest.raises(ProgramFailure, match=said):
        run(trial_of())


def test_each_trial_is_a_process_with_the_trial_s_values(write, runner_of, trial_of, tmp_path):
    write("import os, sys; print(sys.argv[1:], os.getpid()); print(1)", head="")
    command = "python3 train.py {x} --word={word} --flag {flag} {epochs} {seed} {number} {folder} {final} '{params}'"
    trial = trial_of(params={"x": 0.5, "word": "two words; rm", "flag": True}, folder=tmp_path)
    with runner_of(command=command) as run:
        run(trial)
        first = run._output._tail.lines()[0]
        run(trial)
        second = run._output._tail.lines()[0]
    words, pid = first.rsplit(" ", 1)
    assert second.startswith(words)
    assert not second.endswith(f" {pid}")
    assert ast.literal_eval(words) == [
        "0.5", "--word=two words; rm", "--flag", "true", "2", "3", "7", str(tmp_path), "false",
        '{"x": 0.5, "word": "two words; rm", "flag": true}',
    ]  # fmt: skip


def test_no_shell_reads_the_command(write, runner_of, trial_of):
    write("import sys; print(sys.argv[2:]); print(1)", head="")
    with runner_of(command="python3 train.py {x} $HOME > out | cat") as run:
        run(trial_of())
        assert run._output._tail.lines()[0] == "['$HOME', '>', 'out', '|', 'cat']"


def test_a_command_that_writes_a_gigabyte_has_its_value(write, runner_of, trial_of, log):
    write("import sys\nfor _ in range(1024): sys.stdout.write('x' * 2**20)\nprint('\\n0.5')", head="")
    with runner_of(command="python3 train.py {x}") as run:
        assert run(trial_of()) == Outcome(0.5)
    assert len(log.getvalue()) < 2**20 + 200


def test_a_command_that_closes_its_pipes_and_goes_on_is_ended_after_its_minutes(script, runner_of, trial_of):
    script("exec >/dev/null 2>&1; sleep 3600")
    with runner_of(command="./train.sh {x}", minutes=0.02) as run, pytest.raises(ProgramFailure, match="minutes"):
        run(trial_of())


def test_what_a_command_leaves_in_the_background_is_ended_with_it(script, runner_of, trial_of, is_alive, log):
    script("sleep 3600 & echo $!; echo 0.5")
    with runner_of(command="./train.sh {x}") as run:
        assert run(trial_of()) == Outcome(0.5)
    pid = int(log.getvalue().split()[0])
    until(lambda: not is_alive(pid), "the end of what was left")


def test_a_trial_is_stopped_in_the_middle_of_its_command(script, runner_of, trial_of, is_alive, log):
    script("sleep 3600 & echo $!; wait")
    with runner_of(command="./train.sh {x}") as run, pytest.raises(TrialStopped):
        run(trial_of(should_stop=lambda: b"\n" in log.getvalue()))
    pid = int(log.getvalue().split()[0])
    until(lambda: not is_alive(pid), "the end of what it had started")


def test_a_command_whose_program_is_not_there_is_refused(runner_of):
    with pytest.raises(SearchError, match=r"command: \./train\.sh"), runner_of(command="./train.sh {x}"):
        pass


def test_a_command_s_python_program_finds_the_client(write, runner_of, trial_of):
    write("serve(lambda trial: trial.suggest_float('x', 0, 1) * trial.budget['epochs'])")
    with runner_of(command="python3 train.py --x {x} --epochs {epochs} --seed {seed}") as run:
        assert run(trial_of()) == Outcome(1.0)
