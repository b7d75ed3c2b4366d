import pytest

from tests.integration.chaos import disturb_studies

KILLS = {"sqlite": 200, "postgresql": 50}


@pytest.mark.slow
@pytest.mark.timeout(1200)  # half a minute of two cores, which others may be using
def test_studies_whose_workers_are_killed_stopped_and_misled_about_the_time_all_end_exact(storage, processes, capsys):
    kills = KILLS[storage.engine.dialect.name]
    tally = disturb_studies(processes, storage, seed=1, kills=kills)
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201  (so that it can be seen what was survived)
    assert tally.kills >= kills
    assert tally.takeovers > 0  # else no worker was killed while it held a slot, and nothing has been shown
