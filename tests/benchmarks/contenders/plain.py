"""A plain Optuna + `keras.Model.fit` loop, as Optuna's own Keras examples write it; `plain.py DATA IMAGES EPOCHS`."""

import sys
from pathlib import Path

import keras
import numpy as np
import optuna
from keras_network import build
from turns import Parts, load, peak_memory, ready, say, told_to_go


def main(path: Path, images: int, epochs: int) -> None:
    """Serve trials until stdin is closed."""
    splits = load(path)
    training, labels = splits["training"][0].astype("float32") / 255, splits["training"][1]
    validation = (splits["validation"][0].astype("float32") / 255, splits["validation"][1])
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize")
    parts = Parts()

    def objective(trial: optuna.Trial) -> float:
        parts.time("build", keras.backend.clear_session)
        learning_rate = trial.suggest_float("learning_rate", 1e-6, 1e-3, log=True)
        model = parts.time("build", lambda: build(learning_rate, trial.suggest_float("l2", 1e-6, 1e1, log=True)))
        chosen = np.random.default_rng().choice(len(training), images, replace=False)
        fit = {"batch_size": 32, "epochs": epochs, "verbose": 0}
        parts.time("train", lambda: model.fit(training[chosen], labels[chosen], **fit))
        return parts.time("validate", lambda: model.evaluate(*validation, verbose=0))[1]

    study.optimize(objective, n_trials=1)
    ready()
    while told_to_go():
        parts.seconds.clear()
        total = Parts()
        total.time("trial", lambda: study.optimize(objective, n_trials=1))
        say({**total.seconds, "parts": dict(parts.seconds), "memory": peak_memory()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
