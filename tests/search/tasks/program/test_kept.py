"""A program that is kept from trial to trial: what comes of a trial, whatever the program does."""

import sys
import time
from pathlib import Path

import pytest

from search.errors import TrialStopped
from search.study.trial import Diverged, Outcome, Pruned
from search.tasks.program.failure import ProgramFailure
from tests.waiting import until

SQUARE = """
def objective(trial):
    return trial.params["x"] ** 2
serve(objective)
"""

RAW = """
import json, os, sys, time
reading, writing = map(int, os.environ["AGESEARCH_TRIAL_FDS"].split(","))
lines = os.fdopen(reading)

def send(**message):
    os.write(writing, json.dumps(message).encode() + b"\\n")

send(type="hello", version=1)
trial = json.loads(lines.readline())
"""
"""The beginning of a program that speaks the protocol by itself."""


def test_a_trial_comes_to_the_value_that_the_objective_returns(write, runner_of, trial_of):
    with runner_of(write(SQUARE)) as run:
        assert run(trial_of(0.5)) == Outcome(0.25)


def test_a_process_is_kept_from_trial_to_trial(write, runner_of, trial_of):
    with runner_of(write("serve(lambda trial: os.getpid())")) as run:
        assert run(trial_of()) == run(trial_of())


def test_a_trial_has_all_that_the_core_gives_it(write, runner_of, trial_of, tmp_path):
    program = write("""
    def objective(trial):
        (trial.folder / "model.txt").write_text("weights")
        for name in ("params", "budget", "seed", "number", "final"):
            trial.set_user_attr(name, getattr(trial, name))
        return 1
    serve(objective)
    """)
    with runner_of(program) as run:
        ended = run(trial_of(params={"x": 2, "word": "adam", "flag": True}, folder=tmp_path, final=True))
    assert (tmp_path / "model.txt").read_text() == "weights"
    assert ended.measures == {"seed": 3.0, "number": 7.0}
    assert ended.files["attributes.json"].split() == (
        b'{ "params": { "x": 2, "word": "adam", "flag": true }, "budget": { "epochs": 2 }, "final": true }'.split()
    )


def test_attributes_that_are_finite_numbers_are_measures_and_the_others_a_file(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        for name, value in {"a": 1, "b": [1, 2.5], "c": "word", "d": float("nan"), "e": [], "f": True}.items():
            trial.set_user_attr(name, value)
        return 0.5
    serve(objective)
    """)
    with runner_of(program) as run:
        ended = run(trial_of())
    assert ended.measures == {"a": 1.0, "b": (1.0, 2.5)}
    assert ended.files["attributes.json"] == b'{\n "c": "word",\n "d": NaN,\n "e": [],\n "f": true\n}'


def test_a_trial_without_a_folder_has_an_empty_one_for_its_time(write, runner_of, trial_of, log):
    program = write("""
    def objective(trial):
        print(trial.folder, os.listdir(trial.folder))
        (trial.folder / "model").touch()
        return 1
    serve(objective)
    """)
    with runner_of(program) as run:
        run(trial_of())
        run(trial_of())
    lines = [line.rsplit(" ", 1) for line in log.getvalue().decode().splitlines()]
    assert [(found, Path(folder).exists()) for folder, found in lines] == [("[]", False), ("[]", False)]


def test_values_on_the_way_are_reported_once_a_step(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        for step, value in ((0, 3.0), (1, 2.0), (1, 9.0), (2, float("inf"))):
            trial.report(value, step)
        return 1
    serve(objective)
    """)
    reported = []
    with runner_of(program) as run:
        run(trial_of(report=lambda *pair: reported.append(pair)))
    assert reported == [(0, 3.0), (1, 2.0), (2, float("inf"))]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_value_that_is_not_finite_is_a_divergence(write, runner_of, trial_of, value):
    with runner_of(write(f"serve(lambda trial: float('{value}'))")) as run:
        assert run(trial_of()) == Diverged(f"the value is {value}")


