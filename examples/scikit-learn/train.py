"""How well gradient boosting predicts the course of diabetes; the data ships with scikit-learn."""

from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

import agesearch


def load():
    """Return training inputs, validation inputs, training targets and validation targets, always the same."""
    inputs, targets = load_diabetes(return_X_y=True)
    return train_test_split(inputs, targets, test_size=0.3, random_state=0)


def objective(trial, data):
    """Return the mean absolute error on the validation split."""
    train_x, valid_x, train_y, valid_y = data
    model = GradientBoostingRegressor(
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 1.0, log=True),
        max_depth=trial.suggest_int("max_depth", 1, 9, step=2),
        subsample=trial.suggest_float("subsample", 0.3, 1.0),
        n_estimators=trial.budget["trees"],
        random_state=trial.seed,
    )
    model.fit(train_x, train_y)
    trial.set_user_attr("training error", mean_absolute_error(train_y, model.predict(train_x)))
    return mean_absolute_error(valid_y, model.predict(valid_x))


if __name__ == "__main__":
    agesearch.serve(objective, setup=load)
