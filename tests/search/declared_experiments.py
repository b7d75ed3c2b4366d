"""The declared experiments by their names."""

from search.experiment.declared import DECLARED

BY_NAME = {each.name: each for each in DECLARED}
