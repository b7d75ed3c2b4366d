import json
from threading import Event

import pytest
import tomli_w

from search.errors import SearchError, SearchFailure, TrialStopped
from search.settings.settings import Settings
from search.tasks.program.configuration import read
from search.tasks.program.digests import digests
from search.tasks.program.fit import BEGUN, FILES, RESULT, fit_of, run_fit
from search.tasks.program.program import Program

OBJECTIVE = """
def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    (trial.folder / "kept.txt").write_text(json.dumps([trial.seed, trial.number, trial.final]))
    trial.report(x, 0)
    trial.report(float("nan"), 1)
    trial.set_user_attr("squared", x * x)
    trial.set_user_attr("note", "hello")
    return x * trial.budget["epochs"]

serve(objective)
"""


@pytest.fixture
def exported(write, tmp_path):
    """What `export` has of a program that is written here."""

    def make(body=OBJECTIVE):
        path = write(body)
        files = digests(Program(path=path.relative_to(tmp_path), folder=tmp_path))
        own = {"path": str(path), "threads": 1, "files": {"program": files["train.py"]}}
        shown = {"hyperparameters": {"x": 0.5}, "program": own, "budget": {"epochs": 2}, "trial": {"number": 7}}
        return shown | {"score": {"name": "error", "unit": "mm", "direction": "minimize"}}

    return make


@pytest.fixture
def fit_with(tmp_path):
    """Fit what a document says, by settings."""

    def run(document, stop=None, out="fit", **settings):
        chosen = read(document, tmp_path / "best.toml")
        seen = []
        result = run_fit(
            fit_of(Settings(**settings), chosen), tmp_path / out, stop or Event(), lambda *_: seen.append(_)
        )
        return result, seen

    return run


def test_the_program_runs_once_more_with_the_chosen_parameters_and_its_folder_is_kept(exported, fit_with, tmp_path):
    result, shown = fit_with(exported(), seed=3)
    assert (result["value"], result["measures"], result["reported"]) == (1.0, {"squared": 0.25}, [(0, 0.5), (1, None)])
    assert len(shown) == 2
    assert json.loads((tmp_path / "fit" / FILES / "kept.txt").read_text()) == [3, 7, True]
    assert json.loads((tmp_path / "fit" / FILES / "attributes.json").read_text()) == {"note": "hello"}
    stored = json.loads((tmp_path / "fit" / RESULT).read_text())
    assert (stored["params"], stored["budget"], stored["seed"]) == ({"x": 0.5}, {"epochs": 2}, 3)
    assert stored["files"].keys() == {"train.py"}


def test_the_setting_fit_overlays_the_budget_of_a_trial(exported, fit_with):
    result, _ = fit_with(exported(), fit={"epochs": 10, "more": 1})
    assert (result["value"], result["budget"]) == (5.0, {"epochs": 10, "more": 1})


def test_a_fit_that_has_ended_is_not_run_again(exported, fit_with, tmp_path):
    document = exported()
    fit_with(document)
    (tmp_path / "fit" / FILES / "kept.txt").unlink()
    result, _ = fit_with(document)
    assert result["value"] == 1.0
    assert not (tmp_path / "fit" / FILES / "kept.txt").exists()


def test_a_fit_that_was_interrupted_begins_anew_in_its_folder(exported, fit_with, tmp_path):
    document = exported()
    fit_with(document)
    (tmp_path / "fit" / RESULT).unlink()
    assert fit_with(document)[0]["value"] == 1.0
    assert (tmp_path / "fit" / RESULT).is_file()


@pytest.mark.parametrize(
    ("changed", "settings", "named"),
    [
        ({"hyperparameters": {"x": 0.6}}, {}, "params"),
        ({}, {"fit": {"epochs": 3}}, "budget"),
        ({}, {"seed": 1}, "seed"),
    ],
)
def test_a_folder_of_another_fit_is_refused_with_what_differs(exported, fit_with, changed, settings, named):
    document = exported()
    fit_with(document)
    with pytest.raises(SearchError, match=rf"another {named}; choose another --out"):
        fit_with(document | changed, **settings)


