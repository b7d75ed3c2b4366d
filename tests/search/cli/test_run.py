import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.dataset import inspect_dataset
from model.results.evaluation import Evaluation
from model.results.quantity import Quantity
from model.training.final_fit import FitState
from model.training.history import Epoch
from search.cli import run as command
from search.settings.settings import Settings
from search.tasks.images.baseline import median_error
from search.tasks.images.evaluating import FitEvaluation
from search.tasks.working import prepare_study
from tests.search.tiny import work_off

DONE = FitState(None, (Epoch(1, 9.0, 8.0, 1.0, True), Epoch(2, 7.0, 8.5, 1.0, False)), None)
FOUND = FitEvaluation("test", Quantity("years"), Evaluation(3, 7.0, 0.5, 6.0, 8.0, 0.1, 14.0), None)


@pytest.fixture
def chain(agesearch, monkeypatch):
    """The chain, of which no part takes any time: how to `run` it, what was `done`, and whether the search `ends`."""
    chain = SimpleNamespace(done=[], ends=True, members=("",), run=lambda *arguments: agesearch("run", *arguments))

    def search_to_the_end(settings):
        chain.done.append(("search", settings, settings.data))
        work_off(prepare_study(settings))
        return chain.ends

    def fit_to_the_end(settings, configuration, out, any_dataset):
        chain.done.append(("fit", settings, configuration, out, any_dataset))
        return {out / member: DONE for member in chain.members}

    def evaluate_fit(folder, dataset, split):
        chain.done.append(("evaluate", folder, dataset, split))
        return FOUND

    monkeypatch.setattr(command, "search_to_the_end", search_to_the_end)
    monkeypatch.setattr("search.cli.fit.fit_to_the_end", fit_to_the_end)
    monkeypatch.setattr("search.tasks.images.evaluating.evaluate_fit", evaluate_fit)
    monkeypatch.setattr(command, "DEMONSTRATION_IMAGES", (7, 4, 3))
    monkeypatch.setitem(command.DEMONSTRATION, "images", 5)
    monkeypatch.setenv("AGESEARCH_PRECISION", "float32")
    return chain


def test_a_range_in_the_space_takes_the_place_of_the_small_budgets(chain):
    ended = chain.run("--space", "learning_rate=log:1e-4:1e-2")
    assert ended.code == 0, ended.err
    (each,) = [one for one in chain.done[0][1].space if one.name == "learning_rate"]
    assert (each.low, each.high) == (1e-4, 1e-2)


def test_without_a_dataset_faces_are_drawn_and_the_budget_is_small(chain, tmp_path):
    ended = chain.run()
    assert ended.code == 0, ended.err
    (_, settings, dataset), fit, evaluated = chain.done
    assert str(dataset) == "runs/synthetic.h5"
    assert inspect_dataset(tmp_path / dataset).counts == {"training": 7, "validation": 4, "test": 3}
    assert (settings.trials, settings.images, settings.epochs) == ((3, 3), 5, 3)
    assert (settings.fit_epochs, settings.fit_minutes) == (12, 1.5)
    assert (str(fit[2]), str(fit[3]), fit[4]) == ("runs/best.toml", "runs/fit", False)
    assert (str(evaluated[1]), evaluated[3]) == ("runs/fit", "test")
    assert tomllib.loads((tmp_path / "runs/best.toml").read_text())["hyperparameters"]


def test_what_the_user_says_wins_over_the_small_budget(chain):
    ended = chain.run("--trials", "3,2", "--images", "6", "--seed", "5", "--out", "there")
    assert ended.code == 0, ended.err
    (_, settings, dataset), fit, _ = chain.done
    assert (settings.trials, settings.images, settings.epochs) == ((3, 2), 6, 3)
    assert str(dataset) == "there/synthetic.h5"
    assert fit[1].seed == 5


def test_run_again_with_nothing_told_goes_on_with_what_the_study_was_made_with(chain):
    assert chain.run("--trials", "2,2", "--seed", "5").code == 0
    ended = chain.run()
    assert ended.code == 0, ended.err
    first, again = (done[1] for done in chain.done if done[0] == "fit")
    assert (first.seed, again.seed) == (5, 5)
    assert (again.fit_epochs, again.fit_minutes) == (12, 1.5)


