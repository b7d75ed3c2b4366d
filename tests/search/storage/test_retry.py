from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine, select
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError, ProgrammingError

from search.run.loop import work
from search.storage import retry
from search.storage.retry import Reconnection, retry_connecting, retry_interrupted
from search.storage.tables import slots
from search.study.repair import open_failed
from search.study.slots import SlotCounts, Slots
from search.study.study import create_or_resume
from tests.integration.fake_study import expected, finished, run_trial, spec_of
from tests.search.tiny import work_some


class Server:
    """A server that answers, or does not, as the test has it."""

    def __init__(self, monkeypatch, waiting):
        self.engine = create_engine("sqlite://")
        self.away, self.asked = False, 0
        connect = self.engine.dialect.connect

        def ask(*arguments, **settings):
            self.asked += 1
            if self.away:
                raise self.engine.dialect.loaded_dbapi.OperationalError("connection refused")
            return connect(*arguments, **settings)

        monkeypatch.setattr(self.engine.dialect, "connect", ask)
        waiting.guard(self.engine)

    def reach(self):
        with self.engine.connect() as connection:
            return connection.scalar(select(1))


@pytest.fixture
def server(monkeypatch):
    def create(waiting):
        servers.append(Server(monkeypatch, waiting))
        return servers[-1]

    servers = []
    yield create
    for each in servers:
        each.engine.dispose()


def lose_it(server):
    server.engine.dispose()
    server.away = True


def test_a_server_that_was_reached_before_is_waited_for(server):
    one = server(Reconnection())
    one.reach()
    lose_it(one)
    found = []
    waiting = Thread(target=lambda: found.append(one.reach()))
    waiting.start()
    while one.asked < 3:
        waiting.join(0.01)
    assert found == []
    one.away = False
    waiting.join()
    assert found == [1]


def test_no_server_is_waited_for_without_end(server):
    one = server(Reconnection(seconds=0.0))
    one.reach()
    lose_it(one)
    with pytest.raises(OperationalError, match="connection refused"):
        one.reach()


def test_whoever_stops_does_not_wait_and_is_not_told_that_anybody_does(server, caplog):
    hurried = Reconnection()
    hurried.stop = Event()
    hurried.stop.set()
    one = server(hurried)
    one.reach()
    lose_it(one)
    with pytest.raises(OperationalError, match="connection refused"):
        one.reach()
    assert one.asked == 2
    assert caplog.text == ""


def test_an_outage_is_waited_for_once_however_many_ask_and_is_told_once(server, caplog):
    one = server(Reconnection(seconds=0.05))
    one.reach()
    lose_it(one)
    for _ in range(3):
        with pytest.raises(OperationalError, match="connection refused"):
            one.reach()
    assert one.asked == 1 + 2 + 1 + 1  # in time and after it, and then once each
    one.away = False
    one.reach()
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "no connection to the database, waiting up to 0 s for one: connection refused",
        "the database can be connected to again",
    ]


def test_an_outage_long_after_another_is_another(server, monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(retry, "time", SimpleNamespace(monotonic=lambda: now[0]))
    one = server(Reconnection(seconds=-1.0))
    one.reach()
    lose_it(one)
    for now[0], told in ((0.0, 1), (30.0, 1), (100.0, 2)):
        with pytest.raises(OperationalError, match="connection refused"):
            one.reach()
        assert caplog.text.count("waiting up to") == told


def opening(*said):
    """A first connection to a server that says one thing after another, and then lets it in."""
    left = iter(said)

    @retry_connecting
    def connect():
        for each in left:
            raise OperationalError("connect", None, Exception(each))
        return "in"

    return connect


def test_a_server_that_has_no_room_or_just_starts_is_asked_again():
    said = 'FATAL:  too many connections for role "ages"', "FATAL:  the database system is starting up"
    assert opening(*said)() == "in"


def test_a_server_that_has_no_room_is_not_asked_without_end(monkeypatch):
    monkeypatch.setattr(retry, "CONNECT_SECONDS", -1.0)
    with pytest.raises(OperationalError, match="too many clients"):
        opening("FATAL:  sorry, too many clients already")()


def test_a_server_that_answers_anything_else_is_not_asked_again():
    with pytest.raises(OperationalError, match="password authentication failed"):
        opening("FATAL:  password authentication failed")()


def failing(*errors):
    """A step that raises one error after another, and then answers."""
    left = iter(errors)

    @retry_interrupted
    def step():
        for error in left:
            raise error
        return "done"

    return step


def cut_off():
    return OperationalError("commit", None, Exception("closed"), connection_invalidated=True)


def test_a_step_that_was_cut_off_is_taken_again():
    assert failing(cut_off(), cut_off())() == "done"


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "57014"])
def test_a_step_that_met_with_what_will_pass_is_taken_again(code):
    passing = Exception("canceling statement")
    passing.sqlstate = code
    assert failing(OperationalError("update", None, passing))() == "done"


