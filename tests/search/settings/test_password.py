import pytest
from sqlalchemy import make_url

from search.errors import SearchError
from search.settings.password import PASSWORD_VARIABLE, with_password
from search.settings.sources import load_settings

URL = "postgresql+psycopg://ada@host/studies"
SECRET = "p@ss/wo:rd ü"  # noqa: S105


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def password_of(url):
    return make_url(url).password


def test_a_url_without_a_password_gets_that_of_the_environment(monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    assert password_of(with_password(URL, None)) == SECRET


def test_a_url_without_a_password_gets_that_of_the_file(file):
    assert password_of(with_password(URL, file)) == SECRET


def test_the_environment_wins_over_the_file_and_the_url_over_both(file, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "another")
    assert password_of(with_password(URL, file)) == "another"
    assert password_of(with_password(URL.replace("ada", "ada:third"), file)) == "third"


def test_a_password_among_the_options_is_moved_to_where_it_is_hidden():
    url = with_password(f"{URL}?password=secret&sslmode=require", None)
    assert make_url(url).render_as_string() == "postgresql+psycopg://ada:***@host/studies?sslmode=require"
    assert password_of(url) == "secret"


@pytest.mark.parametrize("url", [URL, "sqlite:///runs/study.db", "postgresql://[no url", ""])
def test_where_there_is_no_password_or_no_use_for_one_the_url_stays_as_it_is(url):
    assert with_password(url, None) == url


def test_sqlite_has_no_use_for_a_password(monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    assert with_password("sqlite:///runs/study.db", None) == "sqlite:///runs/study.db"


def test_a_password_file_that_others_can_read_is_refused(file):
    file.chmod(0o640)
    with pytest.raises(SearchError, match=f"{file} can be read by others; run: chmod 600 {file}"):
        with_password(URL, file)


def test_another_users_password_file_may_be_readable_by_all_as_a_containers_secret_is(file, monkeypatch):
    file.chmod(0o644)
    monkeypatch.setattr("search.settings.password.os.geteuid", lambda: file.stat().st_uid + 1)
    assert make_url(with_password(URL, file)).password == SECRET


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b"\xff\xfe", "it is not text"), (b"\nsecret", "is empty")]
)
def test_a_password_file_that_holds_none_is_refused(content, said, tmp_path):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(SearchError, match=said):
        with_password(URL, path)


def test_the_settings_have_the_password_in_the_storage_and_show_it_nowhere(file, monkeypatch):
    monkeypatch.setenv("AGESEARCH_STORAGE_PASSWORD_FILE", str(file))
    settings = load_settings(None, {"storage": URL})
    assert password_of(settings.storage) == SECRET
    assert SECRET not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_the_password_in_the_environment_is_no_unknown_setting(monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    assert load_settings(None, {}).storage == "sqlite:///runs/study.db"
