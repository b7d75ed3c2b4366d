"""The one exception of this room: what the commands turn into a sentence and exit code 2."""


class ModelError(ValueError):
    """A network, recipe or saved model that cannot work; the message names the argument, its value and the way out."""
