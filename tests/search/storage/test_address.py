import pytest

from search.errors import SearchError, SearchFailure
from search.storage import address
from search.storage.address import is_same, parse_address


@pytest.mark.parametrize("url", ["study.db", "", "postgresql://me:secret@host:port/db"])
def test_a_text_that_is_no_url_is_refused_without_being_shown(url):
    with pytest.raises(SearchError, match="--storage is not a database URL") as refusal:
        parse_address(url)
    assert "secret" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("url", ["mysql://me:secret@host/db", "postgres://me@host/db?password=secret"])
def test_other_databases_are_refused_without_being_shown(url):
    with pytest.raises(SearchError, match=r"of the unknown kind '(mysql|postgres)'; use") as refusal:
        parse_address(url)
    assert "secret" not in str(refusal.value)


def test_a_keys_password_among_the_options_is_refused_since_it_would_be_shown():
    with pytest.raises(SearchError, match="sslpassword") as refusal:
        parse_address("postgresql+psycopg://host/db?sslkey=me.key&sslpassword=secret")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("login", ["me:p@secret", "me:p@@secret", "me:p@sec/secret", "m/e:p@secret"])
def test_a_password_that_is_cut_in_two_is_not_shown(login):
    url = f"postgresql+psycopg://{login}@host:1/db"
    with pytest.raises(SearchError, match="write them there as %40 and %2F") as refusal:
        parse_address(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://me:secret@host/db", "postgresql+psycopg_async://me:secret@host/db"]
)
def test_another_driver_than_psycopg_is_refused_with_what_to_write(url):
    with pytest.raises(SearchError, match=r"of another driver than psycopg: write postgresql\+psycopg://") as refusal:
        parse_address(url)
    assert "secret" not in str(refusal.value)


def test_another_driver_than_pythons_own_is_refused_for_sqlite_too():
    with pytest.raises(SearchError, match="another driver than Python's own: write sqlite:///FILE"):
        parse_address("sqlite+aiosqlite:///study.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:a.db?uri=true"])
def test_sqlite_needs_a_file(url):
    with pytest.raises(SearchError, match="not a file that workers can share"):
        parse_address(url)


@pytest.mark.parametrize("options", ["timeout=abc", "mode=ro", "uri=true&mode=memory", "timeout=5", "", "b.db"])
def test_sqlite_takes_no_options(options):
    with pytest.raises(SearchError, match=r"has a \?, but a SQLite file has no options; write sqlite:///FILE"):
        parse_address(f"sqlite:///a.db?{options}")


def test_sqlite_on_a_network_file_system_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(address, "file_system_of", lambda _path: "nfs4")
    with pytest.raises(SearchError, match=r"network file system \(nfs4\).*PostgreSQL"):
        parse_address("sqlite:///study.db")


def test_an_address_prints_without_its_password():
    assert str(parse_address("postgresql+psycopg://me:secret@host/db")) == "postgresql+psycopg://me:***@host/db"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sqlite:///runs/study.db", "sqlite:///runs/../runs/study.db", True),
        ("sqlite:///runs/study.db", "sqlite:///runs/other.db", False),
        ("postgresql+psycopg://me:secret@db/a", "postgresql+psycopg://me@db/a", True),
        ("postgresql+psycopg://me@db/a", "postgresql+psycopg://me:***@db/a", True),
        ("postgresql+psycopg://me@db/a", "postgresql+psycopg://me@db/b", False),
        ("postgresql+psycopg://me@db/a", "sqlite:///a", False),
        ("sqlite:///a", "postgresql+psycopg://me@db:port/a", False),
        ("sqlite:///a", "None", False),
    ],
)
def test_a_database_is_the_same_by_whatever_path_and_with_or_without_its_password(one, other, same):
    assert is_same(parse_address(one), other) is same


def test_a_database_is_the_same_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_same(parse_address("sqlite:///study.db"), f"sqlite:///{tmp_path}/study.db")


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_address("sqlite:///~/study.db").database == f"{tmp_path}/study.db"


def test_two_slashes_are_refused_with_the_address_that_was_meant():
    with pytest.raises(SearchError, match=r"write sqlite:///runs/x\.db") as refusal:
        parse_address("sqlite://runs/x.db")
    assert not isinstance(refusal.value, SearchFailure)
