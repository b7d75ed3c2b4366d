import pytest

from data.errors import DatasetError
from data.statistics import dataset_statistics
from search.report.dataset_sections import dataset_section


def test_table_1_stands_beside_the_papers(faces, table_of):
    section = dataset_section(faces)
    rows = {row[0]: row[1:] for row in table_of(section, "table-1-dataset").rows}
    ours = dataset_statistics(faces).splits["validation"]
    assert rows["validation"][:3] == (4, ours.mean, ours.sd)
    assert rows["validation"][-1] == ours.median_mae
    assert rows["validation, paper"] == (2315, 32.02, 18.23, 23, 29, 42, None)
    assert list(rows) == [name for split in ("training", "validation", "test") for name in (split, f"{split}, paper")]


def test_figure_1_and_the_datasets_identity_are_shown(faces):
    section = dataset_section(faces)
    assert section.parts[1].name == "figure-1-labels"
    assert section.parts[1].picture.startswith(b"\x89PNG")
    assert dataset_statistics(faces).digest in section.text[0]
    assert section.text[0].startswith("faces.h5: 91×91 grayscale images")


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(DatasetError):
        dataset_section(tmp_path / "none.h5")
