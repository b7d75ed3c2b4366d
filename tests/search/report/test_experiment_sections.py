import pytest

from model.results.quantity import Quantity
from search.report.experiment_sections import capacity_section, variants_section
from search.report.pairing import Apart
from search.report.sections import Figure, Words

WORDS = Words("Batch norm", "Figure 3.", (), Quantity("years"))
CURVES = {"training": [[9.0, 5.0], [8.0, 4.0]], "validation": [[10.0, 8.0], [9.0, 9.5]]}


def test_capacity_counts_the_seeds_that_learn_and_the_best_error(table_of):
    section = capacity_section(WORDS, 20, {"seed 0": [20.0, 0.4, 0.6], "seed 1": [22.0, 11.0], "seed 2": [9.0, 0.03]})
    assert section.text == (
        "20 training images, no regularisation: the best of 3 initialisations reaches a training MAE of 0.0300 years, "
        "the paper 0.067; 2 of them learn the images (at most 0.5).",
    )
    rows = table_of(section, "capacity").rows
    assert rows == (("seed 0", 3, 0.4), ("seed 1", 2, 11.0), ("seed 2", 2, 0.03))


def test_whether_values_of_another_unit_are_learnt_is_for_the_reader_to_say():
    words = Words("Capacity", "Figure 2.", (), Quantity("m"))
    section = capacity_section(words, 20, {"seed 0": [0.25, 0.25]})
    assert section.text[0].endswith("the best of 1 initialisations reaches a training MAE of 0.250 m.")


def test_variants_are_compared_by_the_means_of_their_seeds(table_of):
    section = variants_section(WORDS, "figure-3", {"none": CURVES}, {})
    (row,) = table_of(section, "figure-3").rows
    assert row == ("none", 2, 2, 4.5, 8.75, 8.5, pytest.approx(0.5), None, None)


def test_variants_but_the_first_have_their_difference_to_it(table_of):
    section = variants_section(WORDS, "figure-3", dict.fromkeys("ab", CURVES), {"b": Apart(-0.5, 0.25)})
    table = table_of(section, "figure-3")
    assert [column.heading for column in table.columns[-2:]] == [
        "difference to the first (years)",
        "± paired standard error",
    ]
    assert [row[-2:] for row in table.rows] == [(None, None), (-0.5, 0.25)]
    assert b",-0.5,0.25" in table.to_csv()


@pytest.mark.parametrize(("count", "names"), [(3, ["figure-3"]), (4, ["figure-3-1", "figure-3-2"])])
def test_a_fourth_variant_begins_another_row(count, names):
    section = variants_section(WORDS, "figure-3", dict.fromkeys("abcd"[:count], CURVES), {})
    assert [part.name for part in section.parts if isinstance(part, Figure)] == names


def test_a_single_seed_has_no_standard_error(table_of):
    one = {name: runs[:1] for name, runs in CURVES.items()}
    section = variants_section(WORDS, "figure-3", {"none": one}, {})
    assert table_of(section, "figure-3").rows[0][6] is None
