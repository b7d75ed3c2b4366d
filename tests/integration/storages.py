"""The kinds of storage that the tests of faults run on: how to make fresh ones, and how to look one over for damage."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from search.storage import Storage
from tests.integration import fake_study


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of storage.

    `making` gives, for the length of a block, a function that makes a fresh, empty storage whenever it is called;
    `damage` says what the database itself finds wrong with one, "" if nothing; `kills` is how many processes the
    short form of the faults kills on it.
    """

    making: Callable[[], AbstractContextManager[Callable[[], Storage]]]
    damage: Callable[[Storage], str]
    kills: int


@contextmanager
def _in_files() -> Iterator[Callable[[], Storage]]:
    made = []
    with fake_study.in_memory() as folder:

        def make() -> Storage:
            place = Path(folder, str(len(made)))
            place.mkdir()
            made.append(fake_study.new_storage(place))
            return made[-1]

        yield make
        for storage in made:
            storage.engine.dispose()


def _damage_of_file(storage: Storage) -> str:
    with storage.engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return "" if found == ["ok"] else "; ".join(found)


KINDS = {"sqlite": Kind(_in_files, _damage_of_file, kills=200)}


def damage_of(storage: Storage) -> str:
    """What a storage's own database finds wrong with it; "" if nothing."""
    return KINDS[storage.engine.dialect.name].damage(storage)
