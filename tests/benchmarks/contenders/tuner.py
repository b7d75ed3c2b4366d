"""KerasTuner's RandomSearch doing the same trial; `tuner.py DATA IMAGES EPOCHS`."""

import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

import keras_tuner
import numpy as np
from keras_network import build
from turns import load, peak_memory, ready, say, told_to_go


def main(path: Path, images: int, epochs: int) -> None:
    """Serve trials until stdin is closed."""
    splits = load(path)
    training, labels = splits["training"][0].astype("float32") / 255, splits["training"][1]
    validation = (splits["validation"][0].astype("float32") / 255, splits["validation"][1])

    def from_hyperparameters(hp: keras_tuner.HyperParameters) -> object:
        learning_rate = hp.Float("learning_rate", 1e-6, 1e-3, sampling="log")
        return build(learning_rate, hp.Float("l2", 1e-6, 1e1, sampling="log"))

    class LastEpoch(keras_tuner.RandomSearch):
        """Validates once, after the last epoch, as the other contenders do: `fit` would after every epoch."""

        def run_trial(self, trial: object, *_args: object, **_kwargs: object) -> dict[str, float]:
            model = self.hypermodel.build(trial.hyperparameters)
            chosen = np.random.default_rng().choice(len(training), images, replace=False)
            model.fit(training[chosen], labels[chosen], batch_size=32, epochs=epochs, verbose=0)
            return {"val_mae": model.evaluate(*validation, verbose=0)[1]}

    with tempfile.TemporaryDirectory() as folder:
        objective = keras_tuner.Objective("val_mae", "min")
        tuner = LastEpoch(
            from_hyperparameters, objective=objective, max_trials=10_000, directory=folder, project_name="bench"
        )
        _one(tuner)
        ready()
        while told_to_go():
            start = time.perf_counter()
            _one(tuner)
            say({"trial": time.perf_counter() - start, "parts": {}, "memory": peak_memory()})


def _one(tuner: keras_tuner.RandomSearch) -> None:
    """One turn of the loop in `Tuner.search`."""
    trial = tuner.oracle.create_trial(tuner.tuner_id)
    tuner.on_trial_begin(trial)
    tuner._try_run_and_update_trial(trial)
    tuner.on_trial_end(trial)


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # KerasTuner tells its progress there
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
