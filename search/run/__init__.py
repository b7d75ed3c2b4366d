"""A search in processes: the launcher, its workers and their loop, progress, and Ray."""
