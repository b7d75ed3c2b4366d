"""The experiments of a storage in the report: which there are, and the section of each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from model.results.quantity import Quantity
from search.errors import SearchError
from search.report.declared import DECLARED, LENGTHS
from search.report.experiment_sections import capacity_section, variants_section
from search.report.kept_networks import NOTHING_TESTED, TestErrors
from search.report.length_sections import length_section
from search.report.pairing import differences
from search.report.preparing import study_name
from search.report.proxy import NAME as PROXY
from search.report.proxy import judge
from search.report.proxy_sections import proxy_section
from search.report.runs import Run, runs_of
from search.report.sections import LeftOut, Section, Words
from search.storage.database import Storage
from search.study.study import Study, load_study, study_names
from search.study.variants import Experiment
from search.tasks.images.specifying import precision_of, recipe_of

TITLES: Final = {each.name: each.title for each in DECLARED} | {PROXY: "What a short trial is worth"}
CAPTIONS: Final = {each.name: each.caption for each in DECLARED} | {
    PROXY: "Each trial's score against what the longer training of its configuration came to."
}

LENGTH: Final = "training-length"

Runs = Mapping[str, Sequence[Run]]


def experiments_beside(storage: Storage, study: str) -> dict[str, Study | None]:
    """Return by name the experiments that belong to the search `study`; None for those that were not run."""
    known = set(study_names(storage))
    return {name: _experiment(storage, study_name(study, name), known) for name in TITLES}


def _experiment(storage: Storage, name: str, known: Collection[str]) -> Study | None:
    """Load an experiment; None also for a search that was given such a name."""
    found = load_study(storage, name) if name in known else None
    return found if found and found.spec.experiment else None


def experiment_section(study: Study, tested: TestErrors = NOTHING_TESTED) -> Section | LeftOut:
    """Show an experiment as it stands now; `tested` is what is known of the networks that its trials have kept."""
    experiment = study.spec.experiment
    if experiment is None:
        raise ValueError(f"the study {study.name!r} is not an experiment")
    runs = {name: found for name, found in runs_of(study).items() if found}
    finished = sum(map(len, runs.values()))
    if not finished:
        return LeftOut(TITLES[experiment.name], f"no trial of it has finished with a value yet in {study.name!r}")
    try:
        words = _words(study, experiment, finished)
        if experiment.name == LENGTH:
            return _length(runs, words, tested)
        return SECTIONS.get(experiment.name, _variants)(experiment, runs, words)
    except SearchError as error:  # too few trials have finished
        return LeftOut(TITLES[experiment.name], str(error))


def _words(study: Study, experiment: Experiment, finished: int) -> Words:
    spec, without = study.spec, experiment.slots - finished
    missing = f" {without} of them have no value: they diverged, failed, or have not been run." if without else ""
    text = (
        f"{experiment}, recipe {recipe_of(spec)}, seed {spec.seed}, precision {precision_of(spec)}, in the study "
        f"{study.name}.{missing}",
    )
    return Words(TITLES[experiment.name], CAPTIONS[experiment.name], text, Quantity(spec.task.score.unit))


def _capacity(experiment: Experiment, runs: Runs, words: Words) -> Section:
    (variant,) = experiment.variants
    seeds = {f"seed {run.repeat}": run.training for run in runs[variant.name]}
    return capacity_section(words, int(variant.budget["images"]), seeds)


def _length(runs: Runs, words: Words, tested: TestErrors) -> Section:
    (found,) = runs.values()
    training, validation = ([getattr(run, name) for run in found] for name in ("training", "validation"))
    return length_section(
        words, LENGTHS, training, validation, {run.repeat: tested.get(run.repeat, {}) for run in found}
    )


def _proxy(experiment: Experiment, runs: Runs, words: Words) -> Section:
    return proxy_section(words, judge(experiment, runs))


def _variants(experiment: Experiment, runs: Runs, words: Words) -> Section:
    curves = {
        name: {"training": [run.training for run in found], "validation": [run.validation for run in found]}
        for name, found in runs.items()
    }
    file = "figure-3-batchnorm" if experiment.name == "batchnorm" else experiment.name
    return variants_section(words, file, curves, differences(runs))


SECTIONS: Final[Mapping[str, Callable[[Experiment, Runs, Words], Section]]] = {
    "capacity": _capacity,
    PROXY: _proxy,
}
"""The other experiments that are not shown as variants side by side."""
