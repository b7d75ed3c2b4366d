import json

import pytest

from search.errors import SearchFailure
from search.storage.database import open_storage
from search.study.study import load_study
from tests.search.tiny import run_variant, work_off, work_some

pytestmark = pytest.mark.usefixtures("coarse")

SMALL = ["--data", "faces.h5", "--precision", "float32", "--images", "5", "--epochs", "3", "--repeats", "2"]


@pytest.fixture(autouse=True)
def launched(monkeypatch):
    """Run the trials in this process, in no time; how many is for a test to change."""
    limit = {}

    def launch(_settings, study, _watch):
        if "count" in limit:
            if limit["count"]:
                work_some(study, limit["count"], run_variant)
            return False
        work_off(study, run_variant)
        return True

    monkeypatch.setattr("search.tasks.working.launch_workers", launch)
    return limit


@pytest.mark.usefixtures("faces")
def test_an_experiment_prints_a_table_and_writes_its_figures_and_tables(agesearch, tmp_path):
    ended = agesearch("experiment", "batch-size", *SMALL)
    assert (ended.code, ended.err) == (0, "")
    assert "variant  seeds  epochs" in ended.out
    assert "\n32           2       3" in ended.out
    folder = tmp_path / "runs/experiments/age-batch-size"
    assert ended.out.splitlines()[-2:] == [
        "runs/experiments/age-batch-size/figures/batch-size.png",
        "runs/experiments/age-batch-size/tables/batch-size.csv",
    ]
    assert (folder / "figures/batch-size.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "tables/batch-size.csv").read_text().startswith("variant,seeds,")


@pytest.mark.usefixtures("faces")
def test_an_experiment_answers_a_program_with_its_tables(agesearch):
    found = json.loads(agesearch("experiment", "capacity", *SMALL, "--json").out)
    assert found["study"] == "age-capacity"
    assert [row["seed"] for row in found["tables"]["capacity"]] == ["seed 0", "seed 1"]
    assert len(found["files"]) == 2


@pytest.mark.usefixtures("faces")
def test_an_experiment_that_has_nothing_to_show_yet_says_why_to_people_and_programs(agesearch, launched):
    launched["count"] = 0
    assert agesearch("experiment", "capacity", *SMALL).out.startswith("Is the network complex enough?: no trial of it")
    found = json.loads(agesearch("experiment", "capacity", *SMALL, "--json").out)
    assert found["study"] == "age-capacity"
    assert found["left_out"]["title"] == "Is the network complex enough?"
    assert found["left_out"]["reason"] == "no trial of it has finished with a value yet in 'age-capacity'"


@pytest.mark.usefixtures("faces")
def test_the_proxy_has_a_design_of_its_own(agesearch):
    flags = ["--budgets", "5x2,3x2", "--configurations", "4", "--epochs", "2", "--repeats", "2"]
    found = json.loads(agesearch("experiment", "proxy", *SMALL[:4], *flags, "--json").out)
    assert [row["a trial's recipe and budget"] for row in found["tables"]["proxy"]] == [
        "paper, 5 images × 2 epochs", "default, 5 images × 2 epochs", "default, 3 images × 2 epochs",
    ]  # fmt: skip
    study = load_study(open_storage("sqlite:///runs/study.db"), "age-proxy")
    assert {each.budget["images"] for each in study.spec.experiment.variants if each.group == "reference"} == {6}


@pytest.mark.usefixtures("faces")
def test_the_proxy_s_budgets_are_no_larger_than_the_dataset(refused):
    said = refused("experiment", "proxy", *SMALL[:4], "--budgets", "5x2,7x2")
    assert said == "budgets is '5x2,7x2', but the dataset has 6 training images; give --budgets of 6 or fewer"


@pytest.mark.usefixtures("faces")
def test_an_experiment_that_is_stopped_shows_what_there_is_and_ends_as_ctrl_c_does(agesearch, launched):
    launched["count"] = 1
    ended = agesearch("experiment", "batch-size", *SMALL)
    assert ended.code == 130
    assert "3 of them have no value" in ended.out


@pytest.mark.usefixtures("faces")
def test_an_experiment_that_is_stopped_while_the_storage_is_away_ends_as_ctrl_c_does_too(
    agesearch, launched, monkeypatch
):
    def away(*_):
        raise SearchFailure("the storage cannot be used: connection refused")

    monkeypatch.setattr("search.report.experiments.experiment_section", away)
    launched["count"] = 1
    ended = agesearch("experiment", "batch-size", *SMALL)
    assert (ended.code, ended.err) == (130, "")


@pytest.mark.usefixtures("faces")
def test_an_experiment_belongs_to_the_study_that_is_named_and_is_reported_with_it(agesearch):
    agesearch("experiment", "dropout", *SMALL, "--study", "faces")
    answer = agesearch("report", "--storage", "sqlite:///runs/study.db", "--json")
    assert "no study 'age'" in answer.err
    from search.report.experiments import experiments_beside

    found = experiments_beside(open_storage("sqlite:///runs/study.db"), "faces")
    assert [name for name, each in found.items() if each] == ["dropout"]


@pytest.mark.usefixtures("faces")
def test_a_report_shows_the_experiments_that_were_run_and_names_the_others(agesearch, tmp_path):
    agesearch("experiment", "dropout", *SMALL)
    made = json.loads(agesearch("report", "--json").out)
    assert "Dropout" in made["sections"]
    missing = {each["title"]: each["reason"] for each in made["left_out"]}
    assert missing["Batch size"] == "it was not run; 'agesearch experiment batch-size' runs it"
    assert "Dropout" not in missing
    assert (tmp_path / "runs/report/figures/dropout.png").is_file()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["batch-size"], "no dataset is named"),
        (["capacity", "--data", "faces.h5", "--precision", "float32"], "images is 20"),
        (["dropout", "--data", "faces.h5", "--epochs", "0"], "greater than or equal to 1"),
        (["proxy", "--data", "faces.h5", "--budgets", "5"], "budgets are '5'; write images x epochs"),
        (["nothing"], "no such command 'nothing'"),
    ],
)
@pytest.mark.usefixtures("faces")
def test_what_is_no_experiment_is_refused_in_one_sentence(command, said, refused):
    assert said in refused("experiment", *command)


@pytest.mark.usefixtures("faces")
def test_an_experiment_chooses_no_configuration(agesearch, refused):
    agesearch("experiment", "batch-size", *SMALL)
    assert "compares variants and chooses none" in refused("export", "--study", "age-batch-size")
    status = agesearch("status", "--study", "age-batch-size")
    assert "variants: 4/4 finished" in status.out
