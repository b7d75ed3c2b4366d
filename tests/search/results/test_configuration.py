import math
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.results import configuration
from search.results.configuration import export_configuration
from search.results.ranking import best_trials
from search.results.verdict import verdict
from search.space.box import Box
from search.space.ranges import Choices, LinearRange
from search.storage.database import Storage
from search.study.trial import Diverged
from search.tasks.images.configuration import Configuration, Training, read_configuration, tables_of
from search.tasks.images.network_file import network_text
from search.tasks.images.parameters import FIRST_BOX
from tests.integration.fake_study import finalist_budget, run_trial
from tests.search.tiny import work_off, work_some

MINIMAL = "[hyperparameters]\nlearning_rate = 1e-4\nl2 = 1e-3\n"


@pytest.fixture
def storage_url(sqlite_url):
    """One database will do: what is read is put into words alike, whichever it comes from."""
    return sqlite_url


@pytest.fixture
def study(study_of):
    study = study_of(4, 3, dataset="ab12", batch_size=16)
    work_off(study)
    return study


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "best.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_the_best_trial_is_exported_with_where_it_came_from(study):
    found = tomllib.loads(export_configuration(study, tables_of(study.spec)).decode())
    best = best_trials(study, 1)[0]
    assert found["hyperparameters"] == best.params
    assert found["training"] == {"recipe": "default", "batch_size": 16, "precision": "float32", "threads": 1}
    assert found["dataset"] == {"digest": "ab12", "unit": "years"}
    assert found["trial"]["score"] == best.score
    assert (found["trial"]["stage"], found["trial"]["slot"]) == (best.stage, best.slot)
    assert found["trial"]["seeds"] == best.seeds
    assert found["trial"]["device"] == "a processor"
    assert found["study"]["name"] == "ages"
    assert found["study"]["trials"] == [4, 3]
    assert {"python", "tensorflow", "keras", "optuna"} <= found["versions"].keys()


def test_the_bounds_of_each_stage_are_exported_with_the_reason_for_them(study):
    first, second = tomllib.loads(export_configuration(study, tables_of(study.spec)).decode())["stages"]
    assert first == {
        "number": 1,
        "kind": "sampled",
        "trials": 4,
        "box": {"learning_rate": {"log": [1e-6, 1e-3]}, "l2": {"log": [1e-6, 10.0]}},
    }
    assert second["rule"].startswith("the span of the 10 best finished trials")
    assert second["reason"].startswith("the 2 best of 4 finished trials span")
    assert len(second["from_trials"]) == 2


def test_without_finalists_the_export_says_that_the_best_trial_was_chosen(study):
    found = tomllib.loads(export_configuration(study, tables_of(study.spec)).decode())
    assert found["choice"] == {"reason": "the best single trial (finalists are disabled)"}
    assert found["finalists"] == []


def test_the_best_finalist_is_exported_with_all_of_them_and_the_rule(study_of, file):
    study = study_of(4, 3, finalists=finalist_budget(3, 2, 700, 8))
    work_off(study, lambda trial: Diverged("nan") if (trial.stage, trial.slot) == (3, 5) else run_trial(trial))
    found = tomllib.loads(export_configuration(study, tables_of(study.spec)).decode())
    first, second, last = found["finalists"]
    assert found["hyperparameters"] == first["params"]
    assert first["mean"] < second["mean"]
    assert first["scores"] == list(verdict(study).best.scores)
    assert first["tied"]
    assert "mean" not in last
    assert math.isnan(last["scores"][1])
    assert found["choice"]["reason"] == "the best mean of 3 finalists over 2 seeds each"
    assert (found["choice"]["repeats"], found["choice"]["images"], found["choice"]["epochs"]) == (2, 700, 8)
    assert found["trial"]["number"] in first["trials"]
    assert found["stages"][2]["kind"] == "finalists"
    assert (
        read_configuration(file(export_configuration(study, tables_of(study.spec)))).hyperparameters.model_dump(
            exclude_none=True
        )
        == first["params"]
    )


def test_no_password_is_exported(study):
    hidden = Storage("postgresql+psycopg://ada:secret@host/studies", study.storage.rdb, study.storage.engine)
    content = export_configuration(replace(study, storage=hidden), tables_of(study.spec)).decode()
    assert "secret" not in content
    assert tomllib.loads(content)["study"]["storage"] == "postgresql+psycopg://ada:***@host/studies"


def test_a_study_that_goes_on_may_be_exported(study_of):
    study = study_of(4, 3)
    work_some(study, 2)
    assert len(tomllib.loads(export_configuration(study, tables_of(study.spec)).decode())["stages"]) == 1


@pytest.mark.parametrize("trial", [None, lambda _trial: Diverged("nan")])
def test_a_study_without_a_value_has_nothing_to_export(trial, study_of):
    study = study_of(2)
    if trial:
        work_off(study, trial)
    with pytest.raises(SearchError, match="the study 'ages' has no finished trial with a value;"):
        export_configuration(study, tables_of(study.spec))


def test_what_was_exported_is_read_again(study, file):
    found = read_configuration(file(export_configuration(study, tables_of(study.spec))))
    assert found.hyperparameters.model_dump(exclude_none=True) == best_trials(study, 1)[0].params
    assert found.training == Training(recipe="default", batch_size=16, precision="float32", threads=1)
    assert found.dataset.digest == "ab12"


