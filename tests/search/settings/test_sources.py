import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.settings.settings import Settings
from search.settings.sources import load_settings

NO_FILE = Path(os.devnull)


@pytest.fixture(autouse=True, scope="module")
def bare_environment():
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AGESEARCH_")]:
            patch.delenv(name)
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(flags, config=NO_FILE):
    with pytest.raises(SearchError) as error:
        load_settings(config, flags)
    return str(error.value)


@pytest.mark.usefixtures("folder")
def test_without_file_environment_and_flags_the_defaults_hold():
    settings = load_settings(None, {})
    assert settings == Settings()
    assert settings.storage == "sqlite:///runs/study.db"
    assert settings.trials == (50, 50)
    assert (settings.learning_rate, settings.l2) == ((1e-6, 1e-3), (1e-6, 1e1))


@pytest.mark.usefixtures("folder")
def test_flags_win_over_the_environment_which_wins_over_the_file(monkeypatch):
    Path("agesearch.toml").write_text("seed = 1\nimages = 10\nepochs = 100\n")
    monkeypatch.setenv("AGESEARCH_IMAGES", "20")
    monkeypatch.setenv("AGESEARCH_EPOCHS", "200")
    settings = load_settings(None, {"epochs": "300"})
    assert (settings.seed, settings.images, settings.epochs) == (1, 20, 300)


@pytest.mark.usefixtures("folder")
def test_an_empty_variable_says_nothing(monkeypatch):
    for name in ("FINALIST_IMAGES", "SPACE", "ARTIFACTS", "DATA"):
        monkeypatch.setenv(f"AGESEARCH_{name}", "")
    assert load_settings(None, {}) == Settings()


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_named_is_read_instead_of_the_one_in_the_folder():
    Path("agesearch.toml").write_text("seed = 1\nimages = 10\n")
    Path("other.toml").write_text("seed = 2\n")
    settings = load_settings(Path("other.toml"), {})
    assert (settings.seed, settings.images) == (2, 500)


@pytest.mark.usefixtures("folder")
def test_a_file_may_hold_every_kind_of_setting():
    Path("agesearch.toml").write_text(
        'data = "faces.h5"\ntrials = [6, 7]\nlearning_rate = [1e-5, 1e-2]\nworkers = 3\nfit_patience = "none"\n'
        "[ranges]\nlearning_rate = [1e-4, 1e-3]\nl2 = [1, 2]\n"
    )
    settings = load_settings(None, {})
    assert settings.data == Path("faces.h5")
    assert settings.trials == (6, 7)
    assert settings.learning_rate == (1e-5, 1e-2)
    assert settings.workers == 3
    assert settings.fit_patience is None
    assert settings.ranges == {"learning_rate": (1e-4, 1e-3), "l2": (1, 2)}


def test_flags_are_text_for_every_kind_of_setting():
    flags = {
        "trials": "6,7",
        "l2": "1e-5:1",
        "ranges": "learning_rate=1e-4:1e-3,l2=1:2",
        "workers": "2",
        "fit_minutes": "1.5",
        "fit_threads": "auto",
    }
    settings = load_settings(NO_FILE, flags)
    assert settings.trials == (6, 7)
    assert settings.l2 == (1e-5, 1.0)
    assert settings.ranges == {"learning_rate": (1e-4, 1e-3), "l2": (1, 2)}
    assert (settings.workers, settings.fit_minutes, settings.fit_threads) == (2, 1.5, "auto")


@pytest.mark.usefixtures("folder")
def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_known_one():
    Path("agesearch.toml").write_text("trails = [3, 3]\n")
    assert refusal({}, None) == "agesearch.toml: unknown setting 'trails'; did you mean 'trials'?"


def test_an_unknown_variable_is_refused_with_the_nearest_known_one(monkeypatch):
    monkeypatch.setenv("AGESEARCH_WORKER", "3")
    assert refusal({}) == "AGESEARCH_WORKER: unknown setting 'worker'; did you mean 'workers'?"


def test_an_unknown_flag_is_refused_with_the_nearest_known_one():
    assert refusal({"batch_sise": "3"}) == "--batch-sise: unknown setting 'batch_sise'; did you mean 'batch_size'?"


def test_a_key_that_is_near_to_none_is_refused_with_all_known_ones():
    assert "unknown setting 'xyzzy'; known are data, storage, storage_password_file, study" in refusal({"xyzzy": "3"})


