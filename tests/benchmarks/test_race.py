"""The short form of the race, on small trials: it fails when ours is no longer well ahead of a plain loop.

In a short trial the plain loop's tracing weighs more than in a real one: the ratio here says nothing of that one.
"""

import statistics

import pytest
from race import race, report

from data.build import build_dataset
from data.options import BuildOptions

LEAST = 5


@pytest.mark.timeout(1200)  # three minutes, but of a machine that others may be using
def test_short_trials_run_at_least_five_times_as_fast_as_in_a_plain_loop(tmp_path):
    data = tmp_path / "faces.h5"
    build_dataset("synthetic", data, BuildOptions(sizes=(32, 32, 2)))
    figures = race(data, images=32, epochs=1, rounds=3, names=("ours", "plain"))
    print(report(figures))
    assert statistics.median(figures["ratios"]["plain"]) > LEAST


def test_the_report_names_every_contender_and_the_ceiling():
    contender = {
        "trials an hour": [2.0],
        "seconds a trial": [3.0],
        "start seconds": 1.0,
        "processes": 1,
        "peak memory MiB a process": 9.0,
        "parts": {"train": 1.0},
        "training images a second": 5.0,
    }
    text = report(
        {
            "machine": {"processor": "P", "cores": 2},
            "trial": {"images": 1},
            "contenders": {"ours": contender, "plain": contender},
            "ratios": {"plain": [7.5, 8.5]},
            "ceiling images a second": {"training": 10.0, "prediction": 20.0},
            "share of the ceiling in training": 0.5,
        }
    )
    assert "ours against plain: 8.00 times" in text
    assert "50%" in text