def test_everything_that_was_searched_is_exported_and_read_again(study_of, file):
    ranges = (LinearRange("dropout", 0, 0.5), Choices("batch_size", (16, 32)), Choices("batch_norm", ("blocks",)))
    network = network_text([{"kind": "flatten"}, {"kind": "dense", "units": 1, "activation": "linear"}])
    study = study_of(4, box=Box((*FIRST_BOX.ranges, *ranges)), network=network)
    work_off(study)
    content = export_configuration(study, tables_of(study.spec))
    found, best = read_configuration(file(content)), best_trials(study, 1)[0].params
    assert found.hyperparameters.model_dump(exclude_none=True) == best
    assert found.hyperparameters.varied() == {"dropout": best["dropout"], "batch_norm": "blocks"}
    assert found.own_network() == network
    box = tomllib.loads(content.decode())["stages"][0]["box"]
    assert (box["dropout"], box["batch_size"]) == ({"linear": [0.0, 0.5]}, [16, 32])


def test_hyperparameters_alone_are_enough(file):
    found = read_configuration(file(MINIMAL))
    assert (found.hyperparameters.learning_rate, found.hyperparameters.l2) == (1e-4, 1e-3)
    assert found.training == Training()
    assert found.dataset.digest is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has a wrong hyperparameters: field required"),
        ("[hyperparameters]\nl2 = 1\n", "has a wrong hyperparameters.learning_rate: field required"),
        (MINIMAL + "dropout = 1\n", "has a wrong hyperparameters.dropout: input should be less than 1"),
        (
            MINIMAL + "augmentation = 9\n",
            "has a wrong hyperparameters.augmentation: input should be less than or equal to 2",
        ),
        (MINIMAL + "augmentation = nan\n", "has a wrong hyperparameters.augmentation: input should be"),
        (MINIMAL + "batch_size = 3000000000\n", "has a wrong hyperparameters.batch_size: input should be less than"),
        (MINIMAL + "width = 40000\n", "has a wrong hyperparameters.width: input should be less than"),
        (MINIMAL + "momentum = 1\n", "has a wrong hyperparameters.momentum: extra inputs are not permitted"),
        (MINIMAL.replace("1e-4", "-1"), "has a wrong hyperparameters.learning_rate: input should be greater than 0"),
        (MINIMAL.replace("1e-4", "inf"), "has a wrong hyperparameters.learning_rate: input should be a finite number"),
        (MINIMAL.replace("1e-3", "nan"), "has a wrong hyperparameters.l2: input should be"),
        (MINIMAL + "[training]\nbatchsize = 64\n", "has a wrong training.batchsize: extra inputs"),
        (MINIMAL + "[training]\nrecipe = 'fast'\n", "has a wrong training.recipe: input should be 'default'"),
        (MINIMAL + "[trainin]\nbatch_size = 64\n", "has a wrong trainin: extra inputs"),
        ("learning_rate = ", "is not TOML: "),
        (b"\xff", "is not TOML: "),
        ("x = " + "9" * 5000, "is not TOML: "),
        ("x = " + "[" * 5000, "is not TOML: "),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_with_what_is_wrong(content, said, file):
    path = file(content)
    with pytest.raises(SearchError) as error:
        read_configuration(path)
    assert str(error.value).startswith(f"the configuration {path} {said}")


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SearchError, match="cannot be read: "):
            read_configuration(path)


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False), st.floats(min_value=0, allow_infinity=False))
def test_hyperparameters_survive_being_written_to_the_last_bit(learning_rate, l2):
    written = configuration.tomli_w.dumps({"hyperparameters": {"learning_rate": learning_rate, "l2": l2}})
    found = Configuration.model_validate(tomllib.loads(written)).hyperparameters
    assert (found.learning_rate, found.l2) == (learning_rate, l2)


def sentence(path):
    """Read a configuration; returns what a refusal says, or None where there is none."""
    try:
        read_configuration(path)
    except SearchError as error:
        return str(error)
    return None


tables = st.sampled_from(["hyperparameters", "training", "dataset", "trial", "study", "stages", "versions", "x"])
keys = st.sampled_from(["learning_rate", "l2", "recipe", "batch_size", "precision", "digest", "x"])
plain = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=5)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(st.dictionaries(tables, st.dictionaries(keys, values, max_size=4) | values, max_size=4))
def test_any_toml_is_a_configuration_or_one_sentence_that_names_the_file(document):
    with tempfile.NamedTemporaryFile() as file:
        file.write(configuration.tomli_w.dumps(document).encode("utf-8", "surrogatepass"))
        file.flush()
        said = sentence(Path(file.name))
    assert said is None or (said.startswith(f"the configuration {file.name} ") and "\n" not in said)


@given(st.data())
def test_a_damaged_configuration_is_one_that_holds_or_one_sentence(data):
    whole = MINIMAL.encode() + b'[training]\nrecipe = "default"\n[dataset]\ndigest = "ab12"\n'
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 3)) :]
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        said = sentence(Path(file.name))
    assert said is None or file.name in said


def test_a_finalists_own_training_is_exported_with_its_budget(study_of):
    study = study_of(2, finalists=finalist_budget(1, 2, 700, 8))
    work_off(study)
    table = tomllib.loads(export_configuration(study, tables_of(study.spec), 2).decode())["trial"]
    assert (table["stage"], table["images"], table["epochs"]) == (2, 700, 8)
