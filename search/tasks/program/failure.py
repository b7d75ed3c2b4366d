"""Why an attempt at a trial of a user's program failed."""

from search.errors import SearchFailure


class ProgramFailure(SearchFailure):
    """The program failed at a trial: it ended, hung, sent what is no message, or its objective raised an exception."""
