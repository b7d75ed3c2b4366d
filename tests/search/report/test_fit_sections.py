from dataclasses import replace

import pytest

from model.results.evaluation import Evaluation
from search.report.fit_sections import fit_section, table_3
from search.report.paper import TABLE_3
from search.tasks.images.fit_record import read_fit
from tests.search.tiny import write_fit


@pytest.fixture
def fit(tmp_path):
    return read_fit(write_fit(tmp_path / "fit", "0f"))


def worth(mae):
    return Evaluation(100, mae, 0.1, 5.0, 9.0, 0.5, 14.0)


def test_table_3_has_every_split_and_below_what_the_paper_has(fit):
    found = {fit.name: {"training": worth(1.0), "validation": worth(6.0), "test": worth(6.5)}}
    ours, *papers = table_3([fit], found).rows
    assert ours == (
        f"{fit.name} (recipe default, learning rate 0.0001, L2 1e-05, batch 32, seed 3)",
        3, 2, 1.0, 6.0, 6.5, 0.05,
    )  # fmt: skip
    assert [row[3:6] for row in papers] == [(t.training_loss, t.validation_loss, t.test_loss) for t in TABLE_3]


def test_without_a_dataset_the_errors_are_missing_and_the_curve_is_shown(fit):
    section = fit_section([fit], {}, None)
    figure, table = section.parts
    assert table.rows[0][3:6] == (None, None, None)
    assert figure.picture.startswith(b"\x89PNG")
    assert "the lowest validation error is 7.50" in figure.alternative


def test_the_command_that_makes_a_fit_is_told(fit):
    assert fit_section([fit], {}, None).text[-1] == (
        f"{fit.name} is what 'agesearch fit CONFIGURATION --data DATASET --fit-epochs 3 --fit-threads 2 --seed 3' "
        "makes, with convolutions in float32."
    )


def test_the_command_tells_the_epochs_that_a_fit_has_come_to_whatever_was_asked_for(fit):
    asked = {**fit.settings, "epochs": 100, "patience": 20}
    assert replace(fit, settings={**asked, "time_limit": 9.0}).flags == "--fit-epochs 3 --fit-threads 2 --seed 3"
    strong = replace(fit, recipe="strong", settings=asked)
    assert strong.flags == "--fit-epochs 100 --fit-patience 20 --fit-threads 2 --seed 3"


def test_a_fit_on_another_dataset_is_told(fit):
    assert fit_section([fit], {}, "0f").text == fit_section([fit], {}, None).text
    said = fit_section([fit], {}, "1e").text[-1]
    assert said.startswith(f"{fit.name} was fitted on another dataset (digest 0f…)")
