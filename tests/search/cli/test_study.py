import json
import re
import tomllib

import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import delete, update

from search.dashboard.serving import Access
from search.results.ranking import best_trials
from search.storage.tables import SCHEMA_VERSION, schema, slots
from search.study.owner import this_process
from search.study.slots import SlotCounts, Slots
from search.study.trial import Diverged
from tests.integration.fake_study import finalist_budget, run_trial
from tests.search.tiny import work_off, work_some


@pytest.fixture
def place(storage):
    return "--study", "ages", "--storage", storage.url


@pytest.fixture
def study(study_of):
    study = study_of(3, 2)
    work_off(study)
    return study


def test_the_status_shows_stages_and_workers(study, agesearch, place):
    ended = agesearch("status", *place)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"study ages in {study.storage}: best single trial 1")
    assert lines[1].startswith("stage 1: 3/3 finished; learning_rate [")
    assert lines[2].startswith("stage 2: 2/2 finished; learning_rate [")
    assert lines[4].split() == ["worker", "state", "finished", "runs", "silent", "for", "device"]
    assert lines[5].split()[2:5] == ["stopped", "5", "-"]
    assert lines[5].endswith("a processor")


def test_the_status_names_what_a_worker_runs_and_what_has_failed(study_of, agesearch, place):
    seen = []

    def look(trial):
        if trial.slot == 0:
            raise OSError("no memory")
        seen.append(agesearch("status", *place).out)
        return run_trial(trial)

    work_off(study_of(2, max_attempts=1), look)
    assert "stage 1: 0/2 finished, 1 running, 1 failed; " in seen[0]
    assert "stage 1, slot 0 was closed as failed: 1 attempts failed, the last one with OSError: no memory" in seen[0]
    assert "stage 1, slot 1" in seen[0].splitlines()[-1]


def test_a_study_that_has_not_begun_has_a_status(study_of, agesearch, place):
    study_of(3, 2)
    assert agesearch("status", *place).out.splitlines()[1:] == [
        "stage 1: 0/3 finished; learning_rate [1e-06, 0.001], l2 [1e-06, 10]",
        "stage 2: 0/2 finished; its ranges follow from the stage before",
    ]


def test_the_status_is_json_where_that_is_asked_for(study, agesearch, place):
    found = json.loads(agesearch("status", *place, "--json").out)
    assert found["study"] == "ages"
    assert [stage["counts"]["finished"] for stage in found["stages"]] == [3, 2]
    assert found["best"] == json.loads(json.dumps(best_trials(study, 1)[0].as_dict()))
    assert found["workers"][0]["finished"] == 5
    assert found["failed"] == []


def test_the_best_configuration_is_written_and_summed_up(study, agesearch, place, tmp_path):
    ended = agesearch("export", *place, "--out", "new/best.toml")
    assert (ended.code, ended.err) == (0, "")
    best = best_trials(study, 1)[0]
    assert ended.out.startswith(f"new/best.toml: learning rate {best.params['learning_rate']:.3g}, L2 ")
    assert tomllib.loads((tmp_path / "new/best.toml").read_text())["hyperparameters"] == best.params


def test_what_is_written_is_printed_as_json_where_that_is_asked_for(study, agesearch, place, tmp_path):
    ended = agesearch("export", *place, "--json")
    assert json.loads(ended.out) == tomllib.loads((tmp_path / "best.toml").read_text())
    assert study.name in ended.out


def test_a_finalists_missing_score_is_nan_in_toml_and_null_in_json(study_of, agesearch, place, tmp_path):
    study = study_of(2, finalists=finalist_budget(2, 2, 700, 8))
    work_off(study, lambda trial: Diverged("nan") if (trial.stage, trial.slot) == (2, 3) else run_trial(trial))
    found = json.loads(agesearch("export", *place, "--json").out, parse_constant=pytest.fail)
    assert found["finalists"][1]["scores"][1] is None
    assert "nan," in (tmp_path / "best.toml").read_text()


