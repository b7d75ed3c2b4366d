"""What a program finds in its environment."""

import os

import pytest

from search.study.trial import Outcome
from search.tasks.program.environment import CLIENT, environment_of
from search.tasks.program.program import Program

SECRETS = {
    "AGESEARCH_STORAGE": "postgresql://user:secret@host/db",
    "AGESEARCH_STORAGE_PASSWORD": "secret",
    "AGESEARCH_DASHBOARD_PASSWORD": "secret",
    "PGPASSWORD": "secret",
}


def test_neither_settings_nor_passwords_are_in_it():
    found = environment_of(Program(command="train"), {**SECRETS, "HOME": "/home/ada", "PYTHONSAFEPATH": "1"})
    assert "secret" not in str(found)
    assert found == {"HOME": "/home/ada", "PYTHONPATH": str(CLIENT), "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}


def test_what_users_have_set_themselves_stays():
    given = {"PYTHONHASHSEED": "7", "PYTHONUNBUFFERED": "", "PYTHONPATH": "/lib", "CUDA_VISIBLE_DEVICES": "2"}
    assert environment_of(Program(command="train"), given) == {**given, "PYTHONPATH": f"{CLIENT}:/lib"}


def test_threads_are_asked_of_every_numerical_library():
    found = environment_of(Program(command="train", threads=2), {"OMP_NUM_THREADS": "8"})
    assert {found[name] for name in found if name.endswith("THREADS")} == {"2"}


def test_the_client_is_alone_in_its_folder():
    assert [path.name for path in CLIENT.iterdir() if path.name != "__pycache__"] == ["agesearch.py"]


@pytest.mark.parametrize("kept", [True, False])
def test_no_process_of_the_program_sees_a_password(write, runner_of, trial_of, monkeypatch, kept):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    look = """
    import subprocess
    def secrets():
        seen = subprocess.run(["cat", f"/proc/{os.getppid()}/environ", f"/proc/{os.getpid()}/environ"], stdout=-1)
        return seen.stdout.count(b"secret") + (b"AGESEARCH_STORAGE" in seen.stdout) + (b"DEVICES=1" in seen.stdout) / 2
    """
    path = write(look + ("serve(lambda trial: secrets())" if kept else "print(secrets())"))
    asked = {"path": path} if kept else {"command": "python3 train.py {x}"}
    with runner_of(**asked) as run:
        assert run(trial_of()) == Outcome(0.5)
    assert os.environ["AGESEARCH_STORAGE_PASSWORD"] == "secret"  # noqa: S105 - the worker's own is as it was
