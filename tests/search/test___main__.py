import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from data.errors import WriteFailure
from search import __main__ as program
from search.errors import SearchError, SearchFailure
from tests.integration.fake_study import finalist_budget

ROOT = Path(__file__).parents[2]


def commands():
    """Every command as it is typed, and the groups of commands."""
    group = typer.main.get_command(program.app)
    for name, command in group.commands.items():
        yield (name,)
        yield from ((name, inner) for inner in getattr(command, "commands", {}))


def python(code, *arguments, folder=ROOT):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_commands_are_those_of_the_design():
    assert {name for name, *_ in commands()} == {
        *("run", "data", "init", "search", "worker", "status", "export", "dashboard", "fit", "evaluate", "predict"),
        *("report", "compare", "summary", "experiment", "move", "repair", "check", "trials"),
    }


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(command, flag, agesearch):
    ended = agesearch(*command, flag)
    assert (ended.code, ended.err) == (0, "")
    assert f"Usage: {' '.join(('agesearch', *command))} " in ended.out
    assert len(ended.out.splitlines()) > 8


def test_the_help_shows_the_commands_in_panels_what_comes_first_first(agesearch):
    lines = agesearch("--help").out.splitlines()
    first = [line.split()[1] for line in lines if line.startswith("│ ") and line[2].isalpha()]
    assert first == [
        *("data", "run", "check", "search", "status", "trials", "dashboard", "export", "fit", "evaluate", "predict"),
        *("init", "worker", "move", "repair"),
        *("report", "compare", "experiment", "summary"),
    ]
    assert [line.split(" ─")[0] for line in lines if line.startswith("╭─")] == [
        "╭─ Options", "╭─ From images to a network", "╭─ On more machines, and after crashes",
        "╭─ Reports, and the paper's studies",
    ]  # fmt: skip


def test_the_version_is_that_of_the_package(agesearch):
    ended = agesearch("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"agesearch {version('agesearch')}\n", "")


def test_without_a_command_the_help_is_printed_and_the_exit_code_is_that_of_wrong_usage(agesearch):
    for group in ((), ("data",)):
        ended = agesearch(*group)
        assert (ended.code, ended.err) == (2, "")
        assert "Usage: agesearch" in ended.out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serch", "no such command 'serch'. Did you mean 'search'? (see 'agesearch --help')"),
        ("search --worker 2", "no such option: --worker"),
        ("search train.py extra", "got unexpected extra argument"),
        ("predict", "missing argument 'folder' (see 'agesearch predict --help')"),
        ("search --seed", "option '--seed' requires an argument"),
        ("fit --seed -1", "--seed: seed is '-1': input should be greater than or equal to 0"),
        ("export --trial -1", "invalid value for '--trial'"),
        ("search --seed x", "--seed: seed is 'x': input should be a valid integer"),
        ("search", "no dataset is named; give --data FILE.h5"),
        ("search --data none.h5", "none.h5 does not exist"),
        ("status", "no study storage at sqlite:///runs/study.db"),
        ("status --config none.toml", "the settings file none.toml cannot be read"),
        ("status --storage nonsense", "--storage is not a database URL"),
        ("export", "no study storage at"),
        ("dashboard", "no study storage at"),
        ("dashboard --host 0.0.0.0", "host is '0.0.0.0', where others reach the dashboard"),
        ("worker", "no study storage at"),
        ("check", "nothing is named to check"),
        ("trials", "no study storage at"),
        ("fit none.toml --data none.h5", "the configuration none.toml cannot be read"),
        ("evaluate none --data none.h5", "none.h5 does not exist"),
        ("predict none face.jpg", "none holds no model.keras"),
        ("data stats none.h5", "none.h5 does not exist"),
        ("data build none --out faces.h5", "none"),
        ("data build synthetic --out faces.h5 --ages 1-80", "--ages 1-80 is not of the form 1:80"),
        ("data build synthetic --out faces.h5 --images 1,2", "--images 1,2 is not of the form 5400,2315,1159"),
        ("data build synthetic --out faces.h5 --size 1x", "--size 1x is not of the form 91 or 48x64"),
    ],
)
def test_wrong_usage_and_bad_input_are_one_line_and_exit_code_2_and_leave_nothing(line, said, refused, tmp_path):
    assert said in refused(*line.split())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def ending_in(monkeypatch):
    """Make `agesearch status` end with an exception."""

    def end(error):
        def load(*_):
            raise error

        monkeypatch.setattr("search.cli.options.load_settings", load)

    return end