def test_a_folder_with_another_study_s_results_is_refused_before_the_search(chain, tmp_path):
    assert chain.run().code == 0
    before, steps = (tmp_path / "runs/best.toml").read_bytes(), len(chain.done)
    ended = chain.run("--study", "other")
    assert (ended.code, len(chain.done)) == (2, steps)
    assert "runs/best.toml is of the study 'age' in sqlite:///runs/study.db; choose another --out" in ended.err
    ended = chain.run("--storage", "sqlite:///other.db")
    assert (ended.code, len(chain.done)) == (2, steps)
    assert "choose another --out for 'age' in sqlite:///other.db" in ended.err
    assert (tmp_path / "runs/best.toml").read_bytes() == before


def test_faces_that_were_drawn_are_not_drawn_again(chain, tmp_path):
    chain.run()
    before = (tmp_path / "runs/synthetic.h5").stat().st_mtime_ns
    assert chain.run().code == 0
    assert (tmp_path / "runs/synthetic.h5").stat().st_mtime_ns == before


def test_a_dataset_of_the_users_gets_the_full_budget(chain, faces):
    ended = chain.run("--data", "faces.h5", "--images", "6", "--trials", "2,1")
    assert ended.code == 0, ended.err
    (_, settings, dataset), *_ = chain.done
    assert str(dataset) == faces.name
    assert (settings.epochs, settings.fit_epochs) == (5, 50)


def test_it_ends_by_saying_where_everything_is_and_what_to_type_next(chain):
    lines = chain.run().out.splitlines()
    assert any(line.startswith("test MAE 7.000 ± 0.500 years over 3 images") for line in lines)
    for name, place in (
        ("dataset", "runs/synthetic.h5"),
        ("study", "sqlite:///runs/study.db"),
        ("best configuration", "runs/best.toml"),
        ("network", "runs/fit/model.keras"),
        ("workers' logs", "runs/logs/age"),
    ):
        assert any(line.startswith(name) and line.endswith(place) for line in lines)
    after = [line.removeprefix("  agesearch ") for line in lines[lines.index("next:") + 1 :]]
    study = "--study age --storage sqlite:///runs/study.db"
    assert after == [
        "dashboard --storage sqlite:///runs/study.db",
        f"status {study}",
        f"export {study} --out runs/best.toml",
        f"report {study} --data runs/synthetic.h5 --fit runs/fit --out runs/report",
        "predict runs/fit FACE.jpg",
        "data build FOLDER_OR_ARCHIVE --out faces.h5",
        "run --data faces.h5 --study faces --out runs/faces",
    ]


def test_the_commands_to_type_next_have_no_password_and_nothing_in_its_place():
    lines = command._next(Settings(storage="postgresql+psycopg://me:secret@db/ages"), Path("best.toml"), Path("fit"))
    (status,) = (line for line in lines if " status " in line)
    assert status.endswith(" status --study age --storage postgresql+psycopg://me@db/ages")
    assert "***" not in "".join(lines)


def test_each_network_of_an_ensemble_is_named(chain):
    chain.members = ("member-1", "member-2")
    lines = chain.run().out.splitlines()
    networks = [line.split()[-1] for line in lines if line.startswith("network ")]
    assert networks == ["runs/fit/member-1/model.keras", "runs/fit/member-2/model.keras"]


def test_a_program_is_answered_with_what_each_part_answers(chain, tmp_path):
    ended = chain.run("--json")
    found = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    places = {name: found[name] for name in ("dataset", "configuration", "logs")}
    assert places == {"dataset": "runs/synthetic.h5", "configuration": "runs/best.toml", "logs": "runs/logs/age"}
    assert [stage["counts"]["finished"] for stage in found["search"]["stages"]] == [3, 3, 4]
    assert len(found["search"]["top"]) == 5
    assert found["search"]["baseline"]["score"] == median_error(tmp_path / "runs/synthetic.h5")
    assert [(fit["folder"], fit["kept_epoch"]) for fit in found["fits"]] == [("runs/fit", 1)]
    assert found["evaluation"] == FOUND.as_dict()


def test_a_search_that_is_stopped_ends_the_chain_with_exit_code_130(chain):
    chain.ends = False
    ended = chain.run()
    assert ended.code == 130
    assert "the same command goes on from here" in ended.err
    assert [part[0] for part in chain.done] == ["search"]
