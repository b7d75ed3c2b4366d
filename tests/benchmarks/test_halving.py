import pytest
from halving import EPOCHS, simulate

from search.study.pruning import least_whole


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("trials", [3, 5, 10, 25, 50])
def test_enough_trials_come_to_their_end_in_any_order(trials, workers):
    found = [simulate(trials, workers, seed) for seed in range(100)]
    assert min(stage.whole for stage in found) >= least_whole(trials) >= min(trials, 5, trials // 3)
    if trials >= 10:
        assert sum(stage.epochs for stage in found) < 0.9 * 100 * trials * EPOCHS


def test_a_third_is_never_pruned_nor_five_nor_all_of_fewer():
    assert [least_whole(slots) for slots in (1, 4, 5, 10, 15, 16, 50)] == [1, 4, 5, 5, 5, 6, 17]
