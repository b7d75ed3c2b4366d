"""The declared experiments by their names."""

from search.report.declared import DECLARED

BY_NAME = {each.name: each for each in DECLARED}
