import re

import pytest

from search.report.search_sections import search_section
from search.report.sections import Figure, LeftOut, Listing
from search.results.ranking import best_trials
from tests.integration.fake_study import finalist_budget, run_with_errors
from tests.search.tiny import make_slot_again, work_off, work_some

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is read is put into words alike, whichever it comes from."""
    return sqlite_url


@pytest.fixture
def undrawn(monkeypatch):
    """Save the time that pictures take, where it is not for them."""
    for name in ("draw_map", "draw_scores", "draw_trial_curves", "draw_parallel", "draw_importances"):
        monkeypatch.setattr(f"search.report.search_sections.{name}", lambda *_: b"")


def map_of(section):
    return next(part for part in section.parts if isinstance(part, Figure) and part.name == "search-map")


def test_a_finished_search_is_shown_with_every_figure_and_the_reason_of_its_boxes(study_of, table_of):
    study = study_of(12, 3)
    work_off(study)
    section = search_section(study)
    assert re.match(
        r"Chosen: learning rate \S+, L2 \S+, the best single trial \(finalists are disabled\)", section.text[0]
    )
    assert section.text[1].startswith("Study ages: 15 of 15 trials have finished, 15 of them with a value. ")
    assert section.text[2] == "No trial has reported a value before its end, so there are no trial curves."
    assert [part.name for part in section.parts if not isinstance(part, Listing)] == [
        "table-2-search",
        "search-map",
        "search-map",
        "search-scores",
        "search-parallel",
        "search-importances",
        "search-importances",
    ]
    (narrowing,) = (part for part in section.parts if isinstance(part, Listing))
    assert narrowing.caption == "How the box of stage 2 came about."
    assert "the 6 best of 12 finished trials span" in narrowing.text
    assert len(table_of(section, "search-map").rows) == 15
    assert {row[0] for row in table_of(section, "search-importances").rows} == {1}


@pytest.mark.usefixtures("undrawn")
def test_a_search_that_goes_on_is_shown_as_far_as_it_is(study_of):
    study = study_of(4, 3)
    work_some(study, 2)
    section = search_section(study)
    assert section.text[1].startswith("Study ages: 2 of 7 trials have finished")


def test_a_study_without_a_value_is_left_out(study_of):
    left_out = search_section(study_of(2))
    assert isinstance(left_out, LeftOut)
    assert left_out.reason.startswith("the study 'ages' has no finished trial with a value yet")


def test_a_trial_whose_slot_was_made_again_counts_for_nothing(study_of, table_of, monkeypatch):
    drawn = []
    for name in ("draw_map", "draw_importances"):
        monkeypatch.setattr(f"search.report.search_sections.{name}", lambda *_: b"")
    for name in ("draw_scores", "draw_parallel"):
        monkeypatch.setattr(f"search.report.search_sections.{name}", lambda trials, _: drawn.append(trials) or b"")
    study = study_of(10)
    work_off(study)
    make_slot_again(study, 0)
    work_off(study)
    section = search_section(study)
    assert section.text[1].startswith("Study ages: 10 of 10 trials have finished, 10 of them with a value. ")
    assert [[trial.number for trial in trials] for trials in drawn] == [list(range(1, 11))] * 2
    ours = [row[0] for row in table_of(section, "table-2-search").rows if row[0] != "paper"]
    assert "0" not in ours
    assert len(set(ours)) == 5


@pytest.mark.usefixtures("undrawn")
def test_the_finalists_have_a_table_of_their_own_and_stay_out_of_the_others(study_of, table_of):
    study = study_of(3, finalists=finalist_budget(2, 2, 700, 8))
    work_off(study)
    section = search_section(study)
    assert "the best mean of 2 finalists over 2 seeds each" in section.text[0]
    assert len(table_of(section, "finalists").rows) == 2
    assert len(table_of(section, "search-map").rows) == 3
    assert map_of(section).caption.endswith("Rings mark the chosen trial and the finalists.")


@pytest.mark.usefixtures("undrawn")
def test_of_a_single_one_there_is_no_plural(study_of, table_of):
    study = study_of(1, epochs=1)
    work_off(study)
    section = search_section(study)
    assert section.text[1].startswith("Study ages: 1 of 1 trial has finished, 1 of them with a value. ")
    assert "A trial's budget is 500 images, 1 epoch. " in section.text[1]
    assert table_of(section, "table-2-search").caption.startswith("Table II. The best trial, and below")


@pytest.mark.usefixtures("undrawn")
def test_finalists_are_marked_on_the_map_before_they_have_ended(study_of, monkeypatch):
    marked = []
    monkeypatch.setattr("search.report.search_sections.draw_map", lambda _map, numbers: marked.append(numbers) or b"")
    study = study_of(3, finalists=finalist_budget(2, 2, 700, 8))
    work_some(study, 4)
    section = search_section(study)
    best = {trial.number for trial in best_trials(study, 2)}
    assert marked == [best]
    assert map_of(section).caption.endswith("Rings mark the best trial and the finalists.")
    assert "the best single trial so far; the finalists have not ended" in section.text[0]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("pruning", "what"),
    [("median", "the MAE on 125 images of the validation split"), ("none", "the training MAE of each epoch")],
)
def test_trial_curves_are_called_what_was_reported(pruning, what, study_of):
    study = study_of(2, pruning=pruning)
    work_off(study, run_with_errors)
    (curves,) = (part for part in search_section(study).parts if part.name == "search-trial-curves")
    assert what in curves.caption
