from dataclasses import replace

import numpy as np
import pytest

from data.arrays import Split
from model.results.evaluation import evaluate
from model.results.quantity import Quantity
from search.report.result_sections import FittedModel, by_name, comparison_table, result_sections, result_table
from search.results.paired import compare

LABELS = np.array([5, 10, 22, 25, 38, 61, 80], np.float32)
TEST = Split(
    np.arange(7 * 9, dtype=np.uint8).reshape(7, 3, 3, 1), LABELS, tuple(f"{place}.jpg" for place in range(len(LABELS)))
)


def model(name, *errors):
    predictions = LABELS + np.array(errors, np.float32)
    return FittedModel(name, predictions, evaluate(predictions, LABELS), Quantity("years"))


FIRST, SECOND = model("first", 0, -1, 2, 3, -4, 5, -6), model("second", 9, 8, 7, 6, 5, 4, 3)


@pytest.fixture(scope="module")
def sections():
    return {section.title: section for section in result_sections(TEST, [FIRST, SECOND])}


def test_the_result_has_its_standard_error_and_the_papers_beside_it(sections):
    found = FIRST.evaluation
    said = sections["Result"].text[0]
    assert said.startswith(f"first: test MAE 3.000 ± {found.standard_error:.3f} years (standard error) over 7 images.")
    assert said.endswith(f"Always answering the split's own median would score {found.constant_mae:.2f}.")
    rows = result_table([FIRST]).rows
    assert rows[0][:3] == ("first", 3.0, found.standard_error)
    assert [row[1] for row in rows[1:]] == [6.4457, 6.22]


def test_other_models_are_compared_with_the_first_on_the_same_images(sections):
    (row,) = comparison_table([FIRST, SECOND], LABELS).rows
    found = compare(FIRST.predictions, SECOND.predictions, LABELS)
    assert row[:4] == ("second", found.mean, found.low, found.high)
    assert row[4] == ("tied" if found.tied else "better")
    assert comparison_table([SECOND, FIRST], LABELS).rows[0][4] in ("tied", "worse")
    assert [part.name for part in sections["Result"].parts] == ["result", "comparison"]


def test_several_comparisons_are_said_to_stand_alone():
    caption = comparison_table([FIRST, SECOND, FIRST], LABELS).caption
    assert caption.endswith("Each interval stands alone: none is adjusted for how many there are.")


def test_a_single_model_is_compared_with_none():
    (table,) = result_sections(TEST, [FIRST])[0].parts
    assert table.name == "result"


def test_the_best_and_the_worst_four_are_those_of_the_smallest_and_the_largest_error(sections, table_of):
    section = sections["Best and worst predictions"]
    rows = table_of(section, "figure-7-8-images").rows
    assert [row[1] for row in rows if row[0] == "best"] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert [row[1] for row in rows if row[0] == "worst"] == ["6.jpg", "5.jpg", "4.jpg", "3.jpg"]
    assert rows[4][2:] == (80.0, 74.0, 6.0)
    assert section.parts[0].alternative.startswith("true 5, predicted 5.0; true 10, predicted 9.0")


def test_what_was_predicted_has_the_digits_that_the_labels_spread_asks_for(table_of):
    labels, errors = 100000 + LABELS, np.array([0, 1, 2, 3, -4, 5.25, -6], np.float32)
    predictions = labels + errors
    pressure = FittedModel("first", predictions, evaluate(predictions, labels), Quantity("hPa"))
    *_, errors_by_value, shown = result_sections(replace(TEST, labels=labels), [pressure])
    assert shown.parts[1].alternative.startswith("true 100080, predicted 100074.00; true 100061, predicted 100066.25; ")
    first = table_of(errors_by_value, "error-by-value-groups").shown()[0]
    assert first[-2:] == ["100005.0", "100005.0"]


def test_every_image_of_the_test_split_is_in_one_age_group(sections, table_of):
    section = sections["Errors by age"]
    for name in ("error-by-age-groups", "calibration-groups"):
        assert sum(row[1] for row in table_of(section, name).rows) == len(LABELS)
    assert table_of(section, "error-by-age-groups").rows[0][:3] == ("0–9", 1, 0.0)


def test_models_are_evaluated_on_every_split_they_have_predictions_of():
    found = by_name({"first": {"test": FIRST.predictions}}, {"test": TEST})
    assert found == {"first": {"test": FIRST.evaluation}}


def test_over_a_single_image_models_are_shown_and_not_compared():
    one = Split(TEST.images[:1], LABELS[:1], TEST.names[:1])
    models = [
        FittedModel(name, LABELS[:1] + error, evaluate(LABELS[:1] + error, LABELS[:1]), Quantity("mm"))
        for name, error in (("first", np.float32(1)), ("second", np.float32(2)))
    ]
    result = result_sections(one, models)[0]
    assert [part.name for part in result.parts] == ["result"]