PRUNED = """
import {module}
def objective(trial):
    for step in range(5):
        trial.report(step, step)
        if trial.should_prune():
            raise {name}
serve(objective)
"""


@pytest.mark.parametrize(
    ("module", "name"), [("agesearch", "agesearch.TrialPruned"), ("optuna", "optuna.TrialPruned()")]
)
def test_a_trial_that_is_not_worth_its_next_step_is_pruned(write, runner_of, trial_of, module, name):
    reported = []
    trial = trial_of(
        report=lambda *pair: reported.append(pair), should_prune=lambda: "poor" if len(reported) == 3 else ""
    )
    with runner_of(write(PRUNED.format(module=module, name=name))) as run:
        assert run(trial) == Pruned("poor", 3)


def test_a_program_may_prune_a_trial_for_a_reason_of_its_own(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        raise agesearch.TrialPruned("too large")
    serve(objective)
    """)
    with runner_of(program) as run:
        assert run(trial_of()) == Pruned("TrialPruned: too large", 0)


def test_a_trial_is_stopped_when_it_asks_and_the_program_stays(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        trial.report(os.getpid(), 0)
        while trial.params["x"] and not trial.should_prune():
            pass
        raise agesearch.TrialPruned
    serve(objective)
    """)
    pids = []
    with runner_of(program) as run:
        with pytest.raises(TrialStopped):
            run(trial_of(1, report=lambda _, pid: pids.append(pid), should_stop=lambda: bool(pids)))
        run(trial_of(0, report=lambda _, pid: pids.append(pid)))
    assert pids[0] == pids[1]


def test_a_program_that_never_asks_is_ended_where_its_trial_is_to_stop(write, runner_of, trial_of, monkeypatch):
    monkeypatch.setattr("search.tasks.program.kept.STOP_SECONDS", 0.1)
    program = write("""
    def objective(trial):
        trial.report(os.getpid(), 0)
        time.sleep(3600)
    serve(objective)
    """)
    pids = []
    with runner_of(program) as run, pytest.raises(TrialStopped):
        run(trial_of(report=lambda _, pid: pids.append(pid), should_stop=lambda: bool(pids)))
    assert pids


def test_setup_runs_once_a_process_and_the_objective_gets_what_it_returns(write, runner_of, trial_of):
    program = write("""
    def objective(trial, data):
        data.append(1)
        return len(data)
    serve(objective, setup=list)
    """)
    with runner_of(program) as run:
        assert [run(trial_of()).score for _ in range(3)] == [1, 2, 3]


def test_an_exception_of_the_objective_is_a_failed_attempt_and_the_next_trial_has_a_new_process(
    write, runner_of, trial_of
):
    program = write("""
    def objective(trial):
        if trial.params["x"] < 0:
            raise KeyError("no such column")
        return os.getpid()
    serve(objective)
    """)
    with runner_of(program) as run:
        before = run(trial_of())
        with pytest.raises(ProgramFailure, match="KeyError: 'no such column'") as failed:
            run(trial_of(-1))
        assert run(trial_of()) != before
    assert 'raise KeyError("no such column")' in str(failed.value)  # the traceback


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("os._exit(3)", "exit code 3"),
        ("sys.exit('no data')", "exit code 1; it wrote last:\nno data"),
        ("os._exit(0)", "exit code 0 before it gave a value"),
        ("os.kill(os.getpid(), 11)", "ended by SIGSEGV"),
        ("os.kill(os.getppid(), 9); time.sleep(3600)", "ended by SIGKILL"),
        ("return 'good'", "is 'good'; it must be one number"),
        ("return '0.5'", "is '0.5'; it must be one number"),
        ("return None", "is None; it must be one number"),
        ("return 0.5, 0.6", r"is \(0.5, 0.6\); it must be one number"),
        ("trial.report('low', 0)", "the reported value is 'low'"),
        ("trial.report(1.0, -1)", "step is -1"),
        ("trial.suggest_float('y', 0, 1)", r"y is not in \[space\]"),
        ("trial.suggest_int('x', 0, 1)", "x is 0.5, but suggest_int takes a whole number"),
        ("trial.suggest_categorical('x', [1, 2])", r"x is 0.5, but suggest_categorical has only \[1, 2\]"),
        ("trial.set_user_attr('it', object())", "is no JSON"),
    ],
)
def test_what_goes_wrong_in_an_objective_is_a_failed_attempt_with_the_reason(write, runner_of, trial_of, does, said):
    with runner_of(write(f"def objective(trial):\n    {does}\nserve(objective)")) as run:
        with pytest.raises(ProgramFailure, match=said):
            run(trial_of())
        # And the program is started anew.
        with pytest.raises(ProgramFailure, match=said):
            run(trial_of())


