"""A small network on handwritten digits with plain `fit`; it stops where pruning says so."""

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import agesearch


class Report(keras.callbacks.Callback):
    """Reports the validation error of each epoch."""

    def __init__(self, trial):
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch, logs):  # noqa: D102
        self.trial.report(1 - logs["val_accuracy"], epoch)
        if self.trial.should_prune():
            raise agesearch.TrialPruned


def objective(trial):
    """Return the share of validation digits that are taken for others."""
    keras.utils.set_random_seed(trial.seed)
    digits, labels = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(digits / 16, labels, test_size=0.3, random_state=0)
    hidden = keras.layers.Dense(trial.params["units"], activation=trial.params["activation"])
    model = keras.Sequential([hidden, keras.layers.Dense(10, activation="softmax")])
    optimizer, loss = keras.optimizers.Adam(trial.params["lr"]), "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"])
    valid, epochs = (valid_x, valid_y), trial.budget["epochs"]
    model.fit(train_x, train_y, epochs=epochs, validation_data=valid, callbacks=[Report(trial)], verbose=0)
    return 1 - model.evaluate(valid_x, valid_y, verbose=0)[1]


if __name__ == "__main__":
    agesearch.serve(objective)
