"""The figures of trainings, errors and networks."""
