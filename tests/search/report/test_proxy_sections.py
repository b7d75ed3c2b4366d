import math

import numpy as np
import pytest

from model.results.quantity import Quantity
from search.report.agreement import agreement
from search.report.proxy import Budget, Design, Proxy, experiment_of
from search.report.proxy_sections import draw_agreement, proxy_section
from search.report.sections import Words

EXPERIMENT = experiment_of(Design(3, (Budget(9, 2), Budget(5, 2)), Budget(40, 7), repeats=2), seed=0)
AGES = Quantity("years")
WORDS = Words("Trials", "Scores.", ("First.",), AGES)
REFERENCE = [5.0, 6.0, 8.0]
SCORES = {name: [[7.0, 7.5], [8.0, 9.0], [9.0, math.inf]] for name in ("paper", "default", "shorter")}


def found():
    judges = {name: agreement(np.array(scores), np.array(REFERENCE)) for name, scores in SCORES.items()}
    return Proxy(EXPERIMENT, judges, SCORES, REFERENCE)


def test_each_judge_has_a_row_with_its_agreement(table_of):
    rows = table_of(proxy_section(WORDS, found()), "proxy").rows
    assert [row[0] for row in rows] == list(SCORES)
    assert rows[0][1:3] == (3, 2)
    assert rows[0][3] == pytest.approx(1)
    assert " to 1.00" in rows[0][4]
    assert "-" not in rows[0][4]  # a minus, if it is below 0
    assert rows[0][7] == pytest.approx(math.sqrt((0.125 + 0.5) / 2))
    assert rows[0][8:] == (0, 0)


def test_the_recipe_of_the_reference_is_said_beside_trials_of_another():
    said = proxy_section(WORDS, found()).text[1]
    assert "for 7 epochs, always under the recipe default, by which trials of another recipe are judged, too." in said


def test_each_configuration_has_its_reference_and_mean_scores_with_what_is_missing_left_empty(table_of):
    rows = table_of(proxy_section(WORDS, found()), "proxy-configurations").rows
    assert [row[3] for row in rows] == REFERENCE
    assert [row[4] for row in rows] == [7.25, 8.5, None]


def test_the_text_says_what_the_reference_is():
    section = proxy_section(WORDS, found())
    assert section.text[0] == "First."
    assert "a training on 40 images for 7 epochs" in section.text[1]


@pytest.mark.parametrize("judges", [1, 3, 4, 5])
def test_any_number_of_judges_is_drawn_and_no_empty_frame_beside_them(judges, monkeypatch):
    drawn = []
    monkeypatch.setattr("search.report.proxy_sections.png", lambda figure: drawn.append(figure) or b"")
    draw_agreement({str(place): SCORES["paper"] for place in range(judges)}, REFERENCE, AGES)
    assert sum(axes.get_visible() for axes in drawn[0].axes) == judges


def test_a_judge_whose_trials_all_came_to_nothing_is_drawn_empty_and_leaves_the_others_their_axes(monkeypatch):
    drawn = []
    monkeypatch.setattr("search.report.proxy_sections.png", lambda figure: drawn.append(figure) or b"")
    draw_agreement({"none": [[math.inf]] * 3, "paper": SCORES["paper"]}, REFERENCE, AGES)
    low, high = drawn[0].axes[1].get_ylim()
    assert low < 5 < 8 < high
