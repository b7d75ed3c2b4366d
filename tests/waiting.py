"""Waiting for what another process does."""

import time


def until(condition, what, seconds=3600.0, pause=0.01):
    """Return the first true answer of `condition`, asked again after each pause; fail with `what` if none comes.

    By default it waits for longer than any test may take, whose own limit decides. A question that takes a while itself
    wants a longer pause, else it takes the time of those that it is about.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds:g} seconds"
        time.sleep(pause)
    return answer
