import re

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from data.dataset import inspect_dataset
from search.errors import SearchError
from search.report import sections
from search.report.declared import Size, experiment_of
from search.report.page import page
from search.report.report import Sources, make_report, write_report
from search.report.sections import Column, LeftOut, Report, Section, Table
from search.space.box import Box
from search.space.ranges import Choices
from search.tasks.images.parameters import FIRST_BOX
from tests.integration import fake_study
from tests.integration.fake_study import finalist_budget
from tests.search.declared_experiments import BY_NAME
from tests.search.tiny import run_variant, work_off, write_fit, write_tiny

TABLE = Table("errors", "Errors.", (Column("MAE", ".1f"),), ((5.0,),))
SMALL = Report(
    "Report", (), (Section("Result", (), (TABLE, sections.Figure("curve", "", "", b"\x89PNG" + bytes(30)))),), ()
)


@pytest.mark.usefixtures("fake_model")
def test_everything_there_is_becomes_a_section_and_the_first_fit_is_the_one_reported(faces, study_of, tmp_path):
    study, digest = study_of(2), inspect_dataset(faces).digest
    work_off(study)
    folders = tuple(write_fit(tmp_path / f"fit-{more}", digest) for more in (2, 9))
    report = make_report(Sources(faces, study, folders, (LeftOut("Figure 2", "not run"),)))
    assert [section.title for section in report.sections] == [
        "Result",
        "Errors by age",
        "Best and worst predictions",
        "Final fit",
        "Search",
        "Dataset",
        "Network",
    ]
    assert report.left_out == (LeftOut("Figure 2", "not run"),)
    facts = report.facts
    assert [name for name, _ in facts] == ["made", "dataset", "study", "note", "model", "compared with"]
    assert facts[3][1].startswith(f"the study {study.name} was made on another dataset, with the digest ")
    assert facts[4:] == (("model", str(folders[0])), ("compared with", str(folders[1])))
    assert report.sections[0].text[0].startswith(f"{folders[0]}: test MAE ")
    names = [part.name for part in (*report.figures, *report.tables)]
    assert "comparison" in names
    assert len(set(report.figures)) == len({figure.name for figure in report.figures})
    assert len(report.tables) == len({table.name for table in report.tables})


@pytest.fixture
def drawn(monkeypatch):
    """All words in the figures that are drawn."""
    words = []

    def save(figure, *_, **__):
        words.extend(text.get_text() for text in figure.findobj(Text))
        return saved(figure, *_, **__)

    saved = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", save)
    return words


@pytest.mark.usefixtures("fake_model")
def test_a_report_on_digits_speaks_of_digits_and_neither_of_years_nor_of_ages_nor_of_the_papers_numbers(
    drawn, tmp_path
):
    digest = write_tiny(tmp_path / "data.h5", options='{"unit": "digits"}')
    storage = fake_study.new_storage(tmp_path)
    spec = fake_study.spec_of(3, finalists=finalist_budget(2, 2, 700, 8), unit="digits")
    study = fake_study.create_or_resume(storage, "search", spec)
    work_off(study)
    experiments = []
    for name in ("capacity", "training-length"):
        made = experiment_of(BY_NAME[name], Size(5, 3, 2), 40)
        own = fake_study.spec_of(made.slots, experiment=made, box=made.box, unit="digits")
        experiments.append(fake_study.create_or_resume(storage, name, own))
        work_off(experiments[-1], run_variant)
    folders = tuple(write_fit(tmp_path / f"fit-{more}", digest, unit="digits") for more in (2, 9))
    report = make_report(Sources(tmp_path / "data.h5", study, folders, (), tuple(experiments)))
    storage.engine.dispose()
    text = re.sub('data:image/png;base64,[^"]*', "", page(report))
    for words in (text, "\n".join(drawn)):
        assert re.findall(r"(?i)\b(?:years?|ages?|age-[a-z-]+)\b", words) == []
        assert "mean absolute error (digits)" in words or "test MAE (digits)" in words
    assert '<tr class="paper">' not in text
    assert report.title == "Image regression: the report"


def test_without_a_dataset_no_error_on_the_test_split_is_claimed(tmp_path):
    report = make_report(Sources(None, None, (write_fit(tmp_path / "fit-1"),)))
    assert [section.title for section in report.sections] == ["Final fit", "Network"]
    assert report.left_out == (LeftOut("Errors on the test split", "no dataset is named; give --data FILE.h5"),)


def test_a_fit_named_twice_is_refused(tmp_path):
    folder = write_fit(tmp_path / "fit-1")
    with pytest.raises(SearchError, match="--fit names the same folder twice"):
        make_report(Sources(None, None, (folder, folder)))


def test_an_ensembles_member_named_beside_it_by_any_path_is_refused(tmp_path):
    for place in (1, 2):
        write_fit(tmp_path / f"many/member-{place}")
    (tmp_path / "many/ensemble.toml").write_text("members = 2\n")
    (tmp_path / "link").symlink_to(tmp_path / "many/member-1")
    with pytest.raises(
        SearchError, match=r"--fit names the same folder twice: .*link; name it alone or in its ensemble"
    ):
        make_report(Sources(None, None, (tmp_path / "many", tmp_path / "link")))


def test_a_fit_of_another_unit_than_the_datasets_is_refused_though_it_is_a_member_or_not_the_first(faces, tmp_path):
    fit = write_fit(tmp_path / "fit-1", inspect_dataset(faces).digest)
    for place in (1, 2):
        write_fit(tmp_path / f"many/member-{place}", unit=("years", "mm")[place - 1])
    (tmp_path / "many/ensemble.toml").write_text("members = 2\n")
    with pytest.raises(SearchError, match="member-2 predicts values in mm, the dataset has them in years; give a data"):
        make_report(Sources(faces, None, (fit, tmp_path / "many")))


def test_the_page_names_the_files_beside_it(tmp_path):
    written = write_report(SMALL, tmp_path / "out")
    named = re.findall(r'<span class="file">([^<]+)</span>', written.read_text())
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert files == sorted(["files.sha256", "report.html", *named])
    assert named == ["tables/errors.csv", "figures/curve.png"]
    assert (tmp_path / "out/tables/errors.csv").read_text() == "MAE\n5.0\n"


def test_a_report_is_written_over_an_older_one_whose_figures_and_tables_are_removed(tmp_path):
    old = Table("old", "Old.", (Column("MAE", ".1f"),), ((6.0,),))
    write_report(Report("Report", (), (Section("Old", (), (old,)),), ()), tmp_path)
    assert (tmp_path / "tables/old.csv").exists()
    assert "Old" not in write_report(SMALL, tmp_path).read_text()
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["errors.csv"]


def test_a_network_that_is_searched_is_the_chosen_one_and_left_out_before_there_is_one(faces, study_of):
    study = study_of(1, box=Box((*FIRST_BOX.ranges, Choices("width", (8,)), Choices("batch_size", (16,)))))
    report = make_report(Sources(faces, study, ()))
    assert LeftOut("Network", "it is searched, and no trial has finished with a value yet") in report.left_out
    work_off(study)
    texts = {section.title: " ".join(section.text) for section in make_report(Sources(faces, study, ())).sections}
    assert texts["Network"].startswith("90,905 parameters")
    assert "A trial's budget is 500 images, 5 epochs." in texts["Search"]
