"""The paper's numbers, against its text where that is at hand."""

import re
from pathlib import Path

import pytest

from search.report import paper

TEXT = Path(__file__).parents[4] / "shared/paper/age_estimation_report.txt"


@pytest.fixture(scope="module")
def lines():
    if not TEXT.is_file():
        pytest.skip(f"the paper's text is not at {TEXT}")
    return [tuple(re.sub(r"</?b>", "", cell) for cell in line.split("\t")) for line in TEXT.read_text().splitlines()]


def test_table_1_is_the_papers(lines):
    names = {"training": "Training", "validation": "Validation", "test": "Testing"}
    for name, split in paper.TABLE_1.items():
        row = (split.count, split.mean, split.sd, split.quartile_1, split.median, split.quartile_3)
        assert next(tuple(map(float, cells[1:])) for cells in lines if cells[0] == names[name]) == row


def test_table_2_is_the_papers(lines):
    rows = [(t.validation_loss, t.training_loss, t.log_learning_rate, t.log_l2) for t in paper.TABLE_2]
    start = next(place for place, cells in enumerate(lines) if cells[0] == "Validation Loss")
    assert [tuple(map(float, cells)) for cells in lines[start + 1 : start + 6]] == rows


def test_table_3_is_the_papers(lines):
    rows = [(fit.training_loss, fit.validation_loss, fit.test_loss) for fit in paper.TABLE_3]
    start = next(place for place, cells in enumerate(lines) if cells[0] == "Training amount")
    assert [tuple(map(float, cells[1:])) for cells in lines[start + 1 : start + 4]] == rows
    assert paper.TABLE_3[-1].test_loss == paper.BEST_TEST_LOSS


def test_single_numbers_are_in_the_papers_text(lines):
    text = "\n".join("\t".join(cells) for cells in lines)
    for said in (
        f"**{paper.CAPACITY_MAE}** MAE",
        f"lowest testing set loss {paper.LOWEST_TEST_LOSS}",
        f"Total params: {paper.PARAMETERS:,}",
    ):
        assert said in text
    assert paper.CHOSEN == 1e-4
    assert "$10^{-4}$" in text