@pytest.mark.parametrize("name", [RESULT, "model.keras"])
def test_a_folder_with_files_that_it_did_not_write_is_refused(exported, fit_with, tmp_path, name):
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / name).write_text("{}")
    with pytest.raises(SearchError, match="choose another --out"):
        fit_with(exported())
    assert (tmp_path / "fit" / name).read_text() == "{}"


def test_a_changed_program_is_refused_by_name_unless_that_is_allowed(exported, fit_with, tmp_path):
    document = exported()
    with (tmp_path / "train.py").open("a") as file:
        file.write("\n# changed\n")
    with pytest.raises(SearchError, match=r"train\.py has changed"):
        fit_with(document)
    assert fit_with(document, allow_changed=True)[0]["value"] == 1.0


def test_a_program_that_is_elsewhere_now_is_asked_for(exported, fit_with, tmp_path):
    document = exported()
    (tmp_path / "there").mkdir()
    (tmp_path / "train.py").rename(tmp_path / "there/train.py")
    with pytest.raises(SearchError, match="--program"):
        fit_with(document)
    assert fit_with(document, program=tmp_path / "there/train.py")[0]["value"] == 1.0


@pytest.mark.parametrize(
    ("returned", "said"), [("float('nan')", "diverged"), ("1 / 0", "ZeroDivisionError"), ("early()", "ended early")]
)
def test_a_fit_without_a_value_fails_and_leaves_no_result(exported, fit_with, tmp_path, returned, said):
    early = "def early():\n    raise agesearch.TrialPruned\n\n"
    body = f"{early}def objective(trial):\n    return {returned}\n\nserve(objective)\n"
    with pytest.raises(SearchFailure, match=said) as failed:
        fit_with(exported(body))
    assert "it wrote" not in str(failed.value)  # which is on the screen already
    assert (tmp_path / "fit" / BEGUN).is_file()
    assert not (tmp_path / "fit" / RESULT).exists()


def test_a_stop_ends_the_program(exported, fit_with, tmp_path):
    stop = Event()
    stop.set()
    with pytest.raises(TrialStopped):
        fit_with(
            exported("def objective(trial):\n    while not trial.should_stop():\n        pass\n\nserve(objective)\n"),
            stop,
        )
    assert not (tmp_path / "fit" / RESULT).exists()


@pytest.mark.parametrize("settings", [{"data": "faces.h5"}, {"ensemble": 2}, {"seed": 2**31}])
def test_a_setting_that_says_nothing_to_a_program_is_refused_by_name(exported, fit_with, settings):
    with pytest.raises(SearchError, match=next(iter(settings))):
        fit_with(exported(), **settings)


def test_a_wrong_file_is_refused_with_the_place(exported, fit_with):
    document = exported()
    with pytest.raises(SearchError, match=r"hyperparameters\.x"):
        fit_with(document | {"hyperparameters": {"x": [1]}})
    with pytest.raises(SearchError, match="one of path and command"):
        fit_with(document | {"program": {}})


def test_the_command_prints_the_value_and_where_it_is(agesearch, exported, tmp_path):
    (tmp_path / "best.toml").write_text(tomli_w.dumps(exported()))
    ended = agesearch("fit", "best.toml", "--out", "fit", "--fit", "epochs=4", "--seed", "5")
    assert (ended.code, ended.out) == (0, f"fit/{RESULT}: error 2.000 mm\n")
    ended = agesearch("fit", "best.toml", "--out", "fit", "--fit", "epochs=4", "--seed", "5", "--json")
    assert (json.loads(ended.out)["value"], json.loads(ended.out)["folder"]) == (2.0, "fit")


@pytest.mark.parametrize("command", [("evaluate", "fit"), ("predict", "fit", "face.jpg"), ("report", "--fit", "fit")])
def test_what_is_for_images_refuses_the_fit_of_a_program(agesearch, refused, exported, tmp_path, command):
    (tmp_path / "best.toml").write_text(tomli_w.dumps(exported()))
    agesearch("fit", "best.toml", "--out", "fit")
    assert "the fit of a program" in refused(*command)
