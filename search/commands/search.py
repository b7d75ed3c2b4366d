"""`agesearch init` creates a study, `search` launches its workers and watches them, `worker` is one of them."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from search.commands.options import AsJson, takes_settings
from search.commands.printing import answer, answer_json, columns
from search.errors import SearchError
from search.settings import Settings

STUDY = ("data", "study", "storage")
BUDGET = ("trials", "images", "epochs", "batch_size")
SPACE = ("seed", "learning_rate", "l2", "ranges")
CREATION = (*STUDY, *BUDGET, *SPACE, "recipe", "precision", "threads", "max_attempts", "out")


@takes_settings(*CREATION)
def init(settings: Settings, as_json: AsJson = False) -> None:
    """Create a study, and the storage where there is none, for workers that are started elsewhere."""
    from search.searching import prepare_study
    from search.storage import quieten_optuna

    quieten_optuna()
    prepare_study(settings, dataset_of(settings))
    print_result(settings, as_json)


@takes_settings(*CREATION, "workers")
def search(settings: Settings, as_json: AsJson = False) -> None:
    """Create or resume a study, launch workers, and show how it goes; prints the best trials."""
    ended = search_to_the_end(settings, dataset_of(settings))
    print_result(settings, as_json)
    if not ended:
        raise KeyboardInterrupt


@takes_settings(*STUDY)
def worker(
    settings: Settings,
    tethered: Annotated[bool, typer.Option("--tethered", hidden=True, help="Stop when stdin is closed.")] = False,
    gpu_share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="The share of its GPU's memory that this worker may take.")
    ] = 1.0,
) -> None:
    """Run one worker until the study is done, from any machine that reaches the storage."""
    from threading import Thread

    from search.launcher import stop_when_untethered
    from search.searching import stop_on_signals
    from search.working import run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with stop_on_signals() as stop:
        if tethered:
            Thread(target=stop_when_untethered, args=(stop,), daemon=True).start()
        run_worker(settings, dataset_of(settings), stop, gpu_share)
    if stop.is_set() and not tethered:  # a launcher takes any code but 0 for a death
        raise KeyboardInterrupt


def dataset_of(settings: Settings) -> Path:
    """Return the dataset that the settings name; raises SearchError where they name none."""
    if settings.data is None:
        raise SearchError("no dataset is named; give --data FILE.h5, made by 'agesearch data build'")
    return settings.data


def search_to_the_end(settings: Settings, dataset: Path) -> bool:
    """Run the search and show it on stderr; return whether it came to its end."""
    from rich.console import Console

    from search.narrowing import explain
    from search.progress import Display, Standing, standing
    from search.searching import launch, prepare_study
    from search.slots import Slots
    from search.stages import list_stages
    from search.storage import quieten_optuna

    quieten_optuna()
    study = prepare_study(settings, dataset)
    display = Display(Console(stderr=True), standing(Slots(study)))
    told = len(list_stages(study))

    def watch(now: Standing) -> None:
        nonlocal told
        for stage in list_stages(study)[told:]:
            if stage.narrowing:
                display.say(f"narrowed for stage {stage.number}\n{explain(stage.narrowing)}")
            told += 1
        display.update(now)

    with display.shown():
        return launch(settings, study, dataset, watch)


def print_result(settings: Settings, as_json: bool) -> None:
    """Print where the study stands and its five best trials, as the paper's Table II."""
    from search.ranking import best_trials, table
    from search.slots import Slots
    from search.storage import open_storage
    from search.study import load_study
    from search.summary import summary

    study = load_study(open_storage(settings.storage), settings.study)
    best = best_trials(study, 5)
    if as_json:
        answer_json({**summary(study).as_dict(), "best": [trial.as_dict() for trial in best]})
        return
    for line in summary(study).lines():
        answer(line)
    for failed in Slots(study).failed():
        answer(f"stage {failed.stage}, slot {failed.slot} was closed as failed: {failed.reason}")
    if best:
        answer("")
        answer(columns(table(best)))


COMMANDS = (init, search, worker)
