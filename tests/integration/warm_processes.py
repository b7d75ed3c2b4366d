"""Processes that start in milliseconds: they are forked from one that has imported everything."""

import multiprocessing
import os
from pathlib import Path


def warm_processes():
    """A context of such processes."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.warm_start"])
    context.Process().start()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    return context