@pytest.mark.parametrize(
    ("flag", "text", "said"),
    [
        ("trials", "3,x", "--trials: trials is 'x': input should be a valid integer"),
        ("trials", "3,0", "--trials: trials is '0': input should be greater than 0"),
        ("trials", "", "--trials: trials is '': input should be a valid integer"),
        ("workers", "0", "--workers: workers is '0': input should be 'auto', or input should be greater than 0"),
        ("ranges", "l2=1e-4", "--ranges: ranges is 'l2=1e-4': l2 is '1e-4'; give its lowest and its highest"),
        ("l2", "1:2:3", "--l2: l2 is '1:2:3': give its two ends, as in 1e-5:1e-3"),
        ("learning_rate", "1e-3", "--learning-rate: learning_rate is '1e-3': give its two ends, as in 1e-5:1e-3"),
        ("learning_rate", "0:1", "--learning-rate: learning_rate is '0': input should be greater than 0"),
        (
            "ranges",
            "learning_rate=1:x,l2=1:2",
            "--ranges: ranges is 'learning_rate=1:x,l2=1:2': learning_rate is '1:x'",
        ),
        ("recipe", "fast", "--recipe: recipe is 'fast': input should be 'default' or 'paper'"),
        ("seed", "-1", "--seed: seed is '-1': input should be greater than or equal to 0"),
        ("port", "65536", "--port: port is '65536': input should be less than or equal to 65535"),
        ("study", "", "--study: study is '': string should have at least 1 character"),
        ("fit_minutes", "-1", "--fit-minutes: fit_minutes is '-1': input should be greater than 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_setting_and_where_it_comes_from(flag, text, said):
    assert refusal({flag: text}).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "--trials: trials is '0': input should be greater than 0"),
        ((), "--trials: trials is (): tuple should have at least 1 item, not 0"),
    ],
)
def test_a_wrong_part_is_not_said_to_be_missing_as_well(text, said):
    assert refusal({"trials": text}) == said


@pytest.mark.usefixtures("folder")
def test_a_wrong_value_of_the_environment_or_the_file_names_the_variable_or_the_file(monkeypatch):
    Path("agesearch.toml").write_text("epochs = 'many'\n")
    assert refusal({}, None).startswith("agesearch.toml: epochs is 'many': ")
    monkeypatch.setenv("AGESEARCH_EPOCHS", "more")
    assert refusal({}, None).startswith("AGESEARCH_EPOCHS: epochs is 'more': ")


