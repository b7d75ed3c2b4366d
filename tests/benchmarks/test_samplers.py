"""The short form of the comparison of samplers: a surrogate of made-up trials, and the smallest of searches on it."""

import csv
import json

import numpy as np
import pytest

from search.space.seeds import shares
from search.tasks.images.parameters import FIRST_BOX
from tests.benchmarks import samplers
from tests.benchmarks.samplers import Outcome, reached, table
from tests.benchmarks.surrogate import NAMES, Surrogate, from_csv, from_study
from tests.integration import fake_study as fake
from tests.search.tiny import work_off

NOISE = 0.2


def true_score(points):
    x, y = points[:, 0], points[:, 1]
    return 10 + (x + 4) ** 2 + 0.2 * (y + 3) ** 2


@pytest.fixture(scope="module")
def recorded():
    points = np.log10([list(FIRST_BOX.at(shares("sobol", 1, 1, slot, 2)).values()) for slot in range(40)])
    return points, true_score(points) + NOISE * np.random.default_rng(2).standard_normal(len(points))


@pytest.fixture
def table_file(recorded, tmp_path):
    with (tmp_path / "trials.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*NAMES, "score"])
        writer.writerows([*10**point, score] for point, score in zip(*recorded, strict=True))
    return tmp_path / "trials.csv"


def test_the_surrogate_finds_the_function_its_noise_and_how_far_it_can_be_believed(recorded):
    surrogate = Surrogate.fitted(*recorded)
    inside = np.array([[-4.5, -4.0], [-4.0, -3.0], [-3.5, -1.0]])
    assert surrogate.true(inside) == pytest.approx(true_score(inside), abs=0.3)
    assert surrogate.best == pytest.approx(10, abs=0.3)
    assert NOISE / 2 < surrogate.noise < NOISE * 2
    error, agreement = surrogate.quality()
    assert NOISE / 2 < error < 5 * NOISE
    assert agreement > 0.9


def test_a_left_out_trial_is_predicted_as_by_a_surrogate_without_it(recorded):
    points, scores = recorded
    surrogate = Surrogate.fitted(points, scores - scores.mean())
    rest = Surrogate(points[1:], surrogate.scores[1:], surrogate.logs)
    # The mean and the deviation of the rest are other ones, by a little; its kernel's lengths are of the same box.
    assert surrogate.left_out()[0] == pytest.approx(rest.true(points[:1])[0], abs=0.3)


def test_recorded_trials_are_read_from_a_table_and_from_a_study(table_file, recorded, tmp_path):
    points, scores = from_csv(table_file)
    assert points == pytest.approx(recorded[0])
    assert scores == pytest.approx(recorded[1])
    study = fake.new_study(tmp_path, fake.spec_of(9))
    work_off(study)
    points, scores = from_study(study.storage.url, study.name)
    trials = [trial for _, trial in fake.finished(study)]
    assert 10 ** points[:, 0] == pytest.approx([params["learning_rate"] for params, _ in trials])
    assert scores.tolist() == [value for _, value in trials]
    study.storage.engine.dispose()


def test_the_table_tells_what_was_chosen_and_how_soon_trials_came_near():
    outcomes = [
        Outcome("tpe", seed, chosen, (12.0, 11.0, 10.1), (12.0, 11.0, trial), 1.0)
        for seed, (chosen, trial) in enumerate([(10.2, 10.1), (10.4, 10.1), (10.3, 11.5)])
    ]
    assert [reached(each, 10.5) for each in outcomes] == [3, 3, None]
    assert table(outcomes, best=10.0, within=0.5)[1] == (
        "tpe", "3", "10.300 ± 0.058", "0.300 ± 0.058", "3 (2 of 3 came there)", "1.0",
    )  # fmt: skip


def test_samplers_are_compared_by_whole_searches_and_drawn(table_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ("--trials", "3,3", "--finalists", "2", "--repetitions", "2", "--samplers", "random,cmaes")
    samplers.main(["--recorded", str(table_file), *arguments, "--out", str(out)])
    said = capsys.readouterr().out
    assert "40 recorded trials" in said
    assert [line.split()[0] for line in said.splitlines() if "came there" in line] == ["random", "cmaes"]
    found = json.loads((out / "samplers.json").read_text())
    assert [(each["sampler"], each["seed"], len(each["trials"])) for each in found["searches"]] == [
        ("random", 0, 6), ("cmaes", 0, 6), ("random", 1, 6), ("cmaes", 1, 6),
    ]  # fmt: skip
    assert (out / "samplers.png").read_bytes().startswith(b"\x89PNG")


def test_too_few_recorded_trials_are_refused(tmp_path, capsys):
    (tmp_path / "few.csv").write_text("learning_rate,l2,score\n1e-4,1e-4,10\n")
    with pytest.raises(SystemExit) as ended:
        samplers.main(["--recorded", str(tmp_path / "few.csv"), "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert "there are 1 recorded trials" in capsys.readouterr().err
