"""An objective as it stands in an Optuna script: nothing of it changes, and `serve` takes the place of `optimize`."""

import optuna
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import agesearch


def objective(trial):
    """Return the share of validation digits that are recognised."""
    digits, labels = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(digits / 16, labels, random_state=0)
    penalty = trial.suggest_categorical("penalty", ["l2", "elasticnet"])
    classifier = SGDClassifier(
        penalty=penalty,
        alpha=trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
        l1_ratio=trial.suggest_float("l1_ratio", 0.0, 1.0) if penalty == "elasticnet" else 0.15,
        random_state=0,
    )
    for step in range(10):
        classifier.partial_fit(train_x, train_y, classes=range(10))
        trial.report(classifier.score(valid_x, valid_y), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return classifier.score(valid_x, valid_y)


if __name__ == "__main__":
    agesearch.serve(objective)  # optuna.create_study(direction="maximize").optimize(objective, n_trials=24)
