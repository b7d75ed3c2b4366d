import pytest

from tests.integration.chaos import disturb_studies
from tests.integration.hurrying import hurry

KILLS = {"sqlite": 200, "postgresql": 50}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),  # a minute or two of two cores, which others may be using
]


def test_studies_whose_workers_are_killed_stopped_and_misled_about_the_time_all_end_exact(storage, processes, tell):
    kind = storage.engine.dialect.name
    tally = disturb_studies(processes, storage, seed=1, kills=KILLS[kind])
    tell(f"{kind}: {tally}")
    assert tally.takeovers > 0  # else no worker was killed while it held a slot, and nothing has been shown


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_eight_workers_hurry_through_two_thousand_slots_of_a_file(study_of, processes, tell):
    done = hurry(processes, study_of(1000, 1000))
    tell(f"sqlite: {done}")
    assert done.slots == 2000