def test_a_program_that_does_not_serve_fails_with_a_hint(write, runner_of, trial_of):
    with (
        runner_of(write("print('trained')", head="")) as run,
        pytest.raises(ProgramFailure, match=r"exit code 0 .*does it call agesearch.serve\?; it wrote last:\ntrained"),
    ):
        run(trial_of())


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("os.write(writing, b'epoch 1: 0.5\\n')", "no message: b'epoch 1: 0.5'"),
        ("os.write(writing, b'\\xff\\xfe\\n')", "no message"),
        ("os.write(writing, b'[' * 100000 + b'\\n')", "no message"),
        ("os.write(writing, b'[1, 2]\\n')", "no message"),
        ('os.write(writing, b\'{"type": "resu\'); sys.exit(0)', "exit code 0"),
        ("send(type='result', trial=1)", "value is no number: None"),
        ("send(type='result', trial=1, value='0.5')", "value is no number: '0.5'"),
        ("send(type='result', trial=1, value=True)", "value is no number: True"),
        ("send(type='result', trial=1, value=1, attributes=[])", "attributes that are no object"),
        ("send(type='result', value=1)", "a result of no trial"),
        ("send(type='result', trial=99, value=1)", "a result of no trial"),
        ("send(type='report', trial=1, step=0.5, value=1)", "the step 0.5"),
        ("send(type='report', trial=1, step=1e999, value=1)", "the step inf"),
        ("send(type='greeting', trial=1)", "unknown type: 'greeting'"),
        ("send(type='error', trial=1, reason='no data')", "the objective failed: no data"),
        ("os.close(writing); time.sleep(3600)", "closed its pipe, and went on"),
        ("\nwhile True:\n    os.write(writing, b'x' * 65536)", "a line of more than 1048576 bytes"),
        ("\nwhile True:\n    send(type='ask', trial=1)", "does not read what it is sent"),
    ],
)
def test_what_is_no_message_of_the_protocol_is_a_failed_attempt(write, runner_of, trial_of, then, said, monkeypatch):
    monkeypatch.setattr("search.tasks.program.kept.LEAVING", 0.2)
    with runner_of(write(RAW + then, head="")) as run, pytest.raises(ProgramFailure, match=said):
        run(trial_of())


@pytest.mark.parametrize("hello", [{"type": "hello", "version": 2}, {"type": "result", "trial": 1, "value": 1}])
def test_a_program_that_begins_otherwise_than_with_hello_is_refused(write, runner_of, trial_of, hello):
    program = write(RAW.replace('send(type="hello", version=1)', f"send(**{hello})"), head="")
    with runner_of(program) as run, pytest.raises(ProgramFailure, match="it must begin with hello, version 1"):
        run(trial_of())


def test_a_late_message_of_an_earlier_trial_is_none_of_this_one(write, runner_of, trial_of):
    program = write(
        RAW
        + """
send(type="result", trial=1, value=1)
send(type="report", trial=1, step=5, value=5)
send(type="result", trial=1, value=9)
trial = json.loads(lines.readline())
send(type="result", trial=trial["trial"], value=2)
""",
        head="",
    )
    reported = []
    with runner_of(program) as run:
        assert run(trial_of()) == Outcome(1.0)
        assert run(trial_of(report=lambda *pair: reported.append(pair))) == Outcome(2.0)
    assert reported == []


