"""A small network on handwritten digits in PyTorch; the final fit keeps the weights."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import agesearch


def load():
    """Return training digits, validation digits, training labels and validation labels as tensors."""
    digits, labels = load_digits(return_X_y=True)
    parts = train_test_split((digits / 16).astype("float32"), labels, test_size=0.3, random_state=0)
    return [torch.from_numpy(part) for part in parts]


def objective(trial, data):
    """Return the share of validation digits that are taken for others."""
    train_x, valid_x, train_y, valid_y = data
    torch.manual_seed(trial.seed)
    units, rate = trial.suggest_int("units", 8, 128, log=True), trial.suggest_float("dropout", 0.0, 0.5)
    layers = [torch.nn.Linear(64, units), torch.nn.ReLU(), torch.nn.Dropout(rate), torch.nn.Linear(units, 10)]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=trial.suggest_float("lr", 1e-4, 1e-1, log=True))
    for epoch in range(trial.budget["epochs"]):
        for batch in torch.randperm(len(train_x)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model.train()(train_x[batch]), train_y[batch]).backward()
            optimizer.step()
        error = (model.eval()(valid_x).argmax(1) != valid_y).float().mean().item()
        trial.report(error, epoch)
    if trial.final:
        torch.save(model.state_dict(), trial.folder / "model.pt")
    return error


if __name__ == "__main__":
    agesearch.serve(objective, setup=load)
