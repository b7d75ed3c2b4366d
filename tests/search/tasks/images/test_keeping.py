from types import SimpleNamespace

import pytest

from model.results.answers import Answers
from search.tasks.images import keeping
from search.tasks.images.keeping import Keeper
from search.tasks.images.options import Keeping


@pytest.fixture
def files(monkeypatch):
    """Look at four epochs of a training whose weights are the number of the epoch, and return what was kept."""
    monkeypatch.setattr(keeping.keras_file, "to_bytes", lambda *given: given)

    def look(wanted, errors):
        engine = SimpleNamespace(network="network", weights=0)
        keeper = Keeper(
            wanted,
            SimpleNamespace(engine=engine, recipe=SimpleNamespace(test_time_augmentation=True)),
            Answers("", 1.0, 80.0),
        )
        for engine.weights, error in enumerate(errors, start=1):
            keeper.look(engine.weights, error)
        return dict(keeper.files())

    return look


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Keeping(), {}),
        (Keeping(after=(2, 4, 9)), {"epoch-2.keras": 2, "epoch-4.keras": 4}),
        (Keeping(best_until=4), {"best.keras": 4}),
        (Keeping(best_until=3), {"best.keras": 2}),  # of equal errors the first
        (Keeping(after=(2,), best_until=1), {"epoch-2.keras": 2, "best.keras": 1}),
    ],
)
def test_the_networks_that_are_wanted_are_kept_as_they_were(wanted, kept, files):
    found = files(wanted, [9.0, 7.0, 7.0, 6.0])
    assert found == {name: ("network", weights, Answers("", 1.0, 80.0), True) for name, weights in kept.items()}


def test_a_training_that_does_not_validate_has_no_best_network(files):
    assert set(files(Keeping(after=(1,), best_until=4), [None, None])) == {"epoch-1.keras"}
