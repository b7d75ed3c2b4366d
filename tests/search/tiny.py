"""The smallest of what the commands work on: a dataset file, and a study whose trials took no time."""

from threading import Event

import numpy as np
import tomli_w
from sqlalchemy import delete

from data.arrays import Split
from data.dataset import make_dataset, write_dataset
from model.network.description import tables_of
from model.network.paper import paper_network
from search.results.ranking import RankedTrial
from search.run.loop import Workplace, work
from search.storage.artifacts import store
from search.storage.tables import slots
from search.study.findings import find
from search.study.repair import repair
from search.study.slots import Slots
from tests.integration.fake_study import run_trial
from tests.outcomes import outcome_of


def write_tiny(path, counts=(6, 4, 3), shape=(91, 91, 1), seed=0, options="{}"):
    """Write a dataset of noise to `path`, and return its digest; `options` are those of its build as JSON."""
    stream = np.random.default_rng(seed)
    splits = {}
    for name, count in zip(("training", "validation", "test"), counts, strict=True):
        images = stream.integers(0, 256, (count, *shape), np.uint8)
        labels = stream.integers(1, 81, count).astype(np.float32)
        splits[name] = Split(images, labels, tuple(f"{name}/{index}.png" for index in range(count)))
    dataset = make_dataset(splits, "noise", "00", options)
    write_dataset(path, dataset)
    return dataset.digest


def work_off(study, trial=run_trial, device="a processor", **at):
    """Run all trials of a study that are left."""
    work(Slots(study), trial, Event(), Workplace(device, **at))


def work_some(study, count, trial=run_trial, **at):
    """Run `count` trials of a study and stop."""
    stop, done = Event(), []

    def counted(task):
        done.append(task)
        if len(done) == count:
            stop.set()
        return trial(task)

    work(Slots(study), counted, stop, Workplace(**at))


def attach(storage, folder, trial_id, name, content):
    """Give a running trial a file of its own, as a worker does with its result."""
    for key, value in store(folder, name, content).items():
        storage.rdb.set_trial_system_attr(trial_id, key, value)


def make_slot_again(study, slot):
    """Lose the first stage's slot with its row and let repair make it again; its trial is then nobody's."""
    with study.storage.engine.begin() as tx:
        tx.execute(delete(slots).where(slots.c.study == study.name, slots.c.stage == 1, slots.c.slot == slot))
    repair(Slots(study), find(Slots(study)))


def ranked(number, error, params, stage=1, curve=()):
    """Return a trial with that validation error."""
    measures = {"validation_mae": error, "training_mae": 5.0, "penalty": 0.5}
    budget = {"images": 500, "epochs": 5}
    return RankedTrial(number, stage, number, error, measures, 1.0, budget, params, {}, "", "", curve)


def write_fit(folder, digest="0f", errors=((9.0, 8.0), (7.0, 7.5), (6.0, 7.75)), unit="years"):
    """Write what a finished fit leaves but for its model, which is an empty file; `errors` are those of each epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.keras").touch()
    network = paper_network()
    about = {"recipe": "default", "precision": "float32", "threads": 2, "dataset": {"digest": digest, "unit": unit}}
    about |= {"image_shape": list(network.input_shape), "network": tables_of(network.layers)}
    about |= {"settings": {"learning_rate": 1e-4, "l2": 1e-5, "batch_size": 32, "seed": 3, "epochs": 3}}
    (folder / "fit.toml").write_text(tomli_w.dumps(about))
    best, lines = float("inf"), ["epoch,training_mae,validation_mae,seconds,best"]
    for epoch, (training, validation) in enumerate(errors, start=1):
        lines.append(f"{epoch},{training},{validation},60.000,{int(validation < best)}")
        best = min(best, validation)
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    return folder


def run_variant(task):
    """Run a trial of an experiment in no time, whose errors fall from epoch to epoch and differ by slot and variant."""
    epochs = range(1, task.budget["epochs"] + 1)
    training = tuple(10 / epoch + task.slot for epoch in epochs)
    for epoch in epochs:
        validation = 20 / epoch + task.slot if task.options["curve"] == "validation" else None
        task.report(epoch, training[epoch - 1] if validation is None else validation)
    return outcome_of(20 / epochs[-1] + task.slot, 21.0, training[-1], 0.5, training)
