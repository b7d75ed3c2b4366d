"""Waiting for what another process does."""

import time


def until(condition, what, seconds=120.0):
    """Return the first true answer of `condition`, asked a hundred times a second; fail with `what` if none comes."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds:g} seconds"
        time.sleep(0.01)
    return answer
