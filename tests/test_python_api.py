"""The Python API of agesearch.py: searches from scripts and notebooks, by commands in processes of their own."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

import agesearch
from tests.search.tiny import write_tiny

PROGRAM = """
import agesearch

def objective(trial):
    x, kind = trial.suggest_float("x", 0, 1), trial.suggest_categorical("kind", ["a, b", "c=d"])
    trial.report(x, 0)
    trial.set_user_attr("squared", x * x)
    return (x - 0.5) ** 2 * trial.budget["rounds"]

if __name__ == "__main__":
    agesearch.serve(objective)
"""
SETTINGS = {
    "space": {"x": {"linear": [0, 1]}, "kind": ["a, b", "c=d"]},
    "budget": {"rounds": 2},
    "trials": (3, 2),
    "workers": 1,
    "finalists": 2,
    "finalist_repeats": 2,
    "storage": "sqlite:///study.db",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a program, and with files of the user's own that are called as ours are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "search.py").write_text("raise AssertionError('not mine')\n")
    (tmp_path / "data").mkdir()
    return tmp_path


def test_a_search_its_trials_its_choice_and_its_fit_are_plain_values(folder, capsys):
    study = agesearch.search("train.py", **SETTINGS)
    trials = study.trials()
    assert (study.name, len(trials)) == ("train", 9)
    assert {trial["state"] for trial in trials} == {"finished"}
    assert all(trial["measures"] == {"squared": trial["params"]["x"] ** 2} for trial in trials)
    assert {trial["params"]["kind"] for trial in trials} <= {"a, b", "c=d"}
    assert "narrowed for stage 2" in capsys.readouterr().err  # what the command says is seen
    first, second = study.finalists
    assert first["mean"] <= second["mean"]
    assert study.best["params"] == first["params"]
    again = agesearch.load_study("train", storage="sqlite:///study.db")
    assert again.trials() == trials
    assert "[hyperparameters]" in study.export("best.toml").read_text()
    for source in (study, "best.toml"):
        fitted = agesearch.fit(
            source, f"fit of {type(source).__name__}", fit={"rounds": 4}, storage=SETTINGS["storage"]
        )
        assert fitted.result["value"] == (study.best["params"]["x"] - 0.5) ** 2 * 4
        assert json.loads((folder / fitted.folder / "result.json").read_text())["params"] == study.best["params"]
    with pytest.raises(agesearch.CommandError, match="the fit of a program"):
        fitted.evaluate()


@pytest.mark.skipif(find_spec("pandas") is None, reason="pandas is not installed")
def test_the_trials_are_a_data_frame():
    frame = agesearch.search("train.py", **SETTINGS | {"finalists": 0}).to_pandas()
    assert {"number", "value", "params_x", "params_kind", "measures_squared"} <= set(frame.columns)


def test_what_the_commands_refuse_is_an_exception_with_their_sentence():
    with pytest.raises(agesearch.CommandError, match=r"did you mean 'trials'") as refused:
        agesearch.search("train.py", trails=(1, 1))
    assert refused.value.code == 2
    with pytest.raises(agesearch.CommandError, match="no study storage"):
        agesearch.load_study("train", storage="sqlite:///none.db")
    with pytest.raises(agesearch.CommandError, match=r"best\.toml"):
        agesearch.fit("best.toml", "fit")


def test_a_storage_is_on_no_command_line(monkeypatch):
    lines = []
    popen = subprocess.Popen

    def start(line, **given):
        lines.append(line)
        return popen(line, **given)

    monkeypatch.setattr(agesearch.subprocess, "Popen", start)
    with pytest.raises(agesearch.CommandError):
        agesearch.load_study("train", storage="postgresql://ada:secret@127.0.0.1:1/studies")
    assert len(lines) == 1
    assert not any("secret" in word for word in lines[0])


def test_an_interrupt_ends_the_command(monkeypatch):
    process = None
    popen = subprocess.Popen

    class Interrupted(popen):
        def __init__(self, _line, **given):
            nonlocal process
            code = "import time; print('started', flush=True); time.sleep(3600)"
            super().__init__([sys.executable, "-c", code], **given)
            process, read = self, self.stdout
            self.stdout = self
            self.readline, self.close = read.readline, read.close

        def read(self):
            self.readline()
            raise KeyboardInterrupt

    monkeypatch.setattr(agesearch.subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        agesearch.load_study("train")
    assert process.returncode == -15


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_images_are_searched_fitted_evaluated_and_predicted(folder):
    write_tiny(folder / "faces.h5", (40, 6, 4))
    (folder / "small.toml").write_text(
        'layers = [{kind = "conv2d", filters = 4, padding = "same", batch_norm = true}, '
        '{kind = "average_pool", size = 8}, {kind = "flatten"}, {kind = "dense", units = 1, activation = "linear"}]\n'
    )
    from PIL import Image

    Image.new("L", (91, 91), 128).save(folder / "face.png")
    own = {"data": "faces.h5", "network": "small.toml", "images": 8, "epochs": 1, "batch_size": 8, "finalists": 0}
    study = agesearch.search(**own, trials=(1, 1), workers=1, precision="float32", learning_rate=(1e-4, 1e-3))
    assert 1e-4 <= study.best["params"]["learning_rate"] <= 1e-3
    fitted = agesearch.fit(study, "fit", fit_epochs=2)
    assert fitted.evaluate()["mae"] > 0
    (found,) = fitted.predict("face.png")
    assert found["image"] == "face.png"
