import tomllib

import pytest

from data.dataset import inspect_dataset
from model.evaluation import Evaluation
from model.quantity import Quantity
from search.commands import run as command
from search.fit.evaluating import FitEvaluation
from search.processes.searching import prepare_study
from tests.search.tiny import work_off

FOUND = FitEvaluation("test", Quantity("years"), Evaluation(3, 7.0, 0.5, 6.0, 8.0, 0.1, 14.0), None)


@pytest.fixture
def chain(monkeypatch):
    """The parts of the chain, in the order in which they are run; none of them takes any time."""
    done = []

    def search_to_the_end(settings, dataset):
        done.append(("search", settings, dataset))
        work_off(prepare_study(settings, dataset))
        return chain.ends

    def fit_to_the_end(settings, configuration, out, seed, any_dataset):
        done.append(("fit", settings, configuration, out, seed, any_dataset))

    def evaluate_fit(folder, dataset, split):
        done.append(("evaluate", folder, dataset, split))
        return FOUND

    monkeypatch.setattr(command, "search_to_the_end", search_to_the_end)
    monkeypatch.setattr("search.commands.fit.fit_to_the_end", fit_to_the_end)
    monkeypatch.setattr("search.fit.evaluating.evaluate_fit", evaluate_fit)
    monkeypatch.setattr(command, "DEMONSTRATION_IMAGES", (7, 4, 3))
    monkeypatch.setitem(command.DEMONSTRATION, "images", 5)
    monkeypatch.setenv("AGESEARCH_PRECISION", "float32")
    chain.ends = True
    return done


@pytest.fixture
def runs(agesearch, chain, monkeypatch):
    def run(*arguments):
        monkeypatch.setenv("AGESEARCH_PRECISION", "float32")
        return agesearch("run", *arguments)

    run.chain = chain
    return run


def test_without_a_dataset_faces_are_drawn_and_the_budget_is_small(runs, tmp_path):
    ended = runs()
    assert ended.code == 0, ended.err
    (_, settings, dataset), fit, evaluated = runs.chain
    assert str(dataset) == "runs/synthetic.h5"
    assert inspect_dataset(tmp_path / dataset).counts == {"training": 7, "validation": 4, "test": 3}
    assert (settings.trials, settings.images, settings.epochs) == ((3, 3), 5, 3)
    assert (settings.fit_epochs, settings.fit_minutes) == (12, 1.5)
    assert (str(fit[2]), str(fit[3]), fit[5]) == ("runs/best.toml", "runs/fit", False)
    assert (str(evaluated[1]), evaluated[3]) == ("runs/fit", "test")
    assert tomllib.loads((tmp_path / "runs/best.toml").read_text())["hyperparameters"]


def test_what_the_user_says_wins_over_the_small_budget(runs, monkeypatch):
    monkeypatch.setattr(command, "DEMONSTRATION_IMAGES", (7, 4, 3))
    ended = runs("--trials", "3,2", "--images", "6", "--seed", "5", "--out", "there")
    assert ended.code == 0, ended.err
    (_, settings, dataset), fit, _ = runs.chain
    assert (settings.trials, settings.images, settings.epochs) == ((3, 2), 6, 3)
    assert str(dataset) == "there/synthetic.h5"
    assert fit[4] == 5


def test_faces_that_were_drawn_are_not_drawn_again(runs, tmp_path):
    runs()
    before = (tmp_path / "runs/synthetic.h5").stat().st_mtime_ns
    assert runs().code == 0
    assert (tmp_path / "runs/synthetic.h5").stat().st_mtime_ns == before


def test_a_dataset_of_the_users_gets_the_full_budget(runs, faces):
    ended = runs("--data", "faces.h5", "--images", "6", "--trials", "2,1")
    assert ended.code == 0, ended.err
    (_, settings, dataset), *_ = runs.chain
    assert str(dataset) == faces.name
    assert (settings.epochs, settings.fit_epochs) == (5, 50)


def test_it_ends_by_saying_where_everything_is_and_what_to_type_next(runs):
    lines = runs().out.splitlines()
    assert any(line.startswith("test MAE 7.000 ± 0.500 years over 3 images") for line in lines)
    for name, place in (
        ("dataset", "runs/synthetic.h5"),
        ("study", "sqlite:///runs/study.db"),
        ("best configuration", "runs/best.toml"),
        ("network", "runs/fit/model.keras"),
        ("workers' logs", "runs/logs/age"),
    ):
        assert any(line.startswith(name) and line.endswith(place) for line in lines)
    after = lines[lines.index("next:") + 1 :]
    assert len(after) >= 5
    assert all(line.startswith("  agesearch ") for line in after)


def test_a_search_that_is_stopped_ends_the_chain_with_exit_code_130(runs):
    chain.ends = False
    assert runs().code == 130
    assert [part[0] for part in runs.chain] == ["search"]
