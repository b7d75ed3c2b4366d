import pytest

from model.results.quantity import Quantity
from search.report.declared import LENGTHS
from search.report.length_sections import length_section
from search.report.paper import TABLE_3
from search.report.sections import Figure, Words

WORDS = Words("Length", "Figures 5 and 6.", ("Said before.",), Quantity("years"))
TRAINING, VALIDATION = (tuple(top / epoch for epoch in range(1, 11)) for top in (10.0, 20.0))
BUMPY = (9.0, 8.0, 3.0, 7.0, 8.0, 6.0, 5.0, 4.0, 2.0, 4.5)


def section_of(training=(TRAINING,), validation=(BUMPY,), tested=None):
    nothing = {seed: {} for seed in range(len(training))}
    return length_section(WORDS, LENGTHS, training, validation, tested or nothing)


def test_a_shorter_training_is_read_off_the_longest_one(table_of):
    rows = table_of(section_of(), "table-3-lengths").rows
    assert [row[1:] for row in rows[:2]] == [(1, 10.0, 9.0, None), (6, pytest.approx(10 / 6), 6.0, None)]
    assert rows[4][1:] == (10, 1.0, 4.5, None)
    assert rows[1][0] == "6 epochs (for the paper's 600 epochs)"


def test_the_best_checkpoint_is_that_of_the_length_in_which_the_paper_kept_one(table_of):
    row = table_of(section_of(), "table-3-lengths").rows[3]
    assert row == ("best checkpoint of 8 epochs, seed 0", 3, pytest.approx(10 / 3), 3.0, None)  # not the ninth


def test_the_test_errors_are_those_of_the_networks_that_were_kept(table_of):
    first = {"epoch-1.keras": 9.5, "epoch-6.keras": 6.5, "best.keras": 3.5}
    rows = table_of(section_of(tested={0: first}), "table-3-lengths").rows
    assert [row[4] for row in rows[:5]] == [9.5, 6.5, None, 3.5, None]
    second = {"epoch-1.keras": 10.5, "best.keras": 4.5}
    rows = table_of(section_of((TRAINING,) * 2, (BUMPY, VALIDATION), {0: first, 1: second}), "table-3-lengths").rows
    assert [row[4] for row in rows[:6]] == [10.0, None, None, 3.5, 4.5, None]  # means over all seeds or none


def test_the_papers_rows_stand_below(table_of):
    rows = table_of(section_of(), "table-3-lengths").rows
    assert [row[-1] for row in rows[-3:]] == [row.test_loss for row in TABLE_3]


def test_several_seeds_are_averaged_and_have_a_checkpoint_each(table_of):
    section = section_of((TRAINING, TRAINING), (BUMPY, VALIDATION), {1: {}, 4: {}})  # the others diverged
    rows = table_of(section, "table-3-lengths").rows
    assert rows[0][3] == pytest.approx((9 + 20) / 2)
    assert [row[:2] for row in rows[3:5]] == [
        ("best checkpoint of 8 epochs, seed 1", 3), ("best checkpoint of 8 epochs, seed 4", 8),
    ]  # fmt: skip


def test_the_lengths_of_a_single_epoch_are_all_that_epoch(table_of):
    rows = table_of(section_of(((5.0,),), ((6.0,),)), "table-3-lengths").rows
    assert {row[1] for row in rows[:5]} == {1}


def test_the_curve_is_drawn_and_the_text_says_who_reads_the_test_split():
    section = section_of()
    assert [part.name for part in section.parts if isinstance(part, Figure)] == ["figure-5-6-lengths"]
    assert section.text[0] == "Said before."
    assert "'agesearch report' alone evaluates them on the test split" in section.text[1]