def test_a_value_counts_even_if_the_program_ends_at_once(write, runner_of, trial_of):
    with runner_of(write(RAW + "send(type='result', trial=1, value=1)\nos._exit(3)", head="")) as run:
        assert run(trial_of()) == Outcome(1.0)


def test_a_hang_is_ended_after_its_minutes_with_all_that_the_program_started(write, runner_of, trial_of, is_alive):
    program = write("""
    import subprocess
    def objective(trial):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        trial.report(child.pid, 0)
        time.sleep(3600)
    serve(objective)
    """)
    pids = []
    with runner_of(program, minutes=0.05) as run, pytest.raises(ProgramFailure, match=r"more than 0\.05 minutes"):
        run(trial_of(report=lambda _, pid: pids.append(int(pid))))
    until(lambda: not is_alive(pids[0]), "the end of the program's child")


def test_a_program_that_ignores_sigterm_is_killed_after_the_time_of_grace(write, runner_of, trial_of):
    program = write("""
    import signal
    def objective(trial):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    serve(objective)
    """)
    begun = time.monotonic()
    with runner_of(program, minutes=1 / 60) as run, pytest.raises(ProgramFailure, match="minutes"):
        run(trial_of())
    assert 5 < time.monotonic() - begun < 60


def test_a_program_that_never_stops_reporting_is_ended_after_its_minutes(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        step = 0
        while True:
            trial.report(1, step)
            step += 1
    serve(objective)
    """)
    with runner_of(program, minutes=1 / 60) as run, pytest.raises(ProgramFailure, match="minutes"):
        run(trial_of())


@pytest.mark.parametrize("last", ["", "os.write(4, b'garbage\\n'); "])
def test_a_program_that_ends_between_two_trials_is_started_again(write, runner_of, trial_of, is_alive, last):
    program = write(
        f"""
    import threading
    def objective(trial):
        threading.Timer(0.1, lambda: ({last or "0, "}os._exit(1))).start()
        return os.getpid()
    serve(objective)
    """.replace("); os._exit(1)", "), os._exit(1)")
    )
    with runner_of(program) as run:
        first = run(trial_of())
        until(lambda: not is_alive(int(first.score)), "the end of the program")
        assert run(trial_of()) != first


def test_a_hang_before_the_first_trial_is_ended_too(write, runner_of, trial_of):
    program = write("time.sleep(3600)")
    with runner_of(program, minutes=1 / 60) as run, pytest.raises(ProgramFailure, match="minutes"):
        run(trial_of())


def test_a_fork_that_keeps_the_pipes_open_neither_hangs_the_worker_nor_outlives_the_program(
    write, runner_of, trial_of, is_alive
):
    program = write(
        RAW
        + """
child = os.fork()
if child == 0:
    time.sleep(3600)
send(type="report", trial=1, step=0, value=child)
os._exit(4)
""",
        head="",
    )
    pids = []
    with runner_of(program) as run, pytest.raises(ProgramFailure, match="exit code 4"):
        run(trial_of(report=lambda _, pid: pids.append(int(pid))))
    until(lambda: not is_alive(pids[0]), "the end of the fork")


def test_a_child_of_the_program_has_no_pipe_to_the_worker(write, runner_of, trial_of):
    program = write("""
    import subprocess
    PIPES = list(map(int, os.environ["AGESEARCH_TRIAL_FDS"].split(",")))
    def objective(trial):
        named = [os.readlink(f"/proc/self/fd/{pipe}") for pipe in PIPES]
        assert all(name.startswith("pipe:") for name in named), named
        child = os.fork()
        if child == 0:
            trial.report(99, 0)
            os._exit(all(os.readlink(f"/proc/self/fd/{pipe}") == "/dev/null" for pipe in PIPES))
        forked = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        there = f"[os.path.exists(f'/proc/self/fd/{{pipe}}') for pipe in {PIPES}]"
        look = f"import os; print({there}, 'TRIAL_FDS' in str(os.environ))"
        said = subprocess.run([sys.executable, "-c", look], stdout=subprocess.PIPE, text=True, close_fds=False).stdout
        assert said == "[False, False] False\\n", said
        return forked
    serve(objective)
    """)
    reported = []
    with runner_of(program) as run:
        assert run(trial_of(report=lambda *pair: reported.append(pair))) == Outcome(1.0)
    assert reported == []


def test_output_goes_to_the_log(write, runner_of, trial_of, log):
    with runner_of(write("serve(lambda trial: print('an epoch') or print('a warning', file=sys.stderr) or 1)")) as run:
        run(trial_of())
        run(trial_of())
    assert sorted(log.getvalue().splitlines()) == 2 * [b"a warning"] + 2 * [b"an epoch"]


def test_a_gigabyte_of_output_takes_neither_memory_nor_disk(write, runner_of, trial_of, log):
    program = write("""
    def objective(trial):
        block = "x" * 2**20
        for _ in range(1024):
            sys.stdout.write(block)
        return 1
    serve(objective)
    """)
    with runner_of(program) as run:
        assert run(trial_of()) == Outcome(1.0)
    assert len(log.getvalue()) < 2**20 + 200
    assert b"1072693248 more bytes of the program's output are left out" in log.getvalue()


def test_the_last_lines_are_in_the_reason(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        for line in range(1000):
            print("line", line)
        os._exit(1)
    serve(objective)
    """)
    with runner_of(program) as run, pytest.raises(ProgramFailure) as failed:
        run(trial_of())
    first, *lines = str(failed.value).splitlines()
    assert first == "it ended with exit code 1; it wrote last:"
    assert lines == [f"line {line}" for line in range(990, 1000)]


