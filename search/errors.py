"""What search/ raises: one class the commands turn into a sentence, and those that are caught apart from it."""


class SearchError(ValueError):
    """A study, its storage or a setting cannot be used as asked; the message says why and what to do."""


class SearchFailure(SearchError):  # noqa: N818  (what failed is the machine's, and no error of the caller)
    """What was asked for is right, but the storage or the workers failed; trying again may succeed. Exit code 1."""


class UnfitWorker(SearchError):  # noqa: N818  (it is the worker that is unfit, and the trial has not failed)
    """A worker can run no trial of its study, as with files that have changed; its slot is given back, and it ends."""


class StaleClaim(SearchError):  # noqa: N818  (it is a claim that is stale, which the callers catch, not a fault)
    """The lease of a claim was lost and its slot taken over, so nothing may be written in its name any more."""


class TrialStopped(Exception):  # noqa: N818  (a clean stop is not an error)
    """A trial noticed that its worker is stopping; the slot is given back and the attempt is not counted."""


class TrialPruned(Exception):  # noqa: N818  (nor is this)
    """A trial is not worth its next epoch; the message says why."""