def test_a_step_that_is_cut_off_again_and_again_ends_with_the_error():
    with pytest.raises(OperationalError, match="closed"):
        failing(*(cut_off() for _ in range(5)))()


def test_any_other_error_of_the_database_is_raised_at_once():
    step = failing(ProgrammingError("select", None, Exception("no such table")))
    with pytest.raises(ProgrammingError, match="no such table"):
        step()


@contextmanager
def losing_a_commit(engine, number, came_through):
    """Let a connection be lost in a commit that came through or did not; the list says whether there were so many."""
    commit, before, lost = engine.dialect.do_commit, iter(range(1, number)), []

    def lossy(connection):
        last = next(before, None) is None and not lost
        if not last or came_through:
            commit(connection)
        if last:
            lost.append(number)
            connection.dbapi_connection.close()
            raise engine.dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", lossy)
        yield lost


def fail(_task):
    raise OSError("no memory")


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("came_through", [True, False])
def test_failed_slots_are_counted_whose_opening_was_cut_off(came_through, storage):
    study = create_or_resume(storage, "ages", spec_of(3, max_attempts=1))
    work(Slots(study), fail, Event())
    with losing_a_commit(storage.engine, 1, came_through) as lost:
        assert open_failed(Slots(study)) == 3
    assert lost
    assert Slots(study).counts(1) == SlotCounts(waiting=3)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_failed_slots_are_opened_again_while_a_worker_begins_in_the_stage_that_would_be_forgotten(storage):
    study = create_or_resume(storage, "ages", spec_of(1, 2, max_attempts=1))
    slots = Slots(study)
    work_some(study, 1, fail)
    slots.give_back(slots.claim("elsewhere/boot/1:1:1"), "stopped")  # so that the second stage is open
    meanwhile = iter(["begin"])

    def begin(_connection, _cursor, statement, *_):
        if statement.startswith("DELETE") and next(meanwhile, None):
            slots.claim("elsewhere/boot/1:1:1")

    listen(storage.engine, "before_cursor_execute", begin)
    assert open_failed(slots) == 1
    assert [each.counts for each in slots.tally()] == [SlotCounts(waiting=1), SlotCounts(waiting=1, claimed=1)]


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("came_through", [True, False])
def test_a_worker_outlasts_the_loss_of_any_commit_and_counts_nothing_twice(came_through, storage):
    for number in count(1):
        study = create_or_resume(storage, f"study {number}", spec_of(1, seed=number))
        with losing_a_commit(storage.engine, number, came_through) as lost:
            work(Slots(study), run_trial, Event())
        assert finished(study) == sorted(expected(study.spec).items())
        assert Slots(study).counts(1) == SlotCounts(finished=1)
        with storage.engine.begin() as tx:
            assert tx.scalar(select(slots.c.losses).where(slots.c.study == study.name)) == 0
        states = [trial.state for trial in storage.rdb.get_all_trials(study.id)]
        assert sorted(set(states)) in ([TrialState.COMPLETE], [TrialState.COMPLETE, TrialState.FAIL])
        if not lost:
            break
    assert number > 7  # else there were no commits to lose