def test_memory_beyond_the_limit_is_a_failed_attempt(write, runner_of, trial_of):
    program = write("serve(lambda trial: len(bytearray(2**30)))")
    with runner_of(program, memory=0.5) as run, pytest.raises(ProgramFailure, match="MemoryError"):
        run(trial_of())


def test_a_program_in_another_language_needs_no_client(write, runner_of, trial_of):
    program = write(
        """#!/bin/sh
echo '{"type": "hello", "version": 1}' >&4
while read -r line <&3; do
    trial=$(echo "$line" | sed 's/.*"trial": \\([0-9]*\\).*/\\1/')
    x=$(echo "$line" | sed 's/.*"x": \\([0-9.]*\\).*/\\1/')
    echo "{\\"type\\": \\"result\\", \\"trial\\": $trial, \\"value\\": $x}" >&4
done
""",
        name="train.sh",
        head="",
    )
    with runner_of(program) as run:
        assert [run(trial_of(x)).score for x in (0.25, 4)] == [0.25, 4.0]


def test_a_program_has_time_to_end_by_itself(write, runner_of, trial_of, tmp_path):
    program = write("""
    serve(lambda trial: 1)
    open("left", "w").write("in order")
    """)
    with runner_of(program) as run:
        run(trial_of())
    assert (tmp_path / "left").read_text() == "in order"


def test_its_own_modules_come_first_and_the_client_shadows_none(write, runner_of, trial_of, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/__init__.py").write_text("VALUE = 1")
    (tmp_path / "model.py").write_text("VALUE = 2")
    (tmp_path / "search.py").write_text("VALUE = 3")
    program = write("import data, model, search\nserve(lambda trial: data.VALUE + model.VALUE + search.VALUE)")
    with runner_of(program) as run:
        assert run(trial_of()) == Outcome(6.0)


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory):
    """A Python of another environment, without any package."""
    import venv

    at = tmp_path_factory.mktemp("bare")
    venv.create(at, with_pip=False)
    return at / "bin/python"


def test_it_may_run_in_another_environment(write, runner_of, trial_of, bare_python):
    program = write("""
    from importlib.util import find_spec
    known = [find_spec(name) is not None for name in ("agesearch", "optuna", "tensorflow", "numpy")]
    assert known == [True, False, False, False], known
    serve(lambda trial: trial.suggest_float("x", 0, 1))
    """)
    assert bare_python != sys.executable
    with runner_of(program, python=str(bare_python)) as run:
        assert run(trial_of()) == Outcome(0.5)
