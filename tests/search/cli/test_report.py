import json
import re

import pytest

from search.report.declared import DECLARED, Size, experiment_of
from search.report.sections import Report, Section
from tests.integration import fake_study
from tests.search.tiny import write_fit

EXPERIMENTS = len(DECLARED) + 1  # and the proxy


@pytest.fixture
def made(monkeypatch):
    """What reports are made of, instead of making them."""
    seen = []

    def make(sources):
        seen.append(sources)
        return Report("Report", (), (Section("Result", ()),), sources.left_out)

    monkeypatch.setattr("search.report.report.make_report", make)
    return seen


@pytest.mark.usefixtures("faces")
def test_a_report_is_made_of_what_lies_where_the_other_commands_put_it(agesearch, made, study, tmp_path):
    write_fit(tmp_path / "runs/fit")
    ended = agesearch("report", "--data", "faces.h5")
    *left_out, last = ended.out.splitlines()
    assert (ended.code, last, ended.err) == (0, "runs/report/report.html: 0 figures, 0 tables", "")
    assert len(left_out) == EXPERIMENTS
    assert all(
        re.fullmatch(r"left out: .*: it was not run; 'agesearch experiment [a-z-]+' runs it", line) for line in left_out
    )
    (sources,) = made
    assert [str(path) for path in (sources.dataset, *sources.fits)] == ["faces.h5", "runs/fit"]
    assert sources.study.spec == study.spec
    assert (tmp_path / "runs/report/report.html").is_file()


def test_a_report_reads_and_writes_in_the_folder_of_the_setting_out(agesearch, made, monkeypatch, tmp_path):
    write_fit(tmp_path / "there/fit")
    monkeypatch.setenv("AGESEARCH_OUT", "there")
    assert agesearch("report").out.splitlines()[-1].startswith("there/report/report.html: ")
    assert [str(folder) for folder in made[0].fits] == ["there/fit"]


def test_what_there_is_not_is_left_out_and_said(agesearch, made, tmp_path):
    ended = agesearch("report", "--out", "here")
    assert (ended.code, ended.err) == (0, "")
    of_experiments = [line for line in ended.out.splitlines() if "agesearch experiment" in line]
    assert len(of_experiments) == EXPERIMENTS
    assert [line for line in ended.out.splitlines() if line not in of_experiments] == [
        "left out: Dataset: no dataset is named; give --data FILE.h5",
        f"left out: Search: no study storage at sqlite:///runs/study.db, in the folder {tmp_path}/runs; start one with "
        "'agesearch search'",
        "left out: Final fit and its errors: no fit is named and runs/fit holds none; give --fit DIR",
        "here/report.html: 0 figures, 0 tables",
    ]
    (sources,) = made
    assert (sources.dataset, sources.study, sources.fits) == (None, None, ())


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("named", [("--study", "age"), ("--storage", "sqlite:///none.db")])
def test_a_study_that_was_named_must_be_there(named, refused):
    assert "no study storage at" in refused("report", *named)


def test_experiments_are_reported_without_a_search_beside_them_though_it_was_named(agesearch, made, study):
    experiment = experiment_of(DECLARED[0], Size(5, 3, 2), 40)
    spec = fake_study.spec_of(experiment.slots, experiment=experiment, box=experiment.box)
    fake_study.create_or_resume(study.storage, f"other-{DECLARED[0].name}", spec)
    ended = agesearch("report", "--study", "other")
    assert ended.code == 0
    assert "left out: Search: no study 'other' in" in ended.out
    (sources,) = made
    assert (sources.study, [each.name for each in sources.experiments]) == (None, [f"other-{DECLARED[0].name}"])


def test_the_fits_that_were_named_are_reported_in_their_order(agesearch, made):
    agesearch("report", "--fit", "b", "--fit", "a/model.keras")
    assert [str(folder) for folder in made[0].fits] == ["b", "a"]


@pytest.mark.usefixtures("made")
def test_a_report_answers_as_json(agesearch):
    found = json.loads(agesearch("report", "--out", "here", "--json").out)
    assert (found["page"], found["sections"]) == ("here/report.html", ["Result"])
    assert found["left_out"][0] == {"title": "Dataset", "reason": "no dataset is named; give --data FILE.h5"}


def test_where_nothing_can_be_written_nothing_is_read(refused, made, tmp_path):
    (tmp_path / "out").touch()
    assert refused("report", "--out", "out").startswith("cannot write out/report.html")
    assert made == []
