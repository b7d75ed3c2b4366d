"""What a fit is worth on a split: the mean of what its members answer, and each member by itself next to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.dataset import inspect_dataset, read_split
from model.results.evaluation import Evaluation, evaluate
from model.results.quantity import Quantity
from search.counting import decimal
from search.results.paired import Difference, compare
from search.tasks.images.fit_record import averaged, predict_members, read_fit


@dataclass(frozen=True, slots=True)
class Member:
    """One network of an ensemble: its folder, its validation error when it was kept, and what it is worth."""

    name: str
    validation_mae: float
    evaluation: Evaluation

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {"member": self.name, "validation_mae": self.validation_mae, **self.evaluation.as_dict()}


@dataclass(frozen=True, slots=True)
class Together:
    """The members of an ensemble, which of them is the best by validation, and the ensemble's difference to that one.

    The difference is below 0 where the ensemble has the smaller error; None over a single image.
    """

    members: tuple[Member, ...]
    best: str
    difference: Difference | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        members, difference = [each.as_dict() for each in self.members], self.difference
        return {"members": members, "best_member": self.best, "difference": difference and difference.as_dict()}


@dataclass(frozen=True, slots=True)
class FitEvaluation:
    """What a fit is worth on a split, and as an ensemble next to its members; None where it is of one network."""

    split: str
    quantity: Quantity
    evaluation: Evaluation
    together: Together | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        own = {"split": self.split, "unit": self.quantity.unit, **self.evaluation.as_dict()}
        return own | (self.together.as_dict() if self.together else {})

    def lines(self) -> list[str]:
        """Return it as text."""
        found, together = self.evaluation, self.together
        median, rmse, constant = (
            decimal(each, ".2f", found.mae) for each in (found.median_error, found.rmse, found.constant_mae)
        )
        lines = [
            self._error(found) + (f", the mean of {len(together.members)} networks" if together else ""),
            f"median error {median}, RMSE {rmse}, bias {decimal(found.bias, '+.2f', found.mae)}; always answering the "
            f"split's own median would score {constant}",
        ]
        if together:
            lines += [
                f"{each.name}: {self._error(each.evaluation)}; validation MAE {decimal(each.validation_mae)} when kept"
                for each in together.members
            ]
        if together and together.difference:
            lines.append(
                f"all together against {together.best}, the best by validation: "
                f"{together.difference.sentence(self.quantity.unit, ('the ensemble', together.best))}"
            )
        return lines

    def _error(self, found: Evaluation) -> str:
        error = self.quantity.error(found.mae, found.standard_error)
        return f"{self.split} MAE {error} over {found.images} images"


def evaluate_fit(folder: Path, dataset: Path, split: str) -> FitEvaluation:
    """Evaluate a fit on one split of a dataset; raises as `predict` and `read_split` do."""
    examples, quantity = read_split(dataset, split), Quantity(inspect_dataset(dataset).unit)
    each = {name: found[split] for name, found in predict_members(folder, {split: examples.images}).items()}
    mean = averaged([{split: found} for found in each.values()])[split]
    whole = evaluate(mean, examples.labels)
    if len(each) == 1:
        return FitEvaluation(split, quantity, whole, None)
    members = tuple(
        Member(name, read_fit(Path(name)).kept.validation_mae, evaluate(found, examples.labels))
        for name, found in each.items()
    )
    best = min(members, key=lambda member: member.validation_mae).name
    difference = compare(mean, each[best], examples.labels) if len(examples.labels) > 1 else None
    return FitEvaluation(split, quantity, whole, Together(members, best, difference))
