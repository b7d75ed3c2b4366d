from tests.integration.chaos import disturb_studies


def test_studies_whose_workers_are_killed_stopped_and_misled_about_the_time_all_end_exact(
    kind, new_storage, processes, capsys
):
    tally = disturb_studies(processes, new_storage, seed=1, kills=kind.kills)
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201  (so that it can be seen what was survived)
    assert tally.kills >= kind.kills
    assert tally.takeovers > 0  # else no worker was killed while it held a slot, and nothing has been shown