def test_a_study_without_a_value_is_not_exported(study_of, refused, place, tmp_path):
    work_off(study_of(1), lambda _trial: Diverged("nan"))
    assert "has no finished trial with a value;" in refused("export", *place)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_cannot_be_written_is_refused(study, refused, place, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot write file/best.toml" in refused("export", *place, "--out", "file/best.toml")
    assert study.name == "ages"


@pytest.mark.parametrize("command", ["status", "export"])
def test_an_unknown_study_is_refused_with_the_known_ones(command, study_of, storage, refused):
    work_some(study_of(2), 1)
    said = refused(command, "--study", "age", "--storage", storage.url)
    assert said == f"no study 'age' in {storage}; it has: 'ages'"


def test_the_dashboard_says_where_it_is_and_ends_like_every_command_on_ctrl_c(agesearch, monkeypatch, storage):
    served = []

    def serve(settings, access, ready):
        served.append((settings.storage, settings.host, settings.port, access))
        ready("http://127.0.0.1:4711/")

    monkeypatch.setattr("search.dashboard.serving.serve", serve)
    ended = agesearch("dashboard", "--storage", storage.url, "--port", "0", "--read-only", "--i-know-it-is-open")
    assert (ended.code, ended.err) == (130, "")
    assert ended.out == "dashboard: http://127.0.0.1:4711/ (Ctrl-C ends it)\n"
    assert served == [(storage.url, "127.0.0.1", 0, Access(read_only=True, is_open=True))]


def test_the_dashboards_password_is_no_flag(refused):
    assert "no such option: --dashboard-password" in refused("dashboard", "--dashboard-password", "x")


@pytest.fixture
def abandoned(study_of):
    """A study of which a process that is dead holds a slot, and which lacks another."""
    study = study_of(3)
    Slots(study).claim(this_process().rsplit(":", 1)[0] + ":1")
    with study.storage.engine.begin() as tx:
        tx.execute(delete(slots).where(slots.c.slot == 2))
    return study


MISSING = "stage 1 lacks its slot 2: it is made again"


def test_a_dry_repair_says_what_is_wrong_and_mends_nothing(abandoned, agesearch, place):
    for _ in range(2):
        ended = agesearch("repair", *place, "--dry-run")
        assert (ended.code, ended.err) == (0, "")
        missing, held, told = ended.out.splitlines()
        assert missing == MISSING
        assert re.fullmatch(
            r"stage 1, slot 0 is held by process \d+ of .*, which is dead: it is set free for the next worker", held
        )
        assert told == "2 found, 2 would be repaired"
    assert Slots(abandoned).counts(1) == SlotCounts(waiting=1, claimed=1)


def test_a_repair_mends_and_then_nothing_is_wrong(abandoned, agesearch, place):
    assert agesearch("repair", *place).out.splitlines()[-1] == "2 found, 2 repaired"
    assert Slots(abandoned).counts(1) == SlotCounts(waiting=3)
    assert agesearch("repair", *place).out == "nothing is wrong\n"


def test_the_status_shows_the_same_findings(abandoned, agesearch, place):
    lines = agesearch("status", *place).out.splitlines()
    assert "stage 1 lacks its slot 2 (see 'agesearch repair')" in lines
    found = json.loads(agesearch("status", *place, "--json").out)["findings"]
    assert found == json.loads(agesearch("repair", *place, "--dry-run", "--json").out)["findings"]
    assert [each["kind"] for each in found] == ["missing slot", "abandoned slot"]
    assert abandoned.name == "ages"


def test_a_repair_that_leaves_something_to_the_user_says_what_to_do_and_fails(study, agesearch, place):
    study.storage.rdb.create_new_trial(study.id, create_trial(state=TrialState.COMPLETE, value=1.0))
    ended = agesearch("repair", *place)
    assert (ended.code, ended.err) == (1, "")
    assert "has a result, but belongs to no slot: it counts for nothing here" in ended.out
    assert ended.out.splitlines()[-1] == "1 found, 0 repaired"


@pytest.mark.parametrize("command", ["status", "repair"])
def test_a_storage_of_another_version_is_reported_with_the_way_out(command, storage, refused, place):
    with storage.engine.begin() as tx:
        tx.execute(update(schema).values(version=SCHEMA_VERSION + 1))
    said = refused(command, *place)
    assert f"has tables of version {SCHEMA_VERSION + 1}, this program needs {SCHEMA_VERSION}; use the version" in said


@pytest.mark.parametrize("command", ["status", "repair"])
def test_a_storage_on_a_network_file_system_is_reported_with_the_way_out(command, refused, tmp_path, monkeypatch):
    monkeypatch.setattr("search.storage.address.file_system_of", lambda _path: "nfs4")
    said = refused(command, "--storage", f"sqlite:///{tmp_path}/study.db")
    assert "lies on a network file system (nfs4), whose locks SQLite cannot rely on; use a local directory" in said


def test_the_configuration_of_a_trial_that_somebody_prefers_is_written(study, agesearch, place, refused, tmp_path):
    *_, worst = best_trials(study, 5)
    assert agesearch("export", *place, "--trial", str(worst.number)).code == 0
    written = tomllib.loads((tmp_path / "best.toml").read_text())
    assert (written["hyperparameters"], written["trial"]["number"]) == (worst.params, worst.number)
    assert written["choice"]["reason"] == f"trial {worst.number}, which was asked for"
    assert "the study 'ages' has no trial 99; name another" in refused("export", *place, "--trial", "99")
    assert "--trial" in refused("export", *place, "--trial", "99999999999999999999")


def test_a_trial_that_no_worker_has_made_is_not_written(study, refused, place):
    study.storage.rdb.create_new_trial(study.id, create_trial(state=TrialState.COMPLETE, value=1.0))
    assert "trial 5 of the study 'ages' was not made by its workers" in refused("export", *place, "--trial", "5")


def test_failed_slots_are_opened_again_where_that_is_asked_for(study_of, agesearch, place):
    def fail(_trial):
        raise OSError("no memory")

    study = study_of(2, max_attempts=1)
    work_off(study, fail)
    assert agesearch("repair", *place, "--failed", "--dry-run").out.endswith("\n2 failed slots would be reopened\n")
    assert agesearch("repair", *place, "--failed").out == "nothing is wrong\n2 failed slots reopened\n"
    assert Slots(study).counts(1) == SlotCounts(waiting=2)
