"""Why an attempt at a trial of a user's program failed."""

from search.errors import SearchFailure


class ProgramFailure(SearchFailure):
    """The program failed at a trial: it ended, hung, sent what is no message, or its objective raised an exception.

    `reason` is the message without `output`, the last that the program wrote.
    """

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(f"{reason}; {output}" if output else reason)
        self.reason = reason
