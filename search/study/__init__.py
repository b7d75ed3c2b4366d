"""A study and what it consists of: stages with their plans, trials, workers."""
