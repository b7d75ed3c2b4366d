import json

import optuna
import optuna_dashboard
import pytest
from sqlalchemy.exc import OperationalError

from search.dashboard import board
from search.dashboard.board import Board, show
from search.dashboard.map_figure import map_figure
from search.dashboard.note import OWN_PART, study_note
from search.results.search_map import search_map
from search.space.box import Box
from search.space.ranges import LogRange
from tests.search.tiny import work_off, work_some


def note_of(study):
    return optuna_dashboard.get_note(optuna.load_study(study_name=study.name, storage=study.storage.rdb))


def map_of(study):
    attributes = study.storage.rdb.get_study_system_attrs(study.id)
    pieces = {key: value for key, value in attributes.items() if key.startswith("dashboard:plot_data:search-map:")}
    text = "".join(pieces[f"dashboard:plot_data:search-map:{number}"] for number in range(len(pieces)))
    return json.loads(text) if text else None


def version_of(study):
    return study.storage.rdb.get_study_system_attrs(study.id).get("dashboard:note_ver")


def test_a_worker_shows_note_and_map_from_its_first_trial_to_its_last(study_of):
    study = study_of(4, 3)
    work_some(study, 1, refresh=Board(study).update)
    assert len(map_of(study)["data"]) == 3
    work_off(study, refresh=Board(study).update)
    assert note_of(study) == study_note(study)
    assert map_of(study) == map_figure(search_map(study))
    assert "old box" in note_of(study)


def test_the_dashboard_finds_them_where_it_looks(study_of):
    from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

    study = study_of(20)
    work_off(study, refresh=Board(study).update)
    found = get_plotly_graph_objects(study.storage.rdb.get_study_system_attrs(study.id))
    assert json.loads(found["search-map"]) == map_figure(search_map(study))


def test_a_note_is_written_only_where_it_has_changed(study_of):
    study = study_of(2)
    for _ in range(2):
        show(study)
    assert version_of(study) == 1
    work_off(study, refresh=Board(study).update)
    assert version_of(study) == 3  # once its stage is open, and at its end


def test_a_shorter_text_leaves_nothing_of_the_longer_one(study_of, monkeypatch):
    study = study_of(1)
    monkeypatch.setattr(board, "study_note", lambda _study: "x" * 9000)
    show(study)
    monkeypatch.setattr(board, "study_note", lambda _study: f"é\n{OWN_PART}\n")
    monkeypatch.setattr(board, "with_own_part", lambda note, _before: note)
    show(study)
    assert note_of(study) == f"é\n{OWN_PART}\n"


def test_what_people_write_on_the_page_stays(study_of):
    study = study_of(2)
    show(study)
    theirs = optuna.load_study(study_name=study.name, storage=study.storage.rdb)
    optuna_dashboard.save_note(theirs, note_of(study) + "\nmine\n")
    work_off(study, refresh=Board(study).update)
    assert note_of(study) == study_note(study) + "\nmine\n"


def test_between_the_first_trial_and_the_last_it_waits(study_of, monkeypatch):
    shown = []
    monkeypatch.setattr(board, "show", shown.append)
    one = Board(study_of(1))
    for last in (False, False, True):
        one.update(last=last)
    assert len(shown) == 2


def test_what_cannot_be_shown_stops_no_worker(study_of, monkeypatch, caplog):
    def fail(_study):
        raise OperationalError("insert", {}, Exception("database is locked"))

    monkeypatch.setattr(board, "show", fail)
    study = study_of(2)
    work_off(study, refresh=Board(study).update)
    assert len(study.storage.rdb.get_all_trials(study.id)) == 2
    assert "the note and the map of the study could not be brought up to date" in caplog.text


def test_a_study_of_one_parameter_has_a_note_and_no_map(study_of):
    study = study_of(1, box=Box((LogRange("l2", 1e-6, 1.0),)))
    show(study)
    assert note_of(study) == study_note(study)
    assert map_of(study) is None


@pytest.mark.parametrize("name", ["other", "ages2"])
def test_another_studys_texts_are_left_alone(name, study_of, storage):
    other = storage.rdb.create_new_study([optuna.study.StudyDirection.MINIMIZE], name)
    storage.rdb.set_study_system_attr(other, "dashboard:note_str:0", "theirs")
    show(study_of(1))
    assert storage.rdb.get_study_system_attrs(other) == {"dashboard:note_str:0": "theirs"}


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("first", [True, False])
def test_what_somebody_saves_while_the_note_is_being_written_stays(first, study_of, monkeypatch):
    study = study_of(2)
    if not first:
        show(study)
    monkeypatch.setattr(board, "study_note", lambda _study: "another")
    read = board._read

    def reading(tx, *which):
        found = read(tx, *which)
        monkeypatch.setattr(board, "_read", read)
        optuna_dashboard.save_note(optuna.load_study(study_name=study.name, storage=study.storage.rdb), "mine")
        return found

    monkeypatch.setattr(board, "_read", reading)
    show(study)
    assert note_of(study) == "mine"