def test_a_long_wrong_value_is_cut_short():
    said = refusal({"recipe": "x" * 1000})
    assert "..." in said
    assert len(said) < 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"trials = ", "is not TOML"),
        (b"\xff\xfe\x00", "is not TOML"),
        (b"seed = " + b"9" * 5000, "is not TOML"),
        (b"seed = " + b"[" * 5000, "is not TOML"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_no_toml_is_refused(content, said):
    Path("agesearch.toml").write_bytes(content)
    assert said in refusal({}, None)


def test_a_file_that_is_missing_or_a_folder_is_refused(folder):
    assert refusal({}, Path("none.toml")) == "the settings file none.toml cannot be read: No such file or directory"
    assert refusal({}, folder).endswith("cannot be read: Is a directory")


def sentence(flags, config=NO_FILE):
    """Return what a refusal says, or None where there is none."""
    try:
        load_settings(config, flags)
    except SearchError as error:
        return str(error)
    return None


keys = st.sampled_from(list(Settings.model_fields))
texts = st.text(alphabet="0123456789eE.,:;=+-_autonelr 2xé", max_size=20) | st.text(max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(keys | st.text(max_size=8), texts)
def test_any_text_in_any_flag_is_a_setting_or_a_sentence_that_names_the_flag(key, text):
    said = sentence({key: text})
    assert said is None or said.startswith(f"--{key.replace('_', '-')}: ")


@given(st.dictionaries(keys, values, max_size=3))
def test_any_value_of_any_type_is_a_setting_or_a_sentence(flags):
    said = sentence(flags)
    assert said is None or said.startswith("--")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_in_the_file_are_settings_or_a_sentence_that_names_the_file(content):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        said = sentence({}, Path(file.name))
        assert said is None or file.name in said


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("written", ["dashboard_password = 12345678", "dashboard_password = ['12345678']"])
def test_a_password_is_shown_nowhere_not_even_where_it_is_wrong(written):
    Path("agesearch.toml").write_text(written)
    with pytest.raises(SearchError, match=r"agesearch\.toml: dashboard_password is invalid: ") as raised:
        load_settings(None, {})
    assert "12345678" not in str(raised.value)
    assert "12345678" not in str(raised.value.__cause__)
    assert "12345678" not in repr(Settings(dashboard_password="12345678"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("written", ["storage = ['{}']", "storage = {{ url = '{}' }}", "[storage]\nurl = '{}'"])
def test_a_storage_of_another_type_is_not_shown_with_its_password(written):
    Path("agesearch.toml").write_text(written.format("postgresql://me:secret@host/db"))
    with pytest.raises(SearchError, match=r"agesearch\.toml: storage is invalid: ") as raised:
        load_settings(None, {})
    assert "secret" not in str(raised.value)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["dashboard_password", "study"])
def test_an_empty_password_or_name_is_none_at_all(name, monkeypatch):
    monkeypatch.setenv(f"AGESEARCH_{name.upper()}", "")
    assert f"AGESEARCH_{name.upper()}: {name} is " in refusal({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs = true", "epochs is True: it is true or false; give a number"),
        ("trials = [true]", "it is true or false; give a number"),
        ("seed = false", "it is true or false; give a number"),
        ("batch_size = 3000000000", "input should be less than or equal to 2147483647"),
        ("artifacts = ''", "it is empty; leave it out, or write none"),
        ("ranges = 'l2=1:2,l2=2:3'", "l2 is given twice; keep one of them"),
        ("space = 'dropout=0.1,dropout=0.2'", "dropout is given twice; keep one of them"),
    ],
)
def test_what_was_meant_otherwise_is_refused(text, said, tmp_path):
    (tmp_path / "agesearch.toml").write_text(text)
    with pytest.raises(SearchError, match=said):
        load_settings(tmp_path / "agesearch.toml", {})


def test_variables_of_a_kubernetes_service_are_passed_over_and_misspelt_ones_are_not(monkeypatch):
    monkeypatch.setenv("AGESEARCH_PORT", "tcp://10.0.0.1:8080")
    monkeypatch.setenv("AGESEARCH_DASHBOARD_PORT_8080_TCP", "tcp://10.0.0.1:8080")
    assert load_settings(NO_FILE, {}).port == 8080
    monkeypatch.setenv("AGESEARCH_PROT", "8080")
    assert "unknown setting 'prot'" in refusal({})


@pytest.fixture
def elsewhere(folder):
    """A settings file in another folder than the working directory."""
    (folder / "conf").mkdir()
    file = Path("conf/agesearch.toml")
    file.write_text('data = "faces.h5"\nstorage = "sqlite:///study.db"\n')
    return file


def test_paths_in_a_file_belong_to_its_folder_and_those_of_flags_do_not(elsewhere):
    settings = load_settings(elsewhere, {"out": "runs"})
    assert (settings.data, settings.storage) == (Path("conf/faces.h5"), "sqlite:///conf/study.db")
    assert settings.out == Path("runs")


def test_a_path_that_once_meant_another_place_is_refused_with_what_to_write(elsewhere):
    Path("faces.h5").touch()
    assert "write '../faces.h5', or move it" in refusal({}, elsewhere)


def test_a_tilde_is_the_home_folder_in_every_source(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    settings = load_settings(NO_FILE, {"data": "~/faces.h5", "storage": "sqlite:///~/study.db"})
    assert (settings.data, settings.storage) == (folder / "faces.h5", f"sqlite:///{folder}/study.db")


@pytest.mark.usefixtures("folder")
def test_one_number_of_trials_in_a_file_is_one_stage():
    Path("agesearch.toml").write_text("trials = 2\n")
    assert load_settings(None, {}).trials == (2,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data = 3", "write a path between quotes"),
        ("ranges = 3", "write a table of lowest and highest values"),
        ("on = 'there'", "ray://HOST:PORT"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_mistake_in_a_file_is_answered_without_the_validators_words(text, said):
    Path("agesearch.toml").write_text(text)
    answer = refusal({}, None)
    assert said in answer
    assert not any(word in answer for word in ("class", "instance", "pattern"))


def test_a_flag_without_effect_is_refused():
    assert refusal({"gpus_per_worker": "0.5"}).startswith("--gpus-per-worker: has an effect with --on ray alone")
    assert load_settings(NO_FILE, {"gpus_per_worker": "0.5", "on": "ray"}).gpus_per_worker == 0.5


def test_an_empty_password_of_the_storage_is_refused(monkeypatch):
    monkeypatch.setenv("AGESEARCH_STORAGE_PASSWORD", "")
    said = refusal({"storage": "postgresql+psycopg://me@host/db"})
    assert said.startswith("AGESEARCH_STORAGE_PASSWORD is empty")