def test_a_disk_that_is_full_is_a_failure_and_no_bad_input(ending_in, agesearch):
    ending_in(WriteFailure("cannot write a.h5: No space left on device; see to the disk"))
    assert agesearch("status").code == 1


def test_a_failure_is_one_line_and_exit_code_1(ending_in, agesearch):
    ending_in(OSError(28, "No space left on device"))
    ended = agesearch("status")
    assert ended.code == 1
    assert ended.err == "agesearch: OSError: [Errno 28] No space left on device (--debug shows where)\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("the first line\nand more\n"), "RuntimeError: the first line (--debug shows where)"),
        (RuntimeError(), "RuntimeError: it says no more (--debug shows where)"),
        (SearchError("the first line\nand more\n"), "the first line and more"),
        (SearchFailure("the first line\nand more\n"), "the first line and more"),
    ],
)
def test_an_error_of_many_lines_or_none_is_one_line(error, said, ending_in, agesearch):
    ending_in(error)
    assert agesearch("status").err == f"agesearch: {said}\n"


@pytest.mark.parametrize(
    ("error", "code"), [(SearchError("wrong"), 2), (SearchFailure("wrong"), 1), (RuntimeError("wrong"), 1)]
)
def test_the_traceback_is_shown_to_whoever_asks_for_it(error, code, ending_in, agesearch):
    ending_in(error)
    for arguments in (("--debug", "status"), ("status", "--debug")):
        ended = agesearch(*arguments)
        assert ended.code == code
        assert ended.err.startswith("Traceback")
        assert ended.err.splitlines()[-1].endswith("wrong")
        assert "--debug" not in ended.err.splitlines()[-1]


def test_ctrl_c_is_exit_code_130_without_a_word(ending_in, agesearch):
    ending_in(KeyboardInterrupt())
    ended = agesearch("status")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_sigterm_ends_a_command_as_ctrl_c_does(monkeypatch, agesearch):
    monkeypatch.setattr("search.cli.options.load_settings", lambda *_: signal.raise_signal(signal.SIGTERM))
    ended = agesearch("status")
    assert (ended.code, ended.err) == (130, "")


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "mysql", "oracle+none"])
def test_no_error_names_the_password_of_a_storage(scheme, agesearch):
    ended = agesearch("status", "--storage", f"{scheme}://ada:secret@127.0.0.1:1/studies")
    assert ended.code == (1 if scheme.startswith("postgresql") else 2)
    assert "secret" not in ended.err


def test_an_answer_in_ascii_has_the_numbers_of_the_signs_that_it_lacks(study_of, storage):
    from tests.search.tiny import work_off

    work_off(study_of(2, finalists=finalist_budget(2, 2, 5, 2)))
    line = ["status", "--study", "ages", "--storage", storage.url]
    code = f"import sys; from search.__main__ import main; sys.argv[1:] = {line!r}; main()"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert r"\xb1 s.e." in ended.stdout


def test_the_help_waits_for_no_library_that_trains_or_stores(tmp_path):
    code = """
import sys
from search.__main__ import main

sys.argv = ["agesearch", "--help"]
try:
    main()
except SystemExit:
    assert not {"tensorflow", "optuna", "sqlalchemy", "numpy", "h5py", "PIL"} & sys.modules.keys(), sorted(sys.modules)
"""
    ended = python(code, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Usage" in ended.stdout


def test_status_and_export_answer_without_tensorflow(study_of, storage, tmp_path):
    from tests.search.tiny import work_off

    work_off(study_of(2))
    code = """
import sys
from search.__main__ import main

for line in sys.argv[1:]:
    sys.argv = ["agesearch", *line.split()]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (line, end.code)
    assert not {"tensorflow", "keras"} & sys.modules.keys(), line
"""
    place = f"--study ages --storage {storage.url}"
    ended = python(code, "search -h", f"status {place}", f"export {place} --json", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "best.toml").exists()
